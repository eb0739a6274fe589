"""The end of a run: its report, its state, and what those who watch are told."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import one_line
from target_ciscovm.errors import CiscoVMError
from target_ciscovm.output.folders import point_to
from target_ciscovm.report.files import write_html, write_json
from target_ciscovm.report.summary import summarise
from target_ciscovm.report.table import table
from target_ciscovm.watching.index import write_index
from target_ciscovm.watching.metrics import write_metrics
from target_ciscovm.watching.notices import announce_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_ciscovm.intake.rejections import Rejections
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.report.endings import Ending
    from target_ciscovm.report.facts import Facts
    from target_ciscovm.report.model import Report
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)


def conclude(
    report: Report, ending: Ending, facts: Facts, ledger: Ledger, rejections: Rejections
) -> None:
    """Fill the report, show it in the log, and write it into the run's folder."""
    report.outcome, report.exit_code = ending.outcome, ending.exit_code
    report.message, report.next_step = one_line(ending.message), one_line(ending.next_step)
    report.next_command = ending.command
    summarise(facts, report)
    with suppress(CiscoVMError):  # a ledger that cannot be read has ended the run already
        report.proof.last = ledger.proven_at
    # What went wrong is said once, by the command's last line.
    lines = table(report)[1:] if report.exit_code else table(report)
    for line in lines if facts.counts.received else ():
        LOGGER.info("%s", line)
    if facts.folder is not None:
        _write(report, facts, facts.folder, rejections)


def _write(report: Report, facts: Facts, folder: RunFolder, rejections: Rejections) -> None:
    try:
        rejections.close()
        write_json(report, folder.file("report.json"))
        write_html(report, folder.file("report.html"), facts.changes)
        point_to(folder.path)
    except (OSError, CiscoVMError) as error:
        LOGGER.warning("The report could not be written: %s", error)
    else:
        LOGGER.info("The report is %s", folder.file("report.html").resolve())


def pass_on(report: Report, state: bytes | None, pass_state: Callable[[bytes], None]) -> None:
    """Pass the tap's state on; where that fails, the report says that only the state was lost.

    Args:
        report: of the run.
        state: None for none.
        pass_state: is given it.
    """
    if state is None:
        return
    try:
        pass_state(state)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        report.exit_code = 1
        report.message = (
            f"{report.message} Only the state could not be passed on ({cause}), so the next run "
            "sends the same again."
        )


def announce(report: Report, folder: Path | None, settings: Settings) -> None:
    """Tell those who watch; what fails here is a warning, as the run has ended."""
    write_index(settings.output_path)
    write_metrics(report, settings.metrics_path)
    announce_run(report, folder, settings.notices)

"""`index.html`: the runs and audits that are kept, the newest first, each with its page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import parse
from qualyswas_ciscovm.progress import duration
from target_ciscovm.errors import CiscoVMError
from target_ciscovm.output.private_files import written_whole
from target_ciscovm.report.files import write_private
from target_ciscovm.report.page import OUTCOMES, template
from target_ciscovm.report.wording import moment
from target_ciscovm.watching.kept_runs import KeptAudit, KeptRun, kept_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_ciscovm.watching.kept_runs import Connector, Kept

LOGGER: Final = logging.getLogger(__name__)

INDEX: Final = "index.html"
AUDITED: Final = {0: ("good", "✓", "Audit: agree"), 1: ("bad", "✕", "Audit: differ")}
UNKNOWN: Final = ("fair", "?", "No report")
DESTINATIONS: Final = {"dry_run": "dry run", "files": "files only"}
NEVER: Final = "never"


class Row(msgspec.Struct, frozen=True):
    """A run or an audit in the list.

    Attributes:
        page: its report, relative to the list; empty where there is none.
        opened: None where nothing was changed, or nobody knows.
    """

    name: str
    page: str
    colour: str
    sign: str
    outcome: str
    message: str = ""
    when: str = ""
    sync: str = ""
    connector: str = ""
    opened: int | None = None
    closed: int | None = None
    open: int | None = None


def write_index(output_path: Path) -> None:
    """Write the list of what is kept in a folder; what fails is a warning."""
    try:
        with written_whole(output_path / INDEX) as made:
            write_private(made, render_index(list(kept_runs(output_path))).encode())
    except (OSError, CiscoVMError) as error:
        LOGGER.warning("The list of runs could not be written: %s", error)


def render_index(kept: Iterable[tuple[str, Kept | None]]) -> str:
    """Give the page of what is kept, the newest first."""
    kept = list(kept)
    rows = [_row(name, one) for name, one in kept]
    runs = [one for _, one in kept if isinstance(one, KeptRun)]
    return template("index.html.j2").render(rows=rows, proven=dict(_proven(runs)))


def _row(name: str, kept: Kept | None) -> Row:
    if kept is None:
        return Row(name, "", *UNKNOWN)
    connector = _connector(kept.connector)
    if isinstance(kept, KeptAudit):
        words = AUDITED.get(kept.exit_code, UNKNOWN)
        when = moment(kept.asked_at)
        return Row(name, f"{name}/audit.html", *words, kept.message, when, "", connector)
    told = kept.changes if kept.tells_changes else None
    return Row(
        name,
        f"{name}/report.html",
        *OUTCOMES[kept.outcome],
        message=kept.message,
        when=moment(kept.times.finished),
        sync=", ".join(filter(None, [kept.mode, DESTINATIONS.get(kept.destination)])),
        connector=connector,
        opened=told.opened if told else None,
        closed=told.closed if told else None,
        open=kept.open_now,
    )


def _connector(connector: Connector | None) -> str:
    return f"{connector.id} {connector.name}".rstrip() if connector else ""


def _proven(runs: Iterable[KeptRun]) -> Iterator[tuple[str, str]]:
    """Give for each connector, by its last run, when a load was last proven, and how long ago."""
    seen: set[int] = set()
    for run in runs:
        if run.connector is None or run.connector.id in seen or run.times.finished is None:
            continue
        seen.add(run.connector.id)
        last, now = parse(run.proof.last), parse(run.times.finished)
        ago = ""
        if last is not None and now is not None:
            ago = f", {duration((now - last).total_seconds())} before its last run ended"
        yield _connector(run.connector), f"{moment(run.proof.last) if last else NEVER}{ago}"

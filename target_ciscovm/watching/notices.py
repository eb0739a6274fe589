"""The notice: the end of a load or an audit, posted to a webhook. Its failure is a warning."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
import requests
from click import ClickException
from msgspec import Meta, Struct
from singer_sdk.exceptions import ConfigValidationError

from qualyswas_ciscovm.errors import RUNTIME_EXIT, SETTINGS_EXIT, Interrupted
from qualyswas_ciscovm.wording import one_line
from target_ciscovm.cvm.transport import user_agent
from target_ciscovm.errors import CiscoVMError, Refused

# ruff: noqa: TC001 - msgspec reads the types
from target_ciscovm.outcomes import Destination, Outcome
from target_ciscovm.report.model import Changes, ConnectorInfo, Report, Times
from target_ciscovm.report.wording import clean_all
from target_ciscovm.settings.notices import notice_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_ciscovm.settings.notices import NoticeRules

LOGGER: Final = logging.getLogger(__name__)

PATIENCE: Final = 20.0
"""Seconds that a notice may take in all."""
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 8.0
PAUSE: Final = 1.0
"""Seconds before the second attempt."""
ATTEMPTS: Final = 2
AUDIT_PAGE: Final = "audit.html"
SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What Slack would take for its own marks, which can call a whole channel."""


Command = Literal["load", "audit"]


class Notice(Struct, kw_only=True):
    """What is posted: a text for people, and the same for programs under the report's names."""

    version: Annotated[Literal[1], Meta(description="version of this format")] = 1
    command: Command = "load"
    text: str
    outcome: Outcome | Literal["agrees", "differs"]
    exit_code: int
    message: str
    next_step: str = ""
    next_command: str = ""
    run_id: str = ""
    report: str = ""
    destination: Destination | None = None
    connector: ConnectorInfo | None = None
    changes: Changes | None = None
    open_findings: int | None = None
    warnings: list[str] = msgspec.field(default_factory=list)
    times: Times | None = None


def announce_run(report: Report, folder: Path | None, rules: NoticeRules | None) -> None:
    """Announce the end of a run, where the settings want it."""
    well = report.outcome == "succeeded" and not report.exit_code
    if rules is None or (well and not rules.every_run):
        return
    post(
        Notice(
            text=_text(report.outcome, report.connector, report.message, report.next_step),
            outcome=report.outcome,
            exit_code=report.exit_code,
            message=report.message,
            next_step=report.next_step,
            next_command=report.next_command,
            run_id=report.run_id,
            report=str((folder / "report.html").resolve()) if folder else "",
            destination=report.destination,
            connector=report.connector,
            changes=report.changes,
            open_findings=report.open_now,
            warnings=report.warnings,
            times=report.times,
        ),
        rules,
    )


def announce_audit(
    folder: Path, connector: ConnectorInfo, message: str, rules: NoticeRules | None, *, agrees: bool
) -> None:
    """Announce the end of an audit, where the settings want it.

    Args:
        folder: of the audit.
        connector: that was audited.
        message: what was found.
        rules: None where nothing is announced.
        agrees: whether CVM holds what the ledger says.
    """
    if rules is None or (agrees and not rules.every_run):
        return
    outcome: Final = "agrees" if agrees else "differs"
    next_step = "" if agrees else f"See {AUDIT_PAGE}: it says what becomes of each difference."
    post(
        Notice(
            command="audit",
            text=_text(outcome, connector, message, next_step, "audit"),
            outcome=outcome,
            exit_code=0 if agrees else 1,
            message=message,
            next_step=next_step,
            run_id=folder.name,
            report=str((folder / AUDIT_PAGE).resolve()),
            connector=connector,
        ),
        rules,
    )


@contextmanager
def announcing(given: Mapping[str, Any], command: Command = "load") -> Iterator[None]:
    """Announce an end that comes before there is a report, such as wrong settings.

    Args:
        given: the settings as they came, checked or not.
        command: what ends.
    """
    try:
        yield
    except ClickException:  # what has a report, and was announced with it
        raise
    except Interrupted as stop:
        _announce_early(given, command, "interrupted", stop.exit_code, str(stop))
        raise
    except ConfigValidationError as error:
        _announce_early(given, command, "refused", SETTINGS_EXIT, " ".join(error.errors))
        raise
    except CiscoVMError as error:
        outcome: Outcome = "refused" if isinstance(error, Refused) else "failed"
        _announce_early(given, command, outcome, error.exit_code, str(error))
        raise
    except Exception as error:
        message = f"An error that is not known ended the run: {type(error).__name__}. See its log."
        _announce_early(given, command, "failed", RUNTIME_EXIT, message)
        raise


def _announce_early(
    given: Mapping[str, Any], command: Command, outcome: Outcome, exit_code: int, message: str
) -> None:
    try:
        rules = notice_rules(given)
    except CiscoVMError:
        return
    if rules is None:
        return
    notice = Notice(
        command=command,
        text=_text(outcome, None, message, "", command),
        outcome=outcome,
        exit_code=exit_code,
        message=message,
    )
    post(notice, rules)


def _text(
    outcome: str,
    connector: ConnectorInfo | None,
    message: str,
    next_step: str,
    command: Command = "load",
) -> str:
    what = "" if command == "load" else f" {command}"
    where = f", connector {connector.title}" if connector else ""
    step = "" if next_step in message else f" Next: {next_step}"
    line = f"target-ciscovm{what}{where}: {outcome.replace('_', ' ')}. {message}{step}"
    return one_line(line).translate(SLACK)


def post(notice: Notice, rules: NoticeRules) -> None:
    """Post a notice, within a limited time whatever the other side does."""
    body = msgspec.json.encode(clean_all(msgspec.to_builtins(notice)))
    answers: SimpleQueue[str] = SimpleQueue()
    # A thread of its own, as no timeout of a socket limits an answer that drips.
    thread = Thread(target=lambda: answers.put(_problem(body, rules)), daemon=True)
    try:
        thread.start()
        problem = answers.get(timeout=PATIENCE)
    except RuntimeError:
        problem = "this system allows no more threads or memory"
    except Empty:
        problem = f"it did not answer within {PATIENCE:,.0f} s"
    if problem:
        LOGGER.warning(
            "The notice to %s was not delivered: %s. The run is not affected.", rules.place, problem
        )


def _problem(body: bytes, rules: NoticeRules) -> str:
    """Post, twice if need be, and say why it was not taken; empty if it was."""
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        try:
            with requests.post(
                rules.url,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": user_agent()},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                verify=rules.ca_bundle or True,
                stream=True,
            ) as answer:
                if answer.ok and not answer.is_redirect:
                    return ""
                problem = f"it answered HTTP {answer.status_code}; check notify_url"
        except (OSError, ValueError) as error:
            # The library's own text may contain the address, or a proxy's password.
            problem = _cause(error)
    return problem


def _cause(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate is not trusted; set ca_bundle if a proxy opens TLS connections"
    if isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it cannot be reached"
    return "notify_url or ca_bundle cannot be used"

"""How a run ends: its outcome, its exit code, its last sentence, and what becomes of the state."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import parse
from qualyswas_ciscovm.wording import counted, cut
from target_ciscovm.errors import (
    Refused,
    RequestRefused,
    StillRunning,
    TemporaryError,
    TooManyRejected,
)
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.outcomes import EXIT_CODES, LOADS_KEPT_BACK
from target_ciscovm.output.state import asking_full_sync
from target_ciscovm.plan.identity import FULL_SYNC
from target_ciscovm.plan.proof import FULL
from target_ciscovm.report.holdings import sentences
from target_ciscovm.report.wording import size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qualyswas_ciscovm.errors import Interrupted
    from target_ciscovm.errors import CiscoVMError
    from target_ciscovm.intake.received import Received
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.outcomes import Outcome
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.plan.webapps import Renamed
    from target_ciscovm.report.facts import Facts

NO_RECORD: Final = "no record came that can be loaded; the tap wrote none, or a mapper dropped them"
SCANS: Final = "scans"
REPORT_FILES: Final = "report_files"
"""The tap's `source` that reads no scans."""
NO_REPORT: Final = "Qualys has no finished scan and no finding: there is no report to load"
NAMED: Final = 3
"""Web applications that a line names."""
NAME: Final = 60
"""Characters of a name in a line."""
ASSETS_NAMED: Final = 10
"""Assets that a line names."""
ASSET_KEY: Final = 120
"""Characters of an asset's key in a line."""
RUN: Final = "meltano run tap-qualyswas target-ciscovm"
VERIFY: Final = "meltano invoke target-ciscovm:verify"
TEST: Final = "meltano invoke tap-qualyswas --test"
SENTENCE_END: Final = re.compile(r"(?<=[a-z0-9)]\.) +(?=[A-Z])")
ONCE: Final = "If that is what you want, run once with the settings below."
LOOK: Final = (
    "Look at the connector's page in CVM, check the login with this command, and run again."
)
HEALS: Final = "The tap's next sync reads everything and heals this."


class Ending(msgspec.Struct, frozen=True):
    """How a run ends.

    Attributes:
        command: what to run next, to be copied; empty where nothing is to be done.
        passes: whether the state is passed on.
        asks: whether the tap's next sync shall be a full one; the state is passed on then, too.
    """

    outcome: Outcome
    exit_code: int
    message: str
    next_step: str = ""
    command: str = ""
    passes: bool = False
    asks: bool = False

    def state_of(self, state: bytes | None) -> bytes | None:
        """Give the state to pass on, None for none."""
        if self.asks:
            return asking_full_sync(state)
        return state if self.passes else None


def run_with(settings: Mapping[str, str]) -> str:
    """Give the command of one run with these settings."""
    return " ".join([*(f"{name}={value}" for name, value in settings.items()), RUN])


def renamed(webapps: Sequence[Renamed]) -> str:
    """Say that web applications have other names, and what that means in CVM."""
    named = ", ".join(
        f"{cut(one.before, NAME)} is now {cut(one.now, NAME)}" for one in webapps[:NAMED]
    )
    more = f" and {len(webapps) - NAMED:,} more" if len(webapps) > NAMED else ""
    return (
        f"Renamed in Qualys: {named}{more}. Findings stay as they are; CVM may keep the old name "
        "in its Applications and as a tag, to be changed there by hand."
    )


def renamed_by_maps(count: int) -> str:
    """Say that stream maps hide findings that are open, and what to do."""
    return (
        f"stream_maps change uniqueId, type or webApp of {counted(count, 'finding')} open in CVM. "
        "They stay open beside the same findings under their new names. Take these fields out of "
        "stream_maps."
    )


def payloads_failed(failed: int, payloads: int) -> str:
    """Say that CVM has failed a part of a load, and where the reason is."""
    return (
        f"CVM failed {failed:,} of {counted(payloads, 'payload')}. Look at the failed payloads on "
        "the connector's page in CVM."
    )


def assets_above(limit: int, keys: Sequence[str]) -> str:
    """Name the assets that are larger than a file may be."""
    allowed = f"part_max_bytes ({size(limit)})"
    return f"Larger than {allowed} allows, so in a file of its own: {_assets(keys)}."


def assets_lacking(keys: Sequence[str]) -> str:
    """Name the assets of a load that CVM lacks something of."""
    if not keys:
        return "CVM holds all of this load all the same."
    return f"CVM lacks what was sent for {_assets(keys)}."


def assets_sent(keys: Sequence[str]) -> str:
    """Name the assets of a load of which CVM does not tell what it holds."""
    return f"CVM does not tell which; the load has {_assets(keys)}."


def _assets(keys: Sequence[str]) -> str:
    named = ", ".join(cut(key, ASSET_KEY) for key in keys[:ASSETS_NAMED])
    more = f" and {len(keys) - ASSETS_NAMED:,} more" if len(keys) > ASSETS_NAMED else ""
    return f"{counted(len(keys), 'asset')}: {named}{more}"


def is_no_report(received: Received) -> bool:
    """Tell whether a full sync has found neither a finished scan nor a finding.

    Report files name no scans; there each web application comes out of a report. Where scans were
    not read, nobody knows whether there are any.
    """
    sync = received.sync
    if sync is None or sync.mode != FULL or received.arrivals.counts[FINDINGS]:
        return False
    if SCANS not in {stream.stream for stream in sync.streams}:
        return False
    source = sync.coverage.source if sync.coverage else None
    if source == REPORT_FILES and received.sources.webapps:
        return False
    return not received.sources.scans


def aborted(why: str, facts: Facts) -> Ending:
    """End a run that had nothing to load."""
    return Ending(
        "aborted",
        1 if facts.settings.fail_on_abort else EXIT_CODES["aborted"],
        f"Nothing was loaded and nothing closed: {why}.",
        "If something should have come, look at the tap's log, its filters and the scope of the "
        "Qualys account.",
        TEST,
    )


def by_error(error: CiscoVMError, facts: Facts) -> Ending:
    """End a run that could not go on."""
    outcome: Outcome = "failed"
    if isinstance(error, Refused):
        outcome = "refused"
    elif isinstance(error, StillRunning):
        outcome = "still_running"
    step = advice(str(error))
    if isinstance(error, TooManyRejected) and facts.folder is not None:
        step = f"Look into {facts.folder.file('rejected.jsonl')} for what was rejected and why."
    command = run_with(error.once_with)
    if not step and isinstance(error, RequestRefused | TemporaryError):
        step, command = LOOK, VERIFY
    if error.once_with:
        step = ONCE
    elif outcome == "refused":
        command = VERIFY
    return Ending(outcome, error.exit_code, str(error), step, command)


def advice(message: str) -> str:
    """Give what a message tells a person to do: all of its sentences but the first."""
    return " ".join(SENTENCE_END.split(message)[1:])


def by_signal(stop: Interrupted, facts: Facts) -> Ending:
    """End a run that was asked to stop."""
    if facts.run_number is not None and facts.delivered is None:
        what = (
            f"Connector run {facts.run_number} goes on in CVM. The next run looks up how it ended."
        )
    elif facts.run_number is not None:
        what = "The load is in CVM, but the state was not passed on. The next run sends it again."
    elif facts.run_asked:
        what = "CVM may have begun a run of this load. The next run looks for it."
    else:
        what = "Nothing was run in CVM. Run again."
    return Ending("interrupted", stop.exit_code, f"{stop} {what}", what, RUN)


def loaded(facts: Facts, ledger: Ledger) -> Ending:
    """End a run that has done all that its plan says."""
    plan = facts.plan
    if plan is None:
        msg = "a run is loaded after it was planned"
        raise ValueError(msg)
    outcome: Outcome = "succeeded" if plan.verdict.valid else "succeeded_unproven"
    sends = not facts.settings.dry_run
    step, command = _next_step(facts, plan)
    ending = Ending(
        outcome, EXIT_CODES[outcome], _loaded_message(facts, plan), step, command, sends
    )
    problem = _problem(facts, plan)
    if problem is not None:
        message = f"{_loaded_message(facts, plan)} But {problem}."
        failed = Ending("failed", EXIT_CODES["failed"], message, HEALS if sends else "", RUN)
        return msgspec.structs.replace(failed, asks=sends)
    if facts.delivered is not None and facts.delivered.failed_payloads:
        return _with_failed_payloads(ending, facts, ledger)
    return msgspec.structs.replace(ending, asks=sends and plan.asks_full_sync is not None)


def noticing_silence(ending: Ending, facts: Facts, ledger: Ledger) -> Ending:
    """Fail a run that ends well where nothing was proven for longer than `max_days_unproven`."""
    days, now = facts.settings.max_days_unproven, facts.tenant.now
    if not days or ending.exit_code or now is None:
        return ending
    proven = parse(ledger.proven_at)
    if proven is not None and now - proven <= timedelta(days=days):
        return ending
    since = f"since {ledger.proven_at}" if proven else "so far"
    message = (
        f"{ending.message} But no load of this connector was proven complete {since}, longer than "
        f"max_days_unproven ({days}) allows: what is gone from Qualys stays open. The reports say "
        "why."
    )
    return msgspec.structs.replace(
        ending,
        outcome="failed",
        exit_code=EXIT_CODES["failed"],
        message=message,
        command=run_with(FULL_SYNC),
    )


def _problem(facts: Facts, plan: Plan) -> str | None:
    """Say why CVM does not hold what Qualys said, None where it does."""
    if facts.delivered is not None and facts.delivered.answer.hard:
        return f"{'; '.join(facts.delivered.answer.hard)}. {HEALS}".removesuffix(".")
    if plan.losses:
        return (
            f"rows were lost on the way: {'; '.join(plan.losses)}. Look at stream maps and "
            "mappers, or set allow_dropped_records if that is on purpose. Nothing was closed as "
            f"gone. {HEALS}"
        ).removesuffix(".")
    if facts.verification is not None and facts.verification.differences:
        told = "; ".join(sentences(facts.verification))
        return f"{told}. {HEALS}".removesuffix(".")
    if plan.gap and not facts.settings.dry_run:
        return f"CVM lacks what came before this load: {plan.gap}. {HEALS}".removesuffix(".")
    return None


def _with_failed_payloads(ending: Ending, facts: Facts, ledger: Ledger) -> Ending:
    failed = facts.delivered.failed_payloads if facts.delivered else 0
    step = "Look at the failed payloads on the connector's page in CVM; run again."
    if ledger.failed_loads <= LOADS_KEPT_BACK:
        message = (
            f"{ending.message} CVM failed {counted(failed, 'payload')}, within max_failed_percent: "
            "the state is not passed on, so the next run sends the same again."
        )
        return msgspec.structs.replace(
            ending, message=message, next_step=step, command=RUN, passes=False
        )
    message = (
        f"{ending.message} But CVM failed {counted(failed, 'payload')}, as in the loads before. "
        f"{facts.failed_assets} The state is passed on now, so what failed is sent again by the "
        "next full sync only."
    )
    return msgspec.structs.replace(
        ending, outcome="failed", exit_code=1, message=message, next_step=step, command=RUN
    )


def _loaded_message(facts: Facts, plan: Plan) -> str:
    settings, parts = facts.settings, facts.parts
    received = facts.counts.received[FINDINGS]
    if not parts and received:
        return f"Of {counted(received, 'finding')} none was left to send."
    if not parts:
        return "Nothing new came, so nothing was sent."
    assets = sum(part.assets for part in parts)
    what = f"{counted(facts.counts.mapped, 'finding')} on {counted(assets, 'asset')}"
    closed = plan.count("close")
    closing = f", {closed:,} closed" if closed else ""
    if settings.destination == "files":
        return f"{what}{closing}: {counted(len(parts), 'KDI file')} in {facts.shown_folder}."
    if settings.destination == "dry_run":
        gap = f" CVM lacks what came before this load: {plan.gap}." if plan.gap else ""
        return f"Dry run: {what} would be sent{closing}; nothing was.{gap}"
    return _sent_message(what, closed, facts, plan)


def _sent_message(what: str, closed: int, facts: Facts, plan: Plan) -> str:
    """Say that a load is in CVM; or only that it was sent, where CVM's answer leaves doubt."""
    delivered = facts.delivered
    if plan.terms.over or (delivered is not None and delivered.over):
        return f"{what} were sent; CVM's licence is over its limit, so it may not have taken all."
    if delivered is not None and (delivered.answer.differs or delivered.failed_payloads):
        closing = f", with {counted(closed, 'closing')}" if closed else ""
        doubt = ", which CVM's counters do not confirm" if delivered.answer.suspicions else ""
        return f"Sent {what}{closing}{doubt}."
    closing = f", and {closed:,} {'was' if closed == 1 else 'were'} closed" if closed else ""
    return f"{what} are in Cisco Vulnerability Management{closing}."


def _next_step(facts: Facts, plan: Plan) -> tuple[str, str]:
    """Say what a person should do after a load that went well, and how; empty for nothing."""
    if plan.asks_full_sync:
        return (f"{plan.asks_full_sync[:1].upper()}{plan.asks_full_sync[1:]}. {HEALS}", RUN)
    if not plan.verdict.valid:
        step = (
            f"Nothing was closed as gone: {'; '.join(plan.reasons)}. The next complete full sync "
            "will close it."
        )
        return (step, run_with(FULL_SYNC))
    if facts.settings.destination == "files" and facts.parts:
        return ("Import the KDI files in CVM, or set api_key and connector_id.", "")
    return ("", "")

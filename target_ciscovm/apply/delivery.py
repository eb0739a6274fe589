"""The load goes to CVM: uploaded, put down in the ledger, run once, waited for, and settled."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.apply import pending
from target_ciscovm.apply.answer import Findings, Sent, compare
from target_ciscovm.apply.files import keys_of
from target_ciscovm.apply.preflight import OVERAGE
from target_ciscovm.apply.uploads import upload_all
from target_ciscovm.cvm.connector import RunFailed
from target_ciscovm.intake.counts import over_limit, shown
from target_ciscovm.outcomes import LOADS_KEPT_BACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from target_ciscovm.apply.files import Written
    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi.files import Part
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.plan.plan import Plan

LOGGER: Final = logging.getLogger(__name__)

NOTHING_ODD: Final = Findings()


class Uploaded(msgspec.Struct, frozen=True):
    """What CVM took.

    Attributes:
        parts: files with their ids in CVM.
        runs: of the connector, as they were before ours.
    """

    parts: tuple[tuple[Part, int], ...] = ()
    runs: frozenset[int] = frozenset()


class Delivered(msgspec.Struct, frozen=True):
    """What came of a load in CVM.

    Attributes:
        run: as it was seen last.
        answer: held against what was sent.
        over: whether the licence came to its limit with this load.
    """

    run: ConnectorRun
    answer: Findings = NOTHING_ODD
    over: bool = False

    @property
    def failed_payloads(self) -> int:
        """Count the payloads that CVM failed."""
        return self.run.failed_payload_count or 0

    @property
    def arrived(self) -> bool:
        """Tell whether all of the load is in CVM, as far as CVM tells."""
        return not self.answer.hard and not self.failed_payloads


class Way(msgspec.Struct, frozen=True):
    """What a load is delivered with.

    Attributes:
        replan: makes plan and files anew after the ledger has changed, or an asset was refused.
        refuse: takes assets out that are too large for CVM.
        warn: is given what a person should know.
    """

    api: CiscoVMClient
    ledger: Ledger
    spool: Spool
    timeout_seconds: int
    replan: Callable[[], Written]
    refuse: Callable[[Sequence[str]], None]
    warn: Callable[[str], None]


def upload(way: Way, written: Written, runs_at_first: frozenset[int]) -> Uploaded:
    """Wait for the connector to be idle, then upload all files.

    Raises:
        LimitReached: when too much is too large for CVM.
        CiscoVMError: when the connector stays busy, or a file is not taken.
    """
    told: frozenset[int] = frozenset()
    while True:
        way.api.wait_until_idle(way.timeout_seconds, LOGGER.info)
        listed = way.api.runs()
        if pending.look_up(way.ledger, listed):
            written = way.replan()
        runs = frozenset(run.id for run in listed)
        _warn_of_strangers(runs - runs_at_first - told, way.warn)
        told = runs
        done = upload_all(
            way.api, written.files, written.parts, lambda part: keys_of(way.spool, part)
        )
        if not done.refused:
            return Uploaded(tuple(done.parts), runs)
        # What moved to a refused asset must stay open where it was: that is another plan.
        way.refuse(done.refused)
        written = way.replan()


def run(way: Way, uploaded: Uploaded) -> int:
    """Run all files as one, and give the run's number.

    Raises:
        CiscoVMError: when no run could be started; a lost answer is told as such.
    """
    number = way.api.run(
        [number for _, number in uploaded.parts],
        runs_before=uploaded.runs,
        timeout_seconds=way.timeout_seconds,
        progress=LOGGER.info,
    )
    LOGGER.info("Connector run %d has begun in CVM.", number)
    if number not in uploaded.runs:  # else how that one ended says nothing of this load
        way.ledger.name_pending(number, uploaded.runs)
    return number


def wait(way: Way, number: int, sent: Sent, max_failed_percent: Fraction) -> Delivered:
    """Wait for the end of the run, and settle the ledger by how it went.

    Raises:
        RunFailed: when it ended without success, or more of CVM's payloads failed than the
            settings allow.
        StillRunning: when it did not end in time.
    """
    try:
        ended = way.api.wait(number, way.timeout_seconds, LOGGER.info)
        _require_few_failures(ended, max_failed_percent)
    except RunFailed as failure:
        way.ledger.doubt(in_part=failure.run.is_done_in_part)
        raise
    # It may have been this very load that met the limit.
    over = not sent.over and way.api.overage() is True
    delivered = Delivered(ended, compare(ended, sent), over)
    in_a_row = way.ledger.failed_loads + 1 if delivered.failed_payloads else 0
    if delivered.arrived:
        way.ledger.settle()
    else:
        in_part = not delivered.answer.hard and ended.is_done_in_part
        # Where the state is passed on, the next sync continues this one, and no other.
        way.ledger.doubt(link=in_a_row > LOADS_KEPT_BACK, in_part=in_part)
    if in_a_row:
        way.ledger.remember("failed_loads", value=in_a_row)
    if over:
        way.ledger.remember("over_licence", value=True)
        way.warn(OVERAGE)
    return delivered


def sent_of(uploaded: Uploaded, plan: Plan) -> Sent:
    """Give what CVM was given."""
    parts = [part for part, _ in uploaded.parts]
    return Sent(
        files=len(parts),
        assets=sum(part.assets for part in parts),
        entries=sum(part.findings for part in parts),
        closings=plan.count("close"),
        open_closings=plan.open_closings,
        runs_before=uploaded.runs,
        over=plan.terms.over,
    )


def _require_few_failures(ended: ConnectorRun, max_failed_percent: Fraction) -> None:
    if over_limit(*ended.payloads, max_failed_percent):
        allowed = f"{shown(max_failed_percent)}% that max_failed_percent allows"
        raise RunFailed(ended, f", more than the {allowed}")


def _warn_of_strangers(others: frozenset[int], warn: Callable[[str], None]) -> None:
    """Tell of runs that somebody else has started meanwhile; named closings need no stop."""
    if others:
        warn(
            f"Connector run {max(others)} was started by somebody else while this load was "
            "prepared. Check that no other schedule uses this connector."
        )

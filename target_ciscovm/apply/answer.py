"""CVM's answer to a load, held against the plan. Pure.

What Cisco's counters count is only partly documented, so but for two things that cannot be right
all differences are suspicions: a healthy tenant must not fail every night.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from qualyswas_ciscovm.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_ciscovm.cvm.connector import ConnectorRun


class Sent(msgspec.Struct, frozen=True):
    """What CVM was given.

    Attributes:
        files: data files that the run named.
        assets: in them.
        entries: in them, opened and closed.
        closings: of these, closed ones.
        open_closings: of these, closed ones of what is open in CVM, as far as known.
        runs_before: runs that were there before ours was asked for.
        over: whether the licence was over its limit before, as far as it is known, so that CVM
            imports only a part.
    """

    files: int
    assets: int
    entries: int
    closings: int
    open_closings: int = 0
    runs_before: Collection[int] = ()
    over: bool = False


class Findings(msgspec.Struct, frozen=True):
    """What the comparison has shown, each a sentence.

    Attributes:
        hard: what cannot be right: the load has not arrived.
        suspicions: what differs from what was expected.
    """

    hard: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Tell whether CVM's numbers are not those of what was sent."""
        return bool(self.hard or self.suspicions)


def compare(run: ConnectorRun, sent: Sent) -> Findings:
    """Hold a run that has succeeded against what was sent; what CVM does not tell is no matter."""
    return Findings(tuple(_hard(run, sent)), tuple(_suspicions(run, sent)))


def _hard(run: ConnectorRun, sent: Sent) -> Iterator[str]:
    if run.id in sent.runs_before:
        yield f"CVM named connector run {run.id}, which was there before this load"
    done = run.processed_scanner_vuln_count
    payloads = run.processed_payload_count
    told = [count for count in (done, payloads) if count is not None]
    if sent.entries and not sent.over and told and not any(told):
        yield f"CVM processed none of the {sent.entries:,} entries that were sent"


def _suspicions(run: ConnectorRun, sent: Sent) -> Iterator[str]:
    payloads = run.total_payload_count
    expected = min(sent.files, sent.assets)
    if payloads is not None and payloads < expected:
        what = f"{sent.assets:,} assets in {sent.files:,} files"
        yield f"CVM counted {payloads:,} payloads for {what}"
    done = run.processed_scanner_vuln_count
    partly = sent.over or bool(run.failed_payload_count)
    payloads_done = run.processed_payload_count
    if done is not None and done < sent.entries and (done or payloads_done) and not partly:
        yield f"CVM processed {done or 'none'} of the {sent.entries:,} entries that were sent"
    closed = run.closed_scanner_vuln_count
    if closed is not None and closed > sent.closings:
        yield f"CVM closed {closed:,} entries, and {sent.closings:,} were sent as closed"
    # A part says nothing where the counters do not count entries as we do.
    if closed is not None and closed < sent.open_closings and (done == sent.entries or not closed):
        verb = "was" if sent.open_closings == 1 else "were"
        what = counted(sent.open_closings, "open entry", "open entries")
        yield f"{what} {verb} sent as closed, and CVM closed {f'{closed:,}' if closed else 'none'}"
    automatic = run.autoclosed_scanner_vuln_count
    if automatic:
        yield f"CVM closed {automatic:,} entries by itself, which no file allowed"

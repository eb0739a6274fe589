"""A flaw in the proof closes nothing, and is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.plan.one_gone import AFTER, BEFORE
from tests.target.streams import (
    STATE,
    Sync,
    entry,
    joined,
    names,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.target.loads import CVM


def unproven(**changes: object) -> Sync:
    return replace(AFTER, proof=changes)


def stale(hours: float) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        began = cvm.clock.now() + timedelta(hours=1) - timedelta(hours=hours)
        return replace(AFTER, started=began.strftime("%Y-%m-%dT%H:%M:%SZ"))

    return made


def miscounted(stream: str, difference: int) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        counts = {name: len(rows) for name, rows in AFTER.streams().items()}
        counts[stream] += difference
        return unproven(streams=AFTER.sync_row(counts, cvm.clock.now())["streams"])

    return made


def without(stream: str) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        counts = {n: len(rows) for n, rows in AFTER.streams().items() if n != stream}
        return unproven(streams=AFTER.sync_row(counts, cvm.clock.now())["streams"])

    return made


FLAWS: Final[Mapping[str, tuple[Callable[[CVM], Sync], str]]] = {
    "no row of syncs": (lambda _: replace(AFTER, proof=None), "no row of syncs"),
    "not complete": (
        lambda _: unproven(complete=False, incompleteReasons=["it began from a cursor"]),
        "it began from a cursor",
    ),
    "another account": (lambda _: unproven(subscription="another"), "another Qualys account"),
    "another host without a subscription": (
        lambda _: unproven(subscription=None),
        "another Qualys account",
    ),
    "a day old": (stale(24.1), "24 hours"),
    "a day ahead": (stale(-24.1), "24 hours"),
    "no beginning": (lambda _: unproven(startedAt=None), "when it began"),
    "older than the newest run": (stale(1.2), "newest run"),
    "one finding fewer": (miscounted("findings", 1), "3 findings arrived of 4"),
    "one finding more": (miscounted("findings", -1), "3 findings arrived of 2"),
    "one web app fewer": (miscounted("webapps", 1), "2 webapps arrived of 3"),
    "findings not read": (without("findings"), "did not read findings"),
    "no knowledge base read": (without("knowledge_base"), "did not read knowledge_base"),
    "a stream not told of": (without("scans"), "scans arrived"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_the_proof_closes_nothing_and_is_told(flaw: str, cvm: CVM) -> None:
    made, words = FLAWS[flaw]
    cvm.load(BEFORE)

    loaded = cvm.load(made(cvm))

    assert (loaded.outcome, loaded.exit_code) == ("succeeded_unproven", 0)
    assert loaded.states == [STATE]
    assert words in " ".join(loaded.report["proof"]["reasons"])
    assert words in loaded.report["next_step"]
    assert loaded.closing_files == []
    assert cvm.open() == names(1, 2, 3, 4)


@pytest.mark.parametrize("hours", [23.9, -23.9])
def test_a_proof_holds_for_a_day(hours: float, cvm: CVM) -> None:
    cvm.load(BEFORE)
    cvm.clock.advance(timedelta(hours=48))

    loaded = cvm.load(stale(hours)(cvm))

    assert loaded.report["proof"]["proven"]


def test_records_after_the_proof_make_it_none(cvm: CVM) -> None:
    cvm.load(BEFORE)
    given = AFTER.lines(cvm.clock.now() + timedelta(hours=1))
    late = record("knowledge_base", entry(150001))

    loaded = cvm.load(given + joined(late))

    assert loaded.outcome == "succeeded_unproven"
    assert cvm.open() == names(1, 2, 3, 4)


def test_a_replay_of_an_older_sync_closes_nothing_that_came_since(cvm: CVM) -> None:
    replayed = AFTER.lines(cvm.clock.now() + timedelta(hours=1))
    cvm.load(replayed)
    cvm.load(BEFORE)

    loaded = cvm.load(replayed)

    assert loaded.outcome == "succeeded_unproven"
    assert cvm.open() == names(1, 2, 3, 4)

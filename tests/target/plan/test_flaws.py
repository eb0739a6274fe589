"""A flaw in the proof closes nothing as gone, and is told; rows lost on the way fail the load."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import (
    ASKING,
    STATE,
    Sync,
    entry,
    finding,
    fixed,
    joined,
    names,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.target.loads import CVM


def unproven(**changes: object) -> Sync:
    return replace(AFTER, proof=changes)


def streams_of(sync: Sync, cvm: CVM, **more: int) -> list[dict[str, object]]:
    """Give what the row of syncs tells of the streams, with so many rows more than there are."""
    counts = {name: len(rows) + more.get(name, 0) for name, rows in sync.streams().items()}
    found: list[dict[str, object]] = sync.sync_row(counts, cvm.clock.now())["streams"]
    return found


def without(stream: str) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        told = streams_of(AFTER, cvm)
        return unproven(streams=[one for one in told if one["stream"] != stream])

    return made


def untold(stream: str, name: str) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        told = streams_of(AFTER, cvm)
        return unproven(
            streams=[one | {name: None} if one["stream"] == stream else one for one in told]
        )

    return made


FLAWS: Final[Mapping[str, tuple[Callable[[CVM], Sync], str]]] = {
    "no row of syncs": (lambda _: replace(AFTER, proof=None), "no syncs record"),
    "a beginning to come": (
        lambda _: replace(AFTER, started="2027-01-01T00:00:00Z"),
        "the sync began at 2027-01-01T00:00:00Z by the clock of Qualys, and by the clock of CVM",
    ),
    "not complete": (
        lambda _: unproven(complete=False, incompleteReasons=["it began from a cursor"]),
        "it began from a cursor",
    ),
    "no beginning": (lambda _: unproven(startedAt=None), "when the sync began"),
    "no account": (lambda _: unproven(apiUrl=None), "lacks apiUrl"),
    "no filters": (lambda _: unproven(filters=None), "lacks filters"),
    "no coverage": (lambda _: unproven(coverage=None), "lacks coverage"),
    "no types": (lambda _: replace(AFTER, coverage={"findingTypes": None}), "findingTypes"),
    "nothing of web apps": (lambda _: replace(AFTER, coverage={"webApps": None}), "notProven"),
    "no digest": (untold("findings", "digest"), "findings.digest"),
    "a tap that is too old": (
        lambda _: unproven(contract=None, tapVersion="0.0.1"),
        "the tap (0.0.1) does not say what its sync covers: update tap-qualyswas",
    ),
    "findings not read": (without("findings"), "did not read findings"),
    "no knowledge base told of": (without("knowledge_base"), "says nothing of knowledge_base"),
    "no scans told of": (without("scans"), "says nothing of scans"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_the_proof_closes_nothing_and_is_told(flaw: str, cvm: CVM) -> None:
    made, words = FLAWS[flaw]
    cvm.begin(BEFORE)

    loaded = cvm.load(made(cvm))

    assert (loaded.outcome, loaded.exit_code) == ("succeeded_unproven", 0)
    assert loaded.states == [STATE]
    assert words in " ".join(loaded.report["proof"]["reasons"])
    assert words in loaded.report["next_step"]
    assert loaded.closings == {}
    assert cvm.open() == names(1, 2, 3, 4)


def test_a_proof_holds_whatever_its_age_while_nothing_newer_was_loaded(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    cvm.clock.advance(timedelta(minutes=10))
    written = AFTER.lines(cvm.clock.now())
    cvm.clock.advance(timedelta(days=9))

    loaded = cvm.load(written)

    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(1, 2, 3)


def test_records_after_the_proof_make_it_none(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    *lines, proof, state = AFTER.lines(cvm.clock.now() + timedelta(hours=1)).splitlines()

    loaded = cvm.load(b"\n".join([*lines[:-1], proof, lines[-1], state]))

    assert loaded.outcome == "succeeded_unproven"
    assert "records came after the syncs record" in loaded.report["proof"]["reasons"]
    assert cvm.open() == names(1, 2, 3, 4)


class TestLostOnTheWay:
    """The row of syncs tells what the tap read; where other rows arrive, some are lost."""

    LOSSES: Final[Mapping[str, tuple[str, int, str]]] = {
        "one finding fewer": ("findings", 1, "3 findings arrived of 4"),
        "one finding more": ("findings", -1, "3 findings arrived of 2"),
        "one web app fewer": ("webapps", 1, "2 webapps arrived of 3"),
        "one entry fewer": ("knowledge_base", 1, "3 knowledge_base arrived of 4"),
    }

    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_number_that_differs_fails_and_asks_for_a_full_sync(
        self, loss: str, cvm: CVM
    ) -> None:
        stream, difference, words = self.LOSSES[loss]
        cvm.begin(BEFORE)

        loaded = cvm.load(unproven(streams=streams_of(AFTER, cvm, **{stream: difference})))

        assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
        assert loaded.states == [ASKING]
        assert words in loaded.message
        assert "allow_dropped_records" in loaded.message
        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3, 4)

    def test_a_record_too_many_after_the_proof_does_so(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        given = AFTER.lines(cvm.clock.now() + timedelta(hours=1))

        loaded = cvm.load(given + joined(record("knowledge_base", entry(150001))))

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert cvm.open() == names(1, 2, 3, 4)

    @pytest.mark.parametrize(
        "altered",
        [
            finding(3, 2, status="FIXED", fixedDate="2026-03-01T08:00:00Z"),
            finding(3, 2, url="https://app2.example.test/elsewhere"),
            finding(3, 1),
            finding(4, 2),
            finding(3, 2, type="SENSITIVE_CONTENT"),
        ],
        ids=["status", "url", "web app", "uniqueId", "type"],
    )
    def test_a_row_altered_on_the_way_does_so_too(
        self, altered: dict[str, object], cvm: CVM
    ) -> None:
        cvm.begin(BEFORE)
        told = {"streams": streams_of(AFTER, cvm)}

        loaded = cvm.load(replace(AFTER, findings=[*AFTER.findings[:2], altered], proof=told))

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert "findings were altered between the tap and here" in loaded.message
        assert "gone" not in loaded.closings.values()
        assert cvm.open() >= names(1, 2, 4)

    def test_the_rest_is_loaded_and_fixes_close(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        rows = [finding(1), fixed(2), finding(3, 2), finding(9, 2)]
        told = {"streams": streams_of(Sync(APPS, rows), cvm, findings=1)}

        loaded = cvm.load(Sync(APPS, rows, proof=told))

        assert loaded.outcome == "failed"
        assert cvm.open() == names(1, 3, 4, 9)

    def test_the_full_sync_that_was_asked_for_heals_it(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(unproven(streams=streams_of(AFTER, cvm, findings=1)))

        loaded = cvm.load(AFTER)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert cvm.open() == names(1, 2, 3)

    def test_on_purpose_it_is_no_failure_and_still_calls_nothing_gone(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        fewer = unproven(streams=streams_of(AFTER, cvm, findings=1))
        loaded = cvm.load(fewer, allow_dropped_records=True)

        assert (loaded.outcome, loaded.exit_code) == ("succeeded_unproven", 0)
        assert loaded.states == [STATE]
        assert "3 findings arrived of 4" in loaded.report["next_step"]
        assert cvm.open() == names(1, 2, 3, 4)

    def test_of_an_incremental_sync_it_is_noticed_as_well(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        more = Sync(APPS, [finding(5), finding(6)], mode="incremental")
        told = {"streams": streams_of(more, cvm)}

        loaded = cvm.load(replace(more, findings=more.findings[:1], proof=told))

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert cvm.open() == names(1, 2, 3, 4, 5)

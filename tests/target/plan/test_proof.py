"""Only a whole full sync that arrived as it was sent proves what is gone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from target_ciscovm.mapping.records import Sync
from target_ciscovm.plan.proof import Arrived, Verdict, judge

COUNTS = {"webapps": 2, "scans": 3, "findings": 10, "knowledge_base": 4}
DIGESTS = {"webapps": "00000000000000aa", "findings": "00000000000000bb"}
STREAMS: dict[str, dict[str, Any]] = {
    name: {"stream": name, "read": count, "emitted": count, "digest": DIGESTS.get(name)}
    for name, count in COUNTS.items()
}
COVERAGE: dict[str, Any] = {
    "source": "api",
    "findingTypes": ["VULNERABILITY"],
    "wholeAccount": True,
    "webApps": {"read": 2, "notProven": [], "changed": []},
    "since": None,
}
ROW: dict[str, Any] = {
    "syncId": "s-1",
    "contract": 1,
    "tapVersion": "9.8.7",
    "mode": "full",
    "startedAt": "2024-05-02T11:00:00Z",
    "complete": True,
    "apiUrl": "https://qualysapi.example.test",
    "filters": {},
    "coverage": COVERAGE,
}
ARRIVED = Arrived(COUNTS | {"syncs": 1}, DIGESTS)


def sync(streams: dict[str, dict[str, Any]] = STREAMS, **changes: object) -> Sync:
    return msgspec.convert(ROW | {"streams": list(streams.values())} | changes, Sync)


def verdict(arrived: Arrived = ARRIVED, **changes: Any) -> Verdict:  # noqa: ANN401 - of all types
    return judge(sync(**changes), arrived)


def with_stream(name: str, **changes: object) -> dict[str, dict[str, Any]]:
    return STREAMS | {name: STREAMS[name] | changes}


def without(*names: str) -> dict[str, dict[str, Any]]:
    return {name: row for name, row in STREAMS.items() if name not in names}


def test_a_whole_full_sync_that_arrived_as_it_was_sent_is_proven() -> None:
    assert verdict() == Verdict(valid=True, proven=True, unaltered=True)


def test_no_row_is_no_proof() -> None:
    found = judge(None, structs.replace(ARRIVED, received=COUNTS))

    assert (found.valid, found.proven, found.unaltered) == (False, False, False)
    assert "no syncs record" in found.reasons[0]
    assert "not selected" in found.reasons[0]
    assert "rejected.jsonl" in judge(None, ARRIVED).reasons[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"complete": False}, "not complete"),
        ({"complete": False, "incompleteReasons": ["a cursor", "it died"]}, "a cursor; it died"),
        ({"startedAt": None}, "does not say when"),
        ({"startedAt": "0000-00-00"}, "does not say when"),
        ({"incompleteReasons": ["it died"]}, "not complete (it died)"),
        ({"apiUrl": None}, "lacks apiUrl"),
        ({"apiUrl": ""}, "lacks apiUrl"),
        ({"apiUrl": "nowhere"}, "lacks apiUrl"),
        ({"coverage": COVERAGE | {"source": " "}}, "lacks coverage.source"),
        (
            {"coverage": COVERAGE | {"webApps": COVERAGE["webApps"] | {"read": 1}}},
            "of 2 web applications the sync read 1 to the end",
        ),
        ({"filters": None}, "lacks filters"),
        ({"coverage": COVERAGE | {"since": "2024-05-01T00:00:00Z"}}, "only what is later than"),
        ({"filters": {"start_date": "2024-05-01"}}, "only what is later than 2024-05-01"),
        ({"streams": with_stream("findings", windowStart="2024-04-30")}, "later than 2024-04-30"),
        ({"streams": without("webapps", "findings")}, "did not read webapps and findings"),
        ({"streams": without("findings")}, "did not read findings"),
        ({"streams": with_stream("findings", read=None)}, "lacks findings.read"),
        ({"streams": with_stream("webapps", digest=None)}, "lacks webapps.digest"),
    ],
    ids=str,
)
def test_a_flaw_of_the_row_makes_it_no_proof(changes: dict[str, Any], says: str) -> None:
    found = verdict(**changes)

    assert (found.valid, found.proven) == (False, False)
    assert any(says in reason for reason in found.reasons), found.reasons


class TestAPartThatIsMissing:
    """It means "not proven", never "everything"."""

    @pytest.mark.parametrize("name", ["source", "findingTypes", "wholeAccount"])
    def test_of_the_coverage(self, name: str) -> None:
        found = verdict(coverage=COVERAGE | {name: None})

        assert found.proven is False
        assert f"coverage.{name}" in found.reasons[0]
        assert found.unaltered is False

    @pytest.mark.parametrize("name", ["notProven", "changed"])
    def test_of_its_web_applications(self, name: str) -> None:
        apps = COVERAGE["webApps"] | {name: None}

        found = verdict(coverage=COVERAGE | {"webApps": apps})

        assert found.proven is False
        assert f"coverage.webApps.{name}" in found.reasons[0]

    @pytest.mark.parametrize("coverage", [None, {}, {"webApps": {}}], ids=str)
    def test_or_all_of_it(self, coverage: object) -> None:
        assert verdict(coverage=coverage).valid is False

    def test_lists_that_are_empty_are_not_missing(self) -> None:
        assert verdict(coverage=COVERAGE | {"findingTypes": []}).proven is True


class TestAnOlderTap:
    """Meltano gives each plugin an environment of its own, so the tap may be the older one."""

    @pytest.mark.parametrize("contract", [None, 0])
    def test_is_named_as_what_to_update(self, contract: int | None) -> None:
        found = verdict(contract=contract, coverage=None, filters=None)

        assert found.valid is False
        assert found.reasons == (
            "the tap (9.8.7) does not say what its sync covers: update tap-qualyswas",
        )

    def test_or_one_that_does_not_even_tell_its_version(self) -> None:
        found = verdict(contract=None, tapVersion=None)

        assert found.reasons[0].startswith("the tap does not say")

    def test_a_newer_one_is_read_as_far_as_it_is_known(self) -> None:
        assert verdict(contract=2).proven is True


class TestLoss:
    """Rows are known to be lost or altered between Qualys and here."""

    @pytest.mark.parametrize("name", list(COUNTS))
    @pytest.mark.parametrize("difference", [-1, 1])
    def test_a_number_that_is_not_what_arrived(self, name: str, difference: int) -> None:
        received = {**ARRIVED.received, name: COUNTS[name] + difference}

        found = verdict(structs.replace(ARRIVED, received=received))

        assert (found.valid, found.proven, found.unaltered) == (False, False, False)
        told = f"{received[name]:,} {name} arrived of {COUNTS[name]:,} that the tap read"
        assert found.losses == found.reasons == (told,)

    @pytest.mark.parametrize("name", list(DIGESTS))
    def test_rows_of_the_same_number_that_are_others(self, name: str) -> None:
        found = verdict(structs.replace(ARRIVED, digests=DIGESTS | {name: "00000000000000cc"}))

        assert (found.valid, found.unaltered) == (False, False)
        assert found.losses == (f"{name} were altered between the tap and here",)

    def test_what_a_map_in_the_tap_left_out_was_read_and_is_lost(self) -> None:
        received = {**ARRIVED.received, "findings": 7}
        streams = with_stream("findings", read=10, emitted=7)

        assert verdict(structs.replace(ARRIVED, received=received), streams=streams).losses != ()

    def test_where_only_the_rows_written_are_told_they_are_what_counts(self) -> None:
        streams = with_stream("scans", read=None, emitted=3)
        assert verdict(streams=streams).losses == ()

        fewer = with_stream("scans", read=None, emitted=4)
        assert "3 scans arrived of 4" in verdict(streams=fewer).losses[0]

    def test_nothing_told_is_nothing_lost(self) -> None:
        assert verdict(streams=with_stream("scans", read=None, emitted=None)).losses == ()

    def test_a_map_of_the_target_that_makes_another_stream_of_one_of_ours(self) -> None:
        found = verdict(structs.replace(ARRIVED, renamed={"findings": "issues"}))

        assert found.valid is False
        assert found.losses == ("a stream map of the target makes issues of findings",)


def test_a_stream_that_the_tap_says_nothing_of_is_no_proof() -> None:
    assert "nothing of scans" in verdict(streams=without("scans")).reasons[0]

    untold = structs.replace(ARRIVED, received={**COUNTS, "scans": 0, "syncs": 1})
    assert verdict(untold, streams=without("scans")).proven is True


def test_records_after_the_row_make_it_no_proof() -> None:
    found = verdict(structs.replace(ARRIVED, proof_is_last=False))

    assert (found.valid, found.proven) == (False, False)
    assert "after the syncs record" in found.reasons[0]


@pytest.mark.parametrize("mode", ["incremental", None, "Full", ""])
def test_what_is_no_full_sync_is_valid_and_proves_nothing_gone(mode: str | None) -> None:
    found = verdict(mode=mode)

    assert (found.valid, found.proven, found.unaltered) == (True, False, True)
    assert "incremental" in found.reasons[0]


def test_all_flaws_are_told_at_once() -> None:
    arrived = structs.replace(ARRIVED, proof_is_last=False, received={})

    assert len(verdict(arrived, complete=False, mode="incremental", filters=None).reasons) >= 6


FLAWS = st.fixed_dictionaries(
    {},
    optional={
        "contract": st.none() | st.integers(-1, 3),
        "mode": st.sampled_from(["full", "incremental", None]),
        "complete": st.booleans(),
        "apiUrl": st.none() | st.text(max_size=20),
        "startedAt": st.none() | st.text(max_size=20),
        "filters": st.none() | st.just({"webapp_ids": [1]}),
        "coverage": st.none() | st.just({}) | st.just(COVERAGE | {"source": None}),
        "streams": st.sampled_from([STREAMS, without("scans"), without("findings"), {}]),
    },
)


@given(FLAWS, st.booleans(), st.sampled_from([DIGESTS, {"findings": "x"}]))
def test_proven_is_valid_and_full_and_says_nothing_else(
    row: dict[str, Any], last: bool, digests: dict[str, str]
) -> None:
    found = verdict(structs.replace(ARRIVED, proof_is_last=last, digests=digests), **row)

    assert found.proven is (not found.reasons)
    assert not found.proven or (found.valid and found.unaltered)
    assert set(found.losses) <= set(found.reasons)
    if found.proven:
        assert row.get("mode", "full") == "full"
        assert row.get("complete", True)
        assert row.get("coverage", COVERAGE) == COVERAGE
        assert row.get("streams", STREAMS) == STREAMS
        assert (last, digests) == (True, DIGESTS)

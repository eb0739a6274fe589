"""Cases about what a load closes and what it leaves open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.cases.case import read
from tests.cases.conversations import play
from tests.cases.outcomes import filtered, identifiers, knowledge, whole
from tests.target.streams import ASKING, Sync, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

DAY: Final = timedelta(days=1)


def test_a_fix_is_closed_by_name_also_where_nothing_closes_by_absence(cvm: CVM) -> None:
    given = read("closing/fix_not_seen").input()
    cvm.load(given.replace(b"FIXED", b"ACTIVE"))
    assert cvm.open() == identifiers(7001, 7002)

    loaded = cvm.load(given)

    assert (loaded.exit_code, cvm.open(), cvm.closed()) == (0, identifiers(7002), identifiers(7001))


def test_an_application_that_vanished_is_not_closed_by_its_absence(cvm: CVM) -> None:
    cvm.load(whole(read("closing/vanished_application")))

    cvm.load(Sync([webapp(9003)]))
    cvm.clock.advance(DAY)
    kept = cvm.load(Sync([webapp(9003)]))
    assert cvm.open() == identifiers(7001)
    assert [row["id"] for row in kept.report["webapps_gone"]] == [9001]

    cvm.load(Sync([webapp(9003)]), close_deleted_webapps=True)
    assert (cvm.open(), cvm.closed()) == (set(), identifiers(7001))


def test_a_version_message_closes_nothing(cvm: CVM) -> None:
    case = read("closing/version_message")
    cvm.load(case.input("two findings"))

    loaded = cvm.load(case.input("one, with a version"))

    assert (loaded.exit_code, cvm.open()) == (0, identifiers(7001, 7002))
    assert loaded.closings == {}


def test_filters_that_leave_nothing_are_a_success_without_a_file(cvm: CVM) -> None:
    case = read("closing/filters_leave_nothing")
    entries = [{"qid": row["qid"]} for row in case.records()]

    loaded = cvm.load(knowledge(*entries) + case.input(), exclude_informational=True)

    assert (loaded.exit_code, loaded.documents, loaded.rejected) == (0, {}, [])
    assert filtered(loaded) == {"exclude_informational": (len(entries), 0)}
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


def test_what_a_new_filter_will_close_is_told_before_and_after(cvm: CVM) -> None:
    sync = whole(read("closing/new_filter"))
    cvm.load(sync)

    dry = cvm.load(sync, exclude_potential=True, dry_run=True)
    assert cvm.open() == identifiers(7001, 7002)
    wet = cvm.load(sync, exclude_potential=True)

    for loaded in (dry, wet):
        assert filtered(loaded) == {"exclude_potential": (1, 1)}
    assert (cvm.open(), cvm.closed()) == (identifiers(7002), identifiers(7001))


def test_another_identity_is_refused_until_it_is_accepted(cvm: CVM) -> None:
    sync = whole(read("closing/changed_identity"))
    cvm.load(sync)

    refused = cvm.load(sync, locator_order=["external_id"])
    assert (refused.outcome, refused.exit_code) == ("refused", 2)
    assert "all 2 open findings" in refused.message
    assert cvm.open() == identifiers(7001, 7002)

    code = cvm.code(sync, locator_order=["external_id"])
    accepted = cvm.load(sync, locator_order=["external_id"], accept_identity_change=code)
    assert (accepted.exit_code, cvm.open()) == (0, identifiers(7001, 7002))


def test_a_renamed_application_is_told_by_both_names(cvm: CVM) -> None:
    case = read("closing/application_renamed")
    cvm.load(case.input("the first day"))

    loaded = cvm.load(case.input("renamed, one page tested"))

    assert (loaded.exit_code, cvm.open()) == (0, identifiers(7001, 7002))
    told = json.dumps(loaded.report)
    assert "Demo App 1" in told
    assert "Renamed App" in told


def test_types_that_are_no_longer_read_stay_open(cvm: CVM) -> None:
    sync = whole(read("closing/types_no_longer_read"))
    cvm.load(sync)
    remaining = [row for row in sync.findings if row["id"] == 7001]

    loaded = cvm.load(
        replace(sync, findings=remaining, coverage={"findingTypes": ["VULNERABILITY"]})
    )

    assert (loaded.exit_code, loaded.outcome) == (0, "succeeded")
    assert (cvm.open(), cvm.closed()) == (identifiers(7001, 7003), identifiers(7002))


def test_another_source_is_refused_and_closes_nothing(cvm: CVM) -> None:
    sync = whole(read("closing/another_source"))
    cvm.load(sync)

    refused = cvm.load(replace(sync, coverage={"source": "scan_reports"}))

    assert (refused.outcome, refused.exit_code) == ("refused", 2)
    assert "source was api, is scan_reports" in refused.message
    assert (cvm.open(), cvm.closed()) == (identifiers(7001, 7002), set())


def test_rows_that_a_map_of_the_target_loses_fail_the_load(cvm: CVM) -> None:
    case = read("closing/map_of_the_target")
    cvm.load(whole(case))

    lost = cvm.load(whole(case), stream_maps=json.loads(case.values["another name"]))

    assert (lost.outcome, lost.exit_code, lost.states) == ("failed", 1, [ASKING])
    assert (cvm.open(), cvm.closed()) == (identifiers(7001, 7002), set())


def test_rows_that_a_map_of_the_target_filters_are_counted_and_stay_open(cvm: CVM) -> None:
    case = read("closing/map_of_the_target")
    cvm.load(whole(case))

    loaded = cvm.load(whole(case), stream_maps=json.loads(case.values["filter"]))

    assert loaded.exit_code == 0
    assert loaded.report["reconciliation"]["dropped_by_maps"] == 1
    assert (cvm.open(), cvm.closed()) == (identifiers(7001, 7002), set())


def test_an_incremental_load_without_a_past_asks_for_everything(cvm: CVM) -> None:
    sync = replace(whole(read("closing/load_without_a_past")), mode="incremental", scans=[])

    loaded = cvm.load(sync)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
    assert "CVM lacks what came before this load" in loaded.message
    assert cvm.open() == identifiers(7001)


@pytest.mark.parametrize("at", range(3))
def test_the_proof_counts_what_was_read_before_any_stream_map(at: int) -> None:
    case = read("closing/findings_mapped_away")

    played = play(case, case.conversations[at])

    proof = played.outcome.proof
    (told,) = (one for one in proof["streams"] if one["stream"] == "findings")
    assert told.get("read") == 2

"""What rests on one guess about CVM: the tenant does it in each position of its switch."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from starlette.datastructures import QueryParams

from tests.sandbox.ciscovm import search, shapes
from tests.sandbox_tests.ciscovm.tenants import CLOSED, ONE, TWO, held, load, tenant
from tests.sandbox_tests.loads import asset, document, finding, vuln

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.tenant import Tenant

GONE = vuln("a", **CLOSED)
GOOD = document(asset(vuln("a")))
BAD = document(asset(vuln("bad", status="fixed")))


def shown(here: Tenant, *statuses: str) -> list[str]:
    """Give the identifiers that a search for vulnerabilities of these statuses shows."""
    query = QueryParams([("status[]", status) for status in statuses])
    rows = search.vulnerabilities(here, query)["vulnerabilities"]
    assert isinstance(rows, list)
    return [name for row in rows for name in row["identifiers"]]


@pytest.mark.parametrize(
    ("undated", "found"),
    [("refused", {"a": "open"}), ("ignored", {"a": "open"}), ("closes", {"a": "closed"})],
)
def test_a_closed_row_without_a_date(undated: str, found: dict[str, str]) -> None:
    here = tenant(undated_closing=undated)
    load(here, GOOD)
    run = load(here, document(asset(vuln("a", status="closed"))))
    assert held(here) == found
    assert run.success is (undated != "refused")


@pytest.mark.parametrize(("unknown", "found"), [("created", {"a": "closed"}), ("ignored", {})])
def test_a_closed_row_of_an_unknown_entry(unknown: str, found: dict[str, str]) -> None:
    here = tenant(unknown_closing=unknown)
    load(here, document(asset(GONE)))
    assert held(here) == found


@pytest.mark.parametrize(
    ("judged", "found", "told"),
    [
        ("beneath", {"a": "closed"}, "risk accepted"),
        ("closes", {"a": "closed"}, "closed"),
        ("ignored", {"a": "open"}, "risk accepted"),
    ],
)
def test_a_closed_row_of_an_accepted_risk(judged: str, found: dict[str, str], told: str) -> None:
    here = tenant(judged_closing=judged)
    load(here, GOOD)
    here.people.judge("a", "risk_accepted")
    load(here, document(asset(GONE)))
    assert held(here) == found
    assert shown(here, told) == ["a"]


@pytest.mark.parametrize(
    ("judged", "state"), [("beneath", "resolved"), ("ignored", "risk_accepted")]
)
def test_a_resolved_row_of_a_finding_that_a_person_has_judged(judged: str, state: str) -> None:
    here = tenant(judged_closing=judged)
    load(here, document(asset(findings=[finding("f")])))
    here.people.triage("f", "risk_accepted")
    load(here, document(asset(findings=[finding("f", triage_state="resolved")])))
    assert held(here) == {"f": state}


@pytest.mark.parametrize("named", [False, True])
def test_the_name_of_the_definition_may_be_part_of_identity(named: bool) -> None:
    here = tenant(name_in_identity=named)
    load(here, GOOD)
    load(here, document(asset(vuln("a", vuln_def_name="new name")), skip_autoclose=True))
    names = [one.name for one in here.held() if one.is_open]
    assert names == (["a", "new name"] if named else ["new name"])
    assert len(shown(here, "open")) == len(names)


@pytest.mark.parametrize(("case", "number"), [("sensitive", 2), ("insensitive", 1)])
def test_capitals_may_tell_urls_apart(case: str, number: int) -> None:
    here = tenant(url_case=case)
    load(here, document({"url": ONE + "Shop"}))
    load(here, document({"url": ONE + "shop"}))
    assert len(here.state.assets) == number


@pytest.mark.parametrize("closes", [True, False])
def test_closed_rows_of_a_file_that_skips_auto_close(closes: bool) -> None:
    here = tenant(closing_under_skip=closes)
    load(here, document(asset(vuln("a"), findings=[finding("f")])))
    gone = asset(GONE, findings=[finding("f", triage_state="resolved")])
    load(here, document(gone, skip_autoclose=True))
    assert held(here) == ({"a": "closed", "f": "resolved"} if closes else {"a": "open", "f": "new"})


@pytest.mark.parametrize(
    ("whose", "found"),
    [
        ("file", {"a": "closed", "b": "open"}),
        ("first", {"a": "closed", "b": "closed"}),
        ("last", {"a": "open", "b": "open"}),
    ],
)
def test_skip_autoclose_may_be_of_the_run(whose: str, found: dict[str, str]) -> None:
    here = tenant(skip_autoclose_of=whose)
    load(here, document(asset(vuln("a")), asset(vuln("b"), url=TWO)))
    load(here, document(asset()), document(asset(url=TWO), skip_autoclose=True))
    assert held(here) == found


@pytest.mark.parametrize(("takes", "found"), [("all", ["a", "b"]), ("last", ["b"])])
def test_a_run_may_take_its_last_file_alone(takes: str, found: list[str]) -> None:
    here = tenant(run_takes=takes)
    run = load(here, GOOD, document(asset(vuln("b"), url=TWO)))
    assert list(held(here)) == found
    assert run.counters.processed_payload_count == len(found)


@pytest.mark.parametrize(("counted", "number"), [("rows", 2), ("merged", 1)])
def test_assets_are_counted_as_rows_or_as_merged(counted: str, number: int) -> None:
    here = tenant(assets_counted=counted)
    assert load(here, GOOD, GOOD).counters.processed_assets_count == number


@pytest.mark.parametrize(("counted", "number"), [("entries", 2), ("vulnerabilities", 1)])
def test_entries_are_counted_by_themselves_or_as_merged(counted: str, number: int) -> None:
    here = tenant(entries_counted=counted)
    both = document(asset(vuln("a"), vuln("b")))
    for definition in both["vuln_defs"]:
        del definition["cwe_identifiers"]
        definition["cve_identifiers"] = "CVE-2021-40001"
    counters = load(here, both).counters
    assert counters.processed_scanner_vuln_count == number
    assert counters.created_scanner_vuln_count == number


@pytest.mark.parametrize(("counted", "numbers"), [("changed", [0, 1]), ("named", [1, 1])])
def test_updated_entries_are_changed_or_named_ones(counted: str, numbers: list[int]) -> None:
    here = tenant(updated_counted=counted)
    load(here, GOOD)
    runs = [load(here, GOOD), load(here, document(asset(vuln("a", scanner_score=5))))]
    assert [run.counters.updated_scanner_vuln_count for run in runs] == numbers


@pytest.mark.parametrize("untold", ["none", "entries", "all"])
def test_counters_may_be_untold(untold: Literal["none", "entries", "all"]) -> None:
    here = tenant(untold_counters=untold)
    run = load(here, GOOD)
    told = shapes.run(run, here.switches, null_counters=False)
    nulls = {name for name in asdict(run.counters) if told[name] is None}
    entries = {name for name in asdict(run.counters) if "vuln" in name}
    assert nulls == {"none": set(), "entries": entries, "all": set(asdict(run.counters))}[untold]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("some", [True, True, False]),
        ("all", [True, False, False]),
        ("always", [True, True, True]),
        ("never", [False, False, False]),
    ],
)
def test_success_may_disagree_with_the_counters(rule: str, told: list[bool]) -> None:
    here = tenant(success_rule=rule)
    runs = [load(here, GOOD), load(here, GOOD, BAD), load(here, BAD)]
    assert [run.success for run in runs] == told
    assert held(here) == {"a": "open"}


def test_searches_may_show_a_load_later() -> None:
    here = tenant(search_delay=600)
    load(here, GOOD)
    assert held(here) == {"a": "open"}
    assert shown(here, "open") == []
    here.clock.advance(timedelta(minutes=8))
    load(here, document(asset(GONE)))
    here.clock.advance(timedelta(minutes=2))
    assert shown(here, "open") == ["a"]
    here.clock.advance(timedelta(minutes=9))
    assert shown(here, "open") == []
    assert shown(here, "closed") == ["a"]


def test_a_licence_has_room_for_so_many_assets() -> None:
    here = tenant(licensed_assets=1)
    here.inactivity_days = 30
    load(here, GOOD)
    assert not here.is_over()
    load(here, document(asset(vuln("b"), url=TWO)))
    assert here.is_over()
    load(here, document(asset(vuln("c"))))
    assert held(here) == {"a": "closed", "c": "open"}

    here.clock.advance(timedelta(days=60))
    load(here, document(asset(vuln("b"), url=TWO, last_seen_at="2026-05-01T00:00:00Z")))
    assert not here.is_over()
    assert held(here)["b"] == "open"


def test_by_default_a_load_in_batches_closes_nothing_of_itself() -> None:
    here = tenant()
    run = load(here, document(asset(vuln("a"))), document(asset(vuln("b")), {"application": "c"}))
    assert held(here) == {"a": "open", "b": "open"}
    assert run.counters.total_payload_count == 3
    again = load(here, document(asset(vuln("a", scanner_score=5), vuln("b"))))
    assert again.counters.updated_scanner_vuln_count == 1

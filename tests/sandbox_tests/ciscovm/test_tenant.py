"""The sandbox's CVM treats loads as the public references say, in each position of its switches."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID, Tenant
from tests.sandbox_tests.ciscovm.tenants import CLOSED, ONE, TWO, held, load, tenant
from tests.sandbox_tests.loads import asset, document, finding, vuln


def assets(tenant: Tenant) -> list[dict[str, str]]:
    return [one.locators for one in tenant.state.assets.values()]


def tags(tenant: Tenant) -> list[str]:
    (only,) = tenant.state.assets.values()
    return sorted(only.tags)


def test_the_highest_locator_with_a_value_decides() -> None:
    here = tenant()
    load(here, document({"url": ONE, "application": "App", "external_id": "7"}))
    load(here, document({"url": TWO, "application": "App", "external_id": "7"}))
    assert [one["url"] for one in assets(here)] == [ONE, TWO]


def test_a_match_overwrites_the_other_locators_and_keeps_those_not_sent() -> None:
    here = tenant()
    load(here, document({"url": ONE, "application": "Old", "external_id": "7"}))
    load(here, document({"url": ONE, "application": "New"}))
    assert assets(here) == [{"url": ONE, "application": "New", "external_id": "7"}]


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ("container_id", "image_id"),
        ("ec2", "netbios"),
        ("netbios", "hostname"),
        ("hostname", "url"),
        ("url", "file"),
        ("file", "fqdn"),
        ("fqdn", "external_id"),
        ("external_id", "database"),
        ("database", "application"),
    ],
)
def test_cvm_has_its_own_order(higher: str, lower: str) -> None:
    here = tenant()
    load(here, document({higher: "same", lower: "first"}))
    load(here, document({higher: "same", lower: "second"}))
    load(here, document({higher: "other", lower: "second"}))
    assert [one[higher] for one in assets(here)] == ["same", "other"]


@pytest.mark.parametrize(("address", "found"), [("192.88.99.1", [TWO]), ("10.0.0.1", [ONE, TWO])])
def test_public_addresses_stand_above_urls_and_others_below(address: str, found: list[str]) -> None:
    here = tenant()
    for url in (ONE, TWO):
        load(here, document({"ip_address": address, "url": url}))
    assert [one["url"] for one in assets(here)] == found


@pytest.mark.parametrize(
    ("order", "found"), [((), 2), (("external_id",), 1), (("application",), 1)]
)
def test_a_tenant_can_have_another_order(order: tuple[str, ...], found: int) -> None:
    here = tenant(locator_order=order)
    load(here, document({"url": ONE, "external_id": "7", "application": "App"}))
    load(here, document({"url": TWO, "external_id": "7", "application": "App"}))
    assert len(assets(here)) == found


def test_a_load_closes_what_it_lacks_on_its_own_assets_only() -> None:
    here = tenant()
    other = {"url": TWO, "vulns": [vuln("elsewhere")]}
    load(here, document(asset(vuln("a"), vuln("b"), findings=[finding("f")]), other))
    run = load(here, document(asset(vuln("a"))))
    assert held(here) == {"a": "open", "b": "closed", "f": "resolved", "elsewhere": "open"}
    assert [(one.cause, one.scanner_identifier) for one in here.state.closings] == [
        ("auto", "b"),
        ("auto", "f"),
    ]
    assert run.counters.autoclosed_scanner_vuln_count == 2
    assert run.counters.closed_scanner_vuln_count == 0


def test_skip_autoclose_closes_by_name_only() -> None:
    here = tenant()
    load(here, document(asset(vuln("a"), vuln("b"))))
    run = load(here, document(asset(vuln("a", **CLOSED)), skip_autoclose=True))
    assert held(here) == {"a": "closed", "b": "open"}
    assert [one.cause for one in here.state.closings] == ["explicit"]
    assert run.counters.closed_scanner_vuln_count == 1


def test_what_was_closed_reopens_when_it_is_seen_again() -> None:
    here = tenant()
    load(here, document(asset(vuln("a"), vuln("b"))))
    load(here, document(asset(vuln("a"))))
    assert load(here, document(asset(vuln("b")))).counters.reopened_scanner_vuln_count == 1
    assert held(here) == {"a": "closed", "b": "open"}


@pytest.mark.parametrize(("scope", "state"), [("file", "closed"), ("run", "open")])
def test_an_asset_in_two_files_of_a_run(scope: Literal["file", "run"], state: str) -> None:
    here = tenant(autoclose_scope=scope)
    load(here, document(asset(vuln("a"))), document(asset(vuln("b"))))
    assert held(here) == {"a": state, "b": "open"}


@pytest.mark.parametrize("scope", ["file", "run"])
def test_an_asset_in_two_runs_keeps_what_came_last(scope: Literal["file", "run"]) -> None:
    here = tenant(autoclose_scope=scope)
    load(here, document(asset(vuln("a"))))
    load(here, document(asset(vuln("b"))))
    assert held(here) == {"a": "closed", "b": "open"}


@pytest.mark.parametrize(("vanish", "left"), [(False, ["a", "b", "c"]), (True, ["b", "c"])])
def test_tags_add_up_unless_dropped_ones_vanish(vanish: bool, left: list[str]) -> None:
    here = tenant(dropped_tags_vanish=vanish)
    load(here, document(asset(tags=["a", "b"])))
    load(here, document(asset(tags=["b", "c"])))
    assert tags(here) == left


@pytest.mark.parametrize("vanish", [False, True])
def test_tags_of_people_stay_unless_they_are_reset(vanish: bool) -> None:
    here = tenant(dropped_tags_vanish=vanish)
    load(here, document(asset(tags=["a"])))
    here.people.tag(next(iter(here.state.assets)), "by hand")
    load(here, document(asset(tags=["b"])))
    assert {"b", "by hand"} <= set(tags(here))
    run = load(here, document(asset(tags=["c"]), reset_tags=True))
    assert tags(here) == ["c"]
    assert run.counters.assets_with_tags_reset_count == 1


def test_connectors_tags_cannot_be_taken_away_by_people() -> None:
    here = tenant()
    load(here, document(asset(tags=["a"])))
    (number,) = here.state.assets
    here.people.tag(number, "a")
    here.people.untag(number, "a")
    assert tags(here) == ["a"]


def test_other_connectors_vulnerabilities_are_left_alone() -> None:
    here = tenant()
    theirs = document(asset(vuln("x"), vuln("a"), tags=["theirs"]))
    load(here, theirs, connector=OTHER_CONNECTOR_ID)
    load(here, document(asset(vuln("a"))))
    load(here, document(asset()))
    assert held(here) == {"a": "closed"}
    assert held(here, OTHER_CONNECTOR_ID) == {"a": "open", "x": "open"}
    assert tags(here) == ["theirs"]

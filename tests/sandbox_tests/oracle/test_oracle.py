"""The judge agrees with a right sync and notices each wrong that is planted into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.oracle.sight import cut, place_by_url
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.loads import JSON, Caller, document, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.oracle.oracle import Comparison
    from tests.sandbox.world.model import Finding


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=5, findings=60, seed=8, switches=Switches(rate_limit=0)) as made:
        yield made


def right(sandbox: Sandbox, *, autoclose: bool = True) -> JSON:
    """Give the load that a right sync makes of the world: closed ones are not in it."""
    places: dict[str, JSON] = {}
    for found in sandbox.world.all_findings():
        url = place_by_url(found)
        entry: JSON = {"url": url, "application": found.app.name, "tags": [], "vulns": []}
        held = places.setdefault(url, entry)
        held["tags"] = list(dict.fromkeys([*held["tags"], *tags(found)]))
        if found.open:
            uid = sandbox.world.unique_id(found)
            held["vulns"].append(vuln(uid, scanner_score=found.severity))
    return document(*places.values(), skip_autoclose=not autoclose)


def tags(found: Finding) -> list[str]:
    return [found.app.name, *(tag.name for tag in found.app.tags)]


def sync(sandbox: Sandbox, load: JSON, *, full: bool = True, exit_code: int = 0) -> Comparison:
    Caller(sandbox).load(load)
    return sandbox.settle(exit_code, full=full)


def an_open_one(load: JSON) -> tuple[JSON, JSON]:
    """Give an asset with something open, and that."""
    asset = next(one for one in load["assets"] if one["vulns"])
    return asset, asset["vulns"][0]


def opened(sandbox: Sandbox) -> Finding:
    return next(one for one in sandbox.world.all_findings() if one.status == "ACTIVE")


def test_a_right_sync_is_equal_day_after_day(sandbox: Sandbox) -> None:
    for _ in range(4):
        assert sync(sandbox, right(sandbox)).equal
        sandbox.next_day()
    assert len(sandbox.tenant.held()) >= 50


def test_before_the_first_load_everything_is_missing(sandbox: Sandbox) -> None:
    found = sandbox.settle(0, full=True)
    assert not found.equal
    assert len(found.missing) == sum(one.open for one in sandbox.world.all_findings())


def test_a_missing_finding_is_noticed(sandbox: Sandbox) -> None:
    load = right(sandbox)
    asset, one = an_open_one(load)
    asset["vulns"].remove(one)
    found = sync(sandbox, load)
    assert (found.missing, found.equal) == ([one["scanner_identifier"]], False)


@pytest.mark.parametrize("by_name", [True, False])
def test_a_wrong_closure_is_noticed(sandbox: Sandbox, by_name: bool) -> None:
    sync(sandbox, right(sandbox))
    load = right(sandbox)
    asset, one = an_open_one(load)
    if by_name:
        one |= {"status": "closed", "closed_at": "2026-03-01T00:00:00Z"}
    else:
        asset["vulns"].remove(one)
    found = sync(sandbox, load)
    assert (found.wrongly_closed, found.equal) == ([one["scanner_identifier"]], False)


@pytest.mark.parametrize("status", ["false_positive", "risk_accepted"])
def test_a_status_that_hides_is_a_wrong_closure(sandbox: Sandbox, status: str) -> None:
    sync(sandbox, right(sandbox))
    load = right(sandbox)
    _, one = an_open_one(load)
    one["status"] = status
    assert sync(sandbox, load).wrongly_closed == [one["scanner_identifier"]]


def test_a_fixed_one_left_open_is_noticed(sandbox: Sandbox) -> None:
    sync(sandbox, right(sandbox))
    gone = opened(sandbox)
    sandbox.world.fix_finding(gone)
    sandbox.begin()
    found = sync(sandbox, right(sandbox, autoclose=False))
    assert found.wrongly_open == [sandbox.world.unique_id(gone)]
    assert sync(sandbox, right(sandbox)).equal


@pytest.mark.parametrize("full", [True, False])
def test_a_deleted_one_may_stay_open_until_the_next_full_sync(sandbox: Sandbox, full: bool) -> None:
    sync(sandbox, right(sandbox))
    gone = opened(sandbox)
    sandbox.world.delete_finding(gone)
    sandbox.begin()
    found = sync(sandbox, right(sandbox, autoclose=False), full=full)
    assert found.wrongly_open == ([sandbox.world.unique_id(gone)] if full else [])
    assert sync(sandbox, right(sandbox), full=True).equal


def test_something_never_seen_in_the_world_is_noticed(sandbox: Sandbox) -> None:
    load = right(sandbox)
    load = document(*load["assets"], {"url": "https://no.example.test/", "vulns": [vuln("none")]})
    assert sync(sandbox, load).wrongly_open == ["none"]


@pytest.mark.parametrize("left_out", ["app", "tag"])
def test_a_wrong_tag_is_noticed(sandbox: Sandbox, left_out: str) -> None:
    load = right(sandbox)
    asset = next(one for one in load["assets"] if one["vulns"] and len(one["tags"]) > 1)
    del asset["tags"][0 if left_out == "app" else -1]
    found = sync(sandbox, load)
    assert set(found.untagged) <= {one["scanner_identifier"] for one in asset["vulns"]}
    assert found.untagged
    assert not found.equal


def test_tags_that_users_added_are_no_difference(sandbox: Sandbox) -> None:
    sync(sandbox, right(sandbox))
    for number in sandbox.tenant.state.assets:
        sandbox.tenant.people.tag(number, "by hand")
    assert sync(sandbox, right(sandbox)).equal


def test_a_wrong_severity_is_noticed(sandbox: Sandbox) -> None:
    load = right(sandbox)
    _, one = an_open_one(load)
    one["scanner_score"] = one["scanner_score"] % 5 + 1
    assert sync(sandbox, load).misjudged == [one["scanner_identifier"]]


def test_a_wrong_asset_is_noticed(sandbox: Sandbox) -> None:
    load = right(sandbox)
    asset, one = an_open_one(load)
    asset["vulns"].remove(one)
    other = {"url": "https://other.example.test/", "tags": asset["tags"], "vulns": [one]}
    load["assets"].append(other)
    assert sync(sandbox, load).misplaced == [one["scanner_identifier"]]


def test_an_asset_that_is_right_and_one_more_is_noticed(sandbox: Sandbox) -> None:
    load = right(sandbox)
    asset, one = an_open_one(load)
    load["assets"].append(
        {"url": "https://other.example.test/", "tags": asset["tags"], "vulns": [one]}
    )
    assert sync(sandbox, load).misplaced == [one["scanner_identifier"]]


def test_other_connectors_vulnerabilities_are_not_judged(sandbox: Sandbox) -> None:
    other = Caller(sandbox, sandbox.connector_id + 1)
    other.load(document({"url": "https://theirs.example.test/", "vulns": [vuln("theirs")]}))
    assert sync(sandbox, right(sandbox)).equal


def test_a_failed_sync_may_have_loaded_or_not_but_must_not_close(sandbox: Sandbox) -> None:
    sync(sandbox, right(sandbox))
    sandbox.next_day()
    assert sandbox.settle(1, full=True).equal
    assert sync(sandbox, right(sandbox), exit_code=1).equal
    load = right(sandbox)
    asset, one = an_open_one(load)
    asset["vulns"].remove(one)
    assert sync(sandbox, load, exit_code=1).wrongly_closed == [one["scanner_identifier"]]


def test_places_are_urls_without_query_and_fragment() -> None:
    assert cut("HTTPS://App.Example.test/A?b=c#d") == "https://app.example.test/A"
    assert cut("https://app.example.test/#/a?b") == "https://app.example.test/"
    assert cut("https://app.example.test") == "https://app.example.test"

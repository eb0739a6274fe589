"""All that CVM holds of a connector is read, whatever its status, by exports and by searches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.holdings.holding import Owner
from target_ciscovm.cvm.holdings.holdings import open_holdings
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.errors import ConnectorMissing, NoAccess
from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID
from tests.sandbox_tests.loads import asset, document, finding, vuln
from tests.target.cvm.holdings.read import CLOSED, ONE, TWO, Read, api, load, opened
from tests.target.cvm.quick import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.sandbox import Sandbox

WAYS = {"export": (), "search": ("export-refused",)}
VULNERABILITIES = {"V-7-a": True, "V-7-b": False, "V-8-c": True}
FINDINGS = {"V-7-f": True, "V-7-g": False}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    way: str = request.param
    return way


@pytest.fixture
def sandbox(way: str) -> Iterator[Sandbox]:
    with opened(*WAYS[way]) as made:
        load(made)
        yield made


def test_entries_of_vulnerabilities(sandbox: Sandbox, way: str) -> None:
    read = Read(sandbox)

    assert (read.by, read.open) == (way, VULNERABILITIES)
    found = read.one("V-7-a")
    assert (found.model, found.judgement, found.definition) == ("vulnerabilities", None, None)
    assert found.locators == {"url": ONE, "external_id": "7", "application": "One"}
    assert read.one("V-8-c").locators == {"url": TWO}
    assert [(one.id, bool(one.name)) for one in found.owners] == [(sandbox.connector_id, True)]
    assert found.active is True
    assert found.last_seen == "2026-03-01T00:00:00.000Z"
    assert found.first_seen
    assert found.asset_id == read.one("V-7-b").asset_id != read.one("V-8-c").asset_id


def test_entries_of_findings(sandbox: Sandbox, way: str) -> None:
    read = Read(sandbox, "findings")

    assert (read.by, read.open) == (way, FINDINGS)
    found = read.one("V-7-f")
    assert (found.model, found.judgement, found.definition) == ("findings", None, "V-7-f")
    assert found.locators == {"url": ONE, "external_id": "7", "application": "One"}
    assert [one.id for one in found.owners] == [sandbox.connector_id]


def test_findings_are_searched_where_they_cannot_be_exported() -> None:
    with opened(finding_exports=False) as sandbox:
        load(sandbox)
        read = Read(sandbox, "findings")

    assert (read.by, read.open) == ("search", FINDINGS)


def test_a_connector_without_entries_holds_nothing(way: str) -> None:
    with opened(*WAYS[way]) as sandbox:
        for model in ("vulnerabilities", "findings"):
            assert Read(sandbox, model).all == []


@pytest.mark.parametrize("status", ["closed", "false_positive", "risk_accepted"])
def test_what_people_have_said_of_a_vulnerability(sandbox: Sandbox, status: str) -> None:
    sandbox.tenant.people.judge("V-7-a", status)  # type: ignore[arg-type]

    read = Read(sandbox)

    assert read.one("V-7-a").judgement == status
    assert read.one("V-7-a").open is (status != "closed")
    assert read.one("V-7-b").judgement is None


@pytest.mark.parametrize(
    ("status", "is_open", "judgement"),
    [
        ("triaged", True, None),
        ("in_progress", True, None),
        ("false_positive", False, "false_positive"),
        ("duplicate", False, "duplicate"),
        ("not_a_security_issue", False, "not_a_security_issue"),
    ],
)
def test_what_people_have_said_of_a_finding(
    sandbox: Sandbox, status: str, is_open: bool, judgement: str | None
) -> None:
    sandbox.tenant.people.triage("V-7-f", status)  # type: ignore[arg-type]

    found = Read(sandbox, "findings").one("V-7-f")

    assert (found.open, found.judgement) == (is_open, judgement)


@pytest.mark.parametrize("inactive", [False, True])
def test_inactive_assets_are_read_too(way: str, inactive: bool) -> None:
    with opened(*WAYS[way], export_inactive=inactive) as sandbox:
        load(sandbox)
        sandbox.tenant.inactivity_days = 30
        sandbox.clock.advance(timedelta(days=60))
        read = Read(sandbox)

    assert (read.by, read.open) == (way, VULNERABILITIES)
    assert {one.active for one in read.all} == {False}


def test_other_connectors_are_left_out_whatever_their_name(sandbox: Sandbox) -> None:
    own = sandbox.tenant.connector(sandbox.connector_id)
    sandbox.tenant.connector(OTHER_CONNECTOR_ID).name = own.name
    theirs = asset(vuln("V-9-x"), url=ONE, findings=[finding("V-9-y")])
    load(sandbox, document(theirs, skip_autoclose=True), connector=OTHER_CONNECTOR_ID)

    assert Read(sandbox).open == VULNERABILITIES
    assert Read(sandbox, "findings").open == FINDINGS


def with_cve(sandbox: Sandbox, *vulns: dict[str, object], connector: int | None = None) -> None:
    """Load vulnerabilities that CVM takes for one, as they have one CVE."""
    whole = document(asset(*vulns, url=ONE), skip_autoclose=True)
    for definition in whole["vuln_defs"]:
        del definition["cwe_identifiers"]
        definition["cve_identifiers"] = "CVE-2026-1234"
    load(sandbox, whole, connector=connector)


def test_one_vulnerability_may_bundle_entries_of_several_connectors(way: str) -> None:
    with opened(*WAYS[way]) as sandbox:
        with_cve(sandbox, vuln("V-7-a"), vuln("V-7-b", **CLOSED))
        with_cve(sandbox, vuln("other"), connector=OTHER_CONNECTOR_ID)
        read = Read(sandbox)

    assert read.open == {"V-7-a": True, "V-7-b": False, "other": True}
    assert len({one.vulnerability_id for one in read.all}) == 1
    names = [sandbox.tenant.connector(one).name for one in (sandbox.connector_id, 155305)]
    owners = (Owner(sandbox.connector_id, names[0]), Owner(OTHER_CONNECTOR_ID, names[1]))
    assert {one.owners for one in read.all} == {owners}


def test_of_one_identifier_by_two_connectors_it_is_not_told_whose_is_open(way: str) -> None:
    with opened(*WAYS[way]) as sandbox:
        with_cve(sandbox, vuln("V-7-a"), vuln("V-7-b"))
        with_cve(sandbox, vuln("V-7-a", **CLOSED), vuln("V-7-b"), connector=OTHER_CONNECTOR_ID)

        assert Read(sandbox).open == {"V-7-a": None, "V-7-b": True}


def test_many_entries_on_many_assets(way: str) -> None:
    wanted = {f"V-{number}-x" for number in range(1200)}
    assets = [
        {"url": f"https://a{number}.example.test/", "vulns": [vuln(f"V-{number}-x")]}
        for number in range(1200)
    ]
    with opened(*WAYS[way]) as sandbox:
        load(sandbox, document(*assets))
        read = Read(sandbox)
        asked = sandbox.ciscovm_requests

    assert set(read.open) == wanted
    assert read.one("V-900-x").locators == {"url": "https://a900.example.test/"}
    assert asked["assets/search"] == (0 if way == "export" else 12)


def test_it_is_asked_below_five_times_a_second(sandbox: Sandbox) -> None:
    log = sandbox.ciscovm_face.log
    log.clear()
    Read(sandbox, policy=replace(QUICK, pace_seconds=RetryPolicy().pace_seconds))

    moments = [one.moment for one in log]
    assert len(moments) >= 3
    assert all(later - one > 0.2 for one, later in pairwise(moments))


def test_a_connector_that_is_not_there_is_told_as_ever() -> None:
    with opened() as sandbox:
        sandbox.tenant.state.connectors.pop(sandbox.connector_id)
        with pytest.raises(ConnectorMissing):
            Read(sandbox)


def test_a_folder_that_cannot_be_used_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with (
        pytest.raises(NoAccess, match="output_path"),
        open_holdings(api(sandbox), "vulnerabilities", missing, timeout_seconds=1),
    ):
        pass

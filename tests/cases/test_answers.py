"""Cases about what Qualys answers with, on its whole way from the answer to CVM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.cases.case import names, read
from tests.cases.conversations import page_of
from tests.cases.outcomes import definitions, identifiers, notes
from tests.sandbox.world.model import FINDING_TYPES
from tests.tap.scripted import FINDINGS, ScriptedServer
from tests.tap.syncs import sync_here
from tests.target.streams import bare

if TYPE_CHECKING:
    from tests.cases.rows import Row
    from tests.target.loads import CVM

DAY: Final = "2024-05-0%dT08:00:00Z"
UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FORMS: Final = ("", "as the tap writes it")
"""Of one row: as Qualys answers with it, and as the tap writes it."""

DATES: Final = ("firstDetectedDate", "lastDetectedDate", "lastTestedDate")


@pytest.mark.parametrize("name", [name for name in names() if read(name).findings])
def test_findings_come_through_the_tap_in_clean_forms(name: str) -> None:
    case = read(name)
    kinds = {kind: [row for row in case.findings if kind_of(row) == kind] for kind in FINDING_TYPES}
    for kind, rows in kinds.items():
        if not rows:
            continue
        emitted, asked = served(kind, rows)

        assert [row["id"] for row in emitted] == [row["finding"] for row in rows]
        assert [row["status"] for row in emitted] == [row.get("status", "ACTIVE") for row in rows]
        assert all(
            row[date] is None or UTC.fullmatch(row[date]) for row in emitted for date in DATES
        )
        named = {row["finding"]: row["name"].split() for row in rows if "name" in row}
        assert {one["id"]: one["name"].split() for one in emitted if one["id"] in named} == named
        assert "0" not in asked


def kind_of(row: Row) -> str:
    return str(row.get("type", "VULNERABILITY"))


def served(kind: str, rows: list[Row]) -> tuple[list[Row], set[str]]:
    """Give what the tap makes of rows of a type, and the QIDs that it asks for."""
    with ScriptedServer({FINDINGS: [page_of(rows)]}) as server:
        outcome = sync_here({**server.config, "finding_types": [kind]})
    bodies = [one.body for one in server.requests if "knowledge_base" in one.path]
    lists = [ids for body in bodies for ids in re.findall(r"(?<=ids=)[\d%C]+", body)]
    return (outcome.records("findings"), {qid for ids in lists for qid in ids.split("%2C")})


def test_imported_findings_of_qid_0_stay_two_with_two_definitions(cvm: CVM) -> None:
    loaded = cvm.load(read("answers/imported_findings").input())

    assert set(loaded.items()) == identifiers(7001, 7002)
    assert len(definitions(loaded)) == 2


@pytest.mark.parametrize("form", FORMS)
def test_evidence_that_is_not_what_it_says_never_loses_the_finding(form: str, cvm: CVM) -> None:
    loaded = cvm.load(read("answers/evidence_not_base64").input(form))

    (item,) = loaded.items().values()
    assert "not*base64" in item["details"]
    assert cvm.open() == {bare(item["scanner_identifier"])}


def test_a_finding_without_a_url_is_at_its_application_else_rejected(cvm: CVM) -> None:
    loaded = cvm.load(read("answers/finding_without_url").input(), max_failed_percent="50")

    places = [{k: v for k, v in a.items() if k in ("url", "external_id")} for a in loaded.assets]
    assert {"external_id": "9002"} in places
    assert {"url": "https://app1.example.test/page1", "external_id": "9001"} in places
    assert [row["key"] for row in loaded.rejected] == ["V-0-7003"]
    assert "no value for any of locator_order" in loaded.rejected[0]["reason"]


def test_numbers_of_every_form_are_read(cvm: CVM) -> None:
    loaded = cvm.load(read("answers/numbers_in_any_form").input())

    items = list(loaded.items().values())
    assert sorted(item.get("scanner_score", 0) for item in items) == [0, 3, 3, 3]
    (scored,) = (item["details"] for item in items if "CVSS v3 base: 7.5" in item["details"])
    assert "Times detected: 50\n" in scored
    assert loaded.rejected == []


def test_dates_of_every_form_are_read_and_a_zero_date_is_none(cvm: CVM) -> None:
    loaded = cvm.load(read("answers/dates_in_any_form").input())

    seen = {asset["url"][-1]: asset["last_seen_at"] for asset in loaded.assets}
    assert [seen[page] for page in "123456"] == [DAY % 2] * 3 + [DAY % 1] * 3
    assert notes(loaded)["lastTestedDate is not a readable date: left out"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_tags_are_trimmed_and_different_and_a_comma_is_theirs(form: str, cvm: CVM) -> None:
    given = read("answers/tags_with_commas").input(form)

    loaded = cvm.load(given, tag_application=False)
    skipped = cvm.load(given, skip_tags=True)

    assert [asset.get("tags") for asset in loaded.assets] == [["Blue, North", "Team"], None]
    assert all("tags" not in asset for asset in skipped.assets)

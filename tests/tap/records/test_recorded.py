"""Recorded answers of the real Qualys are read with no loss: every record, nothing unknown."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas import errors
from tap_qualyswas.qualys.answers import read_kb_answer, read_service_answer
from tap_qualyswas.qualys.reply import Reply
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.knowledge_base import read_entry
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.scan_results import parse_report
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.records.webapps import WEBAPP
from tests.support.recorded import SAMPLES, needs_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_qualyswas.records.fields import Record

    Reader = Callable[..., Record]

pytestmark = needs_samples

READERS: Final[dict[str, Reader]] = {
    "webapp": WEBAPP,
    "wasscan": read_scan,
    "finding": finding_shape(),
}
SEARCHES: Final = [
    ("finding_search.xml", "finding", 86),
    ("wasscan_search.xml", "wasscan", 2),
    ("wasscan_search_2.xml", "wasscan", 3),
    ("webapp_search.xml", "webapp", 1),
    ("webapp_search_empty.xml", "webapp", 0),
    ("webapp_search_older.xml", "webapp", 4),
    ("webapp_search_page1.xml", "webapp", 1),
    ("webapp_search_page2.xml", "webapp", 1),
    ("webapp_search_scanned.xml", "webapp", 7),
]
REFUSALS: Final = [
    ("not_authorized.xml", errors.Refused),
    ("login_expired.xml", errors.AccountExpired),
    ("webapp_search_invalid_filter_value.xml", errors.InvalidRequest),
    ("finding_search_bad_id.xml", errors.InvalidRequest),
]


def recorded(name: str) -> Reply:
    body = (SAMPLES / "qualys" / name).read_bytes()
    return Reply("qualysapi.example.test", 200, {"Content-Type": "text/xml"}, body)


def read(name: str, kind: str) -> tuple[list[Record], Notes]:
    notes = Notes()
    rows = read_service_answer(recorded(name)).rows
    return ([READERS[kind](row, notes) for row in rows], notes)


@pytest.mark.parametrize(("name", "kind", "expected"), SEARCHES)
def test_each_recorded_row_becomes_a_record_and_nothing_in_it_is_unknown(
    name: str, kind: str, expected: int
) -> None:
    found, notes = read(name, kind)

    assert len(found) == expected == read_service_answer(recorded(name)).count
    assert (dict(notes.unknown), dict(notes.unreadable), notes.rejected) == ({}, {}, 0)
    assert all(isinstance(row["id"], int) for row in found)


def test_a_recorded_finding_has_its_values() -> None:
    found, _ = read("finding_search.xml", "finding")

    first = found[0]
    assert (first["id"], first["qid"]) == (6816386, 150210)
    assert first["uniqueId"] == "0ee64f7c-2c14-4564-b514-e548681ac7cf"
    assert first["name"] == "Information Disclosure via Response Header"
    assert first["type"] == "INFORMATION_GATHERED"
    assert first["potential"] is False
    assert len({row["uniqueId"] for row in found}) == 86


def test_the_pages_of_a_recorded_walk_follow_one_another() -> None:
    first = read_service_answer(recorded("webapp_search_page1.xml"))
    second = read_service_answer(recorded("webapp_search_page2.xml"))

    assert (first.more, first.last_id) == (True, 238483924)
    assert (second.more, second.last_id) == (True, 238483925)
    assert second.rows[0].findtext("id") == "238483925"


def test_recorded_knowledge_base_entries_are_all_read() -> None:
    notes = Notes()
    rows, _ = read_kb_answer(recorded("knowledge_base.xml"))
    found = [read_entry(row, notes) for row in rows]

    assert len(found) == 42
    assert all(isinstance(row["qid"], int) and row["title"] for row in found)
    assert len({row["qid"] for row in found}) == 42
    assert notes.rejected == 0


def test_an_unknown_qid_is_no_error_in_a_recorded_answer() -> None:
    assert read_kb_answer(recorded("knowledge_base_unknown_id.xml"))[0] == []


def test_an_unknown_finding_is_no_error_in_a_recorded_answer() -> None:
    assert len(read_service_answer(recorded("finding_search_unknown_id.xml")).rows) == 0


@pytest.mark.parametrize(("name", "error"), REFUSALS)
def test_recorded_refusals_are_never_read_as_empty_pages(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_service_answer(recorded(name))


def test_a_recorded_count_is_read() -> None:
    answer = read_service_answer(recorded("wasscan_count.xml"))

    assert isinstance(answer.count, int)
    assert len(answer.rows) == 0


def test_a_recorded_scan_report_is_read_whole() -> None:
    body = recorded("wasscan_download.xml").body

    report = parse_report(BytesIO(body))

    kinds = Counter(entry["kind"] for entry in report.entries)
    instances = [entry["instances"] for entry in report.entries]
    assert kinds == {
        "VULNERABILITY": body.count(b"<WasScanVuln>"),
        "INFORMATION_GATHERED": body.count(b"<WasScanIg>"),
    }
    assert sum(number for number in instances if isinstance(number, int)) == 47
    assert (len(report.entries), report.notes.rejected) == (59, 0)
    assert all(isinstance(entry["qid"], int) for entry in report.entries)

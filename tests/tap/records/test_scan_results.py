"""The report of a scan, read entry by entry and held against its own counts."""

from __future__ import annotations

from io import BytesIO

import pytest

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.scan_results import parse_report

ENTRY = "<WasScanVuln><qid>150001</qid><uri>https://a.example.test/{}</uri></WasScanVuln>"


def report(told: int, *places: str) -> BytesIO:
    entries = "".join(map(ENTRY.format, places))
    return BytesIO(
        f"<WasScan><id>1</id><vulns><count>{told}</count><list>{entries}</list></vulns></WasScan>".encode()
    )


def test_entries_before_an_illegal_character_count_once() -> None:
    found = parse_report(report(3, "one", "two", "three\x0b"))

    assert [entry["uri"] for entry in found.entries] == [
        "https://a.example.test/one",
        "https://a.example.test/two",
        "https://a.example.test/three\ufffd",
    ]
    assert found.notes.replaced == 1


def test_an_entry_that_is_missing_is_not_made_up_for_by_one_read_twice() -> None:
    with pytest.raises(BrokenAnswer, match="vulns are 2 of 3"):
        parse_report(report(3, "one", "two\x0b"))

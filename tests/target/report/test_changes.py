"""`changes.jsonl` and `changes.csv`: one row for each change of the plan, of a dry run too."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, entry, finding, fixed, identifier, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

NEW: Final = "https://app1.example.test/elsewhere"
BEFORE: Final = Sync([webapp()], [finding(number) for number in range(1, 8)])
AFTER: Final = Sync(
    [webapp()],
    [
        finding(1),
        finding(2, severity=5),
        finding(3, url=NEW),
        fixed(4),
        finding(5, severity=1),
        finding(6, lastTestedDate="2026-03-01T09:00:00Z"),
        finding(9),
    ],
)
"""Nothing, edited, moved, fixed, filtered, only looked at again, new; and one is gone."""


def sheet(loaded: Loaded) -> list[dict[str, str]]:
    """Read the table as a spreadsheet does."""
    assert loaded.folder is not None
    text = (loaded.folder / "changes.csv").read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("dry", [False, True], ids=["a run", "a dry run"])
def test_each_change_has_a_row_with_its_cause(dry: bool, cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(AFTER, min_severity=2, dry_run=dry)

    told = {(row["action"], row["cause"], row["identifier"]) for row in loaded.changes}
    assert told == {
        ("open", "edited", identifier(2)),
        ("open", "moved here", identifier(3)),
        ("close", "moved away", identifier(3)),
        ("close", "fixed", identifier(4)),
        ("close", "filtered: min_severity", identifier(5)),
        ("close", "gone", identifier(7)),
        ("open", "new", identifier(9)),
    }
    assert len(loaded.changes) == len(told)


def test_a_row_says_what_and_where(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    (row,) = (one for one in cvm.load(AFTER).changes if one["cause"] == "gone")

    assert row == {
        "version": 1,
        "action": "close",
        "cause": "gone",
        "webappId": 1,
        "webapp": "App 1",
        "url": "https://app1.example.test/page7",
        "qid": 150000,
        "title": "Title of 150000",
        "severity": 3,
        "identifier": identifier(7),
        "asset": "url:https://app1.example.test/page7",
    }


def test_the_url_is_told_where_assets_are_web_applications(cvm: CVM) -> None:
    loaded = cvm.load(Sync([webapp()], [finding(1)]), locator_order=["external_id"])

    (row,) = loaded.changes
    assert (row["asset"], row["url"]) == ("external_id:1", "https://app1.example.test/page1?id=1")


def test_the_table_has_the_same_rows(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(AFTER)

    as_text = [
        {name: str(value) for name, value in row.items() if name != "version"}
        for row in loaded.changes
    ]
    assert sheet(loaded) == as_text


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begins: str, cvm: CVM) -> None:
    title = f'{begins}HYPERLINK("https://evil.example.test")'
    name = f"{begins}1+1"
    row = finding(1, webApp={"id": 1, "name": name, "url": "https://app1.example.test/"})
    sync = Sync([webapp(name=name)], [row], entries=[entry(150001, title=title)])

    loaded = cvm.load(sync)

    cells = [cell for line in sheet(loaded) for cell in line.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any("HYPERLINK" in cell for cell in cells)


def test_commas_quotes_and_line_ends_stay_in_their_cell(cvm: CVM) -> None:
    name = 'Shop, "the" \n best; Größe 中文'

    loaded = cvm.load(Sync([webapp(name=name)], [finding(1)]))

    (line,) = sheet(loaded)
    assert line["webapp"] == name
    assert line["identifier"] == identifier(1)


def test_a_load_without_changes_has_an_empty_list(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(BEFORE)

    assert loaded.folder is not None
    assert (loaded.folder / "changes.jsonl").read_bytes() == b""
    assert sheet(loaded) == []


def test_a_run_that_failed_keeps_the_list_of_what_would_have_changed(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    cvm.faults.arm("run-fails")

    loaded = cvm.load(Sync([webapp()], [finding(1)]))

    assert loaded.outcome == "failed"
    assert set(loaded.closings) == names(*range(2, 8))
    assert "would" in page(loaded)


def page(loaded: Loaded) -> str:
    assert loaded.folder is not None
    return (loaded.folder / "report.html").read_text("utf-8")


def test_each_line_stands_alone(cvm: CVM) -> None:
    loaded = cvm.load(BEFORE)

    assert loaded.folder is not None
    lines = (loaded.folder / "changes.jsonl").read_bytes().splitlines(keepends=True)
    found: list[Any] = [json.loads(line) for line in lines]
    assert all(line.endswith(b"}\n") for line in lines)
    assert [row["cause"] for row in found] == ["new"] * 7

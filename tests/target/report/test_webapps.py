"""The row of each web application: what is open of it, what the load changes, what is proven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from target_ciscovm.report import webapps
from tests.target.streams import Sync, finding, fixed, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

APPS: Final = [webapp(1), webapp(2), webapp(3)]
BEFORE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2), finding(4, 2)])
MOVED: Final = finding(2, url="https://app1.example.test/elsewhere")
AFTER: Final = replace(BEFORE, findings=[fixed(1), MOVED, finding(3, 2), finding(5)])
"""One fixed, one moved, one as before, one gone, one new."""


def rows(loaded: Loaded) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in loaded.report["webapps"]}


def counts(loaded: Loaded) -> dict[int, tuple[int, int, int, int]]:
    return {
        number: (row["open"], row["opened"], row["closed"], row["moved"])
        for number, row in rows(loaded).items()
    }


def why(loaded: Loaded) -> dict[int, str]:
    return {number: row["not_proven"] for number, row in rows(loaded).items()}


@pytest.mark.parametrize("dry", [False, True], ids=["a run", "a dry run"])
def test_the_rows_say_what_changes_and_add_up(dry: bool, cvm: CVM) -> None:
    first = cvm.load(BEFORE)
    assert counts(first) == {1: (2, 2, 0, 0), 2: (2, 2, 0, 0), 3: (0, 0, 0, 0)}

    loaded = cvm.load(AFTER, dry_run=dry)

    assert counts(loaded) == {1: (2, 2, 2, 1), 2: (1, 0, 1, 0), 3: (0, 0, 0, 0)}
    found = rows(loaded).values()
    changes = loaded.report["changes"]
    assert sum(row["opened"] for row in found) == changes["opened"]
    assert sum(row["closed"] for row in found) == changes["closed"]
    assert sum(row["open"] for row in found) == loaded.report["closing"]["open_after"]


def test_those_with_the_most_changes_come_first(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(9, 3)]))

    assert [row["id"] for row in loaded.report["webapps"]] == [3, 1, 2]
    assert [row["name"] for row in loaded.report["webapps"]] == ["App 3", "App 1", "App 2"]


def test_what_is_left_out_is_counted(cvm: CVM) -> None:
    apps = [webapp(number) for number in range(1, webapps.ROWS + 4)]

    loaded = cvm.load(Sync(apps, [finding(1, 203)]))

    assert len(loaded.report["webapps"]) == webapps.ROWS
    assert loaded.report["webapps"][0]["id"] == webapps.ROWS + 3
    assert loaded.report["webapps_left_out"] == 3


def test_it_says_why_one_is_not_proven_and_when_it_was_covered_last(cvm: CVM) -> None:
    first = cvm.load(BEFORE)
    began = first.report["source"]["started"]
    assert {row["covered"] for row in rows(first).values()} == {began}
    assert why(first) == {1: "", 2: "", 3: ""}

    loaded = cvm.load(replace(BEFORE, webapps=[webapp(1), webapp(2)], not_proven=[2]))

    assert why(loaded) == {1: "", 2: "web app not proven", 3: "web app not read"}
    assert rows(loaded)[1]["covered"] == loaded.report["source"]["started"]
    assert rows(loaded)[2]["covered"] == rows(loaded)[3]["covered"] == began
    assert rows(loaded)[3]["name"] == "App 3"


def test_an_incremental_load_proves_none(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(replace(BEFORE, findings=[finding(5)], mode="incremental"))

    assert set(why(loaded).values()) == {"not proven"}
    assert counts(loaded)[1] == (3, 1, 0, 0)


def test_the_page_has_the_rows_and_the_changes(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(AFTER)

    assert loaded.folder is not None
    page = (loaded.folder / "report.html").read_text("utf-8")
    assert "3 web applications" in page
    assert "5 changes" in page
    assert page.count("https://app1.example.test/elsewhere") == 1


def test_those_of_another_account_have_rows_of_their_own(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    other = {"subscription": "another"}

    loaded = cvm.load(replace(BEFORE, webapps=[webapp(1)], findings=[finding(8)], proof=other))

    told = [(row["id"], row["open"], row["not_proven"]) for row in loaded.report["webapps"]]
    assert told == [(1, 1, ""), (1, 2, "another account"), (2, 2, "another account")]
    assert {row["name"] for row in loaded.report["webapps"]} == {"App 1", "App 2"}


def test_without_an_account_they_are_told_together(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    cvm.load(replace(BEFORE, findings=[finding(8)], proof={"subscription": "another"}))

    loaded = cvm.load(replace(AFTER, proof={"subscription": None}))

    found = rows(loaded).values()
    assert len(found) == len(loaded.report["webapps"])
    assert sum(row["open"] for row in found) == loaded.report["closing"]["open_after"]

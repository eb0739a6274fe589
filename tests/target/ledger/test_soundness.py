"""A ledger that somebody has edited by hand is called damaged, with the way out; no trace back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.errors import LedgerDamaged
from target_ciscovm.ledger.soundness import blaming
from tests.target.streams import Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.target.loads import CVM

BEFORE: Final = Sync([webapp(1), webapp(2)], [finding(1), finding(2), finding(3, 2)])
AFTER: Final = Sync([webapp(1, tags=[]), webapp(2)], [finding(1), fixed(3, 2)])
EDITS: Final[Mapping[str, str]] = {
    "tags in asset": "UPDATE asset SET tags = 'Production'",
    "webapp in entry": "UPDATE entry SET webapp = 'App 1'",
    "name in entry": "UPDATE entry SET name = x'ff'",
    "sent_at in entry": "UPDATE entry SET sent_at = x'ff'",
    "source in entry": "UPDATE entry SET source = CAST(x'ff' AS TEXT)",
    "began in chain": "UPDATE chain SET began = x'ff'",
}


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_web_application_that_is_no_number_is_told(mode: str, cvm: CVM) -> None:
    cvm.begin(BEFORE)
    edit(cvm.ledger, f"{EDITS['webapp in entry']} WHERE identifier LIKE '%2'")

    loaded = cvm.load(replace(AFTER, mode=mode))

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert "it is damaged (webapp in entry)" in loaded.message
    assert cvm.open() == names(1, 2, 3)


@pytest.mark.parametrize("place", EDITS)
def test_what_is_not_of_its_kind_ends_the_load_before_anything_is_run(place: str, cvm: CVM) -> None:
    cvm.begin(BEFORE)
    runs = cvm.requests["run"]
    edit(cvm.ledger, EDITS[place])

    loaded = cvm.load(AFTER)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert f"{cvm.ledger} cannot be used: it is damaged ({place})" in loaded.message
    assert "target-ciscovm:rebuild-ledger" in loaded.report["next_step"]
    assert cvm.requests["run"] == runs
    assert cvm.open() == names(1, 2, 3)


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("asset in entry", "UPDATE entry SET asset = 'app1.example.test'"),
        ("locators in asset", """UPDATE asset SET locators = '{"url":7}'"""),
        ("value in meta", "UPDATE meta SET value = x'ff' WHERE key LIKE 'definition %'"),
    ],
)
def test_it_is_blamed_for_any_error_that_is_not_known(place: str, statement: str, cvm: CVM) -> None:
    cvm.begin(BEFORE)
    edit(cvm.ledger, statement.replace("UPDATE", "UPDATE OR REPLACE"))

    with pytest.raises(LedgerDamaged, match=place), blaming(cvm.ledger):
        1 / 0  # noqa: B018 - any error


def test_a_sound_ledger_is_not_blamed(cvm: CVM) -> None:
    cvm.begin(BEFORE)

    with pytest.raises(ZeroDivisionError), blaming(cvm.ledger):
        1 / 0  # noqa: B018 - any error
    with pytest.raises(ZeroDivisionError), blaming(cvm.home / "none.db"):
        1 / 0  # noqa: B018 - any error

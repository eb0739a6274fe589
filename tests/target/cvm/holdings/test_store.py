"""The file that entries are kept in while they are read."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.holdings.rows import AssetRow, Held
from target_ciscovm.cvm.holdings.store import Store
from target_ciscovm.output.folders import SQLITE_NO_ROOM
from tests.target.private import file_size_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def held(first: int, number: int) -> Iterator[Held]:
    text = "V-7-00000000-0000-4000-8000-"
    for place in range(first, first + number):
        yield Held(place, f"{text}{place:012}", True, None, "[]", None, place % 9, None, None)  # noqa: FBT003


class BrokenError(Exception):
    """The rows end too early."""


def broken() -> Iterator[Held]:
    yield from held(5, 10_000)
    raise BrokenError


def count(store: Store) -> int:
    store.list_assets()
    store.describe_assets(map(AssetRow, range(store.count_unknown_assets())))
    return sum(1 for _ in store.holdings("vulnerabilities"))


def test_what_does_not_end_well_is_taken_back(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add(held(0, 10))
        with pytest.raises(BrokenError), store.whole():
            store.add(broken())

        assert count(store) == 10


def test_no_room_in_the_middle_is_told_as_such(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with (
            file_size_limit(4_000_000),
            pytest.raises(sqlite3.OperationalError) as caught,
            store.whole(),
        ):
            store.add(held(0, 300_000))

        assert str(caught.value) in SQLITE_NO_ROOM


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add(held(0, 1000))
        assert list(tmp_path.iterdir()) == []

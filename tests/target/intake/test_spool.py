"""What the spool is given comes back, however much it is."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.intake.spool import (
    ASSETS_KEPT,
    PLAIN_BYTES,
    REMEMBERED,
    TOGETHER,
    FindingRow,
    Spool,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "records.db") as spool:
        yield spool


def text(number: int, length: int) -> bytes:
    return b'{"n":%d,"details":"%b"}' % (number, b"\\n" * (length // 2))


def item_of(spool: Spool, number: int) -> bytes:
    (item,) = spool.items([number])
    return b"{" + item


@pytest.mark.parametrize("length", [0, 400, 100_000], ids=["short", "usual", "with evidence"])
def test_items_come_back_by_their_numbers_in_any_order(spool: Spool, length: int) -> None:
    items = [text(number, length) for number in range(300)]
    numbers = [spool.add_item(item) for item in items]
    pairs = list(zip(numbers, items, strict=True))
    random.Random(1).shuffle(pairs)

    assert all(item_of(spool, number) == item for number, item in pairs)


def test_an_item_is_read_between_others_that_are_still_added(spool: Spool) -> None:
    for number in range(200):
        item = text(number, 400)
        assert item_of(spool, spool.add_item(item)) == item


def test_the_items_of_a_large_load_need_little_disk(spool: Spool, tmp_path: Path) -> None:
    length = 1 << 16
    items = [text(number, length) for number in range(2 * PLAIN_BYTES // length)]
    numbers = [spool.add_item(item) for item in items]
    again = spool.items(numbers)

    assert again == [item[1:] for item in items]
    assert (tmp_path / "records.items").stat().st_size < 1.1 * PLAIN_BYTES
    assert spool.size > 1.9 * PLAIN_BYTES, "the files made of it are not compressed"


def test_an_asset_may_come_to_have_several_numbers_that_stand_for_one_key(spool: Spool) -> None:
    keys = [f"url:https://app.example.test/{number}" for number in range(ASSETS_KEPT + 1)]
    numbers = {key: spool.asset_number(key) for key in keys}

    assert spool.asset_number(keys[-1]) == numbers[keys[-1]]
    assert spool.asset_number(keys[0]) != numbers[keys[0]]
    spool.flush()
    known = dict(spool.execute("SELECT number, key FROM asset_key"))
    assert [known[number] for number in numbers.values()] == keys
    assert known[spool.asset_number(keys[0])] == keys[0]


@pytest.mark.parametrize("rows", [TOGETHER + 1, REMEMBERED + 1], ids=["few", "many"])
def test_of_findings_with_one_identifier_the_last_is_kept(spool: Spool, rows: int) -> None:
    usual = FindingRow("", 1, 7, "V", "open", "", 0, None, "", 3, "", "", item=0)
    for number in (*range(rows), 0, rows - 1):
        spool.add_findings([usual._replace(identifier=f"V-7-{number}")])
    spool.supersede()

    assert spool.number("SELECT COUNT(*) FROM finding_row") == rows
    kept = spool.execute("SELECT identifier, number FROM finding_row ORDER BY number DESC LIMIT 2")
    assert kept.fetchall() == [(f"V-7-{rows - 1}", rows + 2), ("V-7-0", rows + 1)]

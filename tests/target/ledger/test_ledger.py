from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.ledger.ledger import Entry, Ledger, LedgerAsset, LedgerIdentity
from tests.target.ledger.ledgers import FIRST, IDENTITY, URL, asset, entry, settlement
from tests.target.private import mode_of, umask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output" / "ledger-42.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path) as ledger:
        yield ledger


def test_before_the_first_load_nothing_is_known_and_reading_creates_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert not ledger.exists
    assert ledger.identity is None
    assert ledger.last_full_open is None
    assert ledger.last_run_id is None
    assert ledger.open_count() == 0
    assert not ledger.is_open("finding-1")
    assert ledger.entries_of(URL) == []
    assert list(ledger.assets()) == []
    assert ledger.webapp_ids() == set()
    assert list(tmp_path.iterdir()) == []


def test_what_was_settled_is_there_for_the_next_run(ledger: Ledger, path: Path) -> None:
    ledger.settle(FIRST)

    with Ledger(path) as later:
        assert later.exists
        assert later.identity == IDENTITY
        assert later.last_full_open == 3
        assert later.last_run_id == "run-1"
        assert later.open_count() == 3
        assert later.is_open("finding-1")
        assert not later.is_open("finding-9")
        assert later.entry("finding-3") == entry(3, "external_id:8")
        assert later.entries(["finding-2", "finding-9"]) == {"finding-2": entry(2)}
        assert later.entries_of(URL) == [entry(1), entry(2)]
        assert list(later.assets()) == [asset("external_id:8", 8, 9), asset(URL)]
        assert later.webapp_ids() == {7, 8, 9}


def test_the_one_who_settles_sees_it_too(ledger: Ledger) -> None:
    assert ledger.open_count() == 0

    ledger.settle(FIRST)

    assert ledger.open_count() == 3


def test_a_load_adds_to_what_is_open_and_drops_what_it_closed_by_name(ledger: Ledger) -> None:
    ledger.settle(FIRST)

    ledger.settle(settlement(run_id="run-2", opened=[entry(4)], closed=["finding-1", "never-sent"]))

    assert [one.identifier for one in ledger.entries_of(URL)] == ["finding-2", "finding-4"]
    assert ledger.is_open("finding-3")
    assert ledger.last_run_id == "run-2"


def test_only_a_full_load_changes_what_the_last_full_one_had(ledger: Ledger) -> None:
    ledger.settle(FIRST)
    ledger.settle(settlement(opened=[entry(4)]))
    assert ledger.last_full_open == 3

    ledger.settle(settlement(full_open=0))

    assert ledger.last_full_open == 0


def test_at_an_asset_that_was_loaded_whole_only_what_was_opened_stays(ledger: Ledger) -> None:
    ledger.settle(FIRST)

    ledger.settle(settlement(opened=[entry(2), entry(5)], whole=[URL]))

    assert [one.identifier for one in ledger.entries_of(URL)] == ["finding-2", "finding-5"]
    assert ledger.is_open("finding-3")


def test_an_asset_that_was_removed_goes_with_all_that_was_open_there(ledger: Ledger) -> None:
    ledger.settle(FIRST)

    ledger.settle(settlement(removed=[URL]))

    assert [one.key for one in ledger.assets()] == ["external_id:8"]
    assert ledger.open_count() == 1


@pytest.mark.parametrize("field", ["whole", "removed"])
def test_a_finding_that_moved_is_open_where_it_is_now(ledger: Ledger, field: str) -> None:
    ledger.settle(FIRST)

    moved = entry(1, "external_id:8", "QID 150001 New title")
    ledger.settle(settlement(opened=[moved], **{field: [URL]}))

    assert ledger.entry("finding-1") == moved
    assert ledger.entries_of(URL) == []


def test_the_later_one_of_two_with_the_same_identifier_counts(ledger: Ledger) -> None:
    ledger.settle(settlement(opened=[entry(1, name="old"), entry(2), entry(1, name="new")]))

    assert ledger.entry("finding-1") == entry(1, name="new")
    assert ledger.open_count() == 2


@pytest.mark.parametrize(
    "changed",
    [
        Entry("finding-1", "other", "QID 150001 XSS", 7),
        Entry("finding-1", URL, "QID 150001 XSS again", 7),
        Entry("finding-1", URL, "QID 150001 XSS", 8),
        Entry("finding-1", URL, "QID 150001 XSS", None),
    ],
)
def test_every_part_of_an_entry_is_brought_up_to_date(ledger: Ledger, changed: Entry) -> None:
    for one in (entry(1), changed, entry(1)):
        ledger.settle(settlement(opened=[one]))
        assert ledger.entry("finding-1") == one


def test_an_asset_is_brought_up_to_date(ledger: Ledger) -> None:
    ledger.settle(FIRST)
    renamed = LedgerAsset(URL, {"url": "https://app.example.test", "external_id": "7"}, "B", (1,))

    ledger.settle(settlement(assets=[renamed]))

    assert next(one for one in ledger.assets() if one.key == URL) == renamed


def test_a_locator_that_is_no_longer_sent_is_still_known_as_cvm_keeps_it(ledger: Ledger) -> None:
    told = {"url": "https://app.example.test", "external_id": "7"}
    ledger.settle(settlement(assets=[LedgerAsset(URL, told, "Shop", (7,))]))

    ledger.settle(settlement(assets=[LedgerAsset(URL, {"url": told["url"]}, None, (7,))]))

    (asset,) = ledger.assets()
    assert (asset.locators, asset.application) == (told, "Shop")


def test_after_a_full_load_assets_with_nothing_open_that_it_lacks_are_forgotten(
    ledger: Ledger,
) -> None:
    ledger.settle(settlement(opened=[entry(1)], assets=[asset(URL), asset("a:clean"), asset("b")]))
    ledger.settle(settlement(assets=[asset("c")]))
    assert [one.key for one in ledger.assets()] == ["a:clean", "b", "c", URL]

    ledger.settle(settlement(assets=[asset("c")], full_open=1))

    assert [one.key for one in ledger.assets()] == ["c", URL]


def test_an_identity_without_an_account_is_kept_as_such(ledger: Ledger) -> None:
    ledger.settle(settlement(identity=LedgerIdentity(None, {})))

    assert ledger.identity == LedgerIdentity(None, {})
    assert ledger.exists


def test_texts_of_every_kind_come_back_as_they_were(ledger: Ledger) -> None:
    text = "'\" ; DROP TABLE entry -- ü 日本 \U0001f600 \0 %s ?"
    odd = Entry(text, text, text, None)
    ledger.settle(settlement(opened=[odd], assets=[LedgerAsset(text, {"url": text}, text, ())]))

    assert ledger.entry(text) == odd
    assert list(ledger.assets()) == [LedgerAsset(text, {"url": text}, text, ())]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777], ids=oct)
def test_the_file_is_the_owners_alone(path: Path, mask: int) -> None:
    with umask(mask), Ledger(path) as ledger:
        ledger.settle(FIRST)
        assert ledger.open_count() == 3

    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_copy_that_others_could_read_is_the_owners_alone_once_settled(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.settle(FIRST)
    path.chmod(0o644)

    with Ledger(path) as ledger:
        ledger.settle(settlement())

    assert mode_of(path) == 0o600


def test_without_a_path_nothing_is_remembered() -> None:
    with Ledger(None) as ledger:
        ledger.require_writable()
        assert not ledger.exists
        with pytest.raises(ValueError, match="without a path"):
            ledger.settle(FIRST)

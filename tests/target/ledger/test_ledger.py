from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from msgspec import structs

from qualyswas_ciscovm.accounts import Account
from target_ciscovm.ledger.accounts import KnownAccount
from target_ciscovm.ledger.ledger import KnownRuns, Ledger, PendingRun
from target_ciscovm.ledger.tables import Covered, Entry, Link, SentAsset, ShownWebApp
from tests.target.ledger.ledgers import (
    FIRST,
    HOME,
    IDENTITY,
    LATER,
    OTHER,
    STARTED,
    URL,
    asset,
    entries,
    entry,
    identifier,
    load,
    rows,
    settlement,
    states,
)
from tests.target.private import mode_of, umask

if TYPE_CHECKING:
    from pathlib import Path


ACCOUNT: Final = Account("subscription", "host", "login")


def changes(path: Path) -> int:
    """Give how many transactions have changed a file: SQLite's "file change counter"."""
    return int.from_bytes(path.read_bytes()[24:28], "big")


def test_before_the_first_load_nothing_is_known_and_reading_creates_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert not ledger.exists
    assert ledger.is_whole
    assert ledger.identity is None
    assert ledger.proven_at is None
    assert ledger.pending is None
    assert not ledger.over_licence
    assert ledger.failed_loads == 0
    assert ledger.open_count() == 0
    assert ledger.accounts() == []
    assert ledger.link("scope") is None
    assert ledger.newest() == ""
    assert list(tmp_path.iterdir()) == []


class TestSettled:
    """The run was seen to end well."""

    def test_what_it_did_is_there_for_the_next_run(self, ledger: Ledger, path: Path) -> None:
        load(ledger, FIRST)

        with Ledger(path, HOME) as later:
            assert later.exists
            assert later.identity == IDENTITY
            assert later.proven_at == STARTED
            assert later.pending is None
            assert later.open_count() == 3
            assert later.link("scope") == Link("scope", STARTED, 3)
            assert later.newest() == STARTED
            assert entries(later) == [entry(1), entry(2), entry(3, OTHER, webapp=8)]
            assert rows(later, "asset") == [asset(OTHER), asset()]
            assert rows(later, "webapp") == [ShownWebApp(1, 7, "made-up", "Shop 'A'", STARTED)]
            assert rows(later, "coverage") == [Covered(1, "api", 7, "V", STARTED)]

    def test_the_one_who_settles_sees_it_too(self, ledger: Ledger) -> None:
        assert ledger.open_count() == 0

        load(ledger, FIRST)

        assert ledger.open_count() == 3

    def test_a_load_adds_to_what_is_open_and_keeps_what_it_has_closed_by_name(
        self, ledger: Ledger
    ) -> None:
        load(ledger, FIRST)

        load(ledger, settlement([entry(4), entry(1, state="closed", sent_at=LATER)]))

        assert states(ledger) == {
            identifier(1): "closed",
            identifier(2): "open",
            identifier(3): "open",
            identifier(4): "open",
        }
        assert ledger.open_count() == 3

    def test_what_is_open_at_two_assets_or_in_two_models_is_so_many_entries(
        self, ledger: Ledger
    ) -> None:
        ours = [entry(1), entry(1, OTHER), entry(1, model="findings")]

        load(ledger, settlement(ours))

        assert ledger.open_count() == 3

        load(ledger, settlement([entry(1, state="closed"), entry(1, OTHER)]))

        assert [(one.asset, one.model) for one in entries(ledger) if one.state == "open"] == [
            (OTHER, "vulnerabilities"),
            (URL, "findings"),
        ]

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "closed"},
            {"state": "perhaps"},
            {"name": "QID 150001 XSS again"},
            {"type": "S"},
            {"webapp": 8},
            {"webapp": None},
            {"source": "scan_reports"},
            {"account": 2},
            {"sent_at": LATER},
            {"seen": LATER},
            {"severity": None},
        ],
        ids=str,
    )
    def test_every_part_of_an_entry_is_brought_up_to_date(
        self, ledger: Ledger, change: dict[str, Any]
    ) -> None:
        for one in (entry(1), entry(1, **change), entry(1)):
            load(ledger, settlement([one]))
            assert entries(ledger) == [one]

    def test_a_load_that_names_no_account_takes_none_away(self, ledger: Ledger) -> None:
        load(ledger, FIRST)

        load(ledger, settlement([entry(1, account=None, source=None)]))

        assert entries(ledger)[0] == entry(1)

    def test_what_was_closed_long_ago_is_forgotten_and_nothing_else_is(
        self, ledger: Ledger
    ) -> None:
        load(ledger, settlement([entry(1, state="closed"), entry(2), entry(3, state="perhaps")]))

        load(ledger, settlement([entry(4, sent_at="2026-05-30T08:00:00Z")]))
        assert len(entries(ledger)) == 4

        load(ledger, settlement([entry(4, sent_at="2026-05-31T08:00:00Z")]))
        assert list(states(ledger)) == [identifier(2), identifier(3), identifier(4)]

    def test_a_locator_that_is_no_longer_sent_is_still_known_as_cvm_keeps_it(
        self, ledger: Ledger
    ) -> None:
        load(ledger, settlement([entry(1)], assets=[asset(URL, url="u", external_id="7")]))

        later = SentAsset(URL, json.dumps({"url": "u", "application": "Shop"}), LATER)
        load(ledger, settlement(assets=[later]))

        ((_, locators, last_seen, _),) = rows(ledger, "asset")
        assert json.loads(locators) == {"url": "u", "external_id": "7", "application": "Shop"}
        assert last_seen == LATER

    def test_a_last_seen_time_that_is_no_longer_sent_stays(self, ledger: Ledger) -> None:
        load(ledger, FIRST)

        load(ledger, settlement(assets=[asset()._replace(last_seen=None)]))

        assert asset() in rows(ledger, "asset")

    def test_an_asset_that_nothing_is_known_of_any_more_is_forgotten_by_a_full_load(
        self, ledger: Ledger
    ) -> None:
        load(ledger, settlement([entry(1, state="closed")], assets=[asset()]))
        later = settlement([entry(2, OTHER, sent_at="2026-09-01T08:00:00Z")])
        load(ledger, later)
        assert rows(ledger, "asset") == [asset()]

        load(
            ledger,
            structs.replace(later, coverage=[Covered(1, "api", 7, "V", "2026-09-01T08:00:00Z")]),
        )

        assert rows(ledger, "asset") == []

    def test_coverage_never_goes_back(self, ledger: Ledger) -> None:
        load(ledger, settlement(coverage=[Covered(1, "api", 7, "V", LATER)]))

        load(ledger, settlement(coverage=[Covered(1, "api", 7, "V", STARTED)]))

        assert rows(ledger, "coverage") == [Covered(1, "api", 7, "V", LATER)]

    def test_the_chain_never_goes_back_and_an_incremental_load_leaves_its_count(
        self, ledger: Ledger
    ) -> None:
        load(ledger, FIRST)
        load(ledger, settlement(chain=[Link("scope", LATER, None)]))
        assert ledger.link("scope") == Link("scope", LATER, 3)

        load(ledger, settlement(chain=[Link("scope", STARTED, 0)]))
        assert ledger.link("scope") == Link("scope", LATER, 3)

        load(ledger, settlement(chain=[Link("scope", LATER, 0)]))

        assert ledger.link("scope") == Link("scope", LATER, 0)
        assert ledger.link("another") is None

    def test_a_web_application_is_kept_for_each_login(self, ledger: Ledger) -> None:
        one, other = (ShownWebApp(1, 7, login, "Shop", STARTED) for login in ("a", "b"))
        load(ledger, settlement(webapps=[one, other]))

        load(ledger, settlement(webapps=[one._replace(name="Renamed", missing_since=LATER)]))

        assert rows(ledger, "webapp") == [
            ShownWebApp(1, 7, "a", "Renamed", STARTED, LATER),
            other,
        ]

    def test_an_older_sync_says_nothing_of_a_web_application(self, ledger: Ledger) -> None:
        now = ShownWebApp(1, 7, "a", "Shop", LATER, LATER)
        load(ledger, settlement(webapps=[now]))

        load(ledger, settlement(webapps=[ShownWebApp(1, 7, "a", "Once", STARTED)]))

        assert rows(ledger, "webapp") == [now]

    @pytest.mark.parametrize("table", ["entry", "coverage", "chain"])
    def test_the_newest_sync_is_that_of_any_row(self, ledger: Ledger, table: str) -> None:
        load(ledger, FIRST)
        later = {
            "entry": settlement([entry(1, sent_at=LATER)]),
            "coverage": settlement(coverage=[Covered(1, "api", 8, "S", LATER)]),
            "chain": settlement(chain=[Link("another", LATER, None)]),
        }

        load(ledger, later[table])

        assert ledger.newest() == LATER

    def test_texts_of_every_kind_come_back_as_they_were(self, ledger: Ledger) -> None:
        text = "'\" ; DROP TABLE entry -- ü 日本 \U0001f600 \0 %s ?"
        odd = Entry(text, text, text, "open", text, text, source=text, seen=text)
        sent = SentAsset(text, json.dumps({"url": text}), text)

        load(ledger, settlement([odd], assets=[sent]))

        assert entries(ledger) == [odd]
        assert rows(ledger, "asset") == [sent]


class TestPutDown:
    """What a run is about to do is known before CVM is asked to do it."""

    def test_it_changes_nothing_that_is_known(self, ledger: Ledger) -> None:
        load(ledger, FIRST)
        before = entries(ledger)

        ledger.put_down(settlement([entry(4), entry(1, state="closed")]))

        assert entries(ledger) == before
        assert ledger.pending == PendingRun(None)

    def test_the_number_that_cvm_gives_to_the_run_is_there_for_the_next_one(
        self, ledger: Ledger, path: Path
    ) -> None:
        ledger.put_down(FIRST)
        ledger.name_pending(815)

        with Ledger(path, HOME) as later:
            assert later.pending == PendingRun(815)

    def test_a_load_waits_for_the_disk_three_times_and_for_a_known_account_never(
        self, ledger: Ledger, path: Path
    ) -> None:
        load(ledger, FIRST)
        ledger.register(ACCOUNT, 1)
        before = changes(path)

        ledger.register(ACCOUNT, 1)
        assert changes(path) == before
        ledger.put_down(FIRST)
        assert changes(path) == before + 1
        ledger.name_pending(816, [815])
        assert changes(path) == before + 2
        ledger.settle()
        assert changes(path) == before + 3

    @pytest.mark.parametrize(
        ("before", "known"),
        [
            ([3, 815], KnownRuns(815, (816,))),
            ([3, 815, 814], KnownRuns(3, (815, 816))),
            ([], KnownRuns(3, (815, 816))),
        ],
    )
    def test_runs_are_known_by_the_last_one_once_all_are(
        self, before: list[int], known: KnownRuns, ledger: Ledger
    ) -> None:
        ledger.remember("runs", value=KnownRuns(3, (815,)))
        ledger.put_down(FIRST)

        ledger.name_pending(816, before)

        assert ledger.known_runs == known

    def test_it_takes_the_place_of_what_was_put_down_before_and_has_no_number_yet(
        self, ledger: Ledger
    ) -> None:
        ledger.put_down(FIRST)
        ledger.name_pending(815)

        ledger.put_down(settlement([entry(9)]))

        assert ledger.pending == PendingRun(None)
        ledger.settle()
        assert list(states(ledger)) == [identifier(9)]
        assert ledger.proven_at is None

    def test_once_settled_it_is_pending_no_more(self, ledger: Ledger) -> None:
        load(ledger, FIRST)
        closed = settlement([entry(1, state="closed")])
        load(ledger, closed)

        ledger.settle()

        assert ledger.pending is None
        assert ledger.open_count() == 2


class TestAccounts:
    """Qualys accounts are known by a number of our own."""

    def test_each_is_kept_under_its_number(self, ledger: Ledger) -> None:
        ledger.register(Account("one", "a.example.test"), 1)
        ledger.register(Account(None, "b.example.test"), 2)

        assert ledger.accounts() == [
            KnownAccount(1, Account("one", "a.example.test")),
            KnownAccount(2, Account(None, "b.example.test")),
        ]

    def test_a_subscription_that_is_named_later_is_added_and_never_taken_away(
        self, ledger: Ledger
    ) -> None:
        for named in (None, "one", None):
            ledger.register(Account(named, "a.example.test"), 1)

        assert ledger.accounts() == [KnownAccount(1, Account("one", "a.example.test"))]


@pytest.mark.parametrize("whole", [True, False])
def test_from_its_first_moment_it_says_whether_it_knows_all(path: Path, *, whole: bool) -> None:
    with Ledger(path, HOME) as ledger:
        ledger.create(whole=whole)
        assert changes(path) == 1

        ledger.create(whole=not whole)

    with Ledger(path, HOME) as ledger:
        assert (ledger.exists, ledger.is_whole) == (True, whole)


def test_values_are_kept_by_their_names(ledger: Ledger) -> None:
    ledger.remember("whole", value=False)
    ledger.remember("failed_loads", value=2)
    ledger.remember("over_licence", value=True)

    assert (ledger.is_whole, ledger.failed_loads, ledger.over_licence) == (False, 2, True)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777], ids=oct)
def test_the_file_is_the_owners_alone(path: Path, mask: int) -> None:
    with umask(mask), Ledger(path, HOME) as ledger:
        load(ledger, FIRST)
        assert ledger.open_count() == 3

    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_copy_that_others_could_read_is_the_owners_alone_once_settled(path: Path) -> None:
    with Ledger(path, HOME) as ledger:
        load(ledger, FIRST)
    path.chmod(0o644)

    with Ledger(path, HOME) as ledger:
        load(ledger, settlement())

    assert mode_of(path) == 0o600


def test_without_a_path_nothing_is_remembered() -> None:
    with Ledger(None) as ledger:
        ledger.require_writable()
        assert not ledger.exists
        assert ledger.open_count() == 0
        with pytest.raises(ValueError, match="without a path"):
            ledger.put_down(FIRST)

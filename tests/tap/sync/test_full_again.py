"""What makes a sync a full one though an earlier one has left bookmarks, and what does not."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tap_qualyswas.errors import SettingsError
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only, with_metadata
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE: Final = WorldSize(apps=5, findings=50, qids=8, scans=8)
PAGES: Final = {"page_size": 6}
HOUR: Final = timedelta(hours=1)
FULL_TABLE: Final = with_metadata({"findings": {"replication-method": "FULL_TABLE"}})
FUTURE: Final = "2199-01-01T00:00:00Z"


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform(SIZE) as found:
        yield found


def with_part(state: dict[str, Any], stream: str, **values: object) -> dict[str, Any]:
    """Give a state with some values of a stream's part replaced."""
    changed = copy.deepcopy(state)
    changed["bookmarks"].setdefault(stream, {}).update(values)
    return changed


def in_findings(outcome: Outcome) -> dict[str, Any]:
    """Give a state from the middle of the findings."""
    states = [s for _, s in outcome.cuts() if s["bookmarks"].get("findings", {}).get("resume")]
    return copy.deepcopy(states[len(states) // 2])


def merged(new: dict[str, Any], into: dict[str, Any]) -> dict[str, Any]:
    """Merge a state into an older one, as Meltano can be told to."""
    from meltano.core import utils  # noqa: PLC0415 - it takes a second

    merge: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = utils.merge
    return merge(copy.deepcopy(new), copy.deepcopy(into))


def later(platform: Platform, state: dict[str, Any], **settings: object) -> Outcome:
    """Sync an hour later."""
    platform.clock.advance(HOUR)
    return platform.sync_here({**PAGES, **settings}, state=state)


def is_full(outcome: Outcome) -> bool:
    """Tell whether a sync was full and has read every finding."""
    whole = len(outcome.records("findings")) == SIZE.findings
    mode: str = outcome.proof["mode"]
    assert whole is (mode == "full")
    return whole


def test_an_hour_later_a_sync_is_incremental(platform: Platform) -> None:
    assert not is_full(later(platform, platform.sync_here(PAGES).state))


def test_full_table_in_the_catalog_makes_every_sync_full(platform: Platform) -> None:
    first = platform.sync_here(PAGES)
    platform.clock.advance(HOUR)
    second = platform.sync_here(PAGES, first.state, FULL_TABLE)
    third = later(platform, second.state)

    assert is_full(second)
    assert second.proof["complete"] is True
    assert "Full sync: the catalog says FULL_TABLE for the findings." in second.log
    assert not is_full(third)


class TestAsked:
    """The target asks for a full sync where CVM lacks something."""

    def test_it_is_done_and_asked_for_no_more(self, platform: Platform) -> None:
        first = platform.sync_here(PAGES)
        second = later(platform, with_part(first.state, "syncs", fullSyncAsked=True))
        third = later(platform, second.state)

        assert is_full(second)
        assert second.proof["complete"] is True
        assert second.state["bookmarks"]["syncs"]["fullSyncAsked"] is None
        assert not is_full(third)

    def test_one_that_was_interrupted_is_asked_for_still(self, platform: Platform) -> None:
        first = platform.sync_here(PAGES)
        cut = later(platform, with_part(first.state, "syncs", fullSyncAsked=True))
        resumed = platform.sync_here(PAGES, state=in_findings(cut))
        last = later(platform, resumed.state)

        assert "findings goes on where" in resumed.log
        assert resumed.state["bookmarks"]["syncs"]["fullSyncAsked"] is True
        assert is_full(last)
        assert last.state["bookmarks"]["syncs"]["fullSyncAsked"] is None

    def test_with_a_start_date_all_since_then_is_read_once_more(self, platform: Platform) -> None:
        """Such a sync is never full, so what was asked for would be asked for ever."""
        since = {"start_date": "2020-01-01T00:00:00Z"}
        first = later(platform, {}, **since)
        second = later(platform, with_part(first.state, "syncs", fullSyncAsked=True), **since)
        third = later(platform, second.state, **since)

        assert len(second.records("findings")) == len(first.records("findings"))
        assert second.proof["previousSyncAt"] is None
        assert second.state["bookmarks"]["syncs"]["fullSyncAsked"] is None
        assert len(third.records("findings")) < len(first.records("findings"))
        assert third.proof["previousSyncAt"] == second.proof["startedAt"]


class TestAccount:
    """Bookmarks and cursors say nothing about another account."""

    def test_another_one_is_read_from_its_beginning(self, platform: Platform) -> None:
        first = platform.sync_here(PAGES)
        platform.face.faults.arm("qualys-other-account")
        second = later(platform, first.state)
        third = later(platform, second.state)

        assert is_full(second)
        assert second.proof["complete"] is True
        assert second.proof["subscription"] != first.proof["subscription"]
        assert not is_full(third)

    @pytest.mark.parametrize("another", [False, True])
    def test_answers_that_do_not_name_it_are_of_the_same_one_and_hide_no_other(
        self, another: bool, platform: Platform
    ) -> None:
        """The header is optional, and proxies strip it."""
        first = platform.sync_here(PAGES)
        platform.face.switches = Switches(subscription_header=False)
        second = later(platform, first.state)
        platform.face.switches = Switches()
        if another:
            platform.face.faults.arm("qualys-other-account")
        third = later(platform, second.state)

        assert second.proof["subscription"] is None
        assert not is_full(second)
        assert is_full(third) is another

    def test_another_login_may_see_more_of_it(self, platform: Platform) -> None:
        first = platform.sync_here(PAGES)
        cut = in_findings(later(platform, first.state, full_sync=True))
        platform.face.username = "quays_ab2"
        second = later(platform, first.state)
        third = later(platform, second.state)
        resumed = later(platform, cut)

        assert is_full(second)
        assert "another login is used than last time" in second.log
        assert not is_full(third)
        assert is_full(resumed)
        assert "findings goes on where" not in resumed.log

    def test_a_cursor_of_another_one_is_not_used(self, platform: Platform) -> None:
        state = in_findings(platform.sync_here(PAGES))
        platform.face.faults.arm("qualys-other-account")
        second = later(platform, state)

        assert "findings goes on where" not in second.log
        assert is_full(second)


class TestSource:
    """Another source has other findings under other ids."""

    REPORTS: Final = "scan_reports"

    def test_another_one_is_read_from_its_beginning(self, platform: Platform) -> None:
        first = platform.sync_here(PAGES)
        second = later(platform, first.state, source=self.REPORTS)
        third = later(platform, second.state)

        assert second.proof["mode"] == "full"
        assert second.proof["coverage"]["source"] == self.REPORTS
        assert second.proof["coverage"]["since"] is None
        assert is_full(third)

    def test_a_cursor_of_another_one_is_not_used(self, platform: Platform) -> None:
        state = in_findings(platform.sync_here(PAGES))
        second = later(platform, state, source=self.REPORTS)

        assert "findings goes on where" not in second.log


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("syncs", "lastFullSyncAt"),
        ("syncs", "lastSyncAt"),
        ("findings", "replication_key_value"),
        ("scans", "replication_key_value"),
    ],
)
def test_a_kept_moment_in_the_future_is_none(stream: str, name: str, platform: Platform) -> None:
    first = platform.sync_here(PAGES)
    second = later(platform, with_part(first.state, stream, **{name: FUTURE}))

    assert is_full(second)
    assert FUTURE not in str(second.state)


def test_a_moment_in_the_future_of_a_stream_that_is_not_selected_does_no_harm(
    platform: Platform,
) -> None:
    some = only("webapps", "findings", "syncs")
    first = platform.sync_here(PAGES, catalog=some)
    state = with_part(first.state, "scans", replication_key_value=FUTURE)
    platform.clock.advance(HOUR)

    assert not is_full(platform.sync_here(PAGES, state, some))


@pytest.mark.parametrize(("early", "full"), [(0, True), (55, True), (65, False)])
def test_a_full_sync_is_due_an_hour_before_its_days_are_over(
    early: int, full: bool, platform: Platform
) -> None:
    first = platform.sync_here(PAGES)
    platform.clock.advance(timedelta(days=7, minutes=-early))

    assert is_full(platform.sync_here(PAGES, state=first.state)) is full


def test_a_cursor_that_a_merged_state_brings_back_is_not_used(platform: Platform) -> None:
    whole = platform.sync_here(PAGES)
    stale = in_findings(whole)["bookmarks"]["findings"]["resume"]
    state = with_part(whole.state, "findings", resume=stale)
    second = platform.sync_here({**PAGES, "full_sync_every_days": 0}, state=state)
    asked = with_part(state, "syncs", fullSyncAsked=True)
    third = platform.sync_here(PAGES, state=asked)

    assert "goes on where" not in second.log + third.log
    assert is_full(third)
    assert third.proof["complete"] is True


def test_a_filter_that_a_merged_state_brings_back_does_not_make_each_sync_full(
    platform: Platform,
) -> None:
    (name, value) = next(
        pair for app in platform.world.apps.values() for pair in app.attributes.items()
    )
    first = platform.sync_here({**PAGES, "webapp_attributes": {name: value}})
    state, modes = first.state, []
    for _ in range(2):
        outcome = later(platform, copy.deepcopy(state))
        state = merged(outcome.state, state)
        modes.append(outcome.proof["mode"])

    assert modes == ["full", "incremental"]
    assert "webapp_attributes" not in outcome.proof["filters"]


def test_a_state_of_any_moment_can_be_merged_into_one_of_any_other(platform: Platform) -> None:
    """Meltano cannot merge an object into a null, and ends with a trace back."""
    whole = platform.sync_here(PAGES)
    cut = in_findings(later(platform, whole.state, full_sync=True))
    told = with_part(cut, "knowledge_base", pending=[{"150001": ["VULNERABILITY", 1]}])
    state = merged(told, merged(whole.state, cut))
    resumed = later(platform, with_part(state, "syncs", fullSyncAsked=True))

    assert "findings goes on where an interrupted run stopped." in resumed.log
    assert resumed.state["bookmarks"]["findings"]["resume"] is None
    assert resumed.state["bookmarks"]["knowledge_base"]["pending"] is None


def test_a_cursor_of_an_earlier_version_is_used(platform: Platform) -> None:
    state = in_findings(platform.sync_here(PAGES))
    (kept,) = state["bookmarks"]["findings"]["resume"]

    assert (
        "findings goes on where" in later(platform, with_part(state, "findings", resume=kept)).log
    )


def test_what_is_over_is_null_and_not_left_out(platform: Platform) -> None:
    state = platform.sync_here(PAGES).state["bookmarks"]

    for stream in ("webapps", "scans", "findings"):
        assert state[stream]["resume"] is None, stream
    assert state["syncs"]["fullSyncAsked"] is None
    assert state["syncs"]["format"] == 1
    assert state["syncs"]["account"]["subscription"] == platform.world.subscription


def test_a_state_of_a_later_version_is_refused_before_anything_is_asked(
    platform: Platform,
) -> None:
    state = with_part(platform.sync_here(PAGES).state, "syncs", format=2)
    before = platform.requests.copy()

    with pytest.raises(SettingsError, match=r"format 2, .* Update tap-qualyswas") as raised:
        platform.sync_here(PAGES, state=state)

    assert raised.value.exit_code == 2
    assert raised.value.outcome.messages == []  # type: ignore[attr-defined] # set by sync_here
    assert platform.requests == before


@pytest.mark.parametrize("older", [None, "a word", 1, 0])
def test_a_state_of_an_older_version_or_of_none_is_taken(older: object, platform: Platform) -> None:
    first = platform.sync_here(PAGES)

    assert not is_full(later(platform, with_part(first.state, "syncs", format=older)))

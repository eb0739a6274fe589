"""While the licence is over its limit, CVM imports nothing for the assets above it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import ASKING, STATE, Sync, bare, finding, fixed, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
NEW: Final = "https://app1.example.test/elsewhere"
MOVED: Final = replace(TWO, findings=[finding(1, url=NEW), finding(2)])
MORE: Final = Sync([webapp()], [finding(3)], mode="incremental")


@pytest.fixture
def over(cvm: CVM) -> CVM:
    """Give a tenant whose licence has come to be over its limit after a first load."""
    cvm.load(TWO)
    cvm.faults.arm("ciscovm-overage")
    return cvm


def test_it_is_warned_about_and_nothing_is_said_to_be_in_cvm(over: CVM) -> None:
    loaded = over.load(MORE)

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert any("licence" in warning for warning in loaded.report["warnings"])
    assert "were sent" in loaded.message
    assert "are in Cisco" not in loaded.message
    assert over.open() == names(1, 2)


def test_that_nothing_was_processed_is_no_failure(cvm: CVM) -> None:
    cvm.faults.arm("ciscovm-overage")

    loaded = cvm.load(TWO)

    assert loaded.report["reconciliation"]["processed"] == 0
    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])


def test_nothing_is_closed_because_of_a_move(over: CVM) -> None:
    loaded = over.load(MOVED)

    assert loaded.closings == {}
    assert over.open() == names(1, 2)


def test_nor_on_a_day_on_which_cvm_does_not_say(over: CVM) -> None:
    over.load(MORE)
    over.alter(without_licence)

    loaded = over.load(replace(MOVED, findings=[*MOVED.findings, finding(3)]))

    assert loaded.closings == {}
    assert "were sent" in loaded.message
    assert over.open() == names(1, 2)


def test_fixes_and_what_is_gone_are_closed_as_ever(over: CVM) -> None:
    over.load(Sync([webapp()], [fixed(1)]))

    assert over.open() == set()


class TestItHasEnded:
    """What was sent in the meantime may be lacking, so the tap reads everything once more."""

    def test_an_incremental_load_asks_for_a_full_sync_once(self, over: CVM) -> None:
        over.load(MORE)
        over.faults.disarm()

        loaded = over.load(replace(MORE, findings=[]))

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [ASKING])
        assert "licence" in loaded.report["next_step"]
        assert over.load(replace(MORE, findings=[])).states == [STATE]

    def test_the_full_sync_brings_all_and_makes_up_for_the_moves(self, over: CVM) -> None:
        over.load(MOVED)
        over.load(MORE)
        over.faults.disarm()

        loaded = over.load(replace(MOVED, findings=[*MOVED.findings, finding(3)]))

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        still = [one for one in over.held() if one.is_open]
        assert sorted(bare(one.scanner_identifier) for one in still) == sorted(names(1, 2, 3))
        assert NEW in {one.locators["url"] for one in still}

    def test_it_is_not_asked_while_the_licence_is_still_over(self, over: CVM) -> None:
        over.load(MORE)

        assert over.load(MORE).states == [STATE]

    def test_a_day_on_which_cvm_does_not_say_is_not_the_end(self, over: CVM) -> None:
        over.load(MORE)
        over.faults.disarm()
        over.alter(without_licence)
        assert over.load(replace(MORE, findings=[])).states == [STATE]
        over.play(over.switches)

        assert over.load(replace(MORE, findings=[])).states == [ASKING]

    def test_what_was_never_taken_is_closed_without_harm(self, over: CVM) -> None:
        over.load(MORE)
        over.faults.disarm()

        loaded = over.load(TWO)

        assert loaded.closings == {"finding-3": "gone"}
        assert over.open() == names(1, 2)


def without_licence(path: str, told: Any) -> Any:  # noqa: ANN401 - JSON
    return {} if path.endswith("/overage") else told


def test_it_is_no_matter_where_cvm_does_not_say(cvm: CVM) -> None:
    cvm.alter(without_licence)

    loaded = cvm.load(TWO)

    assert (loaded.outcome, loaded.report["warnings"]) == ("succeeded", [])

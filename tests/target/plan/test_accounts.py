"""What one account has loaded is closed by its own syncs only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import (
    Sync,
    finding,
    fixed,
    names,
    webapp,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM


def test_a_load_of_another_account_leaves_the_ledger_to_its_own(cvm: CVM) -> None:
    cvm.load(BEFORE)
    cvm.load(Sync([webapp(1)], [finding(9)], proof={"subscription": "another"}))
    assert cvm.open() == names(1, 2, 3, 4, 9)

    cvm.load(AFTER)

    assert cvm.open() == names(1, 2, 3, 9)


def test_what_another_account_calls_by_the_same_id_is_another_finding(cvm: CVM) -> None:
    ours = finding(4, uniqueId=None)
    cvm.load(Sync(APPS, [ours, finding(2)]))
    elsewhere: dict[str, Any] = {"uniqueId": None, "url": "https://theirs.example.test/"}
    theirs = [finding(4, **elsewhere), fixed(4, **elsewhere)]

    for row in theirs:
        cvm.load(Sync([webapp(1)], [row], mode="incremental", proof={"subscription": "another"}))

    (held,) = (
        one for one in cvm.held() if one.locators["url"] == "https://app1.example.test/page4"
    )
    assert held.is_open


class TestNobodyTellsTheAccount:
    """A tap that died before its last word has not said whose findings it read."""

    @pytest.mark.parametrize("before", [[], [BEFORE]], ids=["at first", "later"])
    def test_what_it_brought_is_closed_like_all_else_when_it_is_gone(
        self, before: list[Sync], cvm: CVM
    ) -> None:
        for sync in before:
            cvm.load(sync)
        cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(9)], proof=None))
        assert cvm.open() == names(1, 2, 3, 4, 9)

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)

    def test_an_application_that_is_known_under_another_name_is_of_somebody_else(
        self, cvm: CVM
    ) -> None:
        cvm.load(BEFORE)
        other = {"id": 1, "name": "Their shop", "url": "https://theirs.example.test/"}
        theirs = finding(9, url="https://theirs.example.test/page", webApp=other)
        cvm.load(Sync(findings=[theirs], entries=[], proof=None))

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3, 9)

    def test_an_application_with_findings_of_ours_is_ours_under_any_name(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        renamed = {"id": 2, "name": "Shop", "url": "https://app2.example.test/"}
        rows = [finding(number, 2, webApp=renamed) for number in (3, 4, 9)]
        cvm.load(Sync([webapp(2, name="Shop")], rows, proof=None))

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)

"""CVM shows an asset by another locator than it was sent by: it is the same asset all the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.pair.weeks_settings import accepted
from tests.sandbox.ciscovm.kdi.locators import order_of
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.audit import hands
from tests.target.audit.looks import audit
from tests.target.audit.test_audit import ELSEWHERE, FIVE
from tests.target.streams import Sync, finding, identifier, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

BY_NAME: Final = {
    "locator_order": ["application"],
    "tenant_locator_order": list(order_of(("application",))),
}
OTHER: Final = {"subscription": "another-made-up"}
OTHER_PAGE: Final = "https://app1.example.test/page2"
SIX_AND_SEVEN: Final = [finding(6, 2), finding(7, 2)]


def rank_and_lose(cvm: CVM, first: str) -> list[str]:
    """Load five pages, let CVM rank a locator first, and lose the ledger; give CVM's order now."""
    cvm.begin(FIVE)
    cvm.tenant.people.rank_locators(first)
    cvm.ledger.unlink()
    return list(order_of((first,)))


def places(cvm: CVM) -> Counter[str]:
    """Count the assets at which each identifier is open."""
    return Counter(one.scanner_identifier for one in cvm.held() if one.is_open)


@pytest.fixture
def ranked(cvm: CVM) -> CVM:
    """Give a CVM that ranks names above pages since it was loaded."""
    cvm.load(FIVE)
    cvm.load(Sync([webapp(2)], SIX_AND_SEVEN, proof=OTHER))
    cvm.tenant.people.rank_locators("application")
    return cvm


def test_they_agree_when_locators_are_ranked_otherwise(ranked: CVM) -> None:
    looked = audit(ranked, **BY_NAME)

    assert (looked.exit_code, looked.drift) == (0, set())


def test_what_is_gone_is_closed_by_the_locator_that_it_was_sent_by(ranked: CVM) -> None:
    code = accepted(ranked.load(FIVE, **BY_NAME).message)
    ranked.load(FIVE, accept_identity_change=code, **BY_NAME)
    ranked.clock.advance(timedelta(days=2))
    hands.load(ranked.tenant, CONNECTOR_ID, ELSEWHERE, "somebody-elses")

    loaded = ranked.load(Sync([webapp(2)], SIX_AND_SEVEN[:1], proof=OTHER), **BY_NAME)

    assert (loaded.outcome, loaded.closings["finding-7"]) == ("succeeded", "gone")
    assert ranked.open() == names(1, 2, 3, 4, 5, 6) | {"somebody-elses"}


def test_what_cvm_has_closed_there_is_still_told(ranked: CVM) -> None:
    hands.close(ranked.tenant, identifier(2))

    assert audit(ranked, **BY_NAME).drift == {("closed in CVM", identifier(2))}


@pytest.mark.parametrize("first", ["external_id", "application"])
def test_a_lost_ledger_tells_pages_apart_that_share_what_is_ranked_first_now(
    first: str, cvm: CVM
) -> None:
    order = rank_and_lose(cvm, first)

    loaded = cvm.load(Sync([webapp()], FIVE.findings[:4]), tenant_locator_order=order)

    assert loaded.closings == {"finding-5": "gone"}
    assert cvm.open() == names(1, 2, 3, 4)


def test_also_those_that_lack_what_is_preferred_now(cvm: CVM) -> None:
    cvm.tenant.people.rank_locators("external_id")
    cvm.load(FIVE, tenant_locator_order=list(order_of(("external_id",))))
    cvm.tenant.people.rank_locators("application")
    cvm.ledger.unlink()

    cvm.load(FIVE, **(BY_NAME | {"locator_order": ["external_id"]}))

    assert {one.locators.get("external_id") for one in cvm.held() if one.is_open} == {"1"}


@pytest.mark.parametrize("ranked_first", ["url", "external_id"])
def test_a_lost_ledger_tells_pages_apart_that_share_what_is_preferred_since(
    ranked_first: str, cvm: CVM
) -> None:
    order = rank_and_lose(cvm, ranked_first)

    loaded = cvm.load(FIVE, locator_order=["external_id"], tenant_locator_order=order)

    assert loaded.outcome == "succeeded"
    assert places(cvm) == {identifier(number): 1 for number in range(1, 6)}
    assert len({one.locators.get("url") for one in cvm.held() if one.is_open}) == 1


def test_what_is_open_at_two_pages_that_share_a_locator_is_closed_at_one(cvm: CVM) -> None:
    cvm.load(FIVE)
    code = accepted(cvm.load(FIVE, locator_order=["external_id"]).message)
    cvm.load(FIVE, locator_order=["external_id"], accept_identity_change=code)
    assert audit(cvm, locator_order=["external_id"]).drift == set()
    hands.load(cvm.tenant, CONNECTOR_ID, OTHER_PAGE, identifier(1))

    looked = audit(cvm, locator_order=["external_id"])
    cvm.load(FIVE, locator_order=["external_id"])

    assert looked.drift == {("not in the ledger", identifier(1))}
    assert places(cvm) == {identifier(number): 1 for number in range(1, 6)}

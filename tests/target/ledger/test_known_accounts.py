from __future__ import annotations

import pytest

from qualyswas_ciscovm.accounts import Account
from target_ciscovm.ledger.accounts import KnownAccount, account_of, find
from target_ciscovm.mapping.records import Sync

HERE, THERE = "a.example.test", "b.example.test"


def known(*accounts: tuple[str | None, str]) -> list[KnownAccount]:
    """Give accounts as the ledger has them, numbered from 1."""
    return [KnownAccount(at, Account(*account)) for at, account in enumerate(accounts, 1)]


@pytest.mark.parametrize(
    ("url", "subscription", "account"),
    [
        ("https://a.example.test", "one", Account("one", HERE)),
        ("https://A.EXAMPLE.test:443/qps/", " one ", Account("one", HERE)),
        (" https://a.example.test ", None, Account(None, HERE)),
        ("https://a.example.test", " ", Account(None, HERE)),
        ("https://[2001:db8::1]/", None, Account(None, "2001:db8::1")),
        (None, "one", None),
        ("", "one", None),
        ("a.example.test", "one", None),
        ("https://[a", "one", None),
    ],
)
def test_an_account_is_what_the_sync_names(
    url: str | None, subscription: str | None, account: Account | None
) -> None:
    assert account_of(Sync(api_url=url, subscription=subscription)) == account


def test_without_a_sync_there_is_no_account() -> None:
    assert account_of(None) is None


@pytest.mark.parametrize(
    ("account", "ledger", "number"),
    [
        (("one", HERE), [], None),
        (("one", HERE), [("one", HERE)], 1),
        (("one", HERE), [("two", HERE), ("one", HERE)], 2),
        # The subscription counts wherever both name one.
        (("one", THERE), [("one", HERE)], 1),
        (("one", HERE), [("two", HERE)], None),
        # Else the host does: the header is optional, and proxies strip it.
        (("one", HERE), [(None, HERE)], 1),
        ((None, HERE), [("one", HERE)], 1),
        ((None, HERE), [("one", THERE)], None),
        # What fits better is preferred.
        ((None, HERE), [("one", HERE), (None, HERE)], 2),
        (("one", HERE), [(None, HERE), ("one", THERE)], 2),
    ],
)
def test_an_account_is_found_by_its_subscription_else_by_its_host(
    account: tuple[str | None, str], ledger: list[tuple[str | None, str]], number: int | None
) -> None:
    assert find(Account(*account), known(*ledger)) == (() if number is None else (number,))


def test_one_that_names_no_subscription_could_be_any_of_its_host() -> None:
    assert find(Account(None, HERE), known(("one", HERE), ("two", HERE))) == (1, 2)

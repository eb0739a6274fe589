"""Which Qualys account a load comes from. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from qualyswas_ciscovm.accounts import Account, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.mapping.records import Sync


class KnownAccount(NamedTuple):
    """An account as the ledger has it."""

    number: int
    account: Account


def account_of(sync: Sync | None) -> Account | None:
    """Give the account that a sync names, None where it names none."""
    if sync is None:
        return None
    try:
        host = urlsplit((sync.api_url or "").strip()).hostname
    except ValueError:
        return None
    subscription = (sync.subscription or "").strip() or None
    return Account(subscription, host.lower(), sync.login) if host else None


def find(account: Account, known: Sequence[KnownAccount]) -> tuple[int, ...]:
    """Find an account among those that the ledger knows.

    Returns:
        The number of the one that it is; none when it is new. Several when it may be each of them:
        it names no subscription, and more than one that does is at its host.
    """
    named = account.subscription
    exact = [one for one in known if one.account == account]
    by_name = [one for one in known if named and one.account.subscription == named]
    found = exact or by_name or [one for one in known if same(one.account, account)]
    return tuple(one.number for one in (found[:1] if named else found))

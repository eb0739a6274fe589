"""Qualys accounts, as answers of Qualys name them."""

from __future__ import annotations

from typing import NamedTuple


class Account(NamedTuple):
    """A Qualys account: the subscription where an answer names it, and the API host.

    Attributes:
        login: hash of the user or client name; None where it is not known.
    """

    subscription: str | None
    host: str
    login: str | None = None


def same(one: Account, other: Account) -> bool:
    """Tell whether two names are of one account.

    The header that names the subscription is optional, and proxies strip it. Then host and login
    have to do, as many accounts share a host.
    """
    if one.subscription and other.subscription:
        return one.subscription == other.subscription
    return one.host == other.host and _same_login(one, other)


def same_view(one: Account, other: Account) -> bool:
    """Tell whether two names are of one account and one login, which may see the same of it."""
    return same(one, other) and _same_login(one, other)


def _same_login(one: Account, other: Account) -> bool:
    return one.login == other.login or not (one.login and other.login)

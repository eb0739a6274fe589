"""The locators of an asset, and the one among them that identifies it. Pure.

CVM identifies an asset by the first locator that has a value, in the tenant's locator order (Cisco
help article "Understanding Locator Order"). The setting `locator_order` says which value of a web
application that is; what CVM would rank above it is left out.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.mapping.text import one_line
from target_ciscovm.mapping.urls import host_of, resolved, tidy_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_ciscovm.mapping.records import WebAppRef

LOCATORS: Final = ("url", "external_id", "application", "fqdn", "ip_address")
"""Locators that a web application has values for."""

DEFAULT_ORDER: Final = ("url", "external_id", "application")

CVM_ORDER: Final = (
    "container_id",
    "image_id",
    "ec2",
    "mac_address",
    "netbios",
    "external_ip_address",
    "hostname",
    "url",
    "file",
    "fqdn",
    "ip_address",
    "external_id",
    "database",
    "application",
)
"""CVM's own order, highest first."""


class Identity(msgspec.Struct, frozen=True):
    """How assets are identified: the settings that decide it.

    Attributes:
        order: locators by preference; the first with a value is the asset's key.
        tenant_order: CVM's own order.
        keep_query: whether the query belongs to a URL.
    """

    order: tuple[str, ...] = DEFAULT_ORDER
    tenant_order: tuple[str, ...] = CVM_ORDER
    keep_query: bool = False


class Place(NamedTuple):
    """Where something is: the values from which locators are made."""

    url: str | None = None
    webapp_id: int | None = None
    webapp_name: str | None = None


def place_of(url: str | None, app: WebAppRef | None) -> Place:
    """Give where a finding is: at its own URL, else at that of its web application."""
    if app is None:
        return Place(url)
    return Place(resolved(url, app.url), app.id, app.name)


def asset_key(place: Place, identity: Identity) -> str | None:
    """Give the asset's key, such as `url:https://app.example.test/login`; None without any value.

    It begins with the locator's name, so keys of different kinds are never equal.
    """
    for name in identity.order:
        value = locator_value(name, place, keep_query=identity.keep_query)
        if value:
            return f"{name}:{value}"
    return None


def last_key(place: Place, identity: Identity) -> str | None:
    """Give the key of what has none, once nothing more can be learned: the host as application."""
    host = host_of(place.url) if "application" in identity.order else None
    return f"application:{host}" if host else None


def sent_locators(key: str, place: Place, identity: Identity) -> dict[str, str]:
    """Give the locators to send for the asset: its key, and those that CVM ranks below it.

    `application` is CVM's name for the web application, its host where it has no name. It is always
    sent, unless the tenant ranks it above the key, or it is preferred to it.
    """
    chosen, _, value = key.partition(":")
    found = {chosen: value}
    for name in _sent_below(chosen, identity):
        other = locator_value(name, place, keep_query=identity.keep_query)
        if other is None and name == "application":
            other = host_of(value if chosen == "url" else place.url)
        if other:
            found[name] = other
    return found


def addressed(key: str, before: Mapping[str, str], identity: Identity) -> dict[str, str]:
    """Give the locators by which CVM finds an asset that was sent before, in the present order.

    A locator that CVM now ranks above the key may belong to other assets as well.
    """
    chosen = key.partition(":")[0]
    sent = {chosen, *_sent_below(chosen, identity)}
    return {name: value for name, value in before.items() if name in sent}


@lru_cache
def _sent_below(chosen: str, identity: Identity) -> tuple[str, ...]:
    rank = _rank(chosen, identity.tenant_order)
    # The host's name and address would merge all web applications of a server, and a finding's URL
    # would split one.
    withheld = {chosen, "url"} | ({"fqdn", "ip_address"} - set(identity.order))
    # It would draw what is sent by that one now to an asset that was sent before it was preferred.
    withheld |= _preferred(chosen, identity.order)
    return tuple(
        name
        for name in LOCATORS
        if name not in withheld and _rank(name, identity.tenant_order) >= rank
    )


def _preferred(chosen: str, order: Sequence[str]) -> set[str]:
    """Give the locators that are preferred to one."""
    return set(order[: order.index(chosen)] if chosen in order else order)


def hidden_key(identity: Identity) -> str | None:
    """Name a preferred locator that the tenant's order lacks, None when it has them all."""
    return next((name for name in identity.order if name not in identity.tenant_order), None)


def locator_value(name: str, place: Place, *, keep_query: bool) -> str | None:
    """Give one locator's value, None when there is none."""
    if name == "url":
        return tidy_url(place.url, keep_query=keep_query)
    if name == "external_id":
        return None if place.webapp_id is None else str(place.webapp_id)
    if name == "application":
        return application(place.webapp_name)
    host = host_of(place.url)
    if host is None:
        return None
    if not _is_address(host):
        return host if name == "fqdn" else None
    # A zone (RFC 6874) has a meaning on one machine only.
    return host.partition("%")[0] if name == "ip_address" else None


@lru_cache(maxsize=8192)
def application(name: str | None) -> str | None:
    """Give a web application's name without double quotes, which break CVM's queries."""
    return one_line(name).replace('"', "'") or None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)

"""CVM's order of locators: what identifies an asset.

From the help articles on locator order: the first locator of the order that has a value decides;
one that has a value but no match means a new asset, lower locators are not tried.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXTERNAL_IP: Final = "external_ip_address"

DEFAULT_ORDER: Final = (
    "container_id",
    "image_id",
    "ec2",
    "mac_address",
    "netbios",
    EXTERNAL_IP,
    "hostname",
    "url",
    "file",
    "fqdn",
    "ip_address",
    "external_id",
    "database",
    "application",
)
"""Highest first. `ip_address` of a KDI file stands at two places: public addresses, then others."""

KDI_NAMES: Final = tuple(name for name in DEFAULT_ORDER if name != EXTERNAL_IP)


def order_of(custom: Iterable[str]) -> tuple[str, ...]:
    """Return a whole order that begins with `custom` and goes on in CVM's own.

    Raises:
        ValueError: for a name that is no locator.
    """
    first = tuple(dict.fromkeys(custom))
    unknown = set(first) - set(DEFAULT_ORDER)
    if unknown:
        msg = f"no locator of CVM: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    return first + tuple(name for name in DEFAULT_ORDER if name not in first)


def primary(locators: Mapping[str, str], order: Iterable[str]) -> tuple[str, str]:
    """Return the KDI name and value of the locator that decides.

    Raises:
        ValueError: when there is no locator at all.
    """
    for name in order:
        kdi_name = "ip_address" if name == EXTERNAL_IP else name
        value = locators.get(kdi_name)
        if value and (name != EXTERNAL_IP or ip_address(value).is_global):
            return kdi_name, value
    msg = "an asset without a locator"
    raise ValueError(msg)

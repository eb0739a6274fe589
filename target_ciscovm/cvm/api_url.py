"""The address of CVM's API: from what a person has pasted to the base of all calls.

Cisco's rule ("Getting started" of the API docs): the API host is the tenant's own host with the
first label replaced by `api`, `mycompany.eu.kennasecurity.com` -> `api.eu.kennasecurity.com`. Cisco
publishes no full list of hosts, so none is kept here.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from qualyswas_ciscovm.wording import shown_address
from target_ciscovm.errors import SettingsError

DEFAULT_API_URL: Final = "https://api.kennasecurity.com"

VENDOR: Final = ("kennasecurity.com", "kennasecurity.cisco.com")
API_LABEL: Final = "api"
BESIDE_THE_API: Final = frozenset({"help", "apidocs", "www", "docs"})
"""First labels of Cisco's own pages, which belong to no tenant."""

CALLS: Final = ("/connectors", "/assets", "/vulnerabilities", "/findings", "/entitlements")
"""Beginnings of the API's own paths, which people sometimes paste along."""


def tidy_api_url(text: str | None) -> str:
    """Correct the setting `api_url`: scheme, slashes, and the paths of the API's own calls.

    Without a value it is the shared platform in the United States.

    Raises:
        SettingsError: for a tenant's own host (the text names the API host to use), plain http to
            another machine, a user name in the address, and an invalid address.
    """
    if text is None or not text.strip():
        return DEFAULT_API_URL
    shown = f"(got {shown_address(text)})"
    parts = _split(_with_one_scheme(text.strip()), shown)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        msg = "api_url must not contain a user name or password. Put the API key into api_key."
        raise SettingsError(msg)
    if parts.scheme == "http" and not is_loopback(host):
        msg = f"api_url must begin with https:// {shown}: plain http would expose the API key."
        raise SettingsError(msg)
    _refuse_tenant_host(host)
    return f"{parts.scheme}://{parts.netloc.lower()}{_prefix(parts.path, host)}"


def _with_one_scheme(text: str) -> str:
    while "://" in text.partition("://")[2]:  # https://https://…, from a field with a prefix
        text = text.partition("://")[2]
    return text if "://" in text else f"https://{text}"


def _split(text: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # a bad port shows only when it is read
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or any(c.isspace() for c in text):
        msg = f"api_url is not a valid https:// address {shown}. Use one such as {DEFAULT_API_URL}."
        raise SettingsError(msg)
    return parts


def _vendor(host: str) -> str | None:
    return next((name for name in VENDOR if host == name or host.endswith(f".{name}")), None)


def _refuse_tenant_host(host: str) -> None:
    vendor = _vendor(host)
    if vendor is None:
        return
    first, _, rest = host.removesuffix(vendor).rstrip(".").partition(".")
    if first == API_LABEL:
        return
    region = "" if first in BESIDE_THE_API or not rest else f"{rest}."
    msg = (
        f"api_url names {host}, which is a web page for users, not the API. Set api_url to "
        f"https://{API_LABEL}.{region}{vendor} (CVM shows it under Settings > API Keys)."
    )
    raise SettingsError(msg)


def _prefix(path: str, host: str) -> str:
    if _vendor(host):
        return ""  # on Cisco's own hosts the calls are at the root
    for call in CALLS:
        path = f"{path}/".partition(f"{call}/")[0]
    steps = [step for step in path.split("/") if step]
    return "".join(f"/{step}" for step in steps)


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine, where plain http exposes nothing."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

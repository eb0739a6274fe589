"""Qualys platforms: the hosts that belong to a region, or to an address that a person pasted."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from qualyswas_ciscovm.wording import shown_address
from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

API_HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "US1": "qualysapi.qualys.com",
        "US2": "qualysapi.qg2.apps.qualys.com",
        "US3": "qualysapi.qg3.apps.qualys.com",
        "US4": "qualysapi.qg4.apps.qualys.com",
        "EU1": "qualysapi.qualys.eu",
        "EU2": "qualysapi.qg2.apps.qualys.eu",
        "EU3": "qualysapi.qg3.apps.qualys.it",
        "CA1": "qualysapi.qg1.apps.qualys.ca",
        "IN1": "qualysapi.qg1.apps.qualys.in",
        "AE1": "qualysapi.qg1.apps.qualys.ae",
        "UK1": "qualysapi.qg1.apps.qualys.co.uk",
        "AU1": "qualysapi.qg1.apps.qualys.com.au",
        "KSA1": "qualysapi.qg1.apps.qualysksa.com",
    }
)
"""API server by region, as on Qualys's page "Identify your Qualys platform"."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"CANADA": "CA1", "INDIA": "IN1"})
"""The words that the form of the hosted connector uses."""

REGIONS: Final = (*API_HOSTS, "Canada", "India")

API: Final = "qualysapi."
PORTAL: Final = "qualysguard."
GATEWAYS: Final = ("gateway.", "qualysgateway.")
OLD_GATEWAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "qualysapi.qualys.com": "gateway.qg1.apps.qualys.com",
        "qualysapi.qualys.eu": "gateway.qg1.apps.qualys.eu",
    }
)
"""The two oldest platforms, whose gateways do not follow the rule, by API server."""

VENDOR: Final = ("qualys.", "qualysksa.")
USUAL_PORTS: Final[Mapping[str, str]] = MappingProxyType({"https": ":443", "http": ":80"})


@dataclass(frozen=True)
class Platform:
    """The hosts of one Qualys platform. URLs have no slash at their end.

    Attributes:
        api_url: base of `/qps` and `/api`, with the path prefix of a private platform, if any.
        gateway_url: base of `/auth`, for `auth_method: oidc`.
        region: the region, None for a private platform.
    """

    api_url: str
    gateway_url: str
    region: str | None = None

    @property
    def place(self) -> str:
        """Host and region, as messages name the platform."""
        host = urlsplit(self.api_url).netloc
        return f"{host} (region {self.region})" if self.region else host


def find_platform(
    region: str | None = None, api_url: str | None = None, gateway_url: str | None = None
) -> Platform:
    """Find the hosts for the settings `region`, `api_url` and `gateway_url`.

    A URL wins over a region, since only it can name a private platform.

    Raises:
        SettingsError: for an unknown region, a URL that cannot be corrected, or no setting at all.
    """
    known = _region(region) if region else None
    if api_url:
        base = tidy_api_url(api_url)
        named = next((key for key, host in API_HOSTS.items() if base == f"https://{host}"), None)
    elif known:
        base = f"https://{API_HOSTS[known]}"
        named = known
    else:
        msg = "Neither region nor api_url is set. Set region to one of " + ", ".join(REGIONS) + "."
        raise SettingsError(msg)
    gateway = _tidy("gateway_url", gateway_url) if gateway_url else gateway_of(base)
    return Platform(base, gateway, named)


def _region(text: str) -> str:
    key = text.strip().upper()
    key = ALIASES.get(key, key)
    if key not in API_HOSTS:
        msg = f"region must be one of {', '.join(REGIONS)} (got {text!r}), or set api_url."
        raise SettingsError(msg)
    return key


def tidy_api_url(text: str) -> str:
    """Correct a pasted API address: scheme, slashes, and paths of the API's own calls.

    Raises:
        SettingsError: for a portal or gateway host (the message names the API host), for plain http
            to another machine, and for what is not a URL.
    """
    base = _tidy("api_url", text)
    host = urlsplit(base).hostname or ""
    wrong = next((start for start in (PORTAL, *GATEWAYS) if host.startswith(start)), None)
    if wrong is None:
        return base
    right = next((key for key, value in OLD_GATEWAYS.items() if value == host), None)
    kind = "portal" if wrong == PORTAL else "gateway"
    msg = (
        f"api_url names {host}, which is the {kind}, not the API server. "
        f"Set api_url to https://{right or API + host.removeprefix(wrong)}."
    )
    raise SettingsError(msg)


def _tidy(name: str, text: str) -> str:
    cleaned = text.strip()
    while "://" in cleaned.partition("://")[2]:  # https://https://…, from a field with a prefix
        cleaned = cleaned.partition("://")[2]
    if "://" not in cleaned:
        cleaned = f"https://{cleaned}"
    shown = f"(got {shown_address(text)})"
    parts = _split(name, cleaned, shown)
    if parts.username is not None or parts.password is not None:
        msg = f"{name} must not contain a user name or password. Use the settings for them."
        raise SettingsError(msg)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        msg = (
            f"{name} must begin with https:// {shown}: plain http would send the password "
            "unencrypted."
        )
        raise SettingsError(msg)
    path = parts.path
    for known in ("/qps", "/api", "/msp", "/auth"):  # paths of the calls, pasted along
        path = f"{path}/".partition(f"{known}/")[0]
    host = parts.netloc.lower().removesuffix(USUAL_PORTS[parts.scheme]).rstrip(".")
    return f"{parts.scheme}://{host}{'/'.join(path.rstrip('/').split('//'))}"


def _split(name: str, text: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # a bad port raises only when it is read
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or any(c.isspace() for c in text):
        msg = (
            f"{name} is not an https:// address {shown}. Give the API server, such as "
            f"https://{API_HOSTS['US1']}."
        )
        raise SettingsError(msg)
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def gateway_of(api_url: str) -> str:
    """Give the gateway of an API server, by the rule of Qualys's own clients."""
    parts = urlsplit(api_url)
    host = parts.netloc
    if host in OLD_GATEWAYS:
        return f"{parts.scheme}://{OLD_GATEWAYS[host]}"
    if not host.startswith(API):
        return f"{parts.scheme}://{host}"
    rest = host.removeprefix(API)
    # Private platforms: qualysgateway.<customer domain>.
    start = GATEWAYS[0] if any(vendor in rest for vendor in VENDOR) else GATEWAYS[1]
    return f"{parts.scheme}://{start}{rest}"

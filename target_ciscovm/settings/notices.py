"""The settings of notices: where the end of a run is announced, and which ends are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from target_ciscovm.cvm.api_url import is_loopback
from target_ciscovm.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class NoticeRules:
    """Where the end of a run is announced.

    Attributes:
        url: that a notice is posted to. Whoever knows it may post there too, so it is a secret.
        every_run: whether a run that succeeded is announced as well.
        ca_bundle: path of the certificates to trust; None for the usual ones.
    """

    url: str = field(repr=False)
    every_run: bool = False
    ca_bundle: str | None = None

    @property
    def place(self) -> str:
        """The host, as messages name it."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def notice_rules(given: Mapping[str, Any]) -> NoticeRules | None:
    """Read the settings of notices, None where none is wanted.

    Raises:
        SettingsError: `notify_url` is not an address that a notice can be posted to.
    """
    url = given.get("notify_url")
    if not isinstance(url, str) or not url.strip():
        return None
    return NoticeRules(
        _checked(url.strip()), given.get("notify_when") == "every_run", given.get("ca_bundle")
    )


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # a bad port shows only when it is read
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or any(c.isspace() for c in url):
        msg = "notify_url is not a valid https:// address. Use the address of a webhook."
        raise SettingsError(msg)
    if parts.scheme == "http" and not is_loopback(host):
        msg = "notify_url must begin with https://, because a notice tells of weaknesses."
        raise SettingsError(msg)
    return url

"""What is behind an error of a connection, and what to do about it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import requests

from qualyswas_ciscovm.wording import shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKS_EXTRA: Final = "qualyswas-ciscovm[socks]"
DEMO_PROXY: Final = "http://demo.invalid"
"""A proxy that is nowhere: names that end in .invalid are reserved for that (RFC 2606). The Meltano
environment `demo` names it, so that it reaches nothing but this machine."""
TUNNEL: Final = re.compile(r"Tunnel connection failed: ([1-5]\d\d)\b", re.ASCII)
"""What Python says of a proxy that answers."""
LOGIN_WANTED: Final = "407"
PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
NOT_SENT: Final = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,  # that of a proxy too
)


def setting_to_blame(error: BaseException) -> str | None:
    """Say which setting keeps a call from being sent, and what to do; None for a call that was."""
    if not isinstance(error, NOT_SENT):
        return None
    if "SOCKS" in str(error):
        return (
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy, which needs one more package. Install "
            f"{SOCKS_EXTRA} in place of qualyswas-ciscovm."
        )
    proxies = [
        f"{name} is {shown_address(value)}" for name in PROXIES if (value := os.environ.get(name))
    ]
    shown = f" ({', '.join(proxies)})" if proxies else ""
    return f"api_url, HTTPS_PROXY or ALL_PROXY is not a valid URL{shown}. Check their spelling."


def proxy_advice(error: BaseException) -> str:
    """Give the status of a proxy that did not let a call through, and what to do.

    They end a sentence, and are one of their own.
    """
    if os.environ.get("https_proxy") == DEMO_PROXY:
        return ". The environment demo reaches this machine only. Use --environment=prod."
    refusals = (TUNNEL.search(str(cause)) for cause in causes(error))
    status = next((found[1] for found in refusals if found), None)
    told = f" (HTTP {status})" if status else ""
    if status == LOGIN_WANTED:
        return f"{told}. Check the user name and password in HTTPS_PROXY."
    return f"{told}. Check HTTPS_PROXY and NO_PROXY."


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give `error` and all of its causes; urllib3 keeps some of them in `reason` and `args`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        waiting += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]

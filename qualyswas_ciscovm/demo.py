"""The Meltano environment `demo`, which reaches nothing but this machine."""

from __future__ import annotations

import os
from typing import Final

PROXY: Final = "http://demo.invalid"
"""A proxy that is nowhere: names that end in .invalid are reserved for that (RFC 2606)."""

# In small letters, as these take precedence over the same names in capitals.
VARIABLES: Final = {
    "http_proxy": PROXY,
    "https_proxy": PROXY,
    "no_proxy": "127.0.0.1,::1,localhost",
}
"""What the environment sets, so that every other address is looked for at that proxy."""


def proxy_advice() -> str:
    """Give what to do when a proxy did not let a call through."""
    if os.environ.get("https_proxy") == PROXY:
        return "The environment demo reaches this machine only. Use --environment=prod."
    return "Check HTTPS_PROXY and NO_PROXY."

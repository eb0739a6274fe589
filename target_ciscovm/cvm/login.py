"""What CVM is reached with."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from target_ciscovm.cvm.api_url import tidy_api_url


@dataclass(frozen=True)
class Login:
    """A connector of a tenant, and the key to it."""

    api_url: str
    api_key: str = field(repr=False)
    connector_id: int
    ca_bundle: str | None = None

    @property
    def host(self) -> str:
        """Give the host of CVM's API; a port does not make it another CVM."""
        return urlsplit(tidy_api_url(self.api_url)).hostname or ""

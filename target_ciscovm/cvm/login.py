"""What CVM is reached with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Login:
    """A connector of a tenant, and the key to it."""

    api_url: str
    api_key: str = field(repr=False)
    connector_id: int
    ca_bundle: str | None = None

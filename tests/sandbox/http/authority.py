"""TLS for the servers: a certificate authority of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.certificates import certificate

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from typing_extensions import Self


@dataclass(frozen=True)
class Authority:
    """An authority that nobody trusts unless told.

    Attributes:
        path: of its certificate, for clients.
        context: with which a server on loopback shows one that the authority has signed.
    """

    path: Path
    context: ssl.SSLContext

    @classmethod
    def new(cls, folder: Path) -> Self:
        """Make an authority, its certificate in `folder`."""
        path, context = certificate(folder)
        return cls(path, context)

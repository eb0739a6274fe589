"""Certificates of an authority of our own, for servers on loopback."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

HERE: Final = "127.0.0.1"


def certificate(folder: Path, name: str = HERE) -> tuple[Path, ssl.SSLContext]:
    """Give the authority's own certificate, and what a server of this name needs to show its."""
    import trustme  # noqa: PLC0415 - a tenth of a second for each worker, and few make any

    folder.mkdir(exist_ok=True)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return (path, context)

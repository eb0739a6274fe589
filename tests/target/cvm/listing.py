"""The list of connectors, as CVM gives it."""

from __future__ import annotations

from typing import Final

from tests.target.cvm.quick import CONNECTOR
from tests.target.cvm.scripted_server import Reply

IMPORTER: Final = {"id": CONNECTOR, "name": "Qualys WAS", "host": None, "running": False}
OTHER: Final = {"id": 3, "name": "Tickets", "host": "tickets.example.test", "running": False}


def listing(*connectors: dict[str, object], **reply: object) -> Reply:
    """Give the answer that lists these connectors."""
    return Reply(json={"connectors": list(connectors)}, **reply)  # type: ignore[arg-type]

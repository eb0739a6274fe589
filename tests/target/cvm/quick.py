"""CiscoVMClient with waits short enough for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.cvm.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from tests.target.cvm.scripted_server import ScriptedServer

KEY: Final = "MARKER-key-that-no-text-may-show"
CONNECTOR: Final = 42

QUICK: Final = RetryPolicy(
    max_wait_seconds=20,
    max_attempts=4,
    poll_seconds=0.02,
    first_wait_seconds=0.005,
    pace_seconds=0,
    connect_seconds=2,
    read_seconds=2,
)


def connect(server: ScriptedServer | str, policy: RetryPolicy = QUICK) -> CiscoVMClient:
    """Give the API of a server."""
    return CiscoVMClient(
        api_url=server if isinstance(server, str) else server.url,
        api_key=KEY,
        connector_id=CONNECTOR,
        policy=policy,
    )


class Log:
    """Collects the lines that a wait tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

"""A platform of a given size whose pages are rendered beforehand, and what the tap makes of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.measuring import run_program, start
from tests.bench.peers.player import CALLS
from tests.bench.waiting import Call
from tests.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.processes import Process


@dataclass(frozen=True)
class Size:
    """How much there is on the platform."""

    findings: int
    apps: int
    qids: int = 300
    scans: int = 200

    def __str__(self) -> str:
        return f"{self.findings:,} findings, {self.apps:,} web applications, {self.qids:,} QIDs"


class Stage:
    """A platform, played to whoever asks.

    Attributes:
        size: of the platform.
        folder: for whatever is made; removed at the end.
        sandbox: what is behind the pages.
    """

    def __init__(self, size: Size, sandbox: Sandbox, folder: Path, stack: ExitStack) -> None:
        self.size = size
        self.sandbox = sandbox
        self.folder = folder
        self._stack = stack

    def play(self, name: str, seconds: float | None = None) -> str:
        """Start a server of pages under a name of its own; give its URL.

        Args:
            name: of the pages.
            seconds: that each call takes at least; then `calls` gives them.
        """
        pages = self.pages(name)
        pages.mkdir()
        player = [sys.executable, "-m", "tests.bench.peers.player"]
        command = [*player, str(pages), self.sandbox.qualys_url]
        command += [] if seconds is None else [str(seconds)]
        server = start(command, stdout=subprocess.PIPE)
        self._stack.callback(_end, server)
        if server.stdout is None:
            msg = "the server of pages has no output"
            raise RuntimeError(msg)
        return server.stdout.readline().decode("ascii").strip()

    def pages(self, name: str) -> Path:
        """Give where the pages are kept that are played under a name."""
        return self.folder / f"pages-{name}"

    def calls(self, name: str) -> list[Call]:
        """Give the calls that a server of pages has recorded, as they ended."""
        lines = self.pages(name).with_suffix(CALLS).read_text(encoding="ascii").splitlines()
        return [Call(*map(float, line.split())) for line in lines]

    def login(self, url: str) -> dict[str, Any]:
        """Give the settings of a tap that reads from a URL."""
        return {
            "api_url": url,
            "username": self.sandbox.username,
            "password": self.sandbox.password,
        }

    @cached_property
    def lines(self) -> Path:
        """Give a file with all that the tap writes."""
        path = self.folder / "lines.jsonl"
        run_program("tap", self.login(self.sandbox.qualys_url), result=path)
        return path

    def empty(self, name: str) -> Path:
        """Make an empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


def _end(server: Process | subprocess.Popen[bytes]) -> None:
    with server:
        server.kill()


@contextmanager
def stage(size: Size) -> Iterator[Stage]:
    """Build a platform; its servers run and its files are there while the block runs."""
    with (
        ExitStack() as stack,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder,
        Sandbox(
            apps=size.apps, findings=size.findings, qids=size.qids, scans=size.scans
        ) as sandbox,
        stack,
    ):
        yield Stage(size, sandbox, Path(folder), stack)

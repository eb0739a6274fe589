"""Syncs of the tap from the sandbox's Qualys, in this process or in one of their own."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.tap import TapQualysWAS
from tests.sandbox.faults.faults import Faults
from tests.sandbox.faults.switches import Switches
from tests.sandbox.http.server import Server
from tests.sandbox.qualys.face import QualysFace
from tests.sandbox.qualys.platform import create_face_app
from tests.sandbox.world.clock import Clock
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World
from tests.support import processes
from tests.support.json_lines import json_lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

    from typing_extensions import Self

Json = None | str | list[Any] | dict[str, Any]

FIRST_WAIT: Final = 0.02
"""Seconds: the tap's own waits grow from here in the tests."""

TAP: Final = (
    sys.executable,
    "-c",
    (
        "from tap_qualyswas.tap import TapQualysWAS\n"
        f"TapQualysWAS.first_wait_seconds = {FIRST_WAIT}\n"
        "TapQualysWAS.cli()"
    ),
)


class PatientTap(TapQualysWAS):
    """The tap with short waits of its own."""

    first_wait_seconds = FIRST_WAIT


class Platform:
    """A Qualys platform on loopback with a made-up world behind it, while the `with` block runs."""

    def __init__(
        self,
        size: WorldSize | None = None,
        *,
        faults: Iterable[str] = (),
        switches: Switches | None = None,
    ) -> None:
        self.clock = Clock()
        self.world = World(size or WorldSize(), self.clock)
        self.face = QualysFace(self.world, self.clock, Faults(faults), switches or Switches())
        self._server = Server(create_face_app(self.face))
        # Without it each answer on a kept connection waits 40 ms for an acknowledgement.
        self._server._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def url(self) -> str:
        """Base URL of the API server."""
        return self._server.url

    @property
    def requests(self) -> Counter[str]:
        """Requests by endpoint."""
        return self.face.requests

    @property
    def config(self) -> dict[str, Any]:
        """The settings that every run needs."""
        return {
            "api_url": self.url,
            "username": self.face.username,
            "password": self.face.password,
        }

    def sync(
        self,
        settings: Mapping[str, Any] | None = None,
        state: Json = None,
        options: Iterable[str] = (),
    ) -> Outcome:
        """Run the tap once, in a process of its own."""
        return run_tap({**self.config, **(settings or {})}, state, options=options)

    def sync_here(
        self,
        settings: Mapping[str, Any] | None = None,
        state: Json = None,
        catalog: dict[str, Any] | None = None,
    ) -> Outcome:
        """Run the tap once, in this process; what it raises is raised."""
        return sync_here({**self.config, **(settings or {})}, state, catalog)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


@dataclass
class Outcome:
    """What a run of the tap left behind."""

    exit_code: int
    log: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Give the records of a stream."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        states = [message["value"] for message in self.messages if message["type"] == "STATE"]
        return states[-1] if states else {}

    def cuts(self) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
        """Give, for each state but the last one, what was written until then, and the state."""
        places = [at for at, message in enumerate(self.messages) if message["type"] == "STATE"]
        return [(self.messages[: at + 1], self.messages[at]["value"]) for at in places[:-1]]

    @property
    def proof(self) -> dict[str, Any]:
        """The one `syncs` row."""
        (row,) = self.records("syncs")
        return row

    @property
    def errors(self) -> list[str]:
        """What the log says at the level of errors."""
        lines = [line for line in self.log.splitlines() if "| ERROR " in line]
        return [line.split(" | ", 3)[3].strip() for line in lines]


def sync_here(
    config: Mapping[str, Any], state: Json = None, catalog: dict[str, Any] | None = None
) -> Outcome:
    """Run the tap once, in this process; what it raises is raised, with `outcome` of the part."""
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    log = _Log()
    PatientTap.logger.setLevel(logging.INFO)
    PatientTap.logger.addHandler(log)
    PatientTap.logger.propagate = False  # pytest would make two texts of each record
    outcome = Outcome(0, "")
    try:
        with redirect_stdout(written):
            PatientTap(config=dict(config), state=as_read(state), catalog=as_read(catalog)).sync()
    except Exception as error:
        error.outcome = outcome  # type: ignore[attr-defined] # for the test that expects it
        raise
    finally:
        PatientTap.logger.removeHandler(log)
        PatientTap.logger.propagate = True
        written.flush()
        outcome.messages = json_lines(written.buffer.getvalue())
        outcome.log = "\n".join(log.lines)
    return outcome


def as_read(given: Json) -> Any:  # noqa: ANN401 - JSON
    """Give what is read from a file that holds this: a copy."""
    return json.loads(json.dumps(given))


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


def run_tap(
    config: Mapping[str, Any],
    state: Json = None,
    *,
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the tap in a process of its own, with a config file on disk."""
    with Files(
        {"config.json": config, **({} if state is None else {"state.json": state})}
    ) as files:
        command = [*TAP, "--config", files["config.json"], *options]
        if state is not None:
            command += ["--state", files["state.json"]]
        done = processes.run(command, env={**os.environ, **(environment or {})}, timeout=120)
    return Outcome(done.returncode, done.stderr.decode(), json_lines(done.stdout))


class Files:
    """Files in a folder that is gone afterwards."""

    def __init__(self, contents: Mapping[str, Any]) -> None:
        self._contents = contents
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> dict[str, str]:
        paths = {name: Path(self._folder.name) / name for name in self._contents}
        for name, content in self._contents.items():
            paths[name].write_text(content if isinstance(content, str) else json.dumps(content))
            paths[name].chmod(0o600)
        return {name: str(path) for name, path in paths.items()}

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

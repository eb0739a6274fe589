"""Secrets show nowhere: not in a log at any level, a line, a state, a report, a file, an error."""

from __future__ import annotations

import base64
import io
import json
import logging
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair import together
from tests.pair.together import Pair, open_sandbox
from tests.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.sandbox import Sandbox

SLOW: Final = {
    *("qualys-hung", "qualys-slow", "run-never-ends", "qualys-rate-absurd"),
    *("qualys-rate", "qualys-rate-text", "qualys-rate-item"),
}
"""Faults that wait for seconds, and tell nothing that others do not."""
FAULTS: Final = [
    name for name, kind in KINDS.items() if kind.place in {"qualys", "ciscovm"} and name not in SLOW
]
FEW: Final = ("qualys-credentials", "qualys-http-403", "qualys-502", "kb-not-licensed", "tap-error")


LOUD: Final = {"singer_sdk.singerlib.catalog", "asyncio"}
"""Loggers that tell of hundreds of properties of the catalog, and of nothing else; they are off."""


class Everything(logging.Handler):
    """Keep every record as a person could come to see it, with its traces and extras."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        self.text.write(f"{self.format(record)} {vars(record)}\n")

    def take(self) -> str:
        """Give what has been logged since the last call."""
        text, self.text = self.text.getvalue(), io.StringIO()
        return text


@contextmanager
def all_logged() -> Iterator[Everything]:
    """Take all that is logged while the block runs, of all libraries."""
    kept, root = Everything(), logging.getLogger()
    names = ("tap-qualyswas", "target-ciscovm", "tap_qualyswas", "target_ciscovm", "urllib3")
    loggers = [root, *map(logging.getLogger, names)]
    before = [(one.level, one.propagate) for one in loggers]
    # Alone: those of pytest would make a text of each record once more.
    others, root.handlers = root.handlers, [kept]
    loud = [logging.getLogger(name) for name in LOUD]
    for one in loggers:
        one.setLevel(logging.DEBUG)
        one.propagate = True
    for one in loud:
        one.disabled = True
    try:
        yield kept
    finally:
        root.handlers = others
        for one in loud:
            one.disabled = False
        for one, (level, propagate) in zip(loggers, before, strict=True):
            one.setLevel(level)
            one.propagate = propagate


def secrets(sandbox: Sandbox) -> list[bytes]:
    """Give every form in which one of the secrets could show."""
    face = sandbox.face
    basic = base64.b64encode(f"{face.username}:{face.password}".encode()).decode()
    words = [face.password, face.client_secret, sandbox.api_key, basic]
    as_json = [json.dumps(word)[1:-1] for word in words]
    return [word.encode() for word in {*words, *as_json}]


@pytest.mark.parametrize("login", ["basic", "oidc"])
def test_no_fault_brings_a_secret_to_light(
    login: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_sandbox(apps=2, findings=12) as sandbox, all_logged() as logged:
        monkeypatch.setattr(together, "quiet", lambda: logged_as_ever(logged))
        face = sandbox.face
        settings: dict[str, Any] = {"page_size": 6, "request_timeout_seconds": 2}
        if login == "oidc":
            client = {"client_id": face.client_id, "client_secret": face.client_secret}
            settings |= {"auth_method": "oidc", **client}
        pair = Pair(sandbox, tmp_path, tap_settings=settings)
        told, known = "", set[tuple[Path, int]]()
        for fault in ["", *(FAULTS if login == "basic" else FEW)]:
            sandbox.faults.arm(*([fault] if fault else []))
            pair.sync(full_sync=True)
            sandbox.faults.disarm()
            told = logged.take()
            shown = told.encode() + pair.written + json.dumps(pair.state).encode()
            files = {path: path.stat() for path in tmp_path.rglob("*") if path.is_file()}
            assert any(path.name == "report.json" for path in files)
            new = {(path, told_of.st_mtime_ns) for path, told_of in files.items()} - known
            known |= new
            places = {"what is shown": shown} | {str(path): path.read_bytes() for path, _ in new}
            hidden = secrets(sandbox)
            for place, content in places.items():
                assert not [word for word in hidden if word in content], (fault, place)

    assert "urllib3" in told


@contextmanager
def logged_as_ever(logged: Everything) -> Iterator[None]:
    """Stand in for what keeps the plugins quiet, and look at what they raise."""
    try:
        yield
    except Exception:
        logged.text.write(traceback.format_exc())
        raise

"""The runs and audits whose folders are kept, read from their own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import Struct, field

from target_ciscovm.outcomes import WELL, Destination, Outcome
from target_ciscovm.output.folders import newest_first, remove_old_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_ciscovm.output.folders import Removal
    from target_ciscovm.settings.values import Settings

MOST: Final = 500
"""Runs that are read; a list of more helps nobody."""


class Connector(Struct):
    """The connector of a run."""

    id: int
    name: str = ""


class Closing(Struct):
    """What was open before and after a run."""

    open_before: int | None = None
    open_after: int | None = None


class Changes(Struct):
    """What a run has changed, or would have."""

    opened: int = 0
    closed: int = 0


class Proof(Struct):
    """When a sync was last proven complete."""

    last: str | None = None


class Times(Struct):
    """When a run ended, by the servers' time."""

    finished: str | None = None


class RunInCVM(Struct):
    """How the run in CVM ended."""

    success: bool | None = None


class KeptRun(Struct):
    """What the list tells of a run: a part of its `report.json`."""

    outcome: Outcome
    run_id: str = ""
    exit_code: int = 0
    message: str = ""
    mode: str | None = None
    destination: Destination = "files"
    connector: Connector | None = None
    closing: Closing = field(default_factory=Closing)
    changes: Changes | None = None
    proof: Proof = field(default_factory=Proof)
    times: Times = field(default_factory=Times)
    run: RunInCVM | None = None

    @property
    def was_applied(self) -> bool:
        """Whether its changes were made in CVM."""
        if self.destination != "ciscovm":
            return False
        return self.outcome in WELL if self.run is None else self.run.success is True

    @property
    def open_now(self) -> int | None:
        """What is open in CVM after the run, by the ledger; None where nobody knows."""
        return self.closing.open_after if self.was_applied else self.closing.open_before

    @property
    def tells_changes(self) -> bool:
        """Whether its changes were made in CVM, or were what a dry run was to show."""
        return self.was_applied or (self.destination == "dry_run" and self.outcome in WELL)


class KeptAudit(Struct):
    """What the list tells of an audit: a part of its `audit.json`."""

    run_id: str = ""
    exit_code: int = 0
    message: str = ""
    asked_at: str | None = None
    connector: Connector | None = None


Kept = KeptRun | KeptAudit
T = TypeVar("T", bound=Struct)
# Made before any run: msgspec swallows what the handler of a signal raises meanwhile.
RUNS: Final = msgspec.json.Decoder(KeptRun)
AUDITS: Final = msgspec.json.Decoder(KeptAudit)


def kept_runs(output_path: Path) -> Iterator[tuple[str, Kept | None]]:
    """Give the newest runs and audits by the names of their folders, the newest first.

    One whose file is missing or cannot be read, as after a kill, is None.
    """
    for name in newest_first(output_path)[:MOST]:
        yield name, _read(output_path / name)


def remove_old(settings: Settings) -> Removal:
    """Remove old runs and audits, but none that are known to be of another connector."""
    own = settings.login.connector_id if settings.login else None

    def is_ours(folder: Path) -> bool:
        kept = _read(folder)
        return kept is None or kept.connector is None or kept.connector.id == own

    return remove_old_runs(settings.output_path, settings.keep_runs, is_ours)


def _read(folder: Path) -> Kept | None:
    return _decode(folder / "report.json", RUNS) or _decode(folder / "audit.json", AUDITS)


def _decode(path: Path, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(path.read_bytes())
    except (OSError, ValueError, msgspec.MsgspecError):  # those of msgspec < 0.21 are no ValueError
        return None

"""How a run can end, its exit code, and where a load can go."""

from __future__ import annotations

from typing import Final, Literal

Outcome = Literal[
    "succeeded",
    "succeeded_unproven",
    "aborted",
    "failed",
    "still_running",
    "refused",
    "interrupted",
]
Destination = Literal["ciscovm", "files", "dry_run"]

EXIT_CODES: Final[dict[Outcome, int]] = {
    "succeeded": 0,
    "succeeded_unproven": 0,
    "aborted": 0,
    "failed": 1,
    "refused": 2,
    "still_running": 3,
}
"""Exit code by outcome; `aborted` is 1 with `fail_on_abort`, a signal gives 128 and its number."""

WELL: Final[frozenset[Outcome]] = frozenset({"succeeded", "succeeded_unproven"})
"""Outcomes of a load that is in CVM, or where else it was to go."""
PASSES_STATE_ON: Final = WELL
"""Outcomes after which the state is written to standard output."""
LOADS_KEPT_BACK: Final = 3
"""Loads in a row with failed payloads whose state is not passed on."""

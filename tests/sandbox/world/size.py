"""How big a fresh world is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorldSize:
    """How big a fresh world is, and from which seed it grows.

    Attributes:
        turbulent: whether some findings are ignored from the start.
        shared_ids: whether the three finding types take their ids from one sequence.
    """

    apps: int = 12
    findings: int = 240
    qids: int = 30
    scans: int = 20
    seed: int = 1
    turbulent: bool = False
    shared_ids: bool = False

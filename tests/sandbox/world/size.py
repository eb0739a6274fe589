"""How big a fresh world is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IdSequences = Literal["separate", "overlapping", "shared"]


@dataclass(frozen=True)
class WorldSize:
    """How big a fresh world is, and from which seed it grows.

    Attributes:
        turbulent: whether some findings are ignored from the start.
        id_sequences: where the three finding types take their ids from: ranges that are `separate`
            but for a few ids, `overlapping` ones, or one that is `shared`.
        huge_ids: whether the ids lie about 2^53.
    """

    apps: int = 12
    findings: int = 240
    qids: int = 30
    scans: int = 20
    seed: int = 1
    turbulent: bool = False
    id_sequences: IdSequences = "separate"
    huge_ids: bool = False

"""Faults of CVM that pass by themselves."""

from __future__ import annotations

from typing import Final

PASSING: Final = (
    "upload-422",
    "upload-500",
    "upload-empty",
    "upload-reset",
    "lost-run-answer",
    "run-refused",
    "poll-errors",
    "counters-null",
    "ciscovm-502",
    "ciscovm-429",
)

"""What the connector's runs tell: the newest one, and when the last ones began and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qualyswas_ciscovm.dates import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from target_ciscovm.cvm.connector import ConnectorRun


@dataclass(frozen=True)
class Runs:
    """The runs of the connector that have ended.

    Attributes:
        newest: the highest number, 0 without any.
        last_began: when the last of them began, empty where that is not told.
        last_good_began: the same of those that took all that they were given; None without any.
        last_ended: when the last of them ended.
    """

    newest: int = 0
    last_began: str = ""
    last_good_began: str | None = None
    last_ended: datetime | None = None


def read_runs(listed: Iterable[ConnectorRun]) -> Runs:
    """Read the list of runs; one that is going on is left for the next time."""
    ended = [run for run in listed if run.end_time is not None]
    good = [run for run in ended if run.success and not run.failed_payload_count]
    return Runs(
        max((run.id for run in ended), default=0),
        max(_began(ended), default=""),
        max(_began(good), default=None),
        max((run.end_time for run in ended if run.end_time), default=None),
    )


def _began(runs: Iterable[ConnectorRun]) -> Iterator[str]:
    return (to_text(run.start_time) for run in runs if run.start_time)

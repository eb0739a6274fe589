"""Findings from the report of each web application's latest successful scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_qualyswas.fields import Record
    from tap_qualyswas.run import Run


def read_findings(run: Run) -> Iterator[Record]:
    """Read."""
    raise NotImplementedError(run)

"""Programs that do the same work, side by side: a row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.measuring import median, times_as_fast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.measuring import Cost


class Speeds:
    """What programs cost that took turns with the first of them.

    Attributes:
        share: what the first makes in the time in which each of them makes one finding.

    Args:
        findings: of a run.
        costs: of each program, as many as there were rounds.
    """

    def __init__(self, findings: int, costs: Mapping[str, list[Cost]]) -> None:
        self._findings: Final = findings
        self._costs: Final = costs
        own = next(iter(costs.values()))
        self.share: Final = {name: times_as_fast(own, found) for name, found in costs.items()}

    def rows(self, labels: Mapping[str, str]) -> list[list[str]]:
        """Give a row for each program: label, findings a second twice, times the first, memory."""
        return [self._row(name, label) for name, label in labels.items()]

    def _row(self, name: str, label: str) -> list[str]:
        cost = median(self._costs[name])
        return [
            label,
            f"{self._findings / cost.cpu:,.0f}",
            f"{self._findings / cost.seconds:,.0f}",
            f"{1 / self.share[name]:.2f}",
            f"{cost.peak_mb:.0f}",
        ]

"""What a benchmark found: tables, goals, and curves to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field


def _short(number: float) -> str:
    return f"{number:,.2f}".removesuffix(".00")


@dataclass(frozen=True)
class Goal:
    """A figure with its bound.

    Attributes:
        least: the figure must not be below, None for no such bound.
        most: the figure must not be above.
    """

    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool:
        """Tell whether the figure lies within its bound."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )

    @property
    def bound(self) -> str:
        """Give the bound in words."""
        if self.least is not None:
            return f"at least {_short(self.least)}"
        return "" if self.most is None else f"at most {_short(self.most)}"


@dataclass(frozen=True)
class Curve:
    """One line of a plot: points from left to right."""

    label: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """Curves over the same two axes, drawn from zero."""

    name: str
    title: str
    across: str
    up: str
    curves: list[Curve]


@dataclass(frozen=True)
class Section:
    """One benchmark's findings.

    Attributes:
        name: as asked for by `--only`.
        told: how it was measured, a paragraph for people.
        heads: heads of the table's columns.
        rows: the table, each as many cells as there are heads.
    """

    name: str
    title: str
    told: str
    heads: list[str]
    rows: list[list[str]]
    goals: list[Goal] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)

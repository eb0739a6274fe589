"""The geometry of the report's pictures; the template draws them as SVG.

Lengths are in units of the picture's own view box. Every count above 0 is drawn, however small its
share.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import cut
from target_ciscovm.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.report.model import Reconciliation

FLOW_WIDTH: Final = 1080.0
FLOW_BAND: Final = 150.0
"""Height of the largest count."""
FLOW_TOP: Final = 64.0
NODE: Final = 10.0
MARGIN: Final = 60.0
LOSS_GAP: Final = 30.0
LABEL: Final = 34.0
"""Height that two lines of text need."""
THIN: Final = 2.0

BAR_WIDTH: Final = 460.0
BAR_ROW: Final = 44.0
BAR_HEIGHT: Final = 14.0
LABEL_LETTERS: Final = 36


@dataclass(frozen=True)
class Step:
    """A count on the way from Qualys to CVM; None if it is unknown or was not reached."""

    label: str
    count: int | None


@dataclass(frozen=True)
class Loss:
    """What one cause keeps from the next step."""

    label: str
    count: int
    kind: str


@dataclass(frozen=True)
class Node:
    """A step as drawn: an upright bar with two lines of text above."""

    step: Step
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Ribbon:
    """A filled path from one step to the next, or down to a loss."""

    path: str
    kind: str


@dataclass(frozen=True)
class Drop:
    """A loss as drawn: a bar below the band, with text beside it."""

    loss: Loss
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Flow:
    """The picture of the way, for wide windows.

    Attributes:
        empty: whether no step has a count.
    """

    empty: bool
    width: float
    height: float
    nodes: list[Node]
    ribbons: list[Ribbon]
    drops: list[Drop]


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart.

    Attributes:
        parts: start and width of each part, with its kind.
    """

    label: str
    value: str
    y: float
    parts: list[tuple[float, float, str]]


@dataclass(frozen=True)
class Bars:
    """A chart of horizontal bars with the text above each."""

    width: float
    height: float
    bar_height: float
    rows: list[Bar]


def steps_of(counts: Reconciliation, *, sent: bool) -> list[Step]:
    """Give the steps of a run, those in CVM only when the load was for CVM."""
    steps = [
        Step("Qualys counts", counts.counted),
        Step("fetched", counts.fetched),
        Step("received", counts.received),
        Step("mapped", counts.mapped),
    ]
    if sent:
        steps += [Step("uploaded", counts.uploaded), Step("processed in CVM", counts.processed)]
    return steps


def losses_of(counts: Reconciliation, steps: Sequence[Step]) -> list[list[Loss]]:
    """Give what is lost after each step but the last."""
    names = {"Qualys counts": "not fetched", "fetched": "not received", "mapped": "not uploaded"}
    found: list[list[Loss]] = []
    for this, following in pairwise(steps):
        if this.label == "received":
            found.append(
                [
                    loss
                    for loss in (
                        Loss("filtered", counts.filtered, "filtered"),
                        Loss("nothing to do", counts.nothing_to_do, "superseded"),
                        Loss("superseded", counts.superseded, "superseded"),
                        Loss("rejected", counts.rejected, "rejected"),
                    )
                    if loss.count
                ]
            )
            continue
        missing = (this.count or 0) - (following.count or 0)
        known = this.count is not None and following.count is not None
        name = names.get(this.label, "not processed")
        found.append([Loss(name, missing, "lost")] if known and missing > 0 else [])
    return found


def draw_flow(counts: Reconciliation, *, sent: bool) -> Flow:
    """Draw the way from Qualys's count to CVM's as ribbons between upright bars."""
    steps = steps_of(counts, sent=sent)
    losses = losses_of(counts, steps)
    most = max([step.count or 0 for step in steps], default=0) or 1
    scale = FLOW_BAND / most
    gap = (FLOW_WIDTH - 2 * MARGIN - NODE) / (len(steps) - 1)
    nodes = [
        Node(step, MARGIN + gap * at, FLOW_TOP, _height(step.count, scale))
        for at, step in enumerate(steps)
    ]
    ribbons: list[Ribbon] = []
    drops: list[Drop] = []
    deepest = FLOW_TOP + FLOW_BAND
    for this, following, lost in zip(nodes, nodes[1:], losses, strict=False):
        if this.step.count and following.step.count:
            ribbons.append(Ribbon(_band(this, following, lost, scale), "flow"))
        below = _drops(this, lost, scale, gap)
        start = this.y + this.height
        for drop in reversed(below):
            start -= drop.height
            ribbons.append(Ribbon(_fall(this, start, drop), drop.loss.kind))
        drops += below
        deepest = max([deepest, *(drop.y + max(drop.height, LABEL) + 6 for drop in below)])
    empty = not any(step.count for step in steps)
    return Flow(empty, FLOW_WIDTH, deepest + 10, nodes, ribbons, drops)


def _height(count: int | None, scale: float) -> float:
    return max(count * scale, THIN) if count else 0.0


def _band(this: Node, following: Node, lost: Sequence[Loss], scale: float) -> str:
    kept = max(this.height - sum(_height(loss.count, scale) for loss in lost), THIN)
    return _ribbon(
        (this.x + NODE, this.y, this.y + kept),
        (following.x, following.y, following.y + following.height),
    )


def _drops(this: Node, lost: Sequence[Loss], scale: float, gap: float) -> list[Drop]:
    drops = []
    y = FLOW_TOP + FLOW_BAND + LOSS_GAP
    for loss in lost:
        drop = Drop(loss, this.x + NODE + gap * 0.42, y, _height(loss.count, scale))
        drops.append(drop)
        y += max(drop.height, LABEL) + 12
    return drops


def _fall(this: Node, start: float, drop: Drop) -> str:
    return _ribbon(
        (this.x + NODE, start, start + drop.height), (drop.x, drop.y, drop.y + drop.height)
    )


def _ribbon(left: tuple[float, float, float], right: tuple[float, float, float]) -> str:
    """Give the path of a band between two upright edges, each `(x, top, bottom)`."""
    x1, top1, bottom1 = left
    x2, top2, bottom2 = right
    middle = (x1 + x2) / 2
    return (
        f"M{x1:.1f},{top1:.1f} "
        f"C{middle:.1f},{top1:.1f} {middle:.1f},{top2:.1f} {x2:.1f},{top2:.1f} "
        f"L{x2:.1f},{bottom2:.1f} "
        f"C{middle:.1f},{bottom2:.1f} {middle:.1f},{bottom1:.1f} {x1:.1f},{bottom1:.1f} Z"
    )


def draw_steps(counts: Reconciliation, *, sent: bool) -> Bars:
    """Draw the same way as bars below one another, for narrow windows."""
    steps = steps_of(counts, sent=sent)
    losses = [*losses_of(counts, steps), []]
    most = max([step.count or 0 for step in steps], default=0) or 1
    rows: list[tuple[str, str, list[tuple[float, float, str]]]] = []
    for step, lost in zip(steps, losses, strict=True):
        rows.append((step.label, number(step.count), _part(0, step.count or 0, most, "flow")))
        end = step.count or 0
        for loss in reversed(lost):
            end = max(0, end - loss.count)
            row = (
                f"\N{MINUS SIGN} {loss.label}",
                number(loss.count),
                _part(end, loss.count, most, loss.kind),
            )
            rows.append(row)
    return _bars(rows)


def draw_bars(rows: Sequence[tuple[str, str, Sequence[tuple[int, str]]]]) -> Bars:
    """Draw rows of a label, a text for the value, and counts of some kinds one after the other."""
    most = max([sum(count for count, _ in parts) for _, _, parts in rows], default=0) or 1
    drawn = []
    for label, value, parts in rows:
        pieces: list[tuple[float, float, str]] = []
        start = 0
        for count, kind in parts:
            pieces += _part(start, count, most, kind)
            start += count
        drawn.append((label, value, pieces))
    return _bars(drawn)


def _part(start: int, count: int, most: int, kind: str) -> list[tuple[float, float, str]]:
    if count <= 0:
        return []
    x = min(BAR_WIDTH * start / most, BAR_WIDTH - THIN)
    return [(x, max(THIN, min(BAR_WIDTH * count / most, BAR_WIDTH - x)), kind)]


def _bars(rows: Sequence[tuple[str, str, list[tuple[float, float, str]]]]) -> Bars:
    drawn = [
        Bar(cut(label, LABEL_LETTERS), value, BAR_ROW * at, parts)
        for at, (label, value, parts) in enumerate(rows)
    ]
    return Bars(BAR_WIDTH, BAR_ROW * len(rows), BAR_HEIGHT, drawn)

"""The way from Qualys to CVM as a picture; the template draws it as SVG.

Lengths are in units of the picture's own view box. Every count above 0 is drawn, however small its
share.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.report.bars import chart, part
from target_ciscovm.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.report.bars import Bars, Piece
    from target_ciscovm.report.model import Reconciliation

FLOW_WIDTH: Final = 1080.0
FLOW_BAND: Final = 150.0
"""Height of the largest count."""
FLOW_TOP: Final = 64.0
NODE: Final = 10.0
MARGIN: Final = 60.0
LOSS_GAP: Final = 30.0
LOSS_AT: Final = 0.42
GAIN_AT: Final = 0.45
"""Where losses and gains stand between two steps, as a share of the way."""
LABEL: Final = 32.0
"""Height that two lines of text need below the first one's base."""
BESIDE: Final = (18.0, 13.0)
BELOW: Final = (-34.0, 18.0)
"""Where the text of a bar begins: beside its upper end, or below its lower one."""
THIN: Final = 2.0
FILES: Final = "in files"
"""The step at which closings come in."""


class Step(msgspec.Struct, frozen=True):
    """A count on the way from Qualys to CVM; None if it is unknown or was not reached."""

    label: str
    count: int | None


class Loss(msgspec.Struct, frozen=True):
    """What one cause keeps from the next step."""

    label: str
    count: int
    kind: str


class Gain(msgspec.Struct, frozen=True):
    """What comes in before a step, of one kind."""

    label: str
    count: int
    kind: str


class Node(msgspec.Struct, frozen=True):
    """A step as drawn: an upright bar with two lines of text above."""

    step: Step
    x: float
    y: float
    height: float


class Ribbon(msgspec.Struct, frozen=True):
    """A filled path from one step to the next, down to a loss, or up from a gain."""

    path: str
    kind: str


class Drop(msgspec.Struct, frozen=True):
    """A loss or a gain as drawn: a bar below the band, with two lines of text.

    Attributes:
        text: where the first line begins.
    """

    loss: Loss | Gain
    x: float
    y: float
    height: float
    text: tuple[float, float]

    @property
    def end(self) -> float:
        """Where it ends, with its text."""
        return max(self.y + self.height, self.text[1] + LABEL)


class Flow(msgspec.Struct, frozen=True):
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


def steps_of(counts: Reconciliation, *, sent: bool) -> list[Step]:
    """Give the steps of a run, those in CVM only when the load was for CVM."""
    steps = [
        Step("Qualys counts", counts.counted),
        Step("fetched", counts.fetched),
        Step("received", counts.received),
        Step("mapped", counts.mapped),
    ]
    if counts.entries is not None:
        steps.append(Step(FILES, counts.entries))
    if sent:
        steps += [Step("uploaded", counts.uploaded), Step("processed in CVM", counts.processed)]
    return steps


def losses_of(counts: Reconciliation, steps: Sequence[Step]) -> list[list[Loss]]:
    """Give what is lost after each step but the last."""
    known = {
        "fetched": (
            Loss("lost", counts.lost, "lost"),
            Loss("dropped by maps", counts.dropped_by_maps, "filtered"),
        ),
        "received": (
            Loss("filtered", counts.filtered, "filtered"),
            Loss("nothing to do", counts.nothing_to_do, "superseded"),
            Loss("superseded", counts.superseded, "superseded"),
            Loss("rejected", counts.rejected, "rejected"),
        ),
    }
    return [
        [loss for loss in known.get(this.label) or _missing(this, following) if loss.count > 0]
        for this, following in pairwise(steps)
    ]


def _missing(this: Step, following: Step) -> list[Loss]:
    """Give the difference of two steps as a loss, where both are known."""
    if this.count is None or following.count is None or following.label == FILES:
        return []
    names = {"Qualys counts": "not fetched", FILES: "not uploaded"}
    return [Loss(names.get(this.label, "not processed"), this.count - following.count, "lost")]


def gains_of(counts: Reconciliation, step: Step) -> list[Gain]:
    """Give what comes in before a step: closings, in the files."""
    if step.label != FILES:
        return []
    gains = (
        Gain("closings", counts.closings, "gone"),
        Gain("fixed elsewhere", counts.fixed_again, "fixed"),
    )
    return [gain for gain in gains if gain.count]


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
        gained = gains_of(counts, following.step)
        if this.step.count and following.step.count:
            ribbons.append(Ribbon(_band(this, following, (lost, gained), scale), "flow"))
        below = _stack(lost, this.x + NODE + gap * LOSS_AT, scale, BESIDE)
        ribbons += _falls(this, below)
        rising = _stack(gained, following.x - gap * GAIN_AT, scale, BELOW)
        ribbons += _rises(rising, following)
        drops += below + rising
        deepest = max([deepest, *(drop.end for drop in drops)])
    empty = not any(step.count for step in steps)
    return Flow(empty, FLOW_WIDTH, deepest + 10, nodes, ribbons, drops)


def _height(count: int | None, scale: float) -> float:
    return max(count * scale, THIN) if count else 0.0


def _band(
    this: Node, following: Node, others: tuple[Sequence[Loss], Sequence[Gain]], scale: float
) -> str:
    lost, gained = (sum(_height(one.count, scale) for one in parts) for parts in others)
    return _ribbon(
        (this.x + NODE, this.y, this.y + max(this.height - lost, THIN)),
        (following.x, following.y, following.y + max(following.height - gained, THIN)),
    )


def _stack(
    parts: Sequence[Loss | Gain], x: float, scale: float, text: tuple[float, float]
) -> list[Drop]:
    """Place bars below one another; the text of a gain stands below it, as its ribbon goes up."""
    drops: list[Drop] = []
    y = FLOW_TOP + FLOW_BAND + LOSS_GAP
    for one in parts:
        height = _height(one.count, scale)
        at = (x + text[0], y + text[1] + (height if text == BELOW else 0))
        drops.append(Drop(one, x, y, height, at))
        y = drops[-1].end
    return drops


def _falls(this: Node, drops: Sequence[Drop]) -> Iterator[Ribbon]:
    start = this.y + this.height
    for drop in reversed(drops):
        start -= drop.height
        left = (this.x + NODE, start, start + drop.height)
        yield Ribbon(_ribbon(left, (drop.x, drop.y, drop.y + drop.height)), drop.loss.kind)


def _rises(drops: Sequence[Drop], following: Node) -> Iterator[Ribbon]:
    end = following.y + following.height
    for drop in drops:
        end -= drop.height
        right = (following.x, end, end + drop.height)
        left = (drop.x + NODE, drop.y, drop.y + drop.height)
        yield Ribbon(_ribbon(left, right), drop.loss.kind)


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
    rows: list[tuple[str, str, list[Piece]]] = []
    for step, lost in zip(steps, losses, strict=True):
        start = counts.mapped
        for gain in gains_of(counts, step):
            pieces = part(start, gain.count, most, gain.kind)
            rows.append((f"+ {gain.label}", number(gain.count), pieces))
            start += gain.count
        rows.append((step.label, number(step.count), part(0, step.count or 0, most, "flow")))
        end = step.count or 0
        for loss in reversed(lost):
            end = max(0, end - loss.count)
            pieces = part(end, loss.count, most, loss.kind)
            rows.append((f"\N{MINUS SIGN} {loss.label}", number(loss.count), pieces))
    return chart(rows)

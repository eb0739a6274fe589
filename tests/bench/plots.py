"""Plots as SVG, drawn by hand: curves over two axes that begin at zero."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.bench.results import Curve, Plot

WIDTH: Final = 640
HEIGHT: Final = 320
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 40, 48
COLOURS: Final = ("#1f6feb", "#bc4c00", "#1a7f37")
TICKS: Final = 5


def svg(plot: Plot) -> str:
    """Draw a plot; it reads on a light ground and on a dark one."""
    points = [point for curve in plot.curves for point in curve.points]
    most_x, most_y = (_round_up(max(point[axis] for point in points)) for axis in (0, 1))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img">'
        ),
        f"<title>{escape(plot.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(plot, most_x, most_y),
    ]
    for number, curve in enumerate(plot.curves):
        parts += _curve(curve, number, most_x, most_y)
    return "\n".join([*parts, "</svg>", ""])


def _axes(plot: Plot, most_x: float, most_y: float) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in range(TICKS + 1):
        x, y = most_x * tick / TICKS, most_y * tick / TICKS
        across, up = _place(x, y, most_x, most_y)
        parts += [
            f'<path d="M{LEFT} {up:.0f}H{right}" stroke="#d0d7de"/>',
            f'<text x="{LEFT - 8}" y="{up + 4:.0f}" text-anchor="end">{y:,.4g}</text>',
            f'<text x="{across:.0f}" y="{bottom + 18}" text-anchor="middle">{x:,.0f}</text>',
        ]
    at = f'x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 8}"'
    return [
        *parts,
        f'<text {at} text-anchor="middle">{escape(plot.across)}</text>',
        f'<text x="8" y="{TOP - 20}">{escape(plot.up)}</text>',
    ]


def _curve(curve: Curve, number: int, most_x: float, most_y: float) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    places = [_place(x, y, most_x, most_y) for x, y in curve.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    at = LEFT + 160 + 120 * number
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        f'<rect x="{at}" y="{TOP - 30}" width="12" height="12" fill="{colour}"/>',
        f'<text x="{at + 18}" y="{TOP - 20}">{escape(curve.label)}</text>',
    ]


def _place(x: float, y: float, most_x: float, most_y: float) -> tuple[float, float]:
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return (LEFT + across * x / most_x, HEIGHT - BOTTOM - up * y / most_y)


def _round_up(value: float) -> float:
    """Give the next number that begins with one or two digits and is easy to divide."""
    size: float = 10.0 ** floor(log10(value)) / 2 if value > 0 else 1.0
    return max(ceil(value / size), 1) * size

"""The page of the docs, written from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.plots import svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.results import Goal, Section

INTRODUCTION: Final = """\
# Performance

The benchmark wrote this page, `python -m tests.bench --page docs`, on {day}, on a machine with
{machine}.

On another machine the figures differ, but the ratios hardly do: each was taken in one run, side by
side. Other work on the machine makes times by the clock far too long, and speeds by processor time
somewhat too low; a load average above the number of cores is a sign of it. To measure on yours:

```sh
uv run python -m tests.bench            # all of it, some ten minutes on a quiet machine
uv run python -m tests.bench --only tap # one part
```

Goals stand below the table of each part, as what was measured and what it is held to. {missed}
"""
ALL_MET: Final = "All were met."
MISSED: Final = "These were missed:\n\n{goals}"


def write(sections: Sequence[Section], folder: Path, *, machine: str, day: str) -> None:
    """Write `performance.md` and its plots into a folder."""
    parts = [INTRODUCTION.format(machine=machine, day=day, missed=_missed(sections))]
    for section in sections:
        parts += _section(section)
        for plot in section.plots:
            (folder / f"{plot.name}.svg").write_text(svg(plot), encoding="utf-8")
    (folder / "performance.md").write_text("\n".join(parts), encoding="utf-8")


def _missed(sections: Sequence[Section]) -> str:
    goals = [goal for section in sections for goal in section.goals if not goal.is_met]
    lines = "\n".join(f"- {goal_line(goal)}" for goal in goals)
    return MISSED.format(goals=lines) if goals else ALL_MET


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n\n{section.told}\n"
    yield "\n".join(table(section.heads, section.rows)) + "\n"
    for plot in section.plots:
        yield f"![{plot.title}]({plot.name}.svg)\n"
    if section.goals:
        yield "\n".join(f"- {goal_line(goal)}" for goal in section.goals) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give the lines of a table: names to the left, figures to the right."""
    yield f"| {' | '.join(heads)} |"
    columns = zip(*rows, strict=True) if rows else ((head,) for head in heads)
    marks = ["---:" if all(map(_is_figure, filter(None, cells))) else "---" for cells in columns]
    yield f"| {' | '.join(marks)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _is_figure(cell: str) -> bool:
    return cell.lstrip("-")[:1].isdigit() and "/" not in cell


def goal_line(goal: Goal) -> str:
    """Say how a goal was met, or missed."""
    is_whole = goal.value >= 100 or goal.value == int(goal.value)
    value = f"{goal.value:,.{0 if is_whole else 2}f}"
    bound = f", {goal.bound}" if goal.bound else ""
    return f"{goal.name}: **{value}**{bound}{'' if goal.is_met else ': missed'}"

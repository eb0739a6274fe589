"""The benchmark runs, measures what it says, and says so on its page."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pytest
from lxml import etree

from tests.bench import page
from tests.bench.__main__ import PARTS, main, merged
from tests.bench.measuring import Cost, forking, times_as_fast
from tests.bench.parts import toolkit
from tests.bench.peers import programs
from tests.bench.peers.toolkit import Toolkit, identifier, triage_state
from tests.bench.plots import svg
from tests.bench.results import Curve, Goal, Plot, Section
from tests.bench.stage import Size
from tests.bench.waiting import Call, in_words, most_at_once, seconds_in_order, wall_seconds

if TYPE_CHECKING:
    from pathlib import Path

STARTED: Final = "memory"
"""The part whose programs are started, as all are where figures count."""


@pytest.mark.parametrize("name", PARTS)
def test_each_part_measures_and_tells_what_it_found(name: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"

    with nullcontext() if name == STARTED else forking():
        code = main(["--quick", "--only", name, "--json", str(found), "--page", str(tmp_path)])

    assert code == 0
    (section,) = json.loads(found.read_text(encoding="utf-8"))["sections"]
    assert section["name"] == name
    assert section["rows"]
    assert all(len(row) == len(section["heads"]) for row in section["rows"])
    text = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert section["title"] in text
    for plot in section["plots"]:
        assert f"({plot['name']}.svg)" in text
        drawn = etree.fromstring((tmp_path / f"{plot['name']}.svg").read_bytes())
        assert drawn.tag.endswith("svg")


def test_the_tap_reads_the_streams_that_are_named_and_no_others() -> None:
    login = {"api_url": "http://127.0.0.1:1", "username": "someone", "password": "something"}

    sync: Any = programs.tap({**login, "streams": ["findings"]})

    plugin = sync.__self__
    assert [name for name, one in plugin.streams.items() if one.selected] == ["findings"]


def test_a_part_measured_anew_takes_the_place_of_its_own_figures_only(tmp_path: Path) -> None:
    kept = tmp_path / "found.json"
    others = [Section(name, name, "", ["a"], [["old"]]) for name in ("growth", "calls", "memory")]
    document = {"machine": "m", "sections": [asdict(section) for section in others]}
    kept.write_text(json.dumps(document), encoding="utf-8")

    found = merged(kept, [Section("memory", "memory", "", ["a"], [["new"]])])

    assert [section.name for section in found] == ["calls", "memory", "growth"]
    assert [section.rows for section in found] == [[["old"]], [["new"]], [["old"]]]


def test_a_machine_that_is_slow_at_times_changes_no_ratio() -> None:
    slow_later = [Cost(0, seconds, 0) for seconds in (1.0, 1.0, 4.0, 4.0, 4.0)]
    others = [Cost(0, 2 * cost.cpu, 0) for cost in slow_later]

    assert times_as_fast(slow_later, others) == 2
    assert times_as_fast(others, slow_later) == 0.5


def test_a_figure_without_a_bound_is_told_without_one() -> None:
    assert page.goal_line(Goal("share", 0.1)) == "share: **0.10**"
    assert page.goal_line(Goal("share", 0.1, least=0.5)) == "share: **0.10**, at least 0.50: missed"


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [(0, 0), (1, 1), (2, 1), (3, 2), (300, 150), (301, 3601), (302, 3601), (601, 7201)],
)
def test_calls_take_what_the_limits_let_them(calls: int, seconds: float) -> None:
    assert wall_seconds(calls) == seconds


@pytest.mark.parametrize(
    ("calls", "seconds", "at_once"),
    [
        ([], 0, 0),
        ([(0, 1), (1, 2), (2, 3)], 3, 1),
        ([(0, 1), (0.1, 1.1), (1.2, 2.2), (1.3, 2.3)], 2, 2),
        ([(0, 1), (0, 3), (1, 2), (3, 4)], 3, 2),  # the last one may need what the second brought
        ([(5, 5.2), (5.3, 5.9), (5.1, 5.2)], 2, 2),
        ([(0, 1), (0, 1), (0, 1)], 1, 3),
    ],
)
def test_calls_take_one_second_each_in_the_order_in_which_they_were_made(
    calls: list[tuple[float, float]], seconds: float, at_once: int
) -> None:
    recorded = [Call(*call) for call in calls]

    assert seconds_in_order(recorded) == seconds
    assert most_at_once(recorded) == at_once


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(14, "14 s"), (119, "119 s"), (120, "2.0 min"), (10_800, "3.0 h"), (1_728_000, "20.0 days")],
)
def test_times_are_told_in_the_unit_that_people_use(seconds: float, text: str) -> None:
    assert in_words(seconds) == text


def test_a_missed_goal_is_said_to_be_missed(tmp_path: Path) -> None:
    goals = [Goal("speed", 9.5, least=10), Goal("calls", 30, most=30)]
    section = Section("x", "Title", "Told.", ["a", "b"], [["one", "1"]], goals)

    page.write([section], tmp_path, machine="some cores", day="2026-01-01")

    text = (tmp_path / "performance.md").read_text(encoding="utf-8")
    opening, _, part = text.partition("## Title")
    assert "These were missed:\n\n- speed: **9.50**, at least 10: missed\n" in opening
    assert "calls" not in opening
    assert "- speed: **9.50**, at least 10: missed\n" in part
    assert "- calls: **30**, at most 30\n" in text
    assert "| a | b |\n| --- | ---: |\n| one | 1 |\n" in text
    assert "2026-01-01, on a machine with\nsome cores." in text


def test_a_page_without_missed_goals_says_that_all_were_met(tmp_path: Path) -> None:
    section = Section("x", "Title", "Told.", ["a"], [["one"]], [Goal("calls", 30, most=30)])

    page.write([section], tmp_path, machine="some cores", day="2026-01-01")

    text = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "All were met.\n" in text
    assert "missed" not in text


@pytest.mark.parametrize(
    ("status", "ignored", "reason"),
    [("PROTECTED", "false", None), ("ACTIVE", "true", None), ("ACTIVE", "true", "TOO_COSTLY")],
)
def test_the_toolkit_stops_at_what_it_has_no_word_for(
    status: str, ignored: str, reason: str | None
) -> None:
    row = {"status": status, "isIgnored": ignored}

    with pytest.raises(KeyError):
        triage_state(row if reason is None else row | {"ignoredReason": reason})


def test_what_is_wrong_in_a_tenant_is_counted_by_what_qualys_shows() -> None:
    with toolkit.calm_sandbox(Size(40, 4, 8, 4), "run") as sandbox:
        Toolkit(sandbox).run()
        assert toolkit.wrong_of_toolkit(sandbox) == (0, 0, 0)
        world, entries = sandbox.world, sandbox.tenant.state.assets.values()
        fixed, closed, *_ = [one for one in world.all_findings() if one.status and one.open]
        name = identifier(closed.qid.qid, closed.id)
        (entry,) = [
            entry
            for asset in entries
            for entry in asset.entries.values()
            if entry.scanner_identifier == name
        ]

        entry.status = "resolved"
        fixed.status = "FIXED"
        world.add_finding(closed.app)

        assert toolkit.wrong_of_toolkit(sandbox) == (1, 1, 1)


def test_a_plot_begins_at_zero_and_holds_its_points() -> None:
    plot = Plot("p", "P & Q", "rows", "seconds", [Curve("a", [(1, 2.0), (10, 9.0)])])

    drawn = etree.fromstring(svg(plot))

    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:3] == ["0", "0", "1.8"]
    circles = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
    assert [circle.get("cx") for circle in circles] == ["118.0", "604.0"]

"""The pictures of the page: what is drawn, in which proportion, inside its frame."""

from __future__ import annotations

import re

import pytest

from target_ciscovm.report.bars import draw_bars
from target_ciscovm.report.flow import draw_flow, draw_steps
from target_ciscovm.report.model import FilterCount
from tests.target.report.reports import REPORTS, succeeded


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("sent", [True, False])
def test_pictures_stay_inside_their_frames(name: str, *, sent: bool) -> None:
    counts = REPORTS[name]().reconciliation

    flow = draw_flow(counts, sent=sent)
    for node in flow.nodes:
        assert 0 <= node.x <= flow.width - 10
        assert node.y + node.height <= flow.height
    for drop in flow.drops:
        assert drop.x <= flow.width - 100
        assert drop.end <= flow.height
    for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(r.path for r in flow.ribbons)):
        assert 0 <= float(x) <= flow.width
        assert 0 <= float(y) <= flow.height

    bars = draw_steps(counts, sent=sent)
    for row in bars.rows:
        for start, width, _ in row.parts:
            assert start >= 0
            assert width >= 2
            assert start + width <= bars.width + 0.01


def test_heights_are_in_proportion_and_the_way_narrows_by_what_is_lost() -> None:
    report = succeeded()
    report.reconciliation.filtered_by = [FilterCount(name="min_severity", filtered=24_155)]
    report.reconciliation.filtered = 24_155  # half of what came
    report.reconciliation.rejected = report.reconciliation.superseded = 0
    report.reconciliation.nothing_to_do = 0
    report.reconciliation.mapped = report.reconciliation.received - 24_155
    flow = draw_flow(report.reconciliation, sent=False)

    heights = {node.step.label: node.height for node in flow.nodes}
    assert heights["mapped"] == pytest.approx(heights["received"] / 2, rel=0.01)
    assert flow.drops[0].height == pytest.approx(heights["received"] / 2, rel=0.01)
    assert [drop.loss.label for drop in flow.drops][:1] == ["filtered"]


def test_what_got_lost_on_the_way_is_drawn_as_lost() -> None:
    counts = succeeded().reconciliation
    counts.fetched = 48_000
    counts.received = 47_500
    counts.dropped_by_maps = 100
    counts.filtered = counts.nothing_to_do = counts.rejected = counts.superseded = 0
    counts.mapped = 47_500
    counts.closings = 0
    counts.entries = 47_500
    counts.uploaded, counts.processed = 40_000, 39_000

    lost = {drop.loss.label: drop.loss.count for drop in draw_flow(counts, sent=True).drops}

    assert lost == {
        "not fetched": 311,
        "lost": 400,
        "dropped by maps": 100,
        "not uploaded": 7_500,
        "not processed": 1_000,
    }


def test_closings_come_in_before_the_files() -> None:
    counts = succeeded().reconciliation
    counts.closings, counts.entries = 45_098, 90_197

    flow = draw_flow(counts, sent=False)

    heights = {node.step.label: node.height for node in flow.nodes}
    assert heights["in files"] == pytest.approx(heights["mapped"] * 2, rel=0.01)
    rises = {drop.loss.label: drop for drop in flow.drops}
    assert rises["closings"].height == pytest.approx(heights["mapped"], rel=0.01)
    assert rises["fixed elsewhere"].y > rises["closings"].end - 1


def test_what_is_little_is_still_drawn() -> None:
    bars = draw_bars([("much", "", [(10**12, "a")]), ("little", "", [(1, "b")])])

    assert bars.rows[1].parts == [(0, 2, "b")]

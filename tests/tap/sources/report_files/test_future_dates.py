"""Reports that say that they were made in the future: they make nothing else look old."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

import pytest

from qualyswas_ciscovm.dates import to_text
from tests.tap.exports import ids

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.exports import Exports

DATE: Final = re.compile("<GENERATION_DATETIME>.*?<")
DAY: Final = timedelta(days=1)
FUTURE: Final = "2124-05-31T08:00:00Z"


def redate(path: Path, moment: str) -> None:
    path.write_text(DATE.sub(f"<GENERATION_DATETIME>{moment}<", path.read_text()))


def test_a_report_from_the_future_proves_nothing_and_later_ones_count(exports: Exports) -> None:
    exports.write("monday.xml")
    usual = exports.sync().proof["startedAt"]
    app = next(app for app in exports.world.apps.values() if exports.world.of_app.get(app.id))
    odd = exports.write("odd.xml", apps=[app])
    redate(odd, FUTURE)
    first = exports.sync()
    exports.world.clock.advance(DAY)
    odd.unlink()
    exports.world.delete_finding(exports.world.findings_of(app)[0])
    exports.write("tuesday.xml")
    second = exports.sync(first.state)

    assert f"odd.xml proves nothing: it says that it was made at {FUTURE}" in first.log
    assert first.proof["startedAt"] == usual
    assert first.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert ids(second) == exports.unique_ids() < ids(first)
    assert second.proof["coverage"]["webApps"]["notProven"] == []
    assert second.proof["startedAt"] < FUTURE


def test_the_dates_in_a_csv_may_lie_in_the_future_too(exports: Exports) -> None:
    path = exports.write("all.csv")
    path.write_text(path.read_text().replace("2026", "2124"))
    outcome = exports.sync()

    assert "all.csv proves nothing: it says that it was made at 2124-" in outcome.log
    assert outcome.proof["startedAt"] < "2100"


@pytest.mark.parametrize("is_late", [True, False])
def test_a_clock_that_is_a_little_behind_does_no_harm(exports: Exports, is_late: bool) -> None:
    moment = to_text(datetime.now(timezone.utc) + DAY * (1.1 if is_late else 0.9))
    redate(exports.write("all.xml"), moment)
    proof = exports.sync().proof

    assert (proof["coverage"]["webApps"]["notProven"] == []) is not is_late
    assert (proof["startedAt"] == moment) is not is_late


def test_what_is_only_in_a_report_from_the_future_is_read(exports: Exports) -> None:
    """The local clock may be the one that is wrong."""
    old = exports.text()
    exports.world.clock.advance(DAY)
    exports.write("tuesday.xml")
    first = exports.sync()
    exports.empty()
    (exports.folder / "monday.xml").write_text(old)
    app = next(iter(exports.world.apps.values()))
    added = exports.world.unique_id(exports.world.add_finding(app))
    redate(exports.write("odd.xml", apps=[app]), FUTURE)
    second = exports.sync(first.state)

    of_app = set(map(exports.world.unique_id, exports.world.findings_of(app)))
    assert added in ids(second) == of_app
    assert second.proof["coverage"]["webApps"]["notProven"] == sorted(exports.world.apps)

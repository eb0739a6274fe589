"""What report files prove, and which of several reports counts."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.qualys.xml.portal_report import IGNORED, PATCHED, SCAN_REPORT, ReportShape
from tests.sandbox.world.model import INFORMATION_GATHERED, iso
from tests.tap.exports import ids

if TYPE_CHECKING:
    from tests.sandbox.world.model import WebApp
    from tests.tap.exports import Exports

SCANS: Final = ReportShape(SCAN_REPORT)
DAY: Final = timedelta(days=1)


def test_the_sync_is_full_complete_and_covers_what_was_reported(exports: Exports) -> None:
    exports.write("all.xml")
    proof = exports.sync().proof

    assert (proof["mode"], proof["complete"]) == ("full", True)
    assert proof["coverage"]["source"] == "report_files"
    assert proof["coverage"]["wholeAccount"] is False
    assert proof["coverage"]["since"] is None
    assert proof["coverage"]["webApps"] == {
        "read": len(exports.world.apps),
        "notProven": [],
        "changed": [],
    }
    moment = exports.world.moment()
    assert proof["startedAt"] == iso(moment - moment % 60)
    assert proof["apiUrl"] == "file://report-files"
    assert proof["subscription"] is proof["login"] is None


def test_a_report_of_a_scan_is_read_and_covers_nothing(exports: Exports) -> None:
    app = next(iter(exports.world.apps.values()))
    exports.write("scan.xml", replace(SCANS, sections=False), [app])
    outcome = exports.sync()

    open_ones = [one for one in exports.world.findings_of(app) if one.open]
    assert ids(outcome) == {exports.world.unique_id(one) for one in open_ones}
    for row in outcome.records("findings"):
        assert row["webApp"]["id"] == app.id
        assert row["status"] == (None if row["type"] == INFORMATION_GATHERED else "ACTIVE")
        assert row["lastTestedDate"] == row["lastDetectedDate"]
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert "Nothing is proven for 1 web application" in outcome.log


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (ReportShape(filters=("Level 3, 4, 5", IGNORED)), "has filters (Level 3, 4, 5)"),
        (ReportShape(miscounted=2), "proves nothing: it counts"),
        (ReportShape(summary=False), "nothing tells whether it has any SENSITIVE_CONTENT"),
    ],
)
def test_a_report_that_may_lack_something_covers_nothing(
    exports: Exports, shape: ReportShape, told: str
) -> None:
    for found in [*exports.world.findings["SENSITIVE_CONTENT"]]:
        exports.world.delete_finding(found)
    exports.write("some.xml", shape)
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert told in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == sorted(exports.world.apps)


@pytest.mark.parametrize("filters", [(PATCHED,), ()])
def test_a_report_that_does_not_show_ignored_findings_covers_nothing(
    exports: Exports, filters: tuple[str, ...]
) -> None:
    ignored = next(row for row in exports.world.all_findings() if row.open and row.status)
    exports.world.ignore_finding(ignored)
    exports.write("some.xml", ReportShape(filters=filters))
    outcome = exports.sync()

    assert exports.world.unique_id(ignored) not in ids(outcome)
    assert 'it does not name "Show ignored findings"' in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == sorted(exports.world.apps)


@pytest.mark.parametrize("has_section", [True, False])
def test_without_counts_each_web_application_must_show_each_type(
    exports: Exports, has_section: bool
) -> None:
    """A list that one of them has says nothing about another one."""
    bare = ReportShape(summary=False)
    all_types = [app for app in exports.world.apps.values() if len(types_of(exports, app)) == 3]
    exports.write("one.xml", bare, all_types[:1])
    assert exports.sync().proof["coverage"]["webApps"]["notProven"] == []
    other = all_types[1]
    for found in exports.world.findings_of(other):
        if found.type == INFORMATION_GATHERED or not has_section:
            exports.world.delete_finding(found)
    both = exports.write("one.xml", bare, [all_types[0], other])
    if not has_section:
        section = rf"(?s)<WEB_APPLICATION>\s*<ID>{other.id}</ID>.*?</WEB_APPLICATION>"
        whole = both.read_text()
        both.write_text(re.sub(section, "", whole, count=1))
        assert both.read_text() != whole
    outcome = exports.sync()

    assert "nothing tells whether it has any INFORMATION_GATHERED" in outcome.log
    assert other.id in outcome.proof["coverage"]["webApps"]["notProven"]


def test_a_section_that_may_be_of_any_of_several_web_applications_proves_nothing(
    exports: Exports,
) -> None:
    app, other, third = [*exports.world.apps.values()][1:]
    other.name = app.name
    path = exports.write("some.xml", apps=[app, other, third])
    begun = rf"<WEB_APPLICATION><ID>({app.id}|{other.id})</ID>(<NAME>.*?</NAME>)<URL>.*?</URL>"
    unsure, times = re.subn(begun, r"<WEB_APPLICATION>\2", path.read_text())
    path.write_text(unsure)
    outcome = exports.sync()

    assert times == 2
    assert {row["webApp"]["id"] for row in outcome.records("findings")} == {None, third.id}
    assert "nothing tells for sure whose its findings are" in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id, other.id, third.id]


def types_of(exports: Exports, app: WebApp) -> set[str]:
    return {one.type for one in exports.world.findings_of(app)}


def test_the_same_file_twice_gives_each_finding_once(exports: Exports) -> None:
    shutil.copy(exports.write("all.xml"), exports.folder / "copy.XML")
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert outcome.proof["streams"][2]["duplicates"] == len(exports.unique_ids())
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []


def test_the_newest_report_of_a_web_application_counts(exports: Exports) -> None:
    exports.write("monday.xml")
    app = next(app for app in exports.world.apps.values() if exports.world.of_app.get(app.id))
    gone = exports.world.findings_of(app)[0]
    exports.world.clock.advance(DAY)
    exports.world.delete_finding(gone)
    exports.write("a tuesday.xml", apps=[app])
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []
    assert "of older reports" in outcome.log


def test_a_newer_report_of_a_scan_adds_to_an_older_one_of_the_web_application(
    exports: Exports,
) -> None:
    exports.write("monday.xml")
    monday = exports.unique_ids()
    app = next(iter(exports.world.apps.values()))
    exports.world.clock.advance(DAY)
    exports.world.add_finding(app)
    exports.write("scan.xml", SCANS, [app])
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids() > monday
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]


def test_a_report_that_does_not_say_when_it_was_made_is_no_older_one(exports: Exports) -> None:
    exports.write("monday.xml")
    app = next(iter(exports.world.apps.values()))
    exports.world.clock.advance(DAY)
    added = exports.world.unique_id(exports.world.add_finding(app))
    scan = exports.write("scan.xml", SCANS, [app])
    date = re.compile("<GENERATION_DATETIME>.*?<")
    scan.write_text(date.sub("<GENERATION_DATETIME>18. Nov. 2024<", scan.read_text()))
    outcome = exports.sync()

    assert added in ids(outcome)
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert "scan.xml proves nothing: it does not say when it was made" in outcome.log


@pytest.mark.parametrize("full_sync", [False, True])
def test_a_report_older_than_one_that_was_read_before_is_not_read(
    exports: Exports, *, full_sync: bool
) -> None:
    old = exports.text()
    exports.world.clock.advance(DAY)
    app = next(iter(exports.world.apps.values()))
    exports.write("new.xml", apps=[app])
    first = exports.sync()
    exports.empty()
    (exports.folder / "old.xml").write_text(old)
    second = exports.sync(first.state, full_sync=full_sync)
    anyway = exports.sync()

    others = {row["webApp"]["id"] for row in second.records("findings")}
    assert others
    assert app.id not in others
    assert app.id not in {row["id"] for row in second.records("webapps")}
    assert second.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert f"newer reports of 1 web application (ids {app.id})" in second.log
    assert app.id in {row["webApp"]["id"] for row in anyway.records("findings")}


def test_a_day_without_a_new_file_reads_the_same_again(exports: Exports) -> None:
    exports.write("all.xml")
    first = exports.sync()
    second = exports.sync(first.state)

    assert ids(first) == ids(second)
    assert second.proof["coverage"] == first.proof["coverage"]
    # A target must be able to tell which of the two was first.
    assert second.proof["startedAt"] > first.proof["startedAt"]
    assert second.proof["previousSyncAt"] == first.proof["startedAt"]

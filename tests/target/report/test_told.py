"""What a run tells of itself: in `report.json`, on the page, in the table of the log."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, OTHER_CONNECTOR_ID
from tests.target.streams import API_URL, SUBSCRIPTION, Sync, finding, fixed, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

MIXED: Final = Sync(
    [webapp(1), webapp(2)],
    [
        *(finding(n, severity=1 + n % 5) for n in range(200)),
        finding(1, severity=5),
        finding(200, 2, severity=1),
        fixed(201),
        finding(202, status=None),
        finding(203, status="HELD"),
    ],
)
"""One of each: superseded, filtered, nothing to close, rejected, of an unknown status."""


def way(loaded: Loaded) -> dict[str, Any]:
    found: dict[str, Any] = loaded.report["reconciliation"]
    return found


def test_the_way_of_the_findings_is_told_from_left_to_right(cvm: CVM) -> None:
    loaded = cvm.load(MIXED, min_severity=2)

    assert {name: way(loaded)[name] for name in ("counted", "fetched", "received")} == {
        "counted": 205,
        "fetched": 205,
        "received": 205,
    }
    assert way(loaded)["superseded"] == 1
    assert way(loaded)["filtered_by"] == [{"name": "min_severity", "filtered": 41, "will_close": 0}]
    assert way(loaded)["nothing_to_do_by"] == [{"cause": "already closed", "count": 1}]
    assert way(loaded)["rejected"] == 1
    for name in ("mapped", "uploaded", "processed", "created"):
        assert way(loaded)[name] == 161
    assert loaded.report["notes"] == [{"text": "unknown status HELD: taken as open", "count": 1}]


def test_severities_are_those_that_were_sent(cvm: CVM) -> None:
    cvm.load(Sync([webapp()], [finding(1, severity=4), finding(2, severity=5)]))

    loaded = cvm.load(
        Sync([webapp()], [fixed(1, severity=4), finding(2, severity=5), finding(3, severity=5)])
    )

    told = {row["severity"]: (row["open"], row["closed"]) for row in loaded.report["severities"]}
    assert told == {1: (0, 0), 2: (0, 0), 3: (0, 0), 4: (0, 1), 5: (2, 0)}


def test_it_says_where_all_came_from_and_when(cvm: CVM) -> None:
    loaded = cvm.load(MIXED)

    source = loaded.report["source"]
    assert (source["api_url"], source["subscription"]) == (API_URL, SUBSCRIPTION)
    times = loaded.report["times"]
    assert times["started"] == cvm.clock.now().strftime("%Y-%m-%dT%H:00:00Z")
    assert times["started"] <= times["finished"]
    phases = [phase["name"] for phase in times["phases"]]
    assert phases == [
        "looking at the connector",
        "reading",
        "planning",
        "uploading",
        "remembering",
        "waiting for CVM",
    ]
    assert loaded.report["mode"] == "full"


@pytest.mark.parametrize(
    ("fault", "settings", "outcome"),
    [
        ("run-fails", {}, "failed"),
        ("upload-422*0", {}, "failed"),
        ("ciscovm-key", {}, "refused"),
        ("payloads-fail*0", {"max_failed_percent": "0"}, "failed"),
    ],
)
def test_a_run_that_failed_tells_how_far_it_came(
    fault: str, settings: dict[str, Any], outcome: str, cvm: CVM
) -> None:
    cvm.faults.arm(fault)

    loaded = cvm.load(replace(MIXED, findings=MIXED.findings[:200]), **settings)

    assert loaded.outcome == outcome
    reached = outcome != "refused"
    assert way(loaded)["mapped"] == (200 if reached else 0)
    assert (loaded.report["run"] is not None) == (fault in {"run-fails", "payloads-fail*0"})
    assert loaded.report["times"]["phases"]


def test_one_rejected_record_is_not_what_to_look_at_where_something_else_has_failed(
    cvm: CVM,
) -> None:
    cvm.faults.arm("upload-422*0")
    rows = [*MIXED.findings[:200], finding(999, severity="?")]

    loaded = cvm.load(replace(MIXED, findings=rows))

    assert loaded.outcome == "failed"
    assert loaded.report["next_step"].endswith("Try again later.")


def test_too_much_rejected_points_to_the_file_that_has_it(cvm: CVM) -> None:
    loaded = cvm.load(Sync([webapp()], [finding(1, status=None)]))

    assert loaded.outcome == "failed"
    assert "rejected.jsonl" in loaded.report["next_step"]
    (row,) = loaded.rejected
    assert row == {
        "line": 8,
        "stream": "findings",
        "key": "finding-1",
        "reason": "it has no status, which only INFORMATION_GATHERED rows may lack",
    }


class TestPage:
    def page(self, loaded: Loaded) -> str:
        assert loaded.folder is not None
        return (loaded.folder / "report.html").read_text("utf-8")

    @pytest.mark.parametrize("fault", ["", "run-fails", "ciscovm-key", "payloads-fail"])
    def test_it_is_written_at_every_end_and_needs_nothing_from_elsewhere(
        self, fault: str, cvm: CVM
    ) -> None:
        cvm.faults.arm(*([fault] if fault else []))

        loaded = cvm.load(MIXED)

        text = self.page(loaded)
        assert loaded.message.partition(".")[0].split("'")[0] in text
        assert not re.findall(r'src="(?!data:)[^"]*"', text)
        linked = re.findall(r'href="([^"]*)"', text)
        assert all((loaded.folder / name).exists() for name in linked if loaded.folder)

    def test_names_from_outside_are_text_in_it(self, cvm: CVM) -> None:
        name = "<script>alert(1)</script>"
        shop = {"id": 2, "name": name, "url": "https://app2.example.test/"}
        cvm.load(Sync([webapp(1), webapp(2, name=name)], [finding(1), finding(2, 2, webApp=shop)]))

        apps = [webapp(1), webapp(2, name=name)]
        loaded = cvm.load(Sync(apps, [finding(1)], not_proven=[2]))

        assert loaded.report["webapps_not_proven"][0]["name"] == name
        assert "<script>alert" not in self.page(loaded)
        assert "&lt;script&gt;alert" in self.page(loaded)


def test_the_log_ends_with_one_table_and_the_way_to_the_report(
    cvm: CVM, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        loaded = cvm.load(MIXED, min_severity=2)

    lines = [record.getMessage() for record in caplog.records]
    assert "161 findings on" in loaded.message
    assert any(re.search(r"received\W+205\b", line) for line in lines)
    assert any(re.search(r"mapped\W+161\b", line) for line in lines)
    assert f"The report is {loaded.folder}/report.html" in lines


def test_old_runs_are_removed_but_for_the_newest(cvm: CVM) -> None:
    old = [cvm.output / f"2020010{day}T000000Z-0000" for day in range(1, 5)]
    for folder in old:
        folder.mkdir(parents=True)

    loaded = cvm.load(Sync([webapp()], [finding(1)]), keep_runs=2)

    kept = {path for path in cvm.output.iterdir() if path.is_dir() and not path.is_symlink()}
    assert kept == {old[-1], loaded.folder}


def test_runs_of_another_connector_are_not_removed(cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1)])
    old = [cvm.output / f"2020010{day}T000000Z-0000" for day in (1, 2)]
    for folder, number in zip(old, (OTHER_CONNECTOR_ID, CONNECTOR_ID), strict=True):
        made = cvm.load(sync, connector_id=number).folder
        assert made is not None
        made.rename(folder)

    cvm.load(sync, keep_runs=1)

    assert [folder.exists() for folder in old] == [True, False]


@pytest.mark.parametrize("fault", ["", "run-fails", "ciscovm-key"])
def test_latest_points_to_the_newest_run_however_it_ended(fault: str, cvm: CVM) -> None:
    cvm.begin(Sync([webapp()], [finding(1)]))
    cvm.faults.arm(*([fault] if fault else []))

    loaded = cvm.load(Sync([webapp()], [finding(1)]))

    latest = cvm.output / "latest"
    assert loaded.folder is not None
    assert latest.resolve() == loaded.folder.resolve()
    assert not latest.readlink().is_absolute()

"""Report files of the sandbox's world, loaded into the sandbox's CVM."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from tests.pair.together import Pair, open_sandbox
from tests.sandbox.qualys.xml.portal_report import SCAN_REPORT, ReportShape
from tests.tap.exports import Exports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.sandbox import Sandbox
    from tests.sandbox.world.model import Finding


class Closed:
    """A network without a way to Qualys: a folder of reports, and the pair.

    Args:
        known: whether the settings name a platform and a login.
    """

    def __init__(self, sandbox: Sandbox, home: Path, *, known: bool = False) -> None:
        self.sandbox = sandbox
        self.exports = Exports(sandbox.world, home / "reports")
        self.pair = Pair(
            sandbox,
            home / "output",
            tap_settings={
                "source": "report_files",
                "report_paths": [str(self.exports.folder)],
                **({} if known else dict.fromkeys(("api_url", "username", "password"), "")),
            },
        )

    def load(self) -> dict[str, object]:
        """Run both, and give the report."""
        assert self.pair.read() == 0
        exit_code, report = self.pair.run_target(io.BytesIO(self.pair.written))
        assert exit_code == 0, report
        assert not self.sandbox.face.requests
        return report

    def identifier(self, finding: Finding) -> str:
        return f"{finding.type[0]}-{finding.app.id}-{self.sandbox.world.unique_id(finding)}"

    @property
    def in_world(self) -> set[str]:
        """What is open in Qualys."""
        return {self.identifier(row) for row in self.sandbox.world.all_findings() if row.open}

    @property
    def in_cvm(self) -> set[str]:
        """What is open in CVM."""
        held = self.sandbox.tenant.held(self.sandbox.connector_id)
        return {one.scanner_identifier for one in held if one.is_open}


def test_cvm_holds_what_the_world_has_as_far_as_reports_cover_it(tmp_path: Path) -> None:
    with open_sandbox(apps=4, findings=60, qids=12) as sandbox:
        closed = Closed(sandbox, tmp_path)
        world = sandbox.world
        closed.exports.write("all.xml")
        closed.load()
        assert closed.in_cvm == closed.in_world

        sandbox.next_day()
        one, other = sorted(world.apps.values(), key=lambda app: -len(world.findings_of(app)))[:2]
        gone = {app.id: closed.identifier(world.findings_of(app)[0]) for app in (one, other)}
        for app in (one, other):
            world.delete_finding(world.findings_of(app)[0])
        closed.exports.write("one.xml", apps=[one])
        closed.load()
        of_one = {name for name in closed.in_world if f"-{one.id}-" in name}
        assert {name for name in closed.in_cvm if f"-{one.id}-" in name} == of_one
        assert gone[other.id] in closed.in_cvm

        sandbox.next_day()
        closed.exports.write("scan.xml", ReportShape(SCAN_REPORT), [other])
        closed.load()
        # It names what it has seen, and says nothing of what it has not.
        assert gone[other.id] in closed.in_cvm
        assert {name for name in closed.in_world if f"-{other.id}-" in name} <= closed.in_cvm

        sandbox.next_day()
        closed.exports.write("all.xml")
        closed.load()
        assert closed.in_cvm == closed.in_world

        before = closed.sandbox.tenant.held(sandbox.connector_id)
        assert closed.load()["outcome"] == "succeeded"
        assert closed.sandbox.tenant.held(sandbox.connector_id) == before


@pytest.mark.parametrize("sections", [True, False])
def test_a_report_of_a_web_application_without_any_finding_closes_all(
    tmp_path: Path, *, sections: bool
) -> None:
    with open_sandbox(apps=1, findings=6, qids=6) as sandbox:
        closed = Closed(sandbox, tmp_path)
        closed.exports.write("all.xml", ReportShape(sections=sections))
        closed.load()
        assert len(closed.in_cvm) == len(closed.in_world) > 3

        sandbox.next_day()
        (app,) = sandbox.world.apps.values()
        for finding in [*sandbox.world.findings_of(app)]:
            sandbox.world.delete_finding(finding)
        closed.exports.write("all.xml", ReportShape(sections=sections))
        assert closed.load()["outcome"] == "succeeded"
        assert closed.in_cvm == set()


def test_the_search_takes_over_what_files_have_opened_once_the_change_is_accepted(
    tmp_path: Path,
) -> None:
    with open_sandbox(apps=3, findings=30, qids=8) as sandbox:
        closed = Closed(sandbox, tmp_path, known=True)
        pair = closed.pair
        closed.exports.write("all.xml")
        closed.load()
        sandbox.next_day()

        pair.read(source="api")
        exit_code, report = pair.run_target(io.BytesIO(pair.written))
        assert exit_code == 2
        code = re.search(r"accept_identity_change to (\w+)", str(report["message"]))
        assert code
        pair.settings = {"accept_identity_change": code[1]}
        pair.read(source="api")
        exit_code, report = pair.run_target(io.BytesIO(pair.written))
        assert exit_code == 0, report["message"]
        assert closed.in_cvm == closed.in_world


@pytest.mark.parametrize("how", ["as usual", "full_sync", "without a state"])
@pytest.mark.parametrize("kind", ["whole report", "scan report"])
def test_a_newer_report_that_was_damaged_since_changes_nothing(
    tmp_path: Path, kind: str, how: str
) -> None:
    with open_sandbox(apps=1, findings=6, qids=6) as sandbox:
        closed = Closed(sandbox, tmp_path)
        closed.pair.tap_settings["full_sync"] = how == "full_sync"
        (app,) = sandbox.world.apps.values()
        closed.exports.write("all.xml")
        closed.load()
        sandbox.next_day()
        sandbox.world.add_finding(app)
        shape = ReportShape(SCAN_REPORT) if kind == "scan report" else ReportShape()
        newer = closed.exports.write("newer.xml", shape)
        closed.load()
        before = closed.in_cvm
        assert closed.in_world <= before

        newer.write_bytes(newer.read_bytes()[:-300])
        if how == "without a state":
            closed.pair.state = {}
        closed.load()

        assert closed.in_cvm == before

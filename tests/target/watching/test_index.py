"""The list of runs: what is kept, with links into the folders beside it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from lxml import html

from tests.target.streams import Sync, finding, webapp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import CVM

TWO = Sync([webapp()], [finding(1), finding(2)])


def page_at(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_bytes())


def listed(output: Path) -> html.HtmlElement:
    return page_at(output / "index.html")


def rows(output: Path) -> list[list[str]]:
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row]
        for row in listed(output).xpath("//tbody/tr")
    ]


def test_the_list_has_each_kept_run_the_newest_first(cvm: CVM) -> None:
    first = cvm.load(TWO, keep_runs=3)
    dry = cvm.load(Sync([webapp()], [finding(1)]), dry_run=True, keep_runs=3)
    failed = cvm.load(b"not JSON\n", keep_runs=3)

    found = rows(cvm.output)

    assert sorted(row[0] for row in found) == sorted(
        one.report["run_id"] for one in (first, dry, failed)
    )
    by_run = {row[0]: row[2:] for row in found}
    assert by_run[first.report["run_id"]][:2] == ["✓ Succeeded", "full"]
    assert by_run[first.report["run_id"]][3:6] == ["2", "0", "2"]
    assert by_run[dry.report["run_id"]][1] == "full, dry run"
    assert by_run[dry.report["run_id"]][3:6] == ["0", "1", "2"]
    assert by_run[failed.report["run_id"]][0] == "✕ Failed"
    assert stat.S_IMODE((cvm.output / "index.html").stat().st_mode) == 0o600


def test_its_links_lead_to_pages_that_lead_back(cvm: CVM) -> None:
    cvm.begin(TWO)

    (target,) = listed(cvm.output).xpath("//@href")

    (back,) = page_at(cvm.output / target).xpath("//@href[starts-with(., '..')]")
    assert ((cvm.output / target).parent / back).resolve() == cvm.output / "index.html"


def test_it_says_when_a_load_was_last_proven(cvm: CVM) -> None:
    proven = cvm.load(TWO)
    cvm.load(b"not JSON\n")

    (said,) = listed(cvm.output).xpath("//dl//dd/text()")

    began = proven.report["proof"]["last"].replace("T", " ").replace("Z", " UTC")
    assert said.startswith(f"{began}, ")


def test_a_folder_without_a_report_is_listed_as_such(cvm: CVM) -> None:
    killed = cvm.output / "20200101T000000Z-abcd"
    killed.mkdir(parents=True)
    (cvm.output / "20200102T000000Z-abcd").mkdir()
    (cvm.output / "20200102T000000Z-abcd" / "report.json").write_text("{")
    cvm.load(TWO)

    assert [row[0] for row in rows(cvm.output)[1:]] == [
        "20200102T000000Z-abcd",
        "20200101T000000Z-abcd",
    ]
    assert {row[2] for row in rows(cvm.output)[1:]} == {"? No report"}


def test_what_was_removed_is_listed_no_longer(cvm: CVM) -> None:
    # Names tell which run is older, but not of runs that begin within the same second.
    for older in ("20200101T000000Z-abcd", "20200102T000000Z-abcd"):
        folder = cvm.load(TWO, keep_runs=2).folder
        assert folder is not None
        folder.rename(cvm.output / older)
    cvm.load(TWO, keep_runs=2)

    found = rows(cvm.output)
    assert len(found) == 2
    assert found[1][0] == "20200102T000000Z-abcd"


def test_names_from_outside_are_text(cvm: CVM) -> None:
    cvm.tenant.state.connectors[cvm.login["connector_id"]].name = "<img src=x onerror=1>"

    cvm.load(TWO)

    document = listed(cvm.output)
    assert document.xpath("//img | //script | //@onerror") == []
    assert "<img src=x onerror=1>" in "".join(document.itertext())

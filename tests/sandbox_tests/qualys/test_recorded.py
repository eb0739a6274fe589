"""The sandbox's Qualys writes its answers as recorded ones are written."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
from lxml import etree

from tests.sandbox.qualys.xml.portal_report import (
    SCAN_REPORT,
    Exported,
    ReportShape,
    portal_report,
)
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.qualys.asking import Asker, body
from tests.support.recorded import SAMPLES, needs_samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = needs_samples

KB: Final = "/api/2.0/fo/knowledge_base/vuln/"
RECORDED: Final = {
    "webapp": ("webapp_search_page1", "webapp_search", "webapp_search_scanned"),
    "wasscan": ("webapp_search_page1", "wasscan_search", "wasscan_search_2"),
    "finding": ("webapp_search_page1", "finding_search"),
    "download": ("wasscan_download",),
    "knowledge_base": ("knowledge_base",),
}
NEWER: Final = {
    "Finding": {"content", "detectionScore", "fixedDate", "updatedDate"},
    "WasScan": {"sendMail"},
    "target": {"cancelOption"},
    "WasScanVuln": {"group", "originalSeverity", "potential", "severity"},
    "WasScanIg": {"severity"},
    "sensitiveContents": {"list"},
    "VULN": {"CVSS", "CVSS_V3"},
}
"""Parts that are documented or recorded elsewhere: later releases have them, or other accounts."""

RARE: Final = {"cancelMode", "canceledBy"}
"""Parts that scans of quiet days do not have."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=8, findings=200, qids=60, scans=8, seed=5) as made:
        yield made


def told(sandbox: Sandbox, kind: str) -> list[etree._Element]:
    """Give the sandbox's answers of a kind."""
    asker = Asker(sandbox)
    headers = asker.headers | {"X-Requested-With": "tests"}
    if kind == "knowledge_base":
        ids = ",".join(str(one.qid) for one in sandbox.world.qids)
        form = {"action": "list", "ids": ids}
        answer = requests.post(sandbox.qualys_url + KB, form, headers=headers, timeout=20)
        return [etree.fromstring(answer.content)]
    if kind == "download":
        paths = [f"{asker.base}/download/was/wasscan/{scan.id}" for scan in sandbox.world.scans]
        answers = [requests.get(path, headers=headers, timeout=20) for path in paths]
        return [etree.fromstring(one.content) for one in answers]
    return [asker.search(kind, limitResults=limit).root for limit in (1, 1000)]


Parts = dict[str, list[list[str]]]
"""The parts of each element but lists by its name, in their order, as often as it occurs."""


def parts_of(roots: Iterable[etree._Element]) -> Parts:
    found = defaultdict(list)
    for root in roots:
        for element in root.iter(etree.Element):
            if len(element) and element.tag not in {"data", "list"}:
                found[str(element.tag)].append([str(child.tag) for child in element])
    return found


def orders(rows: Iterable[list[str]]) -> set[tuple[str, str]]:
    """Give which part stands before which."""
    return {(one, two) for row in rows for one, two in combinations(row, 2) if one != two}


@pytest.mark.parametrize("kind", RECORDED)
def test_answers_have_recorded_parts_in_the_recorded_order(sandbox: Sandbox, kind: str) -> None:
    files = [SAMPLES / "qualys" / f"{name}.xml" for name in RECORDED[kind]]
    recorded = parts_of(etree.parse(file).getroot() for file in files)
    answered = parts_of(told(sandbox, kind))
    both = recorded.keys() & answered.keys()
    assert len(both) > 2
    for name in both:
        known = {part for row in recorded[name] for part in row}
        found = {part for row in answered[name] for part in row}
        assert known - RARE <= found <= known | NEWER.get(name, set()), name
        turned = {(two, one) for one, two in orders(recorded[name])}
        assert orders(answered[name]) & turned <= orders(recorded[name]), name


REPORTS: Final = ("portal_report_no_vuln", "portal_report_one_vuln", "portal_report_small")
DOCUMENTED: Final = {
    "VULNERABILITY": {"PARAM"},
    "QID": {"CVE"},
    "RESULTS": {"SENSITIVE_CONTENT_LIST"},
}


def test_exported_reports_have_recorded_parts_in_the_recorded_order(sandbox: Sandbox) -> None:
    recorded = parts_of(
        etree.parse(SAMPLES / "qualys" / f"{name}.xml").getroot() for name in REPORTS
    )
    world = sandbox.world
    exported = Exported(world.size.seed, world.moment(), world.of_app)
    shape = ReportShape(SCAN_REPORT, sections=False)
    written = [portal_report([app], exported, shape) for app in world.apps.values()]
    found = parts_of(etree.fromstring(one.encode()) for one in written)

    both = recorded.keys() & found.keys()
    assert {"HEADER", "VULNERABILITY", "INFORMATION_GATHERED", "QID", "WEBAPP", "PAYLOAD"} <= both
    for name in both:
        known = {part for row in recorded[name] for part in row}
        assert {part for row in found[name] for part in row} <= known | DOCUMENTED.get(name, set())
        turned = {(two, one) for one, two in orders(recorded[name])}
        assert orders(found[name]) & turned <= orders(recorded[name]), name


def types_of(value: Any, path: str = "") -> dict[str, set[str]]:  # noqa: ANN401
    """Give the JSON types at each path."""
    found = defaultdict(set)
    found[path].add(type(value).__name__)
    inner = [(f"{path}/{name}", one) for name, one in value.items()] if is_object(value) else []
    inner += [(f"{path}/*", one) for one in value] if isinstance(value, list) else []
    for place, one in inner:
        for name, types in types_of(one, place).items():
            found[name] |= types
    return found


def is_object(value: object) -> bool:
    return isinstance(value, dict)


def test_values_in_json_have_the_recorded_types(sandbox: Sandbox) -> None:
    text = (SAMPLES / "qualys" / "finding_verbose.ndjson").read_text("utf-8")
    recorded = types_of([json.loads(line)["Finding"] for line in text.splitlines()])
    headers = Asker(sandbox).headers | {"Content-Type": "text/xml", "Accept": "application/json"}
    answer = requests.post(
        f"{Asker(sandbox).base}/search/was/finding",
        body((), {"limitResults": 1000, "verbose": "true"}),
        headers=headers,
        timeout=20,
    )
    rows = answer.json()["ServiceResponse"]["data"]
    answered = types_of([row["Finding"] for row in rows])
    both = recorded.keys() & answered.keys()
    assert len(both) > 40
    assert {path: answered[path] for path in both} == {path: recorded[path] for path in both}


REFUSED: Final = {
    "webapp_search_invalid_filter_value": ("webapp", ("isScanned", "EQUALS", "undefined")),
    "finding_search_bad_id": ("finding", ("webApp.id", "EQUALS", "abc123")),
    "finding_search_unknown_id": ("finding", ("webApp.id", "EQUALS", "999999")),
    "webapp_search_empty": ("webapp", ("name", "EQUALS", "nothing has this name")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_and_empty_pages_are_the_recorded_ones(sandbox: Sandbox, name: str) -> None:
    kind, criterion = REFUSED[name]
    recorded = etree.parse(SAMPLES / "qualys" / f"{name}.xml").getroot()
    assert content(Asker(sandbox).search(kind, criterion).root) == content(recorded)


def content(root: etree._Element) -> list[tuple[str, str]]:
    return [(str(one.tag), (one.text or "").strip()) for one in root.iter(etree.Element)]

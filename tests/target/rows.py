"""Made-up rows of the five streams, as a tap writes them."""

from __future__ import annotations

from typing import Any

import msgspec

from target_ciscovm.mapping import records
from target_ciscovm.mapping.finding import Item, MappingRules, map_finding, moments

Row = dict[str, Any]

APP = {"id": 9001, "name": "Demo App 1", "url": "https://app1.example.test/"}


def finding(number: int = 1, **changes: object) -> Row:
    row: Row = {
        "id": 7000 + number,
        "uniqueId": f"00000000-0000-4000-8000-{number:012d}",
        "qid": 150001,
        "name": "Reflected XSS",
        "type": "VULNERABILITY",
        "potential": False,
        "severity": 3,
        "url": f"https://app1.example.test/page{number}",
        "status": "ACTIVE",
        "firstDetectedDate": "2024-03-01T08:00:00Z",
        "lastDetectedDate": "2024-05-01T08:00:00Z",
        "lastTestedDate": "2024-05-02T08:00:00Z",
        "isIgnored": False,
        "webApp": dict(APP),
    }
    return row | changes


def webapp(number: int = 9001, **changes: object) -> Row:
    name = f"Demo App {number - 9000}"
    url = f"https://app{number - 9000}.example.test/"
    return {"id": number, "name": name, "url": url, "tags": []} | changes


def scan(number: int = 1, app: int = 9001, **changes: object) -> Row:
    row: Row = {
        "id": number,
        "type": "VULNERABILITY",
        "status": "FINISHED",
        "webApp": {"id": app, "name": f"Demo App {app - 9000}"},
        "launchedDate": "2024-05-02T07:00:00Z",
        "endScanDate": "2024-05-02T08:00:00Z",
        "summary": {"resultsStatus": "SUCCESSFUL", "os": "Linux 5.x"},
    }
    return row | changes


def entry(qid: int = 150001, **changes: object) -> Row:
    return {"qid": qid, "title": f"Title of {qid}", "cves": []} | changes


def map_row(rules: MappingRules, name: str, **changes: object) -> Item:
    """Give what becomes of a row, under the name of its definition."""
    return map_as(as_finding(**changes), rules, name)


def map_as(finding: records.Finding, rules: MappingRules, name: str) -> Item:
    """Give what becomes of a finding, under the name of its definition."""
    item = map_finding(finding, moments(finding), rules)
    return msgspec.structs.replace(item, vuln_def_name=name)


def as_finding(**changes: object) -> records.Finding:
    """Give a finding as the intake makes it of a row."""
    made = msgspec.convert(finding() | changes, records.Finding)
    made.spell_words()
    return made


def as_scan(number: int = 1, app: int = 9001, **changes: object) -> records.Scan:
    return msgspec.convert(scan(number, app, **changes), records.Scan)


def as_entry(qid: int = 150001, **changes: object) -> records.KnowledgeBaseEntry:
    return msgspec.convert(entry(qid, **changes), records.KnowledgeBaseEntry)


def as_webapp(number: int = 9001, **changes: object) -> records.WebApp:
    return msgspec.convert(webapp(number, **changes), records.WebApp)

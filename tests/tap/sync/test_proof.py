"""The proof of what was read: before any map, held against counts, honest about what lacks."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import without
from tests.tap.scripted import (
    COUNT,
    DATE,
    FINDINGS,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    finding,
    page,
    webapp,
)
from tests.tap.syncs import Outcome, Platform, sync_here
from tests.target.streams import FINGERPRINTS

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from tests.support.loopback import Request, Response

SIZE: Final = WorldSize(apps=5, findings=60, qids=12, scans=8)


def told(outcome: Outcome, stream: str = "findings") -> dict[str, Any]:
    (row,) = [row for row in outcome.proof["streams"] if row["stream"] == stream]
    return dict(row)


def digest(rows: list[dict[str, Any]], stream: str = "findings") -> str:
    return f"{sum(map(FINGERPRINTS[stream], rows)) % 2**64:016x}"


@pytest.mark.parametrize(
    "maps",
    [
        {},
        {"findings": {"__filter__": "severity >= 4"}},
        {"findings": {"url": "'elsewhere'"}},
        {"findings": {"__alias__": "weaknesses"}},
    ],
    ids=["none", "filter", "altered", "renamed"],
)
def test_it_tells_of_what_was_read_before_any_stream_map(maps: dict[str, Any]) -> None:
    with Platform(SIZE) as platform:
        plain = platform.sync_here().records("findings")
        outcome = platform.sync_here({"stream_maps": maps})
    name = "weaknesses" if "__alias__" in maps.get("findings", {}) else "findings"
    written = outcome.records(name)

    assert (told(outcome)["read"], told(outcome)["digest"]) == (60, digest(plain))
    assert told(outcome)["emitted"] == len(written)
    assert (len(written) < 60) is ("__filter__" in maps.get("findings", {}))
    altered = not maps or "__alias__" in maps["findings"]
    assert (digest(written) == told(outcome)["digest"]) is altered
    webapps = outcome.records("webapps")
    assert told(outcome, "webapps")["digest"] == digest(webapps, "webapps")
    assert told(outcome, "scans")["digest"] is None


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("findings", "id"),
        ("findings", "status"),
        ("findings", "url"),
        ("findings", "webApp"),
        ("findings", "webApp.id"),
        ("findings", "type"),
        ("findings", "uniqueId"),
        ("webapps", "id"),
    ],
)
def test_without_a_property_that_it_needs_a_sync_is_not_complete(stream: str, name: str) -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(catalog=without(stream, name))

    assert outcome.proof["complete"] is False
    assert outcome.proof["incompleteReasons"] == [f"{stream}.{name} is not selected"]


def test_the_end_of_a_page_that_was_lost_is_read_after_all() -> None:
    with Platform(SIZE, faults=["qualys-half-page"]) as platform:
        outcome = platform.sync_here({"page_size": 7})
        there = {platform.world.unique_id(row) for row in platform.world.all_findings()}
        assert platform.face.faults.struck["qualys-half-page"]

    rows = outcome.records("findings")
    assert {row["uniqueId"] for row in rows} == there
    assert len(rows) == told(outcome)["read"] == len(there)
    assert told(outcome)["digest"] == digest(rows)
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []
    assert outcome.proof["complete"] is True


class ServerOfApps(ScriptedServer):
    """Counts and lists the rows of a few web applications, as the criteria say.

    Args:
        rows: XML of findings by web application.
    """

    def __init__(self, rows: dict[int, list[str]]) -> None:
        apps = page(*map(webapp, rows))
        count = Answer(count_xml(len(rows)))
        super().__init__(always={f"{SEARCH}webapp": Answer(apps), f"{COUNT}webapp": count})
        self._rows = rows

    @override
    def answer(self, request: Request) -> Response:
        if request.path not in {FINDINGS, f"{COUNT}finding"}:
            return super().answer(request)
        named = re.search(r'field="webApp.id" operator="\w+">([\d,]+)<', request.body)
        apps = list(self._rows) if named is None else [int(one) for one in named[1].split(",")]
        rows = [row for number in apps for row in self._rows[number]]
        is_count = request.path.startswith(COUNT)
        body = count_xml(len(rows)) if is_count else page(*rows)
        return Answer(body).response(DATE)


def test_the_web_application_of_a_row_that_was_rejected_is_not_proven() -> None:
    """Its other rows are read, and the other web applications are proven."""
    other = "<id>9002</id><name>B</name><url>https://b.example.test/</url>"
    rows = {
        9001: [finding(7001), finding(7002, id="unreadable")],
        9002: [finding(7003, webApp=other)],
    }
    with ServerOfApps(rows) as server:
        outcome = sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    assert sorted(row["id"] for row in outcome.records("findings")) == [7001, 7003]
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [9001]
    assert outcome.proof["complete"] is True

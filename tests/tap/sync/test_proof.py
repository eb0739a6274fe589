"""The proof of what was read: before any map, held against counts, honest about what lacks."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from tap_qualyswas import errors
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import without
from tests.tap.scripted import (
    COUNT,
    DATE,
    FINDINGS,
    KB,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    failure,
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
    from collections.abc import Collection

    from tests.support.loopback import Request, Response

SIZE: Final = WorldSize(apps=5, findings=60, qids=12, scans=8)
PAGE_SIZE: Final = re.compile(r"<limitResults>(\d+)<")
CRITERIA: Final = re.compile(r'field="([\w.]+)" operator="(\w+)">([^<]*)<')


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
        rows: XML of findings by web application; by 0 those that are of none.
        hidden: ids of those that are counted and not listed.
        by_app: whether a search by web application lists them neither, lists them, or is refused.
    """

    def __init__(
        self,
        rows: dict[int, list[str]],
        hidden: Collection[int] = (),
        by_app: Literal["hides", "lists", "is refused"] = "hides",
    ) -> None:
        apps = [webapp(number) for number in rows if number]
        count = Answer(count_xml(len(apps)))
        super().__init__(always={f"{SEARCH}webapp": Answer(page(*apps)), f"{COUNT}webapp": count})
        self._rows = rows
        self._hidden = hidden
        self._by_app = by_app

    @override
    def answer(self, request: Request) -> Response:
        if request.path not in {FINDINGS, f"{COUNT}finding"}:
            return super().answer(request)
        asked = {(field, way): value for field, way, value in CRITERIA.findall(request.body)}
        kind = asked["type", "EQUALS"]
        one = asked.get(("webApp.id", "EQUALS")) or asked.get(("webApp.id", "IN"))
        if one and self._by_app == "is refused":
            return Answer(failure("INVALID_REQUEST", "webApp.id")).response(DATE)
        lists = request.path.startswith(COUNT) or (one and self._by_app == "lists")
        low = int(asked.get(("id", "GREATER"), 0))
        high = int(asked.get(("id", "LESSER"), sys.maxsize))
        rows = [
            row
            for app in (map(int, one.split(",")) if one else list(self._rows))
            for row in self._rows[app]
            if f"<type>{kind}<" in row
            and ((number := _id_of(row)) is None or low < number < high)
            and (lists or number not in self._hidden)
        ]
        if request.path.startswith(COUNT):
            return Answer(count_xml(len(rows))).response(DATE)
        (size,) = map(int, PAGE_SIZE.findall(request.body))
        more = "true" if len(rows) > size else "false"
        return Answer(page(*rows[:size], more=more)).response(DATE)


def _id_of(row: str) -> int | None:
    found = re.match(r"<Finding><id>(\d+)<", row)
    return int(found[1]) if found else None


OTHER: Final = "<id>9002</id><name>B</name><url>https://b.example.test/</url>"


def test_the_web_application_of_a_row_that_was_rejected_is_not_proven() -> None:
    """Its other rows are read, and the other web applications are proven."""
    rows = {
        9001: [finding(7001), finding(7002, id="unreadable")],
        9002: [finding(7003, webApp=OTHER)],
    }
    with ServerOfApps(rows) as server:
        outcome = sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    assert sorted(row["id"] for row in outcome.records("findings")) == [7001, 7003]
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [9001]
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize(
    ("last", "hidden", "not_proven"),
    [
        (finding(7003, webApp=OTHER), (), []),
        (finding(7003, webApp=OTHER, qid="unreadable"), (), [9002]),
        (finding(7003, webApp=OTHER), (7003,), [9002]),
        (finding(7003, webApp=OTHER, kind="SENSITIVE_CONTENT"), (7003,), [9002]),
        (finding(7003, webApp=OTHER, kind="SENSITIVE_CONTENT", qid="unreadable"), (), [9002]),
    ],
    ids=["whole", "rejected", "never listed", "the only one of its type", "and rejected"],
)
def test_the_last_row_of_a_type_is_missed_as_any_other(
    last: str, hidden: tuple[int, ...], not_proven: list[int]
) -> None:
    """It lies above the greatest id that was read, up to which rows are counted."""
    with ServerOfApps({9001: [finding(7001)], 9002: [last]}, hidden) as server:
        outcome = sync_here(server.config)

    assert outcome.proof["coverage"]["webApps"]["notProven"] == not_proven
    assert outcome.proof["complete"] is True


def test_a_row_whose_web_application_cannot_be_read_proves_nothing() -> None:
    """Under no web application it would be another finding than the one of before."""
    odd = finding(7003, webApp="<id>unreadable</id>")
    with ServerOfApps({9001: [finding(7001)], 9002: [odd]}) as server:
        outcome = sync_here(server.config)

    assert [row["id"] for row in outcome.records("findings")] == [7001]
    assert outcome.proof["incompleteReasons"] == [
        "findings: a row was rejected that does not tell its web application"
    ]


@pytest.mark.parametrize("is_lost", [True, False])
def test_what_differs_elsewhere_hides_no_loss_of_rows_without_a_web_application(
    is_lost: bool,
) -> None:
    rows = {9001: [finding(7003), finding(7005)], 0: [finding(7002, webApp=None)]}
    with ServerOfApps(rows, [7003, 7002] if is_lost else [7003]) as server:
        outcome = sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    gap = "findings: VULNERABILITY rows without a web application may differ from their count"
    assert outcome.proof["incompleteReasons"] == ([gap] if is_lost else [])
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [9001]


def test_what_only_the_counts_have_shown_brings_its_entry_along() -> None:
    rows = {9001: [finding(7001), finding(7003)], 9002: [finding(7004, webApp=OTHER)]}
    with ServerOfApps(rows, [7003], by_app="lists") as server:
        outcome = sync_here(server.config)
        (asked,) = server.asked_at(KB)

    assert {row["id"] for row in outcome.records("findings")} == {7001, 7003, 7004}
    assert all(str(row["qid"]) in asked.body for row in outcome.records("findings"))
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []


@pytest.mark.parametrize("extra", [0, 40])
def test_no_web_application_is_read_again_that_takes_more_calls_than_are_left(extra: int) -> None:
    """At least 20 calls go into the search, and a web application may have more pages than that."""
    rows = {
        9001: [finding(number) for number in range(7001, 7011 + extra)],
        9002: [finding(7901, webApp=OTHER), finding(7902, webApp=OTHER)],
    }
    settings = {"finding_types": ["VULNERABILITY"], "page_size": 1}
    with ServerOfApps(rows, [7003, 7901], by_app="lists") as server:
        outcome = sync_here({**server.config, **settings})
        again = [
            asked
            for path in (FINDINGS, f"{COUNT}finding")
            for asked in server.asked_at(path)
            if 'field="webApp.id"' in asked.body
        ]

    there = {row["id"] for row in outcome.records("findings")}
    assert len(again) <= 20
    assert (7003 in there, 7901 in there) == (not extra, True)
    assert outcome.proof["coverage"]["webApps"]["notProven"] == ([9001] if extra else [])
    assert outcome.proof["complete"] is True


def test_a_count_by_web_application_that_is_refused_ends_no_sync() -> None:
    rows = {9001: [finding(7001), finding(7003)], 9002: [finding(7004, webApp=OTHER)]}
    with ServerOfApps(rows, [7003], by_app="is refused") as server:
        outcome = sync_here(server.config)

    assert outcome.proof["incompleteReasons"] == ["findings could not be counted"]


@pytest.mark.parametrize(
    ("maps", "told"),
    [
        ({"x": "((("}, "Failed to parse expression"),
        ({"uniqueId": None}, "Removing key property 'uniqueId'"),
        ({"x": "nope()"}, "Failed to evaluate"),
        ({"x": "1 / 0"}, "ZeroDivisionError: division by zero, in a record of findings"),
    ],
)
def test_a_stream_map_that_does_not_fit_is_refused_as_a_setting(
    maps: dict[str, Any], told: str
) -> None:
    refused = pytest.raises(errors.SettingsError, match=f"stream_maps cannot be applied: {told}")
    with Platform(SIZE) as platform, refused:
        platform.sync_here({"stream_maps": {"findings": maps}})


def test_where_no_search_by_web_application_works_what_differs_is_left_out() -> None:
    row = finding(2)
    answers = {
        f"{SEARCH}webapp": Answer(page(webapp(9001), webapp(9002))),
        f"{COUNT}webapp": Answer(count_xml(2)),
        FINDINGS: Answer(page(row)),
    }
    script = {f"{COUNT}finding": [Answer(count_xml(2))] * 9}
    settings = {"finding_types": ["VULNERABILITY"], "max_attempts": 2}
    with ScriptedServer(script, answers) as server:
        outcome = sync_here({**server.config, **settings})

    assert [found["id"] for found in outcome.records("findings")] == [2]
    assert "cannot look for what differs" in outcome.log
    assert 9002 in outcome.proof["coverage"]["webApps"]["notProven"]

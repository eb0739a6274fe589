"""Faults that connectors like this one were seen to have, each played by a small server."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from tap_qualyswas import errors
from tests.tap.qualys import Outcome, sync_here
from tests.tap.scripted import (
    FINDINGS,
    KB,
    SEARCH,
    Answer,
    Asked,
    ScriptedServer,
    empty,
    failure,
    finding,
    page,
    scan,
    simple_return,
    webapp,
)

ONE_TYPE: Final = {"finding_types": ["VULNERABILITY"], "max_concurrency": 1}
"""So that there is one walk, and the answers come in the order in which they are written."""

CUT: Final = simple_return(1960, "busy")


def play(*answers: Answer, state: Any = None, **settings: Any) -> tuple[Outcome, ScriptedServer]:  # noqa: ANN401
    with ScriptedServer({FINDINGS: answers}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE, **settings}, state)
    return (outcome, server)


def fail(*answers: Answer, state: Any = None, **settings: Any) -> tuple[Exception, Outcome]:  # noqa: ANN401
    with pytest.raises(errors.QualysError) as raised:
        play(*answers, state=state, **settings)
    outcome: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
    return (raised.value, outcome)


def rows(*numbers: int, **told: Any) -> Answer:  # noqa: ANN401
    return Answer(page(*map(finding, numbers), **told))


def walked(server: ScriptedServer) -> list[Asked]:
    """Give the calls for pages; those for one finding of each QID come with details."""
    return [asked for asked in server.asked_at(FINDINGS) if "verbose" not in asked.body]


def ids(outcome: Outcome) -> list[int]:
    return [row["id"] for row in outcome.records("findings")]


def bookmark(outcome: Outcome) -> str:
    return str(outcome.state["bookmarks"]["findings"]["replication_key_value"])


def synced(value: str) -> dict[str, Any]:
    """Give the state that a complete sync some hours ago has left."""
    marks: dict[str, Any] = {
        "findings": {"replication_key": "lastDetectedDate", "replication_key_value": value},
        "scans": {"replication_key": "launchedDate", "replication_key_value": value},
        "syncs": {
            "lastSyncAt": "2024-05-31T00:00:00Z",
            "lastFullSyncAt": "2024-05-31T00:00:00Z",
            "streams": ["webapps", "scans", "findings", "knowledge_base"],
        },
    }
    return {"bookmarks": marks}


def test_every_page_is_asked_for_by_the_last_id() -> None:
    outcome, server = play(
        rows(7001, 7002, more="true", last_id=7002),
        rows(7003, 7004, more="true", last_id=7004),
        rows(7005),
        page_size=2,
    )

    assert ids(outcome) == [7001, 7002, 7003, 7004, 7005]
    bodies = [asked.body for asked in walked(server)]
    assert len(bodies) == 3
    assert "GREATER" not in bodies[0]
    for body, last in zip(bodies[1:], ("7002", "7004"), strict=True):
        assert f'<Criteria field="id" operator="GREATER">{last}</Criteria>' in body
        assert "startFrom" not in body


def test_a_row_that_comes_on_two_pages_comes_out_once() -> None:
    outcome, _ = play(rows(7001, 7002, more="true", last_id=7002), rows(7002, 7003), page_size=2)

    assert ids(outcome) == [7001, 7002, 7003]
    (told,) = [row for row in outcome.proof["streams"] if row["stream"] == "findings"]
    assert told["duplicates"] == 1


@pytest.mark.parametrize("last", [[rows(7003, 7004)], [rows(7003, 7004, more="true"), rows()]])
def test_the_last_page_may_be_full_or_empty(last: list[Answer]) -> None:
    outcome, _ = play(rows(7001, 7002, more="true", last_id=7002), *last, page_size=2)

    assert ids(outcome) == [7001, 7002, 7003, 7004]


@pytest.mark.parametrize("yes", ["true", "TRUE", "True", "1", None])
def test_more_is_understood_in_any_spelling_or_none(yes: str | None) -> None:
    no = None if yes is None else "false"
    outcome, _ = play(rows(7001, 7002, more=yes), rows(7003, more=no), page_size=2)

    assert ids(outcome) == [7001, 7002, 7003]


def test_the_users_conditions_stay_on_every_page() -> None:
    with ScriptedServer(
        {FINDINGS: [rows(7001, 7002, more="true", last_id=7002), rows(7003)]},
        {f"{SEARCH}webapp": Answer(page(webapp(9001)))},
    ) as server:
        sync_here({**server.config, **ONE_TYPE, "webapp_ids": [9001], "page_size": 2})

    assert len(walked(server)) == 2
    for asked in walked(server):
        assert '<Criteria field="webApp.id" operator="EQUALS">9001</Criteria>' in asked.body
        assert '<Criteria field="type" operator="EQUALS">VULNERABILITY</Criteria>' in asked.body


def test_a_filter_goes_out_as_one_condition_whatever_is_in_it() -> None:
    name = 'R&D <portal> "x"</Criteria><Criteria field="id" operator="GREATER">0'
    with ScriptedServer(always={f"{SEARCH}webapp": Answer(page(webapp(9001)))}) as server:
        sync_here({**server.config, **ONE_TYPE, "webapp_name_contains": name})

    body = server.asked_at(f"{SEARCH}webapp")[0].body
    assert body.count("<Criteria ") == 1
    assert "R&amp;D &lt;portal&gt;" in body


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "UNAUTHORIZED", "EVALUATION_EXPIRED"])
def test_an_error_inside_http_200_is_no_empty_page(code: str) -> None:
    with (
        ScriptedServer({FINDINGS: [Answer(failure(code, "No."))]}) as server,
        pytest.raises(errors.Refused, match=code) as raised,
    ):
        sync_here({**server.config, **ONE_TYPE})

    outcome: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
    assert ids(outcome) == []
    assert outcome.records("syncs") == []
    assert len(server.asked_at(FINDINGS)) == 1


def test_an_error_on_the_second_page_fails_the_sync() -> None:
    first = rows(7001, 7002, more="true", last_id=7002)
    error, outcome = fail(first, Answer(failure("OPERATION_NOT_SUPPORTED")), page_size=2)

    assert "OPERATION_NOT_SUPPORTED" in str(error)
    assert ids(outcome) == [7001, 7002]
    assert outcome.records("syncs") == []
    assert "replication_key_value" not in outcome.state["bookmarks"]["findings"]


def test_a_page_that_never_comes_fails_the_sync() -> None:
    first = rows(7001, 7002, more="true", last_id=7002)
    error, outcome = fail(first, *[Answer("oops", 500)] * 4, page_size=2, max_attempts=4)

    assert "Asked 4 times" in str(error)
    assert ids(outcome) == [7001, 7002]
    assert outcome.records("syncs") == []


def test_a_window_that_failed_is_asked_for_again() -> None:
    state = synced("2024-05-01T00:00:00Z")
    _, failed = fail(*[Answer("busy", 503)] * 4, state=state, max_attempts=4)
    again, server = play(rows(7001), state=failed.state)

    assert bookmark(failed) == "2024-05-01T00:00:00Z"
    assert ">2024-04-30T00:00:00Z</Criteria>" in server.asked_at(FINDINGS)[0].body
    assert bookmark(again) == "2024-05-01T08:00:00Z"


def test_a_cursor_is_kept_at_each_page_so_that_hours_are_not_lost() -> None:
    pages = (
        rows(7001, 7002, more="true", last_id=7002),
        rows(7003, 7004, more="true", last_id=7004),
    )
    _, failed = fail(*pages, *[Answer("x", 500)] * 3, page_size=2, max_attempts=3)
    rest, server = play(rows(7005), state=failed.state, page_size=2)

    assert ids(rest) == [7005]
    body = server.asked_at(FINDINGS)[0].body
    assert '<Criteria field="id" operator="GREATER">7004</Criteria>' in body
    assert failed.state["bookmarks"]["scans"] is not None


def test_a_bookmark_never_goes_backwards() -> None:
    state = synced("2024-05-20T00:00:00Z")
    outcome, _ = play(rows(7001), state=state, overlap_hours=720)

    assert ids(outcome) == [7001]
    assert bookmark(outcome) == "2024-05-20T00:00:00Z"


def test_a_bookmark_with_fractions_and_an_offset_is_sent_rounded_down_in_utc() -> None:
    state = synced("2024-05-02T08:00:00.123+02:00")
    _, server = play(rows(7001), state=state, overlap_hours=1)

    body = server.asked_at(FINDINGS)[0].body
    criteria = '<Criteria field="lastTestedDate" operator="GREATER">2024-05-02T05:00:00Z</Criteria>'
    assert criteria in body


def test_dates_of_every_form_are_compared_as_moments() -> None:
    dates = ("2024-05-01T23:00:00", "2024-05-02T01:30:00+02:00", "2024-05-01T23:00:00.999Z")
    told = [finding(7001 + at, lastDetectedDate=date) for at, date in enumerate(dates)]
    outcome, _ = play(Answer(page(*told)))

    found = [row["lastDetectedDate"] for row in outcome.records("findings")]
    assert found == ["2024-05-01T23:00:00Z", "2024-05-01T23:30:00Z", "2024-05-01T23:00:00Z"]
    assert bookmark(outcome) == "2024-05-01T23:30:00Z"


def test_rows_without_the_date_come_out_and_move_nothing() -> None:
    told = [finding(7001, lastDetectedDate=None, lastTestedDate=None), finding(7002)]
    outcome, _ = play(Answer(page(*told)))

    assert ids(outcome) == [7001, 7002]
    assert bookmark(outcome) == "2024-05-01T08:00:00Z"


def test_zero_and_empty_dates_are_null() -> None:
    told = finding(7001, firstDetectedDate="0001-01-01T00:00:00Z", fixedDate="", lastTestedDate="")
    outcome, _ = play(Answer(page(told)))

    (row,) = outcome.records("findings")
    assert [row[name] for name in ("firstDetectedDate", "fixedDate", "lastTestedDate")] == [
        None
    ] * 3


def test_garbage_in_a_qid_costs_that_row_only_and_is_told() -> None:
    told = [finding(7001, qid=" 159001\r\n"), finding(7002, qid="159\u200b002x"), finding(7003)]
    outcome, _ = play(Answer(page(*told)))

    assert ids(outcome) == [7001, 7003]
    assert "findings: 1 rows were rejected: Finding 7002: qid is" in outcome.log
    assert outcome.proof["complete"] is False


def test_numbers_in_any_spelling_are_numbers() -> None:
    told = [
        finding(7001, severity="3"),
        finding(7002, severity="3.0"),
        finding(7003, severity=""),
        finding(7004, timesDetected="50.0", cvssV3="<base>7.5 (AV:N/AC:L)</base>"),
    ]
    outcome, _ = play(Answer(page(*told)))

    found = outcome.records("findings")
    assert [row["severity"] for row in found] == [3, 3, None, 3]
    assert (found[3]["timesDetected"], found[3]["cvssV3"]["base"]) == (50, 7.5)


def test_tags_are_lists_with_commas_inside_names_and_no_name_twice() -> None:
    names = ("Blue, North", " Team ", "Team")
    listed = "".join(
        f"<Tag><id>{at}</id><name>{name}</name></Tag>" for at, name in enumerate(names)
    )
    app = f"<id>9001</id><name>A</name><tags><count>3</count><list>{listed}</list></tags>"
    one = (
        "<id>9003</id><tags><count>1</count><list><Tag><id>4</id><name>x</name></Tag></list></tags>"
    )
    none = "<id>9002</id><tags><count>0</count></tags>"
    told = [finding(7001, webApp=app), finding(7002, webApp=none), finding(7003, webApp=one)]
    outcome, _ = play(Answer(page(*told)))

    tags = [[tag["name"] for tag in row["webApp"]["tags"]] for row in outcome.records("findings")]
    assert tags == [["Blue, North", "Team"], [], ["x"]]


def test_a_new_field_is_counted_and_named_and_a_renamed_one_read() -> None:
    told = finding(7001, brandNewThing="<a>1</a>")
    app = webapp(9001, riskScore="77", urlAllowlist="<list/>", brandNewToo="x")
    with ScriptedServer(
        {FINDINGS: [Answer(page(told))], f"{SEARCH}webapp": [Answer(page(app))]}
    ) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert outcome.log.count("Finding.brandNewThing (1x)") == 1
    assert outcome.log.count("WebApp.brandNewToo (1x)") == 1
    assert "urlAllowlist" not in outcome.log
    assert outcome.records("webapps")[0]["riskScore"] == 77


def test_imported_findings_share_qid_0_and_stay_apart() -> None:
    told = [finding(7001, qid="0", findingType="BURP"), finding(7002, qid="0", findingType="BURP")]
    outcome, server = play(Answer(page(*told)))

    assert len({row["uniqueId"] for row in outcome.records("findings")}) == 2
    assert server.asked_at(KB) == []
    assert outcome.records("knowledge_base") == []


def test_a_finding_may_lack_nearly_everything() -> None:
    bare = finding(
        7001,
        url=None,
        status=None,
        severity=None,
        findingType=None,
        firstDetectedDate=None,
        potential=None,
        webApp=None,
    )
    outcome, _ = play(Answer(page(bare)), include_evidence=True)

    (row,) = outcome.records("findings")
    assert row["resultList"] is None
    assert row["webApp"] is None


def test_qids_without_an_entry_do_not_cost_the_findings() -> None:
    none = "<KNOWLEDGE_BASE_VULN_LIST_OUTPUT><RESPONSE/></KNOWLEDGE_BASE_VULN_LIST_OUTPUT>"
    assert empty(KB) == none
    outcome, _ = play(rows(7001, 7002))

    assert ids(outcome) == [7001, 7002]
    assert "knowledge_base: 0 entries, 2 QIDs without one" in outcome.log


def test_every_qid_of_the_sync_is_asked_for_however_old_its_entry_is() -> None:
    _, server = play(rows(7001, 7002), state=synced("2024-05-01T00:00:00Z"))

    (asked,) = server.asked_at(KB)
    qids = sorted(150_000 + number % 7 for number in (7001, 7002))
    assert f"ids={qids[0]}%2C{qids[1]}" in asked.body
    assert "modified" not in asked.body


def test_a_page_that_is_too_slow_is_asked_for_at_half_its_size() -> None:
    outcome, server = play(
        Answer(page(*map(finding, (7001, 7002, 7003, 7004))), delay=1.5),
        rows(7001, 7002, more="true", last_id=7002),
        rows(7003, 7004),
        page_size=4,
        request_timeout_seconds=1,
    )

    assert ids(outcome) == [7001, 7002, 7003, 7004]
    sizes = [asked.body.split("<limitResults>")[1][0] for asked in server.asked_at(FINDINGS)]
    assert sizes[:2] == ["4", "2"]


def test_a_call_that_still_runs_at_qualys_is_waited_for() -> None:
    outcome, _ = play(
        Answer(page(finding(7001)), delay=1.5),
        Answer(CUT, 409),
        rows(7001),
        request_timeout_seconds=1,
    )

    assert ids(outcome) == [7001]
    assert "no more calls at a time" in outcome.log


def test_a_clean_scan_comes_out_and_moves_its_bookmark() -> None:
    clean = scan(
        5001, summary="<resultsStatus>SUCCESSFUL</resultsStatus><nbVulnsTotal>0</nbVulnsTotal>"
    )
    with ScriptedServer({f"{SEARCH}wasscan": [Answer(page(clean))]}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert [row["id"] for row in outcome.records("scans")] == [5001]
    kept = outcome.state["bookmarks"]["scans"]["replication_key_value"]
    assert kept == "2024-05-01T08:00:00Z"


def test_the_wait_that_is_named_is_waited_and_no_row_is_lost() -> None:
    busy = Answer("", 429, {"X-RateLimit-Limit": "300", "X-RateLimit-ToWait-Sec": "1"})
    began = time.monotonic()
    outcome, server = play(busy, rows(7001))

    first, second = walked(server)
    assert 1 <= second.at - first.at < 3
    assert time.monotonic() - began < 5
    assert ids(outcome) == [7001]
    assert outcome.log.count("Asking again in") == 1


def test_a_wait_beyond_the_bound_ends_the_sync_with_its_reason() -> None:
    busy = Answer("", 429, {"X-RateLimit-ToWait-Sec": "7200"})
    error, outcome = fail(busy, state=synced("2024-05-01T00:00:00Z"))

    assert isinstance(error, errors.WaitTooLong)
    assert bookmark(outcome) == "2024-05-01T00:00:00Z"


def test_hints_on_good_answers_that_are_no_numbers_do_no_harm() -> None:
    odd = {"X-RateLimit-Remaining": "", "X-RateLimit-ToWait-Sec": "abc", "Retry-After": "soon"}
    first = Answer(page(finding(7001), more="true", last_id=7001), 200, odd)
    outcome, _ = play(first, rows(7002), page_size=1)

    assert ids(outcome)[:2] == [7001, 7002]

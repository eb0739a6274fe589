"""Each thing that can go wrong with Qualys ends the sync with its own error, sentence and code."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Final

import pytest

from tap_qualyswas import errors
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import (
    COUNT,
    FINDINGS,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    failure,
    finding,
    page,
    webapp,
)
from tests.tap.syncs import FIRST_WAIT, Outcome, Platform, sync_here

SIZE: Final = WorldSize(apps=4, findings=60, qids=12, scans=6)
IMPATIENT: Final = {"max_attempts": 3, "request_timeout_seconds": 1, "page_size": 10}
"""So that each type takes several pages, and giving up does not take long."""

REFUSED: Final = [
    ("qualys-credentials", errors.BadCredentials, "Check the user name and password"),
    ("qualys-401*0", errors.BadCredentials, "HTTP 401). Check the user name and password"),
    ("qualys-was-missing", errors.WasMissing, "has the WAS module"),
    ("qualys-was-404", errors.WasMissing, '"Scheduled maintenance"). Check that the subscription'),
    ("qualys-api-missing", errors.ApiAccessMissing, 'permission "API Access"'),
    ("qualys-http-403", errors.ApiAccessMissing, "HTTP 403). Ask an administrator"),
    ("qualys-unregistered", errors.NotRegistered, "Log in with it once in a browser"),
    ("qualys-unregistered-409", errors.NotRegistered, "Log in with it once in a browser"),
    ("qualys-expired", errors.AccountExpired, "2001: This account has expired"),
    ("qualys-inactive", errors.AccountExpired, "2002: This account is inactive"),
    ("qualys-evaluation-expired", errors.AccountExpired, "EVALUATION_EXPIRED"),
    ("qualys-trial", errors.TrialLicence, "counts 4 webapps but returns none of them"),
    ("qualys-html-always", errors.WrongPlatform, "Check region or api_url"),
    ("kb-not-licensed", errors.KbMissing, "deselect the stream knowledge_base"),
]
FAILED: Final = [
    ("tap-error", errors.InvalidRequest, "Invalid value format. Specify another value. Check"),
    ("qualys-rate-absurd*0", errors.WaitTooLong, "a wait of 950,400 s, more than max_wait_seconds"),
    ("qualys-rate-unreadable*0", errors.Busy, "allows no more calls for now (HTTP 429)"),
    ("qualys-concurrency*0", errors.Busy, "allows no more calls at a time for now (1960"),
    ("qualys-maintenance*0", errors.Unavailable, "is under maintenance (1999"),
    ("qualys-500*0", errors.Unavailable, "could not answer (HTTP 500)"),
    ("qualys-408*0", errors.Unavailable, "could not answer (HTTP 408, text/html: "),
    ("qualys-204*0", errors.Unavailable, "could not answer (HTTP 204)"),
    ("qualys-409-invalid", errors.InvalidRequest, "(1905): parameter has an invalid value."),
    ("page-404*0", errors.Unavailable, "though other calls have worked in this run"),
    ("page-403*0", errors.Unavailable, "though other calls have worked in this run"),
    ("page-redirect*0", errors.Unavailable, "with a redirect to maintenance.example.test, though"),
    ("qualys-502*0", errors.Unavailable, 'HTTP 502, text/html: "Scheduled maintenance"'),
    ("qualys-202*0", errors.Unavailable, "could not answer (1981"),
    ("qualys-processing*0", errors.Unavailable, "could not answer (STILL_PROCESSING"),
    ("qualys-server-down*0", errors.Unavailable, "could not answer (RMI_SERVER_DOWN"),
    ("qualys-other-error*0", errors.Unavailable, "could not answer (OTHER_ERROR"),
    ("kb-down", errors.Unavailable, "could not answer (999"),
    ("qualys-html*0", errors.HtmlAnswer, "answered with a web page, not with data"),
    ("qualys-empty*0", errors.BrokenAnswer, "empty or not XML"),
    ("qualys-cut-body*0", errors.BrokenAnswer, "broke off"),
    ("qualys-cut-xml*0", errors.BrokenAnswer, "cut or damaged"),
    ("qualys-bad-gzip*0", errors.BrokenAnswer, "cut or damaged"),
    ("qualys-foreign-root*0", errors.BrokenAnswer, "unexpected kind of document (feed)"),
    ("page-foreign*0", errors.BrokenAnswer, "in a search for"),
    ("page-no-data", errors.BrokenAnswer, "announced rows in a page that holds none"),
    ("page-same-cursor", errors.PagingStuck, "brought nothing new"),
    ("qualys-reset*0", errors.Unreachable, "closed by the server"),
    ("qualys-hung*0", errors.TimedOut, "did not answer within request_timeout_seconds"),
]
PASSING: Final = [
    *("qualys-busy", "qualys-concurrency", "qualys-rate", "qualys-rate-text", "qualys-rate-item"),
    *("qualys-rate-unreadable", "qualys-maintenance", "qualys-500", "qualys-502", "qualys-202"),
    *("qualys-processing", "qualys-server-down", "qualys-other-error", "qualys-401", "kb-busy"),
    *("qualys-rate-units", "qualys-wait-zero", "qualys-408", "qualys-204"),
    *("page-404", "page-403", "page-redirect", "page-too-large", "kb-too-large"),
    *("qualys-html", "qualys-empty", "qualys-cut-body", "qualys-cut-xml", "qualys-bad-gzip"),
    *("qualys-reset", "qualys-hung", "qualys-foreign-root", "page-foreign"),
]
"""Faults that go away by themselves."""


def failed_sync(fault: str) -> tuple[errors.QualysError, Outcome]:
    with Platform(SIZE, faults=[fault]) as platform:
        with pytest.raises(errors.QualysError) as raised:
            platform.sync_here(IMPATIENT)
        assert platform.face.faults.struck
    outcome: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
    return (raised.value, outcome)


@pytest.mark.parametrize(
    ("code", "fault", "error", "sentence"),
    [*((2, *row) for row in REFUSED), *((1, *row) for row in FAILED)],
)
def test_what_a_person_has_to_change_is_told_with_code_2_and_all_else_with_1(
    code: int, fault: str, error: type[errors.QualysError], sentence: str
) -> None:
    found, outcome = failed_sync(fault)

    assert type(found) is error
    assert sentence in str(found)
    assert found.exit_code == code
    assert outcome.records("syncs") == []


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_outlasted_and_nothing_is_lost(fault: str) -> None:
    with Platform(SIZE, faults=[fault]) as platform:
        outcome = platform.sync_here({**IMPATIENT, "max_attempts": 8})
        assert platform.face.faults.struck[fault]
        expected = {platform.world.unique_id(row) for row in platform.world.all_findings()}

    rows = outcome.records("findings")
    assert {row["uniqueId"] for row in rows} == expected
    assert len(rows) == len(expected)
    assert outcome.proof["complete"] is True


def test_a_call_that_is_wrong_is_not_tried_again_whatever_its_status() -> None:
    with Platform(SIZE, faults=["qualys-409-invalid"]) as platform:
        with pytest.raises(errors.InvalidRequest):
            platform.sync_here({"max_attempts": 8})
        # A sync can do without the count, but not without the search.
        assert platform.requests == {"count/was/webapp": 1, "search/was/webapp": 1}


@pytest.mark.parametrize("fault", ["qualys-wait-zero*0", "qualys-concurrency*0"])
def test_waits_grow_where_none_is_named(fault: str) -> None:
    with Platform(SIZE, faults=[fault]) as platform:
        began = time.monotonic()
        with pytest.raises(errors.Busy, match="Gave up after 6 attempts"):
            platform.sync_here({"max_attempts": 6})
        took = time.monotonic() - began

    assert took >= 0.75 * FIRST_WAIT * (1 + 2 + 4 + 8 + 16)


def test_bad_credentials_are_tried_once_so_that_nobody_is_locked_out() -> None:
    with Platform(SIZE, faults=["qualys-credentials"]) as platform:
        with pytest.raises(errors.BadCredentials):
            platform.sync_here()
        assert platform.requests.total() == 1


def test_a_second_401_in_a_row_is_the_last() -> None:
    with Platform(SIZE, faults=["qualys-401*0"]) as platform:
        with pytest.raises(errors.BadCredentials):
            platform.sync_here({"max_attempts": 8})
        assert platform.requests.total() == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_login_that_has_worked_is_tried_once_more(times: int) -> None:
    """Lone refusals occur with good logins, with a code or without one."""
    refusal = Answer(failure("INVALID_CREDENTIALS", "Authentication failed"), status=401)
    with ScriptedServer({FINDINGS: [refusal] * times}) as server:
        refused = nullcontext() if times == 1 else pytest.raises(errors.BadCredentials)
        with refused:
            sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    assert len(server.asked_at(FINDINGS)) == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_login_that_is_refused_in_the_middle_of_a_search_is_tried_once_more(times: int) -> None:
    refusal = Answer(failure("INVALID_CREDENTIALS", "Authentication failed"))
    script = [
        Answer(page(finding(7001), finding(7002), more="true", last_id=7002)),
        *[refusal] * times,
        Answer(page(finding(7003))),
    ]
    settings = {"finding_types": ["VULNERABILITY"], "page_size": 2}
    with ScriptedServer({FINDINGS: script}) as server:
        refused = nullcontext() if times == 1 else pytest.raises(errors.BadCredentials)
        with refused:
            outcome = sync_here({**server.config, **settings})
            assert [row["id"] for row in outcome.records("findings")] == [7001, 7002, 7003]

    _, first, second, *others = [request.body for request in server.asked_at(FINDINGS)]
    assert first == second
    assert times == 1 or not others


@pytest.mark.parametrize("empty", [1, 2])
def test_only_searches_that_return_nothing_again_are_those_of_a_trial(empty: int) -> None:
    answers = {
        f"{COUNT}webapp": Answer(count_xml(1)),
        f"{SEARCH}webapp": Answer(page(webapp(9001))),
    }
    with ScriptedServer({f"{SEARCH}webapp": [Answer(page())] * empty}, answers) as server:
        is_trial = empty == 2
        with pytest.raises(errors.TrialLicence) if is_trial else nullcontext():
            outcome = sync_here(server.config)
            assert outcome.proof["complete"] is True
            assert len(outcome.records("webapps")) == 1


@pytest.mark.parametrize(("before", "max_attempts"), [(0, 1), (1, 4), (3, 4)])
def test_a_lone_401_is_tried_once_more_whatever_went_wrong_before(
    before: int, max_attempts: int
) -> None:
    answers = [*[Answer("", 503)] * before, Answer("", 401)]
    settings = {"finding_types": ["VULNERABILITY"], "max_attempts": max_attempts}
    with ScriptedServer({FINDINGS: answers}) as server:
        sync_here({**server.config, **settings})

    assert len(server.asked_at(FINDINGS)) == before + 2


def test_where_nothing_was_read_the_message_does_not_say_that_it_is_kept() -> None:
    with (
        Platform(SIZE, faults=["qualys-500*0"]) as platform,
        pytest.raises(errors.Unavailable, match=r"Gave up after 1 attempt\. Nothing was read\."),
    ):
        platform.sync_here({"max_attempts": 1})


def test_a_host_that_nobody_knows_is_a_matter_of_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    config = {"api_url": "https://qualysapi.example.invalid", "username": "a", "password": "b"}

    with pytest.raises(errors.Unreachable, match=r"no host qualysapi\.example\.invalid in"):
        sync_here(config)


def test_a_server_that_is_not_there_is_named() -> None:
    with Platform(SIZE) as platform:
        url, config = platform.url, platform.config

    with pytest.raises(errors.Unreachable, match=url.partition("://")[2]):
        sync_here(config)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("qualys-evaluation-header", "the account marks itself as an evaluation"),
        ("qualys-evaluation-comment", "the account marks itself as an evaluation"),
        ("qualys-half-page", None),
        ("rows-without-dates", None),
    ],
)
def test_what_is_odd_but_no_error_is_told_in_the_proof(fault: str, reason: str | None) -> None:
    with Platform(SIZE, faults=[fault]) as platform:
        proof = platform.sync_here(IMPATIENT).proof

    assert proof["complete"] is (reason is None)
    assert any(reason in told for told in proof["incompleteReasons"]) if reason else True


def test_answers_of_two_subscriptions_prove_nothing() -> None:
    """Findings of one are none of the web applications of the other."""
    ours, theirs = ({"X-Powered-By": f"Qualys:POD:{n * 8}-0000:{n * 8}-1111"} for n in "12")
    answers = {
        f"{SEARCH}webapp": Answer(page(webapp(9001)), headers=ours),
        f"{COUNT}webapp": Answer(count_xml(1), headers=ours),
        FINDINGS: Answer(page(), headers=theirs),
    }
    with ScriptedServer(always=answers) as server:
        proof = sync_here(server.config).proof

    assert proof["complete"] is False
    assert proof["incompleteReasons"] == ["answers came from more than one Qualys subscription"]


def test_the_command_ends_with_the_errors_code_and_one_line() -> None:
    with Platform(SIZE, faults=["qualys-expired"]) as platform:
        outcome = platform.sync()

    assert outcome.exit_code == 2
    (line,) = outcome.errors
    assert line.startswith(f"The Qualys account at {platform.url.partition('://')[2]} has expired")
    assert "Traceback" not in outcome.log
    assert platform.face.password not in outcome.log


def test_the_command_ends_with_1_when_trying_again_may_help() -> None:
    with Platform(SIZE, faults=["tap-error"]) as platform:
        outcome = platform.sync(IMPATIENT)

    assert outcome.exit_code == 1
    assert len(outcome.errors) == 1
    assert "Traceback" not in outcome.log
    assert outcome.records("syncs") == []

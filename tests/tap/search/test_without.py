"""What a platform refuses, or cannot give in time, is asked for without it, or in smaller parts."""

from __future__ import annotations

import gzip
import logging
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import pytest

from tap_qualyswas import errors
from tap_qualyswas.qualys.transport import MAX_PAGE_BYTES
from tap_qualyswas.search.ahead import together
from tap_qualyswas.sync.connection import connect
from tap_qualyswas.tap import TapQualysWAS
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
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
    scan,
)
from tests.tap.syncs import Outcome, Platform, sync_here

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from tests.support.loopback import Request, Response

SIZE: Final = WorldSize(apps=4, findings=40, qids=12, scans=9)
ONE_ATTEMPT: Final = {"request_timeout_seconds": 1, "max_attempts": 1}
BLOCKED: Final = Answer("<html><body>Blocked</body></html>", 400, {"Content-Type": "text/html"})
ONE_TYPE: Final = {"finding_types": ["VULNERABILITY"]}


def keys_of(outcome: Outcome) -> list[str]:
    return sorted(row["uniqueId"] for row in outcome.records("findings"))


def count_of(outcome: Outcome, stream: str) -> int:
    return len(outcome.records(stream))


def test_scans_are_read_without_details_where_verbose_is_refused() -> None:
    with Platform(SIZE, switches=Switches(verbose_scans=False)) as platform:
        outcome = platform.sync_here({"page_size": 2})
        asked = [each for each in platform.face.log if each.endpoint == "search/was/wasscan"]

    assert count_of(outcome, "scans") == 9
    assert outcome.proof["complete"] is True
    assert [each.verbose for each in asked] == [True, *[False] * (len(asked) - 1)]
    assert outcome.log.count("Qualys refuses verbose in searches for wasscan (INVALID_XML: ") == 1


def test_reports_are_found_where_a_criterion_is_refused_that_can_be_looked_at_here() -> None:
    settings = {"source": "scan_reports"}
    with Platform(SIZE) as platform:
        usual = platform.sync_here(settings)
    refused = Switches(refused_criteria=("wasscan.resultsStatus",))
    with Platform(SIZE, switches=refused) as platform:
        outcome = platform.sync_here(settings)

    assert keys_of(outcome) == keys_of(usual) != []
    assert "Qualys refuses resultsStatus in searches for wasscan" in outcome.log


def test_without_dates_in_searches_an_incremental_sync_reads_all() -> None:
    criteria = ("wasscan.launchedDate", "finding.lastTestedDate", "finding.ignoredDate")
    with Platform(SIZE) as platform:
        state = platform.sync_here().state
        platform.face.switches = Switches(refused_criteria=criteria)
        outcome = platform.sync_here(state=state)
        with pytest.raises(errors.InvalidRequest):
            platform.sync_here({"start_date": "2024-01-01"})

    assert outcome.proof["mode"] == "incremental"
    assert count_of(outcome, "findings") == 40
    assert outcome.log.count("Qualys refuses lastTestedDate in searches for finding") == 1
    assert outcome.log.count("Qualys refuses launchedDate in searches for wasscan") == 1


class SlowHandler(logging.Handler):
    """Takes so long that another thread comes in between."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        time.sleep(0.05)


def test_workers_that_are_refused_at_once_say_it_once(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("refused_at_once")
    logger.addHandler(SlowHandler())
    config = {"api_url": "http://127.0.0.1:1", "username": "someone", "password": "hidden-word"}
    client = connect(TapQualysWAS(config=config).settings, logger)
    refused = errors.InvalidRequest("there", "INVALID_XML", "verbose")

    together([lambda: client.omit("wasscan", "verbose", refused)] * 2)

    assert caplog.text.count("Qualys refuses verbose in searches for wasscan") == 1


class RefusesDates(ScriptedServer):
    """Refuses searches by a date: one type at once, the other one late."""

    @override
    def answer(self, request: Request) -> Response:
        if request.path != FINDINGS or "lastTestedDate" not in request.body:
            return super().answer(request)
        late = 0.3 if "SENSITIVE_CONTENT" in request.body else 0.0
        refused = Answer(failure("INVALID_REQUEST", "lastTestedDate"), delay=late)
        return refused.response(DATE)


def test_searches_side_by_side_that_are_refused_the_same_are_all_asked_again() -> None:
    synced = "2024-05-30T08:00:00Z"
    bookmark = {"replication_key": "lastDetectedDate", "replication_key_value": synced}
    syncs = {"lastSyncAt": synced, "lastFullSyncAt": synced}
    types = ["VULNERABILITY", "SENSITIVE_CONTENT"]
    with RefusesDates() as server:
        outcome = sync_here(
            {**server.config, "finding_types": types},
            {"bookmarks": {"findings": bookmark, "syncs": syncs}},
        )

    assert outcome.proof["mode"] == "incremental"
    assert outcome.log.count("Qualys refuses lastTestedDate in searches for finding") == 1


def test_without_details_of_findings_nothing_is_proven() -> None:
    answers = {FINDINGS: [Answer(page(finding(1)))]}
    refused = Answer(failure("INVALID_XML", "Invalid element 'verbose'."))
    with ScriptedServer(answers, {FINDINGS: refused}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert count_of(outcome, "findings") == 1
    assert "knowledge_base: 1 QID could not be classified" in outcome.proof["incompleteReasons"]
    assert "Qualys refuses findings with details (INVALID_XML" in outcome.log


def test_without_counts_nothing_is_proven() -> None:
    refused = Answer(failure("INVALID_REQUEST", "No."))
    answers = {FINDINGS: Answer(page(finding(1))), f"{COUNT}finding": refused}
    with ScriptedServer(always=answers) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert count_of(outcome, "findings") == 1
    assert outcome.proof["incompleteReasons"] == ["findings could not be counted"]
    assert "read without a count, as Qualys refuses it (INVALID_REQUEST" in outcome.log


@pytest.mark.parametrize("kind", ["finding", "wasscan"])
def test_without_counts_that_never_come_all_is_read_and_nothing_is_proven(kind: str) -> None:
    answers = {FINDINGS: Answer(page(finding(1))), f"{COUNT}{kind}": Answer("", 500)}
    with ScriptedServer(always=answers) as server:
        outcome = sync_here({**server.config, **ONE_TYPE, "max_attempts": 2})

    stream = {"finding": "findings", "wasscan": "scans"}[kind]
    assert count_of(outcome, "findings") == 1
    assert f"{stream} could not be counted" in outcome.proof["incompleteReasons"]
    assert f"{stream}: read without a count, as none came (127.0.0.1:" in outcome.log


def test_without_a_count_up_to_an_id_nothing_is_proven() -> None:
    answers = {FINDINGS: Answer(page(finding(1)))}
    counts = [Answer(count_xml(1)), Answer(failure("INVALID_REQUEST", "No LESSER."))]
    with ScriptedServer({f"{COUNT}finding": counts}, answers) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert count_of(outcome, "findings") == 1
    assert outcome.proof["incompleteReasons"] == ["findings could not be counted"]


def test_what_cannot_be_missed_ends_the_sync() -> None:
    refused = Answer(failure("INVALID_XML", "Invalid element 'verbose'."))
    with (
        ScriptedServer(always={f"{SEARCH}webapp": refused}) as server,
        pytest.raises(errors.InvalidRequest, match="Invalid element 'verbose'"),
    ):
        sync_here(server.config)

    assert len(server.asked_at(f"{SEARCH}webapp")) == 1


def test_a_search_that_is_refused_without_it_too_ends_the_sync() -> None:
    refused = Answer(failure("INVALID_REQUEST", "No."))
    with (
        ScriptedServer(always={f"{SEARCH}wasscan": refused}) as server,
        pytest.raises(errors.InvalidRequest, match="INVALID_REQUEST"),
    ):
        sync_here(server.config)

    bodies = [each.body for each in server.asked_at(f"{SEARCH}wasscan")]
    assert ["<verbose>" in body for body in bodies] == [True, False]


@pytest.mark.parametrize("status", [400, 413, 414, 422])
def test_what_a_firewall_blocks_is_asked_for_without_it(status: int) -> None:
    blocked = [replace(BLOCKED, status=status)] * 2
    with ScriptedServer({f"{SEARCH}wasscan": [*blocked, Answer(page(scan(1)))]}) as server:
        outcome = sync_here({**server.config, "max_attempts": 2})

    assert count_of(outcome, "scans") == 1
    bodies = [each.body for each in server.asked_at(f"{SEARCH}wasscan")][:3]
    assert ["<verbose>" in body for body in bodies] == [True, True, False]
    told = f'No search for wasscan with verbose gets through (HTTP {status}, text/html: "Blocked")'
    assert outcome.log.count(told) == 1


def test_a_search_that_is_blocked_without_it_too_ends_the_sync() -> None:
    with (
        ScriptedServer(always={f"{SEARCH}wasscan": BLOCKED}) as server,
        pytest.raises(errors.BlockedRequest, match=r"worked in this run\. Gave up after 2 att"),
    ):
        sync_here({**server.config, "max_attempts": 2})

    bodies = [each.body for each in server.asked_at(f"{SEARCH}wasscan")]
    assert ["<verbose>" in body for body in bodies] == [True, True, False, False]


def test_a_page_that_is_blocked_after_others_came_with_it_ends_the_sync() -> None:
    first = Answer(page(scan(1), more="true", last_id=1))
    with (
        ScriptedServer({f"{SEARCH}wasscan": [first, BLOCKED, BLOCKED]}) as server,
        pytest.raises(errors.BlockedRequest, match="Gave up after 2 attempts"),
    ):
        sync_here({**server.config, "page_size": 1, "max_attempts": 2})


def test_where_details_of_findings_are_blocked_nothing_is_proven() -> None:
    answers = {FINDINGS: [Answer(page(finding(1)))]}
    with ScriptedServer(answers, {FINDINGS: BLOCKED}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE, "max_attempts": 2})

    assert count_of(outcome, "findings") == 1
    assert "knowledge_base: 1 QID could not be classified" in outcome.proof["incompleteReasons"]
    assert 'Qualys refuses findings with details (HTTP 400, text/html: "Blocked")' in outcome.log


def test_what_was_taken_on_one_page_is_not_given_up_on_the_next() -> None:
    first = Answer(page(scan(1), more="true", last_id=1))
    refused = Answer(failure("INVALID_REQUEST", "No."))
    with (
        ScriptedServer({f"{SEARCH}wasscan": [first, refused]}) as server,
        pytest.raises(errors.InvalidRequest),
    ):
        sync_here({**server.config, "page_size": 1})

    assert all("<verbose>" in each.body for each in server.asked_at(f"{SEARCH}wasscan"))


@pytest.mark.parametrize("most", [1, 5])
def test_the_knowledge_base_is_asked_for_as_many_ids_as_it_takes(most: int) -> None:
    with Platform(SIZE, switches=Switches(kb_max_ids=most)) as platform:
        outcome = platform.sync_here()
        refused = [each for each in platform.face.log if each.status == 400]
        qids = {row.qid.qid for row in platform.world.all_findings()}

    assert {row["qid"] for row in outcome.records("knowledge_base")} == qids
    assert outcome.proof["complete"] is True
    assert len(refused) == outcome.log.count("The knowledge base refused") <= 4


@pytest.mark.parametrize("how", ["with 1905", "without code"])
def test_a_qid_that_the_knowledge_base_refuses_costs_its_own_entry_alone(
    how: Literal["with 1905", "without code"],
) -> None:
    with Platform(SIZE, switches=Switches(kb_refuses=how)) as platform:
        outcome = platform.sync_here()
        calls = platform.requests["knowledge_base"]
        refused = min(row.qid.qid for row in platform.world.all_findings())
        again = platform.sync_here(state=outcome.state)
        calls_again = platform.requests["knowledge_base"] - calls

    named = [row["qid"] for row in outcome.records("knowledge_base") if row["title"] is not None]
    others = [row["qid"] for row in ordinary().records("knowledge_base") if row["title"]]
    assert sorted(named) == sorted({*others} - {refused})
    assert outcome.proof["complete"] is True
    assert f"Qualys refuses 1 QID: {refused} (" in outcome.log
    (kept,) = again.state["bookmarks"]["knowledge_base"]["unpublished"] or [{}]
    assert str(refused) not in kept
    assert calls_again <= calls <= 9


def test_refusals_of_all_qids_end_the_sync_and_leave_them_to_be_read() -> None:
    with Platform(SIZE, switches=Switches(kb_max_ids=0)) as platform:
        outcome = platform.sync()
        qids = {row.qid.qid for row in platform.world.all_findings()}
        calls = platform.requests["knowledge_base"]

    assert outcome.exit_code == 1
    assert "too many values" in outcome.log
    (pending,) = outcome.state["bookmarks"]["knowledge_base"]["pending"]
    assert {*map(int, pending)} == qids
    assert calls == 3 + 5


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_later_version_of_the_knowledge_base_is_asked_where_one_is_retired(
    version: Literal["3.0", "4.0"],
) -> None:
    with Platform(SIZE, switches=Switches(kb_oldest_version=version)) as platform:
        outcome = platform.sync_here()

    assert count_of(outcome, "knowledge_base") == count_of(ordinary(), "knowledge_base")
    assert outcome.proof["complete"] is True
    assert f"Asking version {version}; set knowledge_base_version to it" in outcome.log


def ordinary() -> Outcome:
    with Platform(SIZE) as platform:
        return platform.sync_here()


def test_a_knowledge_base_that_has_answered_is_not_taken_for_retired() -> None:
    rows = [finding(number, qid=str(150_000 + number)) for number in range(1, 400)]
    entries = "<KNOWLEDGE_BASE_VULN_LIST_OUTPUT><RESPONSE/></KNOWLEDGE_BASE_VULN_LIST_OUTPUT>"
    answers = {FINDINGS: [Answer(page(*rows))], KB: [Answer(entries), Answer(status=404)]}
    with ScriptedServer(answers) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert len(server.asked_at(KB)) == 3
    assert "HTTP 404, though other calls have worked in this run" in outcome.log


def test_the_login_is_checked_where_the_portals_version_is_closed() -> None:
    with Platform(SIZE, switches=Switches(portal_version=False)) as platform:
        outcome = platform.sync(options=["--test"])

    assert outcome.exit_code == 0
    assert "webapps: 4 can be read" in outcome.log


def test_a_token_is_taken_out_of_json() -> None:
    with Platform(SIZE, switches=Switches(token_form="json")) as platform:
        face = platform.face
        outcome = platform.sync_here(
            {
                "auth_method": "oidc",
                "gateway_url": platform.url,
                "client_id": face.client_id,
                "client_secret": face.client_secret,
            }
        )

    assert count_of(outcome, "findings") == 40


@pytest.mark.parametrize("fault", ["page-too-large", "kb-too-large"])
def test_less_is_asked_for_beyond_the_attempts_that_are_allowed(fault: str) -> None:
    with Platform(SIZE, faults=[fault]) as platform:
        outcome = platform.sync_here({**ONE_ATTEMPT, **ONE_TYPE, "page_size": 16})
        assert platform.face.faults.struck[fault]

    assert outcome.proof["complete"] is True


def test_a_row_that_is_too_large_by_itself_is_told_by_what_it_follows() -> None:
    rows = [finding(6), finding(7)]
    blanks = gzip.compress(b"<ServiceResponse>" + b" " * (MAX_PAGE_BYTES + 1), 1)
    answers = [Answer(page(*rows, more="true", last_id=7))]
    large = Answer(blanks, headers={"Content-Encoding": "gzip"})
    with (
        ScriptedServer({FINDINGS: answers}, always={FINDINGS: large}) as server,
        pytest.raises(errors.AnswerTooLarge, match="The first finding after id 7 is too large"),
    ):
        sync_here({**server.config, **ONE_TYPE, "page_size": 2, "max_attempts": 2})

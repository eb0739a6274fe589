"""The sandbox's Qualys takes, refuses and pages requests as recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
import requests

from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.model import FINDING_TYPES, iso
from tests.sandbox_tests.qualys.asking import Answer, Asker, basic

if TYPE_CHECKING:
    from collections.abc import Iterator

HIGHEST = str(2**63 - 1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=12, findings=300, seed=5) as made:
        yield made


@pytest.fixture
def asker(sandbox: Sandbox) -> Asker:
    return Asker(sandbox)


def details(answer: Answer) -> tuple[str | None, str | None, str | None]:
    where = "responseErrorDetails/"
    return answer.code, answer.text(f"{where}errorMessage"), answer.text(f"{where}errorResolution")


@pytest.mark.parametrize(
    ("kind", "criterion", "resolution"),
    [
        ("webapp", ("isScanned", "EQUALS", "undefined"), "Values expected: true, false."),
        ("finding", ("webApp.id", "EQUALS", "abc123"), "Specify criteria value(s) as Long."),
    ],
)
def test_bad_values_are_refused_in_the_recorded_words(
    asker: Asker, kind: str, criterion: tuple[str, str, str], resolution: str
) -> None:
    field, _, value = criterion
    message = f"Criteria: Invalid value format for criteria '{field}' ({value})."
    assert details(asker.search(kind, criterion)) == ("INVALID_REQUEST", message, resolution)


@pytest.mark.parametrize(
    ("kind", "criterion"),
    [
        ("finding", ("updatedDate", "GREATER", "2026-01-01T00:00:00Z")),
        ("finding", ("ID", "EQUALS", "1")),
        ("finding", ("lastScan.date", "GREATER", "2026-01-01T00:00:00Z")),
        ("webapp", ("qid", "EQUALS", "150001")),
        ("finding", ("id", "CONTAINS", "1")),
        ("finding", ("lastTestedDate", "IN", "2026-01-01T00:00:00Z")),
        ("finding", ("status", "CONTAINS", "NEW")),
        ("finding", ("webApp.tags", "EQUALS", "1")),
        ("finding", ("id", "GREATER THAN", "1")),
        ("finding", ("status", "EQUALS", "OPEN")),
        ("finding", ("type", "EQUALS", "vulnerability")),
        ("finding", ("lastTestedDate", "GREATER", "yesterday")),
        ("finding", ("lastTestedDate", "GREATER", "2026-13-01T00:00:00Z")),
        ("finding", ("lastTestedDate", "GREATER", "2026-01-01T00:00:00.000Z")),
        ("finding", ("id", "EQUALS", "1.5")),
        ("finding", ("id", "EQUALS", "99999999999999999999")),
        ("finding", ("id", "IN", "1,2,x")),
        ("webapp", ("isScanned", "EQUALS", "TRUE")),
        ("wasscan", ("status", "EQUALS", "DONE")),
    ],
)
def test_unknown_fields_operators_and_forms_are_refused(
    asker: Asker, kind: str, criterion: tuple[str, str, str]
) -> None:
    for operation in ("search", "count"):
        request = f'<Criteria field="{criterion[0]}" operator="{criterion[1]}">{criterion[2]}'
        body = f"<ServiceRequest><filters>{request}</Criteria></filters></ServiceRequest>"
        answer = asker.post(f"{operation}/was/{kind}", body)
        assert (answer.code, answer.rows) == ("INVALID_REQUEST", [])


@pytest.mark.parametrize(
    "preferences",
    [
        {"limitResults": 0},
        {"limitResults": 1001},
        {"limitResults": "all"},
        {"verbose": "yes"},
        {"startFromOffset": 0},
        {"sortBy": "id"},
    ],
)
def test_preferences_out_of_bounds_are_refused(
    asker: Asker, preferences: dict[str, object]
) -> None:
    assert asker.search("finding", **preferences).code == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("search/was/finding", "<ServiceRequest>", "INVALID_XML"),
        ("search/was/finding", "<Request/>", "INVALID_REQUEST"),
        ("search/was/finding", "<ServiceRequest><data/></ServiceRequest>", "INVALID_REQUEST"),
        ("search/was/thing", "", "INVALID_URL"),
        ("purge/was/finding", "", "OPERATION_NOT_SUPPORTED"),
    ],
)
def test_what_is_no_request_is_refused(asker: Asker, path: str, body: str, code: str) -> None:
    assert asker.post(path, body).code == code


@pytest.mark.parametrize(
    ("criterion", "path", "passes"),
    [
        (("status", "EQUALS", "ACTIVE"), "status", r"ACTIVE"),
        (("status", "NOT EQUALS", "FIXED"), "status", r"NEW|ACTIVE|REOPENED|PROTECTED"),
        (("status", "IN", "NEW,FIXED"), "status", r"NEW|FIXED"),
        (("severity", "GREATER", "3"), "severity", r"[45]"),
        (("severity", "LESSER", "3"), "severity", r"[12]"),
        (("type", "EQUALS", "SENSITIVE_CONTENT"), "type", r"SENSITIVE_CONTENT"),
        (("name", "CONTAINS", "A"), "name", r"(?i).*a.*"),
    ],
)
def test_criteria_let_through_what_they_say(
    asker: Asker, criterion: tuple[str, str, str], path: str, passes: str
) -> None:
    found = asker.search("finding", criterion, limitResults=1000)
    everything = asker.search("finding", limitResults=1000)
    fitting = [one for one in everything.values(path) if re.fullmatch(passes, one or "")]
    assert 0 < len(found.rows) < len(everything.rows)
    assert sorted(map(str, found.values(path))) == sorted(map(str, fitting))
    assert asker.count("finding", criterion) == len(fitting)


def test_criteria_all_have_to_be_met(asker: Asker) -> None:
    fixed, severe = ("status", "EQUALS", "FIXED"), ("severity", "GREATER", "2")
    both = asker.search("finding", fixed, severe, limitResults=1000)
    ids = [set(asker.search("finding", one, limitResults=1000).ids) for one in (fixed, severe)]
    assert both.ids
    assert len(both.ids) == asker.count("finding", fixed, severe)
    assert set(both.ids) <= ids[0] & ids[1]


def test_dates_bound_without_their_own_second(asker: Asker, sandbox: Sandbox) -> None:
    moments = sorted(one.tested for one in sandbox.world.all_findings())
    middle = moments[len(moments) // 2]
    stamp = asker.search("finding", limitResults=1, verbose="true").text("data/*/lastTestedDate")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp or "")
    later = asker.count("finding", ("lastTestedDate", "GREATER", iso(middle)))
    earlier = asker.count("finding", ("lastTestedDate", "LESSER", iso(middle)))
    assert later == sum(one > middle for one in moments)
    assert earlier == sum(one < middle for one in moments)


@pytest.mark.parametrize("kind", FINDING_TYPES)
@pytest.mark.parametrize("limit", [7, 100])
def test_pages_walk_through_everything_once(asker: Asker, kind: str, limit: int) -> None:
    walked: list[int] = []
    chosen, last, more = ("type", "EQUALS", kind), "0", "true"
    while more == "true":
        page = asker.search("finding", chosen, ("id", "GREATER", last), limitResults=limit)
        walked += page.ids
        more, last = page.text("hasMoreRecords") or "false", page.text("lastId") or ""
        assert len(page.rows) == page.count <= limit
        assert (last == str(walked[-1])) == (more == "true")
    assert walked == sorted(set(walked))
    assert len(walked) == asker.count("finding", chosen)


def test_finding_types_have_ids_of_their_own(asker: Asker, sandbox: Sandbox) -> None:
    ids = [
        set(asker.search("finding", ("type", "EQUALS", kind), limitResults=1000).ids)
        for kind in FINDING_TYPES
    ]
    assert ids[0] & ids[1]
    assert ids[0] & ids[2]
    assert len({sandbox.world.unique_id(one) for one in sandbox.world.all_findings()}) == sum(
        map(len, ids)
    )


@pytest.mark.parametrize(
    ("position", "operator", "parts"),
    [
        ("recorded", "GREATER", 4),
        ("recorded", "IN", 2),
        ("count", "GREATER", 2),
        ("more", "IN", 3),
        ("data", "IN", 4),
    ],
)
def test_an_empty_page_has_one_of_three_forms(position: str, operator: str, parts: int) -> None:
    switches = Switches(empty_result_form=position)  # type: ignore[arg-type]
    with Sandbox(apps=1, findings=1, scans=1, switches=switches) as sandbox:
        page = Asker(sandbox).search("finding", ("id", operator, HIGHEST))
    children = [child.tag for child in page.root]
    assert children == ["responseCode", "count", "hasMoreRecords", "data"][:parts]
    assert (page.count, page.rows) == (0, [])


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [({}, "", 415), ({"Content-Type": "text/xml"}, "", 200), ({}, "<ServiceRequest/>", 200)],
)
def test_a_post_needs_a_body_or_its_type(
    asker: Asker, headers: dict[str, str], data: str, status: int
) -> None:
    url = f"{asker.base}/search/was/webapp"
    answer = requests.post(url, data, headers=asker.headers | headers, timeout=20)
    assert answer.status_code == status


def test_rows_come_in_descending_order_and_by_one_sequence_when_told() -> None:
    switches = Switches(id_order="descending", id_sequences="shared")
    with Sandbox(apps=4, findings=60, switches=switches) as sandbox:
        ids = Asker(sandbox).search("finding", limitResults=1000).ids
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) >= 60


@pytest.mark.parametrize(
    "headers",
    [{}, basic("sandbox_user", "wrong"), basic("", ""), {"Authorization": "Basic x"}],
)
def test_other_logins_are_refused_with_200_and_a_code(
    asker: Asker, sandbox: Sandbox, headers: dict[str, str]
) -> None:
    asker.headers = headers
    answer = asker.get("count/was/webapp")
    needed = "INVALID_CREDENTIALS" if headers else "AUTH_CREDENTIALS_NEEDED"
    assert answer.code == needed
    fo = f"{sandbox.qualys_url}/api/2.0/fo/knowledge_base/vuln/?action=list&ids=150001"
    refused = requests.get(fo, headers=headers, timeout=20)
    assert (refused.status_code, "<CODE>2000</CODE>" in refused.text) == (401, True)


def test_every_answer_has_the_worlds_date(sandbox: Sandbox) -> None:
    paths = (
        "/qps/rest/3.0/count/was/webapp",
        "/qps/rest/portal/version",
        "/api/2.0/fo/knowledge_base/vuln/",
        "/nowhere",
    )
    answers = [requests.get(sandbox.qualys_url + path, timeout=20) for path in paths]
    assert {one.headers["Date"][:16] for one in answers} == {"Mon, 02 Mar 2026"}


HEADERS: Final = ("evaluation", "X-Powered-By", "X-RateLimit-ToWait-Sec")
FO: Final = "/api/2.0/fo/knowledge_base/vuln/?action=list&ids="


def told(answer: requests.Response) -> dict[str, str]:
    """Give the telling headers; of the subscription's only the subscription."""
    found = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    return {
        name: text.rpartition(":")[0].rpartition(":")[2] or text for name, text in found.items()
    }


def test_answers_of_the_was_side_have_the_recorded_headers(sandbox: Sandbox, asker: Asker) -> None:
    named = {"X-Powered-By": sandbox.world.subscription}
    good, refused = asker.search("finding"), asker.search("finding", ("id", "EQUALS", "abc"))
    assert told(good.response) == named | {"evaluation": "false"}
    assert told(refused.response) == named
    version = requests.get(
        f"{sandbox.qualys_url}/qps/rest/portal/version", headers=asker.headers, timeout=20
    )
    assert told(version) == {}


@pytest.mark.parametrize(("ids", "status"), [("150001", 200), ("none", 400)])
def test_answers_of_the_knowledge_base_have_the_recorded_headers(
    sandbox: Sandbox, asker: Asker, ids: str, status: int
) -> None:
    headers = asker.headers | {"X-Requested-With": "tests"}
    answer = requests.get(f"{sandbox.qualys_url}{FO}{ids}", headers=headers, timeout=20)
    assert answer.status_code == status
    assert told(answer) == {
        "X-Powered-By": sandbox.world.subscription,
        "X-RateLimit-ToWait-Sec": "0",
    }
    assert answer.headers["X-Concurrency-Limit-Running"] == "0"


def test_a_call_without_its_header_is_not_blocked_either(sandbox: Sandbox, asker: Asker) -> None:
    answer = requests.get(f"{sandbox.qualys_url}{FO}6", headers=asker.headers, timeout=20)
    assert (answer.status_code, "<CODE>1903</CODE>" in answer.text) == (400, True)
    assert told(answer)["X-RateLimit-ToWait-Sec"] == "0"


def test_a_refused_login_names_no_subscription(sandbox: Sandbox) -> None:
    paths = ("/qps/rest/3.0/count/was/webapp", f"{FO}6")
    answers = [requests.get(sandbox.qualys_url + path, timeout=20) for path in paths]
    assert [told(one) for one in answers] == [{}, {}]

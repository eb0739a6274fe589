"""The sandbox's Qualys is asked and answers in JSON as in XML."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
from lxml import etree

from tests.sandbox.qualys.object_kinds import object_kinds
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.model import FINDING_TYPES
from tests.sandbox_tests.qualys.asking import Criterion, basic, body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.qualys.object_kinds import ObjectKind

JSON: Final = "application/json"
XML: Final = "text/xml"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=6, findings=120, qids=20, scans=8, turbulent=True, seed=5) as made:
        yield made


def ask(
    sandbox: Sandbox, verb: str, path: str, data: str = "", *, given: str = XML, wanted: str = XML
) -> requests.Response:
    headers = basic(sandbox.username, sandbox.password)
    headers |= {"Content-Type": given, "Accept": wanted}
    url = f"{sandbox.qualys_url}/qps/rest/{path}"
    return requests.request(verb, url, data=data.encode(), headers=headers, timeout=20)


def in_json(criteria: tuple[Criterion, ...], preferences: dict[str, object]) -> str:
    named = [dict(zip(("field", "operator", "value"), one, strict=True)) for one in criteria]
    filters = {"Criteria": named[0] if len(named) == 1 else named} if named else {}
    return json.dumps({"ServiceRequest": {"preferences": preferences, "filters": filters}})


def plain_xml(element: etree._Element) -> Any:  # noqa: ANN401
    """Give what an element says: text, a list of pairs, or parts by name."""
    if element.tag == "list" or (element.tag == "data" and not element.attrib):
        return [(child.tag, plain_xml(child)) for child in element]
    if len(element):
        parts = {child.tag: plain_xml(child) for child in element}
        return {name: value for name, value in parts.items() if value != []}
    if element.attrib:
        return {**element.attrib, "value": element.text or ""}
    return element.text or ""


def plain_json(value: Any) -> Any:  # noqa: ANN401
    """Give what a JSON value says, in the same form."""
    if isinstance(value, list):
        return [
            (next(iter(one)), plain_json(next(iter(one.values()))))
            if isinstance(one, dict)
            else ("long", str(one))
            for one in value
        ]
    if isinstance(value, dict):
        return {key: plain_json(one) for key, one in value.items() if one is not None}
    return str(value)


Asked = tuple[tuple[Criterion, ...], dict[str, object]]
SEARCHES: Final[list[Asked]] = [
    ((), {}),
    ((), {"limitResults": 3, "verbose": "true"}),
    ((("id", "GREATER", "0"),), {"limitResults": 1000, "verbose": "false"}),
    ((("id", "GREATER", "5"), ("id", "LESSER", str(2**62))), {"limitResults": 1000}),
    ((("id", "IN", "1, 2"),), {}),
    ((("name", "CONTAINS", "a & <b>"),), {}),
    ((("id", "EQUALS", "abc"),), {}),
    ((("nothing", "EQUALS", "1"),), {}),
    ((), {"limitResults": 5000}),
]


KINDS: Final = object_kinds(0)
"""Every kind of object that there are calls for, by path and name."""


def spelled(operation: str, kind: ObjectKind, key: object = "") -> str:
    """Give the path of a call."""
    version, _, module = kind.path.partition("/")
    return f"{version}/{operation}/{module}/{kind.name}{key and f'/{key}'}"


def said(answer: requests.Response) -> Any:  # noqa: ANN401
    """Give what an answer says, whichever spelling it has."""
    if answer.headers["Content-Type"] == JSON:
        return plain_json(answer.json()["ServiceResponse"])
    return plain_xml(etree.fromstring(answer.content))


@pytest.mark.parametrize("operation", ["count", "search"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("asked", SEARCHES, ids=str)
def test_the_same_question_has_the_same_answer_in_both(
    sandbox: Sandbox, operation: str, kind: ObjectKind, asked: Asked
) -> None:
    path = spelled(operation, kind)
    questions = {XML: body(*asked), JSON: in_json(*asked)}
    answers = {
        (given, wanted): ask(sandbox, "POST", path, text, given=given, wanted=wanted)
        for given, text in questions.items()
        for wanted in (XML, JSON)
    }
    assert answers[XML, XML].content == answers[JSON, XML].content
    assert answers[XML, JSON].json() == answers[JSON, JSON].json()
    assert answers[XML, JSON].headers["Content-Type"] == JSON
    assert said(answers[XML, JSON]) == said(answers[XML, XML])


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_calls_without_a_body_have_the_same_answer_in_both(
    sandbox: Sandbox, kind: ObjectKind
) -> None:
    row = next(row for rows in kind.rows(sandbox.world).values() for row in rows)
    paths = [spelled("count", kind)]
    paths += [
        spelled(operation, kind, key)
        for operation in ("get", "status", "delete")
        for key in (row.id, 7, "abc")
    ]
    for path in paths:
        xml, told = (ask(sandbox, "GET", path, wanted=wanted) for wanted in (XML, JSON))
        assert told.headers["Content-Type"] == JSON
        assert said(told) == said(xml), path


def test_single_findings_and_the_version_have_the_same_answer_in_both(sandbox: Sandbox) -> None:
    finding = sandbox.world.findings[FINDING_TYPES[0]][0]
    paths = [
        f"3.0/get/was/finding/{sandbox.world.unique_id(finding)}",
        "3.0/get/was/nothing/7",
        "portal/version",
    ]
    for path in paths:
        xml, told = (ask(sandbox, "GET", path, wanted=wanted) for wanted in (XML, JSON))
        assert said(told) == said(xml), path


def test_the_results_of_a_scan_stand_in_an_envelope_in_json_alone(sandbox: Sandbox) -> None:
    path = f"3.0/download/was/wasscan/{sandbox.world.scans[-1].id}"
    xml, told = (ask(sandbox, "GET", path, wanted=wanted) for wanted in (XML, JSON))
    answer = told.json()["ServiceResponse"]
    assert answer["responseCode"] == "SUCCESS"
    root = etree.fromstring(xml.content)
    assert plain_json(answer["data"]) == [(root.tag, plain_xml(root))]
    result = answer["data"][0]["WasScan"]["igs"]["list"][0]["WasScanIg"]["data"]
    assert set(result) == {"base64", "value"}
    assert base64.b64decode(result["value"]).startswith(b"Number of links")


def test_numbers_and_words_are_told_apart_as_recorded(sandbox: Sandbox) -> None:
    asked = {"limitResults": 1000, "verbose": "true"}
    answer = ask(sandbox, "POST", "3.0/search/was/finding", body((), asked), wanted=JSON).json()
    page = answer["ServiceResponse"]
    assert type(page["count"]) is int
    assert page["hasMoreRecords"] == "false"
    assert "lastId" not in page
    rows = [one["Finding"] for one in page["data"]]
    numbers = {"id": int, "qid": int, "timesDetected": int, "detectionScore": int}
    words = {"potential": str, "isIgnored": str, "severity": str, "uniqueId": str}
    for name, kind in {**numbers, **words}.items():
        assert {type(row[name]) for row in rows if name in row} == {kind}, name
    assert {type(one) for row in rows for one in row.get("cwe", {}).get("list", [])} == {int}
    classes = [
        one[name.upper()]
        for row in rows
        for name in ("owasp", "wasc")
        for one in row.get(name, {}).get("list", [])
    ]
    assert {type(one["code"]) for one in classes} == {int}
    assert {type(row["cvssV3"]["base"]) for row in rows if "cvssV3" in row} == {float}
    sent = [
        one["PayloadInstance"]["request"]
        for row in rows
        for result in row["resultList"]["list"]
        for one in result["Result"]["payloads"]["list"]
        if "request" in one["PayloadInstance"]
    ]
    assert {(one["method"], one["body"] is None) for one in sent} == {
        ("GET", True),
        ("POST", False),
    }


def test_the_id_where_a_page_ends_is_a_number(sandbox: Sandbox) -> None:
    asked = body((), {"limitResults": 3})
    answer = ask(sandbox, "POST", "3.0/search/was/webapp", asked, wanted=JSON).json()
    page = answer["ServiceResponse"]
    assert page["hasMoreRecords"] == "true"
    assert page["lastId"] == page["data"][-1]["WebApp"]["id"]
    assert type(page["lastId"]) is int


def test_an_empty_page_has_no_data_and_an_empty_list_no_rows(sandbox: Sandbox) -> None:
    nothing = body((("name", "EQUALS", "nothing has this name"),), {})
    answer = ask(sandbox, "POST", "3.0/search/was/webapp", nothing, wanted=JSON).json()
    assert answer["ServiceResponse"] == {
        "responseCode": "SUCCESS",
        "count": 0,
        "hasMoreRecords": "false",
    }
    every = body((), {"limitResults": 1000, "verbose": "true"})
    answer = ask(sandbox, "POST", "3.0/search/was/webapp", every, wanted=JSON).json()
    tags = [one["WebApp"]["tags"] for one in answer["ServiceResponse"]["data"]]
    assert {"count": 0} in tags
    assert all(len(one.get("list", [])) == one["count"] for one in tags)


def test_a_login_that_is_refused_is_told_in_json(sandbox: Sandbox) -> None:
    url = f"{sandbox.qualys_url}/qps/rest/3.0/count/was/webapp"
    answer = requests.get(url, headers={"Accept": JSON}, timeout=20).json()
    assert answer["ServiceResponse"]["responseCode"] == "AUTH_CREDENTIALS_NEEDED"


@pytest.mark.parametrize(
    ("accepted", "told"),
    [
        ("*/*", "application/xml"),
        ("application/xml, application/json", "application/xml"),
        ("application/json, application/xml;q=0.5", JSON),
    ],
)
def test_the_first_form_that_is_accepted_is_told(
    sandbox: Sandbox, accepted: str, told: str
) -> None:
    answer = ask(sandbox, "GET", "3.0/count/was/webapp", wanted=accepted)
    assert answer.headers["Content-Type"] == told


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "INVALID_XML"),
        ("[]", "INVALID_REQUEST"),
        ('{"Other": {}}', "INVALID_REQUEST"),
        ('{"ServiceRequest": {"filters": {"Criteria": [7]}}}', "INVALID_REQUEST"),
        ('{"ServiceRequest": {"filters": {"Criteria": {"field": "id"}}}}', "INVALID_REQUEST"),
        ('{"ServiceRequest": {"preferences": {"limitResults": [1]}}}', "INVALID_REQUEST"),
        ('{"ServiceRequest": {"preferences": {"other": 1}}}', "INVALID_REQUEST"),
        ('{"ServiceRequest": {"preferences": {"verbose": true}, "filters": {}}}', "SUCCESS"),
    ],
)
def test_json_that_asks_for_nothing_known_is_refused(
    sandbox: Sandbox, text: str, code: str
) -> None:
    answer = ask(sandbox, "POST", "3.0/search/was/finding", text, given=JSON, wanted=JSON)
    assert answer.json()["ServiceResponse"]["responseCode"] == code

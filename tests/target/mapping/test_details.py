"""Details tell all that KDI has no field for, so that a person can read it, and programs too."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.mapping.details import (
    DIRECT,
    EVIDENCE,
    MADE,
    MAX_EVIDENCE,
    POTENTIAL,
    as_fields,
    as_text,
)
from target_ciscovm.mapping.records import Finding
from tests.sandbox.ciscovm.kdi.values import additional_fields
from tests.target.rows import as_finding

FULL = {
    "param": "q",
    "function": "login()",
    "content": "4111 1111",
    "findingType": "QUALYS",
    "group": "XSS",
    "cwe": [79, 80],
    "owasp": [{"code": 3, "name": "Injection"}, {"name": "No code"}],
    "wasc": [{"code": 8, "name": "Cross-site scripting"}],
    "cvssV3": {"base": 6.1, "vector": "CVSS:3.1/AV:N"},
    "detectionScore": 60,
    "fixedDate": "2024-05-03T08:00:00Z",
    "timesDetected": 2,
    "isIgnored": True,
    "ignoredReason": "RISK_ACCEPTED",
    "ignoredComment": "Known",
    "externalRef": "T-1",
    "patch": 7,
    "resultList": [{"request": {"method": "GET"}}],
    "sslData": {"protocol": "TLSv1"},
}


def test_every_detail_of_a_finding_is_there_by_its_name() -> None:
    found = as_fields(as_finding(**FULL))

    assert set(found) == {*DIRECT, POTENTIAL, *MADE, EVIDENCE}
    assert found["URL"] == "https://app1.example.test/page1"
    assert found["CVSS v3 base"] == 6.1
    assert found["OWASP"] == "3 Injection"
    assert found["WASC"] == "8 Cross-site scripting"
    assert found["CWE"] == "79, 80"
    assert found["Potential"] is False
    assert found["Ignored"] is True


@pytest.mark.parametrize(
    ("label", "source"),
    [
        *((label, source) for label, (source, _) in MADE.items()),
        *((EVIDENCE, source) for source in ("result_list", "ssl_data")),
    ],
)
def test_each_detail_is_told_also_where_there_is_no_other(label: str, source: str) -> None:
    finding = Finding()
    setattr(finding, source, getattr(as_finding(**FULL), source))

    assert label in as_fields(finding)
    assert f"{label}: " in as_text(finding)


def test_what_qualys_does_not_tell_has_no_name_in_it() -> None:
    assert as_fields(Finding(param="", cwe=[], owasp=[], is_ignored=False)) == {}
    assert as_text(Finding()) == ""


def test_the_vector_is_the_attack_vector_where_there_is_no_other() -> None:
    found = as_fields(as_finding(cvssV3={"attackVector": "Network"}))

    assert found["CVSS v3 vector"] == "Network"
    assert "CVSS v3 base" not in found


def test_the_text_has_a_line_for_each_and_the_evidence_last() -> None:
    lines = as_text(as_finding(**FULL)).splitlines()

    assert lines[:3] == [
        "URL: https://app1.example.test/page1",
        "Parameter: q",
        "Function: login()",
    ]
    assert "Potential: no" in lines
    assert "Ignored: yes" in lines
    labels = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    assert labels == [*DIRECT, POTENTIAL, *MADE, EVIDENCE]


def test_the_whole_url_is_told_also_where_the_assets_is_cut() -> None:
    url = "https://app1.example.test/p?x=%3Cscript%3E#top"

    assert f"URL: {url}" in as_text(as_finding(url=url)).splitlines()


def test_no_value_can_pass_for_another_label() -> None:
    text = as_text(as_finding(ignoredComment="a\nEvidence: forged\r\nStatus: FIXED"))

    assert (
        text.splitlines()[-3:]
        == [
            "Ignored comment: a",
            "  Evidence: forged",
            "  Status: FIXED",
        ]
        or "\n  Evidence: forged\n  Status: FIXED" in text
    )
    assert f"\n{EVIDENCE}:" not in text


def test_mark_up_in_evidence_appears_as_text() -> None:
    finding = as_finding(resultList=[{"payload": "<script>alert('1')</script>"}])

    assert "<script>alert('1')</script>" in as_text(finding)


def test_evidence_can_be_left_out() -> None:
    finding = as_finding(**FULL)

    assert EVIDENCE not in as_fields(finding, with_evidence=False)
    assert as_text(finding).startswith(as_text(finding, with_evidence=False))
    assert "GET" not in as_text(finding, with_evidence=False)


@pytest.mark.parametrize("evidence", [None, [], {}, "", 0])
def test_empty_evidence_is_none(evidence: object) -> None:
    assert EVIDENCE not in as_fields(as_finding(resultList=evidence, sslData=evidence))


def test_evidence_is_json_as_it_came() -> None:
    found = as_fields(as_finding(resultList=[{"a": "\u00e9<b>\r\n"}]))[EVIDENCE]

    assert json.loads(str(found)) == [{"a": "\u00e9<b>\r\n"}]


def test_very_long_evidence_is_cut() -> None:
    found = as_fields(as_finding(resultList=["x" * (2 * MAX_EVIDENCE)]))

    assert len(str(found[EVIDENCE])) == MAX_EVIDENCE


def test_control_characters_are_gone() -> None:
    found = as_fields(as_finding(param="a\x00b\x07c\ud800", content="l1\r\nl2"))

    assert (found["Parameter"], found["Content"]) == ("abc", "l1\nl2")


VALUES = st.none() | st.text() | st.text("a\n:\r Evidc", max_size=30)


@given(VALUES, VALUES, VALUES)
def test_whatever_comes_the_fields_are_scalars_and_the_text_is_valid(
    param: str | None, content: str | None, comment: str | None
) -> None:
    row = {"param": param, "content": content, "ignoredComment": comment}
    finding = as_finding(**row, resultList=["e"])

    assert additional_fields(as_fields(finding)) is None
    text = as_text(finding)
    text.encode()
    assert text.count(f"\n{EVIDENCE}: ") == 1
    assert text.endswith('[\n    "e"\n  ]')

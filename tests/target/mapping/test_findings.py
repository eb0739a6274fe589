"""A finding of Qualys becomes what CVM shall hold, in either data model, and nothing else."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.kdi.types import DataModel, TriageState, VulnStatus
from target_ciscovm.mapping.finding import (
    Item,
    MappingRules,
    closed_item,
    finding_problem,
    identifier_of,
    moments,
    notes,
    state_of,
)
from target_ciscovm.mapping.records import Finding
from tests.target.mapping.documents import problems
from tests.target.rows import Row, as_finding, map_as, map_row

Model = Literal["vulnerabilities", "findings"]
MODELS: tuple[Model, ...] = get_args(Model)
VULNERABILITIES, FINDINGS = (MappingRules(model) for model in MODELS)
IGNORED_TOO = {model: MappingRules(model, map_ignored=True) for model in MODELS}
NAME = "QID 150001 Title"


def mapped(rules: MappingRules = VULNERABILITIES, **row: object) -> Row:
    """Map a finding and give it as it stands in the file, checked."""
    item = map_row(rules, NAME, **row)
    assert problems(item) == []
    found: Row = msgspec.to_builtins(item)
    return found


def problem(finding: Finding) -> str | None:
    return finding_problem(finding, moments(finding))


def noted(rules: MappingRules, **row: object) -> list[str]:
    finding = as_finding(**row)
    return notes(finding, moments(finding), rules)


def test_a_finding_becomes_a_vulnerability() -> None:
    found = mapped()

    assert found.pop("details").startswith("URL: https://app1.example.test/page1\n")
    assert found == {
        "scanner_type": "QualysWAS",
        "scanner_identifier": "V-9001-00000000-0000-4000-8000-000000000001",
        "vuln_def_name": NAME,
        "status": "open",
        "last_seen_at": "2024-05-01T08:00:00Z",
        "created_at": "2024-03-01T08:00:00Z",
        "scanner_score": 3,
    }


def test_a_finding_becomes_a_finding_of_the_application_security_module() -> None:
    found = mapped(FINDINGS)

    assert found.pop("additional_fields")["URL"] == "https://app1.example.test/page1"
    assert found == {
        "scanner_type": "QualysWAS",
        "scanner_identifier": "V-9001-00000000-0000-4000-8000-000000000001",
        "vuln_def_name": NAME,
        "last_seen_at": "2024-05-01T08:00:00Z",
        "created_at": "2024-03-01T08:00:00Z",
        "severity": 6,
    }


@pytest.mark.parametrize(
    ("status", "vuln", "triage"),
    [
        ("NEW", "open", None),
        ("ACTIVE", "open", None),
        ("REOPENED", "open", "new"),
        ("PROTECTED", "open", None),
        ("FIXED", "closed", "resolved"),
        ("SOMETHING", "open", None),
        (" fixed ", "closed", "resolved"),
        ("Active", "open", None),
    ],
)
def test_each_status_has_one_meaning(status: str, vuln: str, triage: str | None) -> None:
    assert mapped(status=status)["status"] == vuln
    assert mapped(FINDINGS, status=status).get("triage_state") == triage


@pytest.mark.parametrize("status", [None, "", " "])
def test_information_without_a_status_is_open(status: str | None) -> None:
    row: Row = {"type": "INFORMATION_GATHERED", "status": status}

    assert problem(as_finding(**row)) is None
    assert mapped(**row)["status"] == "open"
    assert "triage_state" not in mapped(FINDINGS, **row)


@pytest.mark.parametrize(
    ("row", "closed_at"),
    [
        ({"fixedDate": "2024-05-03T10:00:00+02:00"}, "2024-05-03T08:00:00Z"),
        ({"fixedDate": None}, "2024-05-02T08:00:00Z"),
        ({"fixedDate": "0000-00-00", "lastTestedDate": ""}, "2024-05-01T08:00:00Z"),
    ],
    ids=str,
)
def test_a_fix_is_dated_by_the_fix_else_by_the_test_that_saw_it(row: Row, closed_at: str) -> None:
    assert mapped(status="FIXED", **row)["closed_at"] == closed_at


def test_an_open_vulnerability_has_no_date_of_closing() -> None:
    assert "closed_at" not in mapped(fixedDate="2024-05-03T08:00:00Z")


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_a_severity_is_the_score_and_doubled_in_the_findings_model(severity: int) -> None:
    assert mapped(severity=severity)["scanner_score"] == severity
    assert mapped(FINDINGS, severity=severity)["severity"] == severity * 2


@pytest.mark.parametrize("severity", [None, 0, 6, 9, -1, 2**63 - 1])
def test_a_severity_that_is_none_is_left_out(severity: int | None) -> None:
    assert "scanner_score" not in mapped(severity=severity)
    assert "severity" not in mapped(FINDINGS, severity=severity)
    told = noted(VULNERABILITIES, severity=severity)
    assert told == ([] if severity is None else [f"severity {severity} is not 1 to 5: left out"])


@pytest.mark.parametrize(
    ("reason", "vuln", "triage"),
    [
        ("FALSE_POSITIVE", "false_positive", "false_positive"),
        ("false_positive", "false_positive", "false_positive"),
        ("RISK_ACCEPTED", "risk_accepted", "risk_accepted"),
        ("NOT_APPLICABLE", "false_positive", "not_a_security_issue"),
        ("", "risk_accepted", "risk_accepted"),
        (None, "risk_accepted", "risk_accepted"),
        ("OTHER", "risk_accepted", "risk_accepted"),
    ],
)
def test_ignored_findings_are_mapped_only_when_asked_for(
    reason: str | None, vuln: str, triage: str
) -> None:
    row: Row = {"isIgnored": True, "ignoredReason": reason}

    assert mapped(**row)["status"] == "open"
    assert "triage_state" not in mapped(FINDINGS, **row)
    assert mapped(IGNORED_TOO["vulnerabilities"], **row)["status"] == vuln
    assert mapped(IGNORED_TOO["findings"], **row)["triage_state"] == triage


def test_an_ignored_finding_without_a_reason_is_counted() -> None:
    rules = IGNORED_TOO["vulnerabilities"]

    assert len(noted(rules, isIgnored=True)) == 1
    assert noted(rules, isIgnored=True, ignoredReason="FALSE_POSITIVE") == []
    assert noted(VULNERABILITIES, isIgnored=True) == []


def test_a_fix_of_an_ignored_finding_is_a_fix() -> None:
    row: Row = {"isIgnored": True, "status": "FIXED"}

    assert mapped(IGNORED_TOO["vulnerabilities"], **row)["status"] == "closed"


@pytest.mark.parametrize("word", get_args(VulnStatus))
def test_a_status_map_overrides_what_is_built_in(word: str) -> None:
    rules = MappingRules(status_map={"PROTECTED": word, "FIXED": word, "ODD": word})

    for status in ("PROTECTED", "FIXED", "ODD", "odd"):
        assert mapped(rules, status=status)["status"] == word
        assert state_of(map_row(rules, NAME, status=status)) == word
        assert noted(rules, status=status) == []
    assert mapped(rules, status="ACTIVE")["status"] == "open"


@pytest.mark.parametrize("word", get_args(TriageState))
def test_a_status_map_of_the_findings_model_has_its_words(word: str) -> None:
    rules = MappingRules("findings", {"PROTECTED": word})

    assert mapped(rules, status="PROTECTED")["triage_state"] == word
    assert state_of(map_row(rules, NAME, status="PROTECTED")) == word


def test_an_unknown_status_is_counted_by_its_name() -> None:
    assert noted(VULNERABILITIES, status="odd" * 100) == [
        f"unknown status {('ODD' * 100)[:40]}: taken as open"
    ]


@pytest.mark.parametrize("date", ["0000-00-00T00:00:00Z", "yesterday", "1970-01-01T00:00:00Z"])
def test_a_date_that_cannot_be_read_is_left_out_and_counted(date: str) -> None:
    row: Row = {"firstDetectedDate": date, "fixedDate": date}

    assert "created_at" not in mapped(**row)
    assert noted(VULNERABILITIES, **row) == [
        "firstDetectedDate is not a readable date: left out",
        "fixedDate is not a readable date: left out",
    ]


@pytest.mark.parametrize("date", [None, "", "  "])
def test_a_date_that_is_not_there_is_not_counted(date: str | None) -> None:
    assert noted(VULNERABILITIES, firstDetectedDate=date) == []


DATES = {
    "lastDetectedDate": "2024-05-01T08:00:00Z",
    "lastTestedDate": "2024-05-02T08:00:00Z",
    "fixedDate": "2024-05-03T08:00:00Z",
    "firstDetectedDate": "2024-03-01T08:00:00Z",
}


def test_last_seen_falls_back_in_one_order_and_is_never_now() -> None:
    dates: dict[str, str | None] = dict(DATES)
    for name, date in DATES.items():
        assert moments(as_finding(**dates)).last_seen == date
        dates[name] = "0000-00-00"
    assert moments(as_finding(**dates)).last_seen is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"uniqueId": None, "id": None}, "uniqueId"),
        ({"uniqueId": " ", "type": None}, "uniqueId"),
        ({"qid": None, "name": None}, "neither a qid nor a name"),
        ({"qid": None, "name": " \x00"}, "neither a qid nor a name"),
        ({"status": None}, "no status"),
        ({"status": " "}, "no status"),
        ({"status": None, "type": "SENSITIVE_CONTENT"}, "no status"),
        ({"status": None, "type": None}, "no status"),
        (dict.fromkeys(DATES, "never"), "no readable date"),
        (dict.fromkeys(DATES), "no readable date"),
    ],
    ids=str,
)
def test_what_cannot_be_loaded_says_why(row: Row, says: str) -> None:
    told = problem(as_finding(**row))

    assert told is not None
    assert says in told


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"uniqueId": None},
        {"qid": None},
        {"qid": 0},
        {"name": None},
        {"webApp": None},
        {"url": None},
        {"severity": None},
        {"type": None},
        {"type": "information_gathered", "status": None},
    ],
    ids=str,
)
def test_what_can_be_loaded_needs_no_more_than_kdi(row: Row) -> None:
    finding = as_finding(**row)

    assert problem(finding) is None
    assert problems(*(map_as(finding, MappingRules(model), NAME) for model in MODELS)) == []


@pytest.mark.parametrize(
    ("row", "identifier"),
    [
        ({"uniqueId": " a-b "}, "V-9001-a-b"),
        ({"uniqueId": None}, "V-9001-7001"),
        ({"uniqueId": "", "type": "sensitive_content"}, "S-9001-7001"),
        ({"uniqueId": "a", "type": "INFORMATION_GATHERED", "status": None}, "I-9001-a"),
        ({"uniqueId": "a", "type": None}, "V-9001-a"),
        ({"uniqueId": "a", "type": "A_TYPE_OF_TOMORROW"}, "V-9001-a"),
        ({"uniqueId": "a", "webApp": None}, "V-0-a"),
        ({"uniqueId": "a", "webApp": {"name": "Shop"}}, "V-0-a"),
    ],
    ids=str,
)
def test_the_identifier_is_type_web_application_and_unique_id_else_id(
    row: Row, identifier: str
) -> None:
    assert identifier_of(as_finding(**row)) == identifier


def test_an_identifier_of_ten_thousand_characters_fits_and_stays_apart() -> None:
    one, two = (as_finding(uniqueId="u" * 10_000 + end) for end in "ab")

    assert identifier_of(one) != identifier_of(two)
    assert problems(*(map_as(row, VULNERABILITIES, NAME) for row in (one, two))) == []


@pytest.mark.parametrize("field", ["severity", "timesDetected", "status", "lastTestedDate"])
def test_the_identifier_holds_nothing_that_changes(field: str) -> None:
    changed = {"severity": 5, "timesDetected": 9, "status": "FIXED", "lastTestedDate": None}

    for key in ({}, {"uniqueId": None}):
        one, two = as_finding(**key), as_finding(**key, **{field: changed[field]})
        assert identifier_of(one) == identifier_of(two)


@pytest.mark.parametrize("model", MODELS)
def test_what_is_closed_by_name_says_no_more_than_that(model: DataModel) -> None:
    seen, closed = "2024-05-01T08:00:00Z", "2024-05-02T08:00:00Z"

    item: Item = closed_item("id", NAME, last_seen_at=seen, closed_at=closed, data_model=model)

    assert problems(item) == []
    found = msgspec.to_builtins(item)
    state = (
        {"triage_state": "resolved"}
        if model == "findings"
        else {"status": "closed", "closed_at": closed}
    )
    assert found == {
        "scanner_type": "QualysWAS",
        "scanner_identifier": "id",
        "vuln_def_name": NAME,
        "last_seen_at": seen,
        **state,
    }


def test_the_priority_that_people_set_is_never_sent() -> None:
    for rules in (VULNERABILITIES, FINDINGS, *IGNORED_TOO.values()):
        assert "priority" not in mapped(rules, severity=5)


TEXTS = st.none() | st.text(max_size=30)
ROWS = st.fixed_dictionaries(
    {
        "uniqueId": TEXTS | st.text("ab", min_size=250, max_size=260),
        "id": st.none() | st.integers(-(2**63), 2**63 - 1),
        "qid": st.none() | st.integers(-(2**63), 2**63 - 1),
        "name": TEXTS,
        "type": TEXTS | st.sampled_from(["VULNERABILITY", "INFORMATION_GATHERED"]),
        "severity": st.none() | st.integers(-2, 8),
        "status": TEXTS | st.sampled_from(["NEW", "FIXED", "REOPENED", "PROTECTED"]),
        "isIgnored": st.none() | st.booleans(),
        "ignoredReason": TEXTS,
        "param": TEXTS,
        "lastDetectedDate": TEXTS | st.sampled_from(list(DATES.values())),
        "fixedDate": TEXTS | st.sampled_from(list(DATES.values())),
    }
)


@given(ROWS, st.sampled_from(MODELS), st.booleans())
def test_whatever_has_no_problem_is_mapped_to_what_cvm_takes(
    row: Row, model: Model, map_ignored: bool
) -> None:
    finding = as_finding(**row)
    if problem(finding) is None:
        rules = MappingRules(model, map_ignored=map_ignored)
        assert problems(map_as(finding, rules, NAME)) == []
        assert all(isinstance(note, str) for note in notes(finding, moments(finding), rules))


def test_a_finding_of_nothing_is_a_problem_and_no_crash() -> None:
    assert problem(Finding()) is not None

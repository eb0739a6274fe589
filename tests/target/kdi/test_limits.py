"""Nothing that CVM would refuse, or take for something else, gets into a file."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.kdi.limits import check_asset, check_definition
from target_ciscovm.kdi.types import MAX_NAME
from tests.sandbox.ciscovm.kdi.check import check

NAME = "QID 1 Title"
SEEN = "2024-05-01T08:00:00Z"
VULN = {
    "scanner_type": "QualysWAS",
    "scanner_identifier": "id-1",
    "vuln_def_name": NAME,
    "status": "open",
    "last_seen_at": SEEN,
}
CLOSED = VULN | {"status": "closed", "closed_at": SEEN}
FINDING = {name: value for name, value in VULN.items() if name != "status"}
FULL_VULN = VULN | {"scanner_score": 5, "created_at": SEEN, "details": "URL: x\nType: y"}
FULL_FINDING = FINDING | {
    "severity": 10,
    "triage_state": "new",
    "created_at": SEEN,
    "additional_fields": {"URL": "x", "QID": 1, "CVSS": 7.5, "Potential": False},
}
ASSET = {"url": "https://app1.example.test/"}
FULL_ASSET = ASSET | {
    "external_id": "9001",
    "application": "The 'Shop'",
    "fqdn": "app1.example.test",
    "ip_address": "2001:db8::1",
    "os": "",
    "last_seen_at": SEEN,
    "tags": ["Blue, North"],
}
DEFINITION = {"scanner_type": "QualysWAS", "name": NAME}
MANY = 2500


def each(name: str, *values: object) -> list[dict[str, object]]:
    return [{name: value} for value in values]


def asset_problem(asset: dict[str, Any]) -> str | None:
    try:
        check_asset("url:https://app1.example.test/", msgspec.json.encode(asset))
    except CiscoVMError as error:
        return str(error)
    return None


def sandbox_problems(asset: dict[str, Any], definition: dict[str, Any] = DEFINITION) -> list[str]:
    whole = {"version": 2, "skip_autoclose": True, "assets": [asset], "vuln_defs": [definition]}
    return check(msgspec.json.encode(whole))


@pytest.mark.parametrize(
    "asset",
    [
        ASSET,
        FULL_ASSET,
        {"external_id": "9001"},
        {"application": "Demo"},
        {"ip_address": "192.0.2.7"},
        ASSET | {"vulns": [], "findings": [], "tags": []},
        ASSET | {"vulns": [VULN, CLOSED | {"scanner_identifier": "id-2"}]},
        ASSET | {"vulns": [FULL_VULN]},
        ASSET | {"vulns": [VULN | {"status": "risk_accepted"}]},
        ASSET | {"vulns": [VULN | {"status": "false_positive"}]},
        ASSET | {"findings": [FINDING, FULL_FINDING | {"scanner_identifier": "id-2"}]},
        ASSET | {"vulns": [VULN | {"scanner_identifier": "x" * MAX_NAME}]},
    ],
    ids=range(12),
)
def test_what_cvm_takes_passes(asset: dict[str, Any]) -> None:
    assert asset_problem(asset) is None
    assert sandbox_problems(asset) == []


BAD_DATES = [
    *("", "2024-05-01", "2024-05-01 08:00:00", "2024-05-01T08:00:00", "2024-05-01T08:00:00.0Z"),
    *("2024-13-01T08:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T08:00:00+00:00", None, 1),
    *("0000-00-00T00:00:00Z", "2024-05-01T08:00:00Z\n", "٢٠٢٤-05-01T08:00:00Z"),
]
BAD_ITEMS = [
    *each("last_seen_at", *BAD_DATES),
    *each("created_at", *BAD_DATES),
    *each("scanner_identifier", "", " ", None, 7, "x" * (MAX_NAME + 1)),
    *each("vuln_def_name", None, 1),
    *each("scanner_type", "", None, "Other"),
    {"unknown": 1},
    {"priority": 5},
]
BAD_VULNS = [
    *BAD_ITEMS,
    *each("status", "", None, "OPEN", "new", "closed", 1),
    *each("scanner_score", -1, 11, 5.5, "5", None, [True]),
    *each("details", None, 1, {}),
    {"closed_at": SEEN},
    {"triage_state": "new"},
]
BAD_FINDINGS = [
    *BAD_ITEMS,
    *each("triage_state", "", None, "open", "NEW"),
    *each("severity", -1, 11, 5.5, "5", None),
    *each("additional_fields", None, [], {"a": None}, {"a": [1]}),
    {"status": "open"},
]
BAD_ASSETS = [
    *each("url", "", " ", None, 1),
    *each("application", "", " ", 'The "Shop"', None),
    *each("ip_address", "", "app1.example.test", None),
    *each("tags", None, "Blue", ["Blue", ""], [None], [1], ["x" * 256]),
    *each("last_seen_at", *BAD_DATES),
    *each("os", None, 1),
    *each("vulns", None, {}, "x", [None], [VULN, VULN]),
    *each("findings", None, [FINDING, FINDING]),
    {"priority": 10},
    {"owner": "somebody"},
]


@pytest.mark.parametrize("change", BAD_VULNS, ids=str)
def test_a_vulnerability_that_cvm_would_not_take_is_refused(change: dict[str, Any]) -> None:
    assert asset_problem(ASSET | {"vulns": [VULN | change]}) is not None


@pytest.mark.parametrize("change", BAD_FINDINGS, ids=str)
def test_a_finding_that_cvm_would_not_take_is_refused(change: dict[str, Any]) -> None:
    assert asset_problem(ASSET | {"findings": [FINDING | change]}) is not None


@pytest.mark.parametrize("change", BAD_ASSETS, ids=str)
def test_an_asset_that_cvm_would_not_take_is_refused(change: dict[str, Any]) -> None:
    assert asset_problem(FULL_ASSET | change) is not None


@pytest.mark.parametrize("name", ["scanner_type", "scanner_identifier", "last_seen_at", "status"])
def test_what_is_required_is_missed(name: str) -> None:
    lacking = {key: value for key, value in VULN.items() if key != name}

    assert asset_problem(ASSET | {"vulns": [lacking]}) is not None


@pytest.mark.parametrize("at", [0, 999, 1000, MANY - 1])
@pytest.mark.parametrize("field", ["last_seen_at", "created_at"])
def test_one_bad_date_among_thousands_is_refused(at: int, field: str) -> None:
    items = [FULL_VULN | {"scanner_identifier": str(number)} for number in range(MANY)]
    assert asset_problem(ASSET | {"vulns": items}) is None

    items[at] = items[at] | {field: "2024-05-01 08:00:00Z"}

    assert "date of another form" in (asset_problem(ASSET | {"vulns": items}) or "")


def test_an_asset_needs_a_locator() -> None:
    assert asset_problem({"os": "Linux", "tags": ["Blue"]}) is not None


@pytest.mark.parametrize(
    "json", [b"", b"{", b"[]", b"null", b'{"url":NaN}', b'{"url":"\xff"}', b'{"url":"x"}x']
)
def test_what_is_no_strict_json_is_refused(json: bytes) -> None:
    with pytest.raises(CiscoVMError):
        check_asset("key", json)
    with pytest.raises(CiscoVMError):
        check_definition(NAME, json)


FULL_DEFINITION = DEFINITION | {"description": "x", "solution": "", "cwe_identifiers": "CWE-79"}
BAD_DEFINITIONS = [
    *each("name", "", None, "Other", "x" * (MAX_NAME + 1)),
    *each("scanner_type", "", None, "Other"),
    *each("cve_identifiers", "", None, "CVE-1", "CVE-2021-44228,", "x", 1),
    *each("cwe_identifiers", "", "79", "CWE-0", "CWE-79, CWE-80", "cwe-79"),
    *each("wasc_identifiers", "", "WASC-8", "WASC-100", "WASC-٠٨"),
    *each("description", None, 1),
    {"solution": None},
    {"severity": 5},
]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"cve_identifiers": "CVE-2021-44228,CVE-2020-12345"},
        {"cwe_identifiers": "CWE-79,CWE-80"},
        {"wasc_identifiers": "WASC-08,WASC-19"},
        {"description": "a\nb", "solution": ""},
    ],
    ids=str,
)
def test_a_definition_that_cvm_takes_passes(change: dict[str, Any]) -> None:
    check_definition(NAME, msgspec.json.encode(DEFINITION | change))
    assert sandbox_problems(ASSET, DEFINITION | change) == []


@pytest.mark.parametrize("change", BAD_DEFINITIONS, ids=str)
def test_a_definition_that_cvm_would_not_take_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CiscoVMError):
        check_definition(NAME, msgspec.json.encode(DEFINITION | change))


def test_the_message_names_what_and_where_in_one_line_and_asks_for_a_report() -> None:
    problem = asset_problem(ASSET | {"vulns": [VULN | {"status": "odd"}]})

    assert problem is not None
    assert "\n" not in problem
    for word in ("url:https://app1.example.test/", "vulns", "nothing was sent", "report it"):
        assert word in problem


def test_a_key_of_ten_thousand_characters_does_not_fill_the_terminal() -> None:
    with pytest.raises(CiscoVMError) as caught:
        check_asset("x" * 10_000, b"{}")
    assert len(str(caught.value)) < 500

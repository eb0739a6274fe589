"""The strict reader of KDI files passes good ones and finds each kind of bad value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.ciscovm.kdi.check import check, refusals
from tests.sandbox_tests.loads import JSON, asset, document, finding, vuln

if TYPE_CHECKING:
    from collections.abc import Callable

    Spoil = Callable[[JSON], Any]

GOOD = document(
    asset(
        vuln("one", created_at="2024-02-29T23:59:59Z", port=443, details="text"),
        vuln("two", status="closed", closed_at="2026-02-01T00:00:00Z", override_score=100),
        vuln("three", status="risk_accepted"),
        findings=[
            finding("four", triage_state="resolved", due_date="2026-04-01T00:00:00Z"),
            finding("five", additional_fields={"a": 1, "b": {"c": "d", "e": False}}),
        ],
        tags=["a", "b"],
        owner="Ann",
        os="Linux",
        ip_address="192.0.2.7",
        mac_address="02:00:5e:10:00:01",
        last_seen_at="2026-03-01T00:00:00Z",
    ),
    {"image_id": "image-7", "asset_type": "image"},
    reset_tags=True,
)


def text(spoil: Spoil) -> bytes:
    whole = json.loads(json.dumps(GOOD))
    spoil(whole)
    return json.dumps(whole).encode()


def at(where: str, value: object) -> Spoil:
    """Give what sets the value of a path like `assets/0/url`."""

    def spoil(whole: Any) -> None:  # noqa: ANN401
        *way, last = (int(step) if step.isdigit() else step for step in where.split("/"))
        for step in way:
            whole = whole[step]
        whole[last] = value

    return spoil


def without(where: str) -> Spoil:
    *way, last = where.split("/")

    def spoil(whole: Any) -> None:  # noqa: ANN401
        for step in way:
            whole = whole[int(step) if step.isdigit() else step]
        del whole[last]

    return spoil


@pytest.mark.parametrize(
    "good",
    [GOOD, document(), document(asset()), document({"application": "App"}, skip_autoclose=True)],
)
def test_good_documents_pass(good: JSON) -> None:
    assert check(json.dumps(good).encode()) == []


IDENTIFIERS: dict[str, list[object]] = {
    "cve_identifiers": ["CVE-21-44228", "cve-2021-44228", "CVE-2021-1", "CVE-2021-44228;"],
    "cwe_identifiers": ["79", "CWE-079", "CWE-0", "cwe-79", "CWE-79,CWE-79", "CWE-79,", ""],
    "wasc_identifiers": ["WASC-8", "8", "WASC-008", "wasc-08", "WASC-08, WASC-08", ["WASC-08"]],
}

BAD: dict[str, list[object]] = {
    "version": [None, 1, "2", 2.0, True],
    "skip_autoclose": [None, "false", 0],
    "reset_tags": [None, "true", 1],
    "assets": [None, {}, "x", [None], ["x"], [{}], [{"tags": ["a"]}]],
    "vuln_defs": [None, {}, [], ["x"], [{"name": "one"}]],
    "extra": [1],
    "assets/0/url": [None, "", "  ", 7, ["x"]],
    "assets/0/ip_address": [None, "", "256.1.1.1", "app", "192.0.2.0/24"],
    "assets/0/mac_address": [None, "02005e100001", "02:00:5e:10:00"],
    "assets/0/tags": [None, "a", [1], [""], [None], {"a": "b"}],
    "assets/0/owner": [None, 7],
    "assets/0/priority": [None, 11, -1, "5", 5.0, True],
    "assets/0/last_seen_at": [None, "", "2026-03-01", 1772323200],
    "assets/0/extra": ["x"],
    "assets/0/vulns": [None, {}],
    "assets/0/findings": [None, "x"],
    "assets/1/asset_type": [None, "container", "Image", "vm"],
    "assets/0/vulns/0/scanner_type": [None, "", 7],
    "assets/0/vulns/0/scanner_identifier": [None, "", 7, "x" * 246],
    "assets/0/vulns/0/vuln_def_name": [None, "", "not there", "ONE"],
    "assets/0/vulns/0/status": [None, "", "Open", "fixed", "new", "risk accepted", ["open"]],
    "assets/0/vulns/1/status": ["OPEN"],
    "assets/0/vulns/0/scanner_score": [None, "3", 3.0, 11, -1, True],
    "assets/0/vulns/0/override_score": [None, 101, "50"],
    "assets/0/vulns/0/port": [None, "443", 65536, -1],
    "assets/0/vulns/0/details": [None, 7, {"a": "b"}],
    "assets/0/vulns/0/due_date": ["2026-04-01T00:00:00Z"],
    "assets/0/findings/0/severity": [None, "6", 6.5, 11],
    "assets/0/findings/0/triage_state": [None, "active", "in process", "remediated", "open"],
    "assets/0/findings/0/status": ["open"],
    "assets/0/findings/0/additional_fields": [None, [], {"a": None}, {"a": [1]}, {"a": {"b": {}}}],
    "vuln_defs/0/name": [None, "", 7, "x" * 246],
    "vuln_defs/0/description": [None, 7],
    "vuln_defs/0/solution": [None, ["x"]],
    "vuln_defs/0/scanner_identifier": ["x"],
}

DATES = [
    "2026-02-29T00:00:00Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01T00:00:00",
    "2026-03-01T00:00:00+00:00",
    "2026-03-01T00:00:00.000Z",
    "2026-03-01 00:00:00Z",
    "2026-3-1T00:00:00Z",
    "2026-03-01T00:00:00Z\n",
]
DATED = ["vulns/0/last_seen_at", "vulns/0/created_at", "vulns/1/closed_at", "findings/0/due_date"]
BAD |= {f"assets/0/{where}": [None, "", *DATES] for where in DATED}
BAD |= {f"vuln_defs/0/{kind}": [None, 79, *wrong] for kind, wrong in IDENTIFIERS.items()}


@pytest.mark.parametrize("where", BAD)
def test_a_bad_value_is_refused_where_it_stands(where: str) -> None:
    parent = "/".join(["#", *where.split("/")[:-1]])
    missed = [
        value
        for value in BAD[where]
        if not any(problem.startswith(parent) for problem in refusals(text(at(where, value))))
    ]
    assert missed == []


REQUIRED = {
    "": ["version", "skip_autoclose", "assets", "vuln_defs"],
    "assets/0/vulns/0/": ["scanner_type", "scanner_identifier", "vuln_def_name", "last_seen_at"],
    "assets/0/vulns/1/": ["status", "closed_at"],
    "assets/0/findings/0/": ["scanner_type", "scanner_identifier", "vuln_def_name", "last_seen_at"],
    "vuln_defs/0/": ["scanner_type", "name"],
}


@pytest.mark.parametrize("where", [a + b for a, names in REQUIRED.items() for b in names])
def test_a_missing_value_is_refused(where: str) -> None:
    assert refusals(text(without(where)))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (at("assets/0/priority", 5), "priority"),
        (at("assets/0/application", 'The "new" one'), "quote"),
        (at("assets/0/tags", ["a", "a"]), "twice"),
        (at("assets/1", {"mac_address": "02:00:5e:10:00:01"}), "already holds"),
        (at("assets/0/vulns/1/scanner_identifier", "one"), "second"),
        (at("assets/0/vulns/0/closed_at", "2026-02-01T00:00:00Z"), "open with closed_at"),
        (at("vuln_defs/0/cve_identifiers", "CVE-2021-44228"), "one kind"),
    ],
)
def test_what_cvm_takes_and_a_careful_sender_avoids_is_told(spoil: Spoil, word: str) -> None:
    assert refusals(text(spoil)) == []
    assert [problem for problem in check(text(spoil)) if word in problem]


def test_a_definition_twice_is_refused() -> None:
    def spoil(whole: JSON) -> None:
        whole["vuln_defs"] *= 2

    assert refusals(text(spoil))


@pytest.mark.parametrize("length", [255, 256])
def test_keys_count_with_their_scanner_type(length: int) -> None:
    name = "x" * (length - len("QualysWAS "))
    found = refusals(json.dumps(document(asset(vuln(name)))).encode())
    assert bool(found) == (length > 255)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode("utf-16"),
        json.dumps(GOOD).encode().replace(b"Linux", b"Lin\xff"),
        json.dumps(GOOD).encode().replace(b"Linux", rb"Lin\ud800"),
        json.dumps(GOOD).encode().replace(b"443", b"NaN"),
        json.dumps(GOOD).encode().replace(b"443", b"1e999"),
        json.dumps(GOOD).encode().replace(b'"version": 2', b'"version": 2, "version": 2'),
        b"[" * 100_000,
    ],
)
def test_what_is_no_strict_json_is_refused(raw: bytes) -> None:
    assert len(refusals(raw)) >= 1


def test_problems_are_told_up_to_a_hundred() -> None:
    many = document(asset(*(vuln(f"v{number}", status="bad") for number in range(300))))
    assert len(check(json.dumps(many).encode())) == 100

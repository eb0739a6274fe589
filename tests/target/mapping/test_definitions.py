"""A QID becomes one definition, whose name and identifiers CVM takes as they are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_ciscovm.kdi.types import MAX_NAME, SCANNER_TYPE
from target_ciscovm.mapping.definition import (
    cve_identifiers,
    cwe_identifiers,
    definition,
    definition_name,
    wasc_identifiers,
)
from target_ciscovm.mapping.records import Classification, Finding
from target_ciscovm.mapping.text import shorten
from tests.sandbox.ciscovm.kdi import values as kdi_values
from tests.target.rows import as_entry, as_finding

KEY_LENGTH = 255


def name_of(title: str | None, sent: str | None = None, **row: object) -> str:
    entry = None if title is None else as_entry(title=title)
    return definition_name(as_finding(**row), entry, sent)


def test_a_name_is_the_qid_with_the_title_of_the_knowledge_base() -> None:
    assert name_of("Reflected XSS") == "QID 150001 Reflected XSS"


@pytest.mark.parametrize("title", [None, "", "  ", "\x00"])
def test_without_a_title_it_is_the_name_last_sent_else_the_findings_own(title: str | None) -> None:
    assert name_of(title, "QID 150001 As it was", name="Now") == "QID 150001 As it was"
    assert name_of(title, name="Own  \r\n name\x07") == "QID 150001 Own name"
    assert name_of(title, name=None) == "QID 150001"


def test_a_qid_that_gets_another_title_keeps_the_name_last_sent() -> None:
    assert name_of("New title", "QID 150001 Old title") == "QID 150001 Old title"


@pytest.mark.parametrize("qid", [0, None])
def test_imported_findings_have_a_definition_for_each_name(qid: int | None) -> None:
    assert name_of(None, qid=qid, name="Issue A", findingType="BURP") == "BURP Issue A"
    assert name_of(None, qid=qid, name="Issue B", findingType=None) == "Imported Issue B"


def test_two_qids_of_one_title_are_two_names() -> None:
    assert name_of("Same", qid=1) != name_of("Same", qid=2)


def test_a_long_title_fits_into_cvms_key_and_stays_apart_from_one_like_it() -> None:
    one, two = name_of("x" * 10_000 + "a"), name_of("x" * 10_000 + "b")

    assert len({one, two}) == 2
    assert {len(f"{SCANNER_TYPE} {name}") for name in (one, two)} == {KEY_LENGTH}
    assert name_of("x" * 10_000 + "a") == one


NAMES = st.text(max_size=20) | st.text("ab \n\x00é", min_size=200, max_size=320)


@given(NAMES, NAMES)
@example("a" * 300, "a" * 300 + " ")
@example("a", "a\n")
@example("", "\x00")
@example("a\ud800", "a\udfff")
def test_names_that_differ_stay_different_and_fit(one: str, two: str) -> None:
    short = shorten(one)

    assert len(f"{SCANNER_TYPE} {short}") <= KEY_LENGTH
    assert shorten(short) == short
    assert (shorten(two) == short) == (one == two)
    short.encode()


def test_a_name_of_just_the_limit_is_not_cut() -> None:
    assert shorten("x" * MAX_NAME) == "x" * MAX_NAME
    assert len(f"{SCANNER_TYPE} {'x' * MAX_NAME}") == KEY_LENGTH
    assert shorten("x" * (MAX_NAME + 1)) != "x" * (MAX_NAME + 1)


@pytest.mark.parametrize(
    ("cves", "sent"),
    [
        (["CVE-2021-44228"], "CVE-2021-44228"),
        ([" cve-2021-44228 ", "CVE-2021-44228"], "CVE-2021-44228"),
        (["CVE-2020-0001", "CVE-2019-12345"], "CVE-2020-0001,CVE-2019-12345"),
        (["CVE-2021-1", "CVE-21-44228", "none", "", "CVE-2021-٤٤٢٢٨", "CVE-2021-44228x"], None),
        ([], None),
        (None, None),
    ],
    ids=str,
)
def test_only_well_formed_cves_are_sent(cves: list[str] | None, sent: str | None) -> None:
    assert cve_identifiers(cves) == sent


@pytest.mark.parametrize(
    ("cwes", "sent"),
    [([79], "CWE-79"), ([79, 89, 79], "CWE-79,CWE-89"), ([0, -1], None), ([], None), (None, None)],
    ids=str,
)
def test_cwes_are_sent_with_their_prefix(cwes: list[int] | None, sent: str | None) -> None:
    assert cwe_identifiers(cwes) == sent


@pytest.mark.parametrize(
    ("codes", "sent"),
    [([8], "WASC-08"), ([19, 8, 8], "WASC-19,WASC-08"), ([0, -3, 100, None], None), ([], None)],
    ids=str,
)
def test_wasc_classes_are_sent_with_two_digits(codes: list[int | None], sent: str | None) -> None:
    assert wasc_identifiers([Classification(code=code) for code in codes]) == sent


CWE_79 = {"cwe": [79], "wasc": [{"code": 8}]}


@pytest.mark.parametrize(
    ("entry", "row", "kind", "value"),
    [
        ({"cves": ["CVE-2021-44228"], **CWE_79}, CWE_79, "cve_identifiers", "CVE-2021-44228"),
        ({"cves": ["bad"], **CWE_79}, {}, "cwe_identifiers", "CWE-79"),
        ({}, CWE_79, "cwe_identifiers", "CWE-79"),
        ({"cwe": [89]}, CWE_79, "cwe_identifiers", "CWE-89"),
        ({"cwe": [], "wasc": [{"code": 8}]}, {}, "wasc_identifiers", "WASC-08"),
        ({}, {"wasc": [{"code": 8}]}, "wasc_identifiers", "WASC-08"),
        ({}, {}, None, None),
    ],
    ids=str,
)
def test_one_kind_of_identifiers_is_sent_cves_first(
    entry: dict[str, object], row: dict[str, object], kind: str | None, value: str | None
) -> None:
    made = definition(as_finding(**row), as_entry(150001, **entry))

    kinds = ("cve_identifiers", "cwe_identifiers", "wasc_identifiers")
    found = {name: getattr(made, name) for name in kinds if getattr(made, name)}
    assert found == ({kind: value} if kind else {})
    assert made.classified is bool(kind)


def test_texts_of_the_knowledge_base_are_plain() -> None:
    made = definition(as_finding(), as_entry(diagnosis="<P>Bad", solution="Do<UL><LI>this</UL>"))

    assert (made.description, made.solution) == ("Bad", "Do\n\n- this")


def test_without_an_entry_there_are_neither_texts_nor_empty_values() -> None:
    made = definition(as_finding())

    assert (made.description, made.solution, made.cve_identifiers) == (None, None, None)


@given(st.lists(st.text() | st.from_regex(r"(?i) ?cve-[0-9]{3,5}-[0-9]{3,6} ?", fullmatch=True)))
def test_whatever_cves_come_what_is_sent_has_ciscos_form(cves: list[str]) -> None:
    sent = cve_identifiers(cves)

    assert sent is None or kdi_values.cves(sent) is None


@given(st.lists(st.integers()))
def test_whatever_classes_come_what_is_sent_has_ciscos_form(codes: list[int]) -> None:
    cwes = cwe_identifiers(codes)
    wascs = wasc_identifiers(Classification(code=code) for code in codes)

    assert cwes is None or kdi_values.cwes(cwes) is None
    assert wascs is None or kdi_values.wascs(wascs) is None


def test_a_finding_of_nothing_has_a_name_all_the_same() -> None:
    assert definition_name(Finding(), None, None) == "Imported"

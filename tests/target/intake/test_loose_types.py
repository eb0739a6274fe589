"""Records of foreign making are read where no meaning is lost, and only there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.intake.loose_types import tidy
from target_ciscovm.mapping.records import TYPES, Finding, KnowledgeBaseEntry, Sync, WebApp

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def read(**row: object) -> Finding:
    return msgspec.convert(tidy(row), Finding)


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 ", "+3", "003"], ids=repr)
def test_a_whole_number_of_any_form_is_read(value: object) -> None:
    assert read(severity=value).severity == 3


@pytest.mark.parametrize("value", ["", "  ", None], ids=repr)
def test_an_empty_value_is_none(value: object) -> None:
    found = read(severity=value, potential=value, url=value, cwe=value, webApp=value, name=value)

    assert found == Finding()


@pytest.mark.parametrize(
    "value",
    ["three", 3.5, "3.5", "3,0", "1_000", "²", "٣", "0x3", "1e3", True, [3], "NaN"],
    ids=repr,
)
def test_what_is_no_whole_number_stays_and_is_refused(value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="severity"):
        read(severity=value)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_a_number_of_64_bits_is_read_to_its_last_digit(number: int) -> None:
    assert read(id=number).id == number
    assert read(id=str(number)).id == number


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, "9" * 30, "9" * 5000, 10**400, 1e300], ids=range(6)
)
def test_a_number_over_64_bits_is_refused_wherever_it_stands(value: object) -> None:
    for row in ({"id": value}, {"severity": value}, {"webApp": {"id": value}}, {"cwe": [value]}):
        with pytest.raises(msgspec.ValidationError):
            read(**row)


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("TRUE", True), (" 1 ", True), (1, True), ("false", False), (0, False)],
    ids=repr,
)
def test_true_and_false_are_read_as_words_and_numbers(value: object, meant: object) -> None:
    assert read(potential=value).potential is meant


def test_a_word_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="potential"):
        read(potential="maybe")


@pytest.mark.parametrize("value", ["7.5 (AV:N/AC:L)", "7.5", 7.5, " 7.5"], ids=repr)
def test_a_score_is_read_also_with_its_vector_behind(value: object) -> None:
    found = read(cvssV3={"base": value})

    assert found.cvss_v3 is not None
    assert found.cvss_v3.base == 7.5


def test_a_score_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"cvssV3\.base"):
        read(cvssV3={"base": "9" * 400})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["Blue", "Red"], ["Blue", "Red"]),
        ([{"id": "1", "name": "Blue, North"}], ["Blue, North"]),
        ({"id": 1, "name": "Blue"}, ["Blue"]),
        ({"count": 1, "list": [{"Tag": {"id": 1, "name": "Blue"}}]}, ["Blue"]),
        ({"list": {"Tag": {"id": 1, "name": "Blue"}}}, ["Blue"]),
        ({"count": 0}, []),
        ({"count": 0, "list": None}, []),
        ("Blue", ["Blue"]),
        ([7, None], ["7"]),
        ([], []),
    ],
    ids=repr,
)
def test_tags_come_in_many_forms_and_are_one_list(value: object, names: list[str]) -> None:
    found = msgspec.convert(tidy({"tags": value}), WebApp)

    assert [tag.name for tag in found.tags or ()] == names


@pytest.mark.parametrize(
    ("value", "cwe"),
    [
        (79, [79]),
        ("79", [79]),
        (["79", 80.0], [79, 80]),
        ({"count": 0}, []),
        ({"list": [79]}, [79]),
    ],
)
def test_a_single_value_is_a_list_of_one(value: object, cwe: list[int]) -> None:
    assert read(cwe=value).cwe == cwe


def test_a_single_object_is_a_list_of_one_object() -> None:
    found = msgspec.convert(tidy({"wasc": {"code": "8", "name": "XSS"}}), KnowledgeBaseEntry)

    assert [(row.code, row.name) for row in found.wasc or ()] == [(8, "XSS")]


def test_a_number_where_a_text_belongs_is_its_text() -> None:
    assert read(param=7, webApp={"name": 12}).param == "7"


def test_a_row_of_syncs_with_nulls_is_read_as_if_they_were_not_there() -> None:
    row = {"syncId": "s", "complete": None, "incompleteReasons": None, "notProven": None}

    assert msgspec.convert(tidy(row), Sync) == Sync(sync_id="s")


def test_evidence_is_left_as_it_is() -> None:
    evidence = {"list": [{"Result": {"id": "007", "tags": "x", "potential": ""}}]}

    assert read(resultList=evidence).result_list == evidence


NAMES = st.sampled_from(["id", "severity", "potential", "url", "tags", "cwe", "webApp", "wasc"])


@given(st.dictionaries(NAMES, JSON), st.sampled_from(sorted(TYPES)))
def test_whatever_comes_is_read_or_refused_by_name_and_nothing_else(
    row: dict[str, Any], stream: str
) -> None:
    try:
        found = msgspec.convert(tidy(row), TYPES[stream])
    except msgspec.ValidationError:
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=TYPES[stream]) == found


@given(st.dictionaries(NAMES, JSON))
def test_tidying_a_second_time_changes_nothing(row: dict[str, Any]) -> None:
    once = tidy(row)

    assert tidy(once) == once


def test_a_row_of_syncs_whose_numbers_a_mapper_has_rewritten_is_read() -> None:
    row = {
        "contract": 1.0,
        "streams": [{"stream": "findings", "read": 4.0, "emitted": "4", "counted": 4.0}],
        "coverage": {
            "wholeAccount": "true",
            "findingTypes": ["VULNERABILITY"],
            "webApps": {"read": 2.0, "notProven": [5.0], "changed": ["6"]},
        },
    }

    found = msgspec.convert(tidy(row), Sync)

    assert (found.contract, found.streams[0].read, found.streams[0].counted) == (1, 4, 4)
    assert found.coverage is not None
    assert found.coverage.whole_account is True
    assert found.coverage.web_apps is not None
    assert (found.coverage.web_apps.not_proven, found.coverage.web_apps.changed) == ([5], [6])


@pytest.mark.parametrize("name", ["changed", "notProven"])
@pytest.mark.parametrize(
    "value", ["5", 5, {"list": [5]}, {"count": 1}, [5, None], ["any"]], ids=repr
)
def test_a_limit_of_what_is_covered_is_no_guess(name: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert(tidy({"coverage": {"webApps": {name: value}}}), Sync)

"""Request bodies: one criterion stays one criterion, whatever its value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tap_qualyswas.qualys.request_bodies import (
    Criterion,
    contains,
    equals,
    greater,
    lesser,
    one_of,
    service_request,
)

XML_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=40
)


def criteria_of(body: bytes) -> list[tuple[str | None, str | None, str | None]]:
    root = etree.fromstring(body)
    return [
        (found.get("field"), found.get("operator"), found.text)
        for found in root.iterfind("filters/Criteria")
    ]


def test_criteria_and_preferences_are_written_as_documented() -> None:
    body = service_request(
        [
            equals("type", "VULNERABILITY"),
            greater("id", 7),
            lesser("id", 99),
            one_of("qid", [1, 2]),
        ],
        limit=500,
        verbose=True,
    )

    assert body.decode() == (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<ServiceRequest><preferences><limitResults>500</limitResults><verbose>true</verbose>"
        "</preferences><filters>"
        '<Criteria field="type" operator="EQUALS">VULNERABILITY</Criteria>'
        '<Criteria field="id" operator="GREATER">7</Criteria>'
        '<Criteria field="id" operator="LESSER">99</Criteria>'
        '<Criteria field="qid" operator="IN">1,2</Criteria>'
        "</filters></ServiceRequest>"
    )


def test_a_request_without_conditions_has_no_filters() -> None:
    assert service_request().endswith(b"<ServiceRequest/>")


@pytest.mark.parametrize(
    "value", ["R&D <portal>", '"quoted"', "]]>", "</Criteria><Criteria field='id'>1", "Grüße ☃"]
)
def test_a_value_cannot_leave_its_criterion(value: str) -> None:
    body = service_request([contains("name", value), greater("id", 1)])

    assert criteria_of(body) == [("name", "CONTAINS", value), ("id", "GREATER", "1")]


@given(value=XML_TEXT)
def test_any_value_comes_back_as_it_was(value: str) -> None:
    (found,) = criteria_of(service_request([Criterion("name", "CONTAINS", value)]))

    assert found == ("name", "CONTAINS", value or None)


def test_an_empty_list_is_no_condition_and_refused() -> None:
    with pytest.raises(ValueError, match=r"no values for webApp\.id"):
        one_of("webApp.id", [])

"""Filters leave out what they say, and nothing that they cannot tell."""

from __future__ import annotations

import pytest

from target_ciscovm.mapping.filters import (
    FILTERS,
    INFORMATIONAL,
    FilterRules,
    QidFacts,
    exclude_informational,
    filtered_by,
)
from tests.target.rows import as_finding

NOTHING_KNOWN = QidFacts()
CLASSIFIED = QidFacts(known=True, classified=True)
UNCLASSIFIED = QidFacts(known=True, classified=False)


def left_out(rules: FilterRules, **row: object) -> str | None:
    return filtered_by(as_finding(**row), rules)


@pytest.mark.parametrize("status", ["NEW", "ACTIVE", "REOPENED", "PROTECTED", None, "ODD"])
def test_nothing_is_left_out_by_default(status: str | None) -> None:
    for potential in (True, False, None):
        row = {"status": status, "potential": potential, "severity": 1}
        assert left_out(FilterRules(), **row) is None
    for facts in (CLASSIFIED, UNCLASSIFIED, NOTHING_KNOWN):
        assert not exclude_informational(facts, FilterRules())


@pytest.mark.parametrize(
    ("status", "gone"), [("PROTECTED", True), ("protected", True), ("ACTIVE", False), (None, False)]
)
def test_non_exploitable_is_what_a_virtual_patch_protects(status: str | None, gone: bool) -> None:
    rules = FilterRules(exclude_non_exploitable=True)

    assert left_out(rules, status=status) == ("exclude_non_exploitable" if gone else None)


@pytest.mark.parametrize(
    ("facts", "gone"),
    [
        (CLASSIFIED, False),
        (UNCLASSIFIED, True),
        (NOTHING_KNOWN, False),
        (QidFacts(known=False, classified=True), False),
    ],
    ids=str,
)
def test_informational_is_a_qid_that_is_known_to_have_no_class(facts: QidFacts, gone: bool) -> None:
    assert exclude_informational(facts, FilterRules(exclude_informational=True)) is gone


@pytest.mark.parametrize(("potential", "gone"), [(True, True), (False, False), (None, False)])
def test_potential_is_only_what_says_so(potential: bool | None, gone: bool) -> None:
    rules = FilterRules(exclude_potential=True)

    assert left_out(rules, potential=potential) == ("exclude_potential" if gone else None)


@pytest.mark.parametrize(
    ("severity", "gone"), [(1, True), (2, True), (3, False), (5, False), (9, False)]
)
def test_a_lower_severity_is_left_out(severity: int, gone: bool) -> None:
    rules = FilterRules(min_severity=3)

    assert left_out(rules, severity=severity) == ("min_severity" if gone else None)


@pytest.mark.parametrize("severity", [None, 0, -1])
def test_a_finding_without_a_severity_stays(severity: int | None) -> None:
    assert left_out(FilterRules(min_severity=5), severity=severity) is None


def test_a_finding_is_counted_for_the_first_filter_only() -> None:
    rules = FilterRules(
        exclude_non_exploitable=True,
        exclude_potential=True,
        min_severity=5,
    )
    row = {"status": "PROTECTED", "potential": True, "severity": 1}

    assert left_out(rules, **row) == next(iter(FILTERS))


def test_each_filter_is_a_setting_of_its_name() -> None:
    assert {*FILTERS, INFORMATIONAL} == set(FilterRules.__dataclass_fields__)

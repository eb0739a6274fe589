"""Scores of findings that CVM would score 0."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.streams import Sync, entry, finding, fixed, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

BARE: dict[str, Any] = {"cwe": [], "cves": [], "wasc": []}
SCORES = {"3": 30, "5": "80", "1": 0}


def rows(*severities: int, **classes: Any) -> Sync:  # noqa: ANN401 - fields of all types
    found = [
        finding(number, qid=150_001, severity=severity)
        for number, severity in enumerate(severities, 1)
    ]
    return Sync([webapp()], found, entries=[entry(150_001, **(BARE | classes))])


def scores(cvm: CVM, sync: Sync, **settings: object) -> dict[str, Any]:
    found = cvm.load(sync, **settings).items()
    return {name[-1]: item.get("override_score") for name, item in found.items()}


def test_findings_without_any_class_are_scored_by_their_severity(cvm: CVM) -> None:
    sync = rows(1, 2, 3, 5)

    assert scores(cvm, sync, override_scores=SCORES) == {"1": 0, "2": None, "3": 30, "4": 80}
    assert set(scores(cvm, sync).values()) == {None}


@pytest.mark.parametrize(
    "classes", [{"cwe": [79]}, {"cves": ["CVE-2021-44228"]}, {"wasc": [{"code": 8}]}]
)
def test_what_has_a_class_is_left_to_cvm(classes: dict[str, Any], cvm: CVM) -> None:
    assert scores(cvm, rows(3, **classes), override_scores=SCORES) == {"1": None}


def test_a_retitled_qid_keeps_its_name_and_gets_its_score(cvm: CVM) -> None:
    first = rows(3)
    cvm.begin(first)
    again = replace(first, entries=[entry(150_001, title="Another", **BARE)])

    loaded = cvm.load(again, override_scores=SCORES)

    (item,) = loaded.items().values()
    assert (item["vuln_def_name"], item["override_score"]) == ("QID 150001 Title of 150001", 30)


def test_a_closing_has_no_score(cvm: CVM) -> None:
    cvm.begin(rows(3))
    closed = replace(rows(), findings=[fixed(1, qid=150_001)])

    assert scores(cvm, closed, override_scores=SCORES) == {"1": None}


@pytest.mark.parametrize(
    "wrong", [{"6": 1}, {"0": 1}, {"high": 1}, {"3": 101}, {"3": -1}, {"3": "x"}, {"3": True}]
)
def test_scores_that_cvm_does_not_have_are_refused(wrong: dict[str, Any], cvm: CVM) -> None:
    loaded = cvm.load(rows(3), override_scores=wrong)

    assert loaded.exit_code == 2
    assert "override_scores must give a score from 0 to 100" in loaded.message


def test_scores_belong_to_vulnerabilities(cvm: CVM) -> None:
    loaded = cvm.load(rows(3), override_scores=SCORES, data_model="findings")

    assert loaded.exit_code == 2
    assert "needs data_model vulnerabilities" in loaded.message

"""What findings have in common is kept once, and says the same in every order of findings."""

from __future__ import annotations

import itertools

import pytest

from target_ciscovm.intake.references import References
from target_ciscovm.mapping.records import WebAppRef
from tests.target.rows import as_finding

CWE = [79]


def test_findings_of_one_qid_share_one_definition() -> None:
    shared = References()

    numbers = [shared.definition_of(as_finding(name=name)) for name in ("a", "b")]

    assert numbers == [0, 0]
    assert [(one.qid, one.name) for one in shared.representatives] == [(150001, "a")]


@pytest.mark.parametrize("qid", [0, None])
def test_imported_findings_are_told_apart_by_their_names(qid: int | None) -> None:
    shared = References()

    rows = (("A", "BURP"), ("B", "BURP"), ("A", "BUGCROWD"), ("A", "BURP"))
    numbers = [
        shared.definition_of(as_finding(qid=qid, name=name, findingType=kind))
        for name, kind in rows
    ]

    assert numbers == [0, 1, 2, 0]


def test_a_class_that_only_one_finding_tells_is_the_qids() -> None:
    rows = [as_finding(), as_finding(cwe=CWE), as_finding(id=3)]

    for order in itertools.permutations(rows):
        shared = References()
        for finding in order:
            shared.definition_of(finding)

        assert [one.cwe for one in shared.representatives] == [CWE]


def test_the_first_classes_stay() -> None:
    shared = References()

    for number in (79, 80):
        shared.definition_of(as_finding(cwe=[number]))

    assert shared.representatives[0].cwe == [79]


def test_a_web_application_is_kept_once_under_each_name_and_url() -> None:
    shared = References()

    apps = [WebAppRef(id=1, name="A"), WebAppRef(id=1, name="A"), WebAppRef(id=1, name="B"), None]

    assert [shared.app_of(app) for app in apps] == [0, 0, 1, None]
    assert [app.name for app in shared.apps] == ["A", "B"]

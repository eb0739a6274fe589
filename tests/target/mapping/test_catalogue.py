"""The definitions of a load: one for each QID, the same in every order of findings."""

from __future__ import annotations

import json
from typing import Final

import pytest

from target_ciscovm.kdi.limits import check_definition
from target_ciscovm.mapping.catalogue import Catalogue
from target_ciscovm.mapping.filters import QidFacts
from tests.target.rows import Row, as_entry, as_finding

CWE = {"cwe": [79]}


def told(catalogue: Catalogue, name: str) -> Row:
    document = catalogue.json(name)
    check_definition(name, document)
    found: Row = json.loads(document)
    return found


def test_a_definition_has_the_title_of_the_knowledge_base() -> None:
    catalogue = Catalogue([as_entry(title="XSS", solution="<p>Do")], {})

    assert told(catalogue, catalogue.of(as_finding(name="a")).name) == {
        "scanner_type": "QualysWAS",
        "name": "QID 150001 XSS",
        "solution": "Do",
    }


def test_a_qid_without_an_entry_keeps_the_name_that_was_sent_last() -> None:
    catalogue = Catalogue([], {150001: "QID 150001 As sent"})

    assert catalogue.of(as_finding(name="Now")).name == "QID 150001 As sent"
    assert catalogue.of(as_finding(qid=2, name="Now")).name == "QID 2 Now"


@pytest.mark.parametrize("qid", [0, None])
def test_imported_findings_are_told_apart_by_their_names(qid: int | None) -> None:
    catalogue = Catalogue([as_entry(0, title="Never this")], {0: "Nor this"})

    names = [
        catalogue.of(as_finding(qid=qid, name=name, findingType=kind)).name
        for name, kind in (("A", "BURP"), ("B", "BURP"), ("A", "BUGCROWD"), ("A", "BURP"))
    ]

    assert names == ["BURP A", "BURP B", "BUGCROWD A", "BURP A"]
    assert all(told(catalogue, name)["name"] == name for name in names)


@pytest.mark.parametrize(
    ("entries", "row", "facts"),
    [
        ([{}], {}, QidFacts(known=True, classified=False)),
        ([{"cves": ["CVE-2021-44228"]}], {}, QidFacts(known=True, classified=True)),
        ([{"cves": ["nonsense"]}], {}, QidFacts(known=True, classified=False)),
        ([{}], CWE, QidFacts(known=True, classified=True)),
        ([], {}, QidFacts(known=False, classified=False)),
        ([], CWE, QidFacts(known=False, classified=True)),
    ],
    ids=str,
)
def test_filters_are_told_what_is_known_of_the_qid(
    entries: list[Row], row: Row, facts: QidFacts
) -> None:
    catalogue = Catalogue([as_entry(150001, **entry) for entry in entries], {})

    assert catalogue.of(as_finding(**row)).facts == facts


def test_a_name_of_another_load_is_defined_in_this_one() -> None:
    catalogue = Catalogue([as_entry(title="New title", diagnosis="<p>What")], {})

    bare = catalogue.use("QID 7 Old")
    known = catalogue.use("QID 150001 Old title", as_finding())

    assert told(catalogue, bare) == {"scanner_type": "QualysWAS", "name": "QID 7 Old"}
    assert told(catalogue, known)["description"] == "What"


def test_a_name_is_defined_as_far_as_is_known_by_whatever_entry_comes_first() -> None:
    catalogue = Catalogue([as_entry(title="New title", diagnosis="<p>What", cwe=[79])], {})

    closed = catalogue.use("QID 150001 Old title")
    unlisted = catalogue.use("QID 8 Old", as_finding(qid=8, cwe=[80]))

    assert told(catalogue, closed)["description"] == "What"
    assert told(catalogue, closed)["cwe_identifiers"] == "CWE-79"
    assert told(catalogue, unlisted)["cwe_identifiers"] == "CWE-80"


def test_a_name_in_use_keeps_its_definition() -> None:
    catalogue = Catalogue([as_entry(title="XSS", solution="Do")], {})
    name = catalogue.of(as_finding()).name

    assert catalogue.use(name) == name
    assert told(catalogue, name)["solution"] == "Do"


class TestRemembered:
    """What an earlier load has sent fills a definition of which this one knows less."""

    FULL: Final = {"scanner_type": "QualysWAS", "name": "QID 150001 XSS", "solution": "Do"}

    def filled(self, *entries: Row, **before: str) -> Catalogue:
        found = {"QID 150001 XSS": json.dumps(self.FULL | before).encode()}
        names = {150001: "QID 150001 XSS"}
        return Catalogue([as_entry(150001, **one) for one in entries], names, found.get)

    def test_without_an_entry_it_is_sent_as_before(self) -> None:
        catalogue = self.filled(cwe_identifiers="CWE-79")

        known = catalogue.of(as_finding())

        assert told(catalogue, known.name) == self.FULL | {"cwe_identifiers": "CWE-79"}
        assert known.facts == QidFacts(known=False, classified=True)
        assert catalogue.to_remember() == {}

    def test_the_classes_of_findings_do_not_replace_what_an_entry_told(self) -> None:
        catalogue = self.filled(cve_identifiers="CVE-2021-44228")

        name = catalogue.of(as_finding(cwe=[79])).name

        assert told(catalogue, name) == self.FULL | {"cve_identifiers": "CVE-2021-44228"}

    def test_a_name_that_only_closes_is_sent_as_before(self) -> None:
        catalogue = self.filled({"solution": "Do this"}, cwe_identifiers="CWE-79")

        name = catalogue.use("QID 150001 XSS")

        assert told(catalogue, name) == {
            **self.FULL,
            "cwe_identifiers": "CWE-79",
            "solution": "Do this",
        }

    def test_what_this_load_knows_counts(self) -> None:
        catalogue = self.filled({"solution": None}, cwe_identifiers="CWE-79")

        name = catalogue.of(as_finding(cwe=[80])).name

        assert told(catalogue, name)["cwe_identifiers"] == "CWE-80"
        assert "solution" not in told(catalogue, name)
        assert catalogue.to_remember() == {name: catalogue.json(name)}

    def test_what_cannot_be_read_is_not_used(self) -> None:
        catalogue = Catalogue([], {}, {"QID 7 A": b"{"}.get)

        assert told(catalogue, catalogue.use("QID 7 A")) == {
            "scanner_type": "QualysWAS",
            "name": "QID 7 A",
        }

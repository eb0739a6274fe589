"""The lenient tenant takes the looser KDI of released loaders; the strict one refuses it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.sandbox_tests.ciscovm.tenants import held, load, tenant
from tests.sandbox_tests.loads import JSON, asset, document, finding, vuln
from tests.support.recorded import SAMPLES, needs_samples

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.tenant import Tenant


def both(loose: JSON) -> Tenant:
    """Give a lenient tenant that has taken what a strict one has refused."""
    strict, lenient = tenant(), tenant(kdi="lenient")
    assert load(strict, loose).success is False
    run = load(lenient, loose)
    assert (run.success, run.problems) == (True, [])
    return lenient


def first_version(*names: str) -> JSON:
    """Give a KDI 1 load: definitions are named by their identifier, and perhaps titled alike."""
    entries = [vuln(name) for name in names]
    for entry in entries:
        del entry["vuln_def_name"]
    definitions = [
        {"scanner_type": "QualysWAS", "scanner_identifier": name, "name": "Same title"}
        for name in names
    ]
    return {"skip_autoclose": False, "assets": [asset(*entries)], "vuln_defs": definitions}


def test_kdi_1_links_entries_to_definitions_by_their_identifier() -> None:
    here = both(first_version("a", "b"))
    assert held(here) == {"a": "open", "b": "open"}
    assert [one.name for one in here.held()] == ["Same title", "Same title (b)"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-02-03", "2026-02-03T00:00:00+00:00"),
        ("2026-02-03T04:05:06.789Z", "2026-02-03T04:05:06+00:00"),
        ("2026-02-03T04:05:06+02:00", "2026-02-03T02:05:06+00:00"),
        ("2026-02-03-04:05:06", "2026-02-03T04:05:06+00:00"),
        ("2026-02-03 04:05:06 UTC", "2026-02-03T04:05:06+00:00"),
    ],
)
def test_dates_in_other_forms(text: str, told: str) -> None:
    (entry,) = both(document(asset(vuln("a", last_seen_at=text)))).held()
    assert entry.last_seen_at == datetime.fromisoformat(told)


def test_fields_that_no_description_has_and_nulls_are_passed_over() -> None:
    loose = document(
        asset(
            vuln("16", scanner_identifier=16, due_date="2026-09-06", details=None),
            os=None,
            findings=[finding("f", closed_at="2026-01-01", due_date=None)],
        )
    )
    loose["vuln_defs"][0] |= {"scanner_identifier": "x", "cwe_identifier": "CWE-79"}
    assert held(both(loose)) == {"16": "open", "f": "new"}


def test_a_closed_row_without_a_date_closes() -> None:
    here = tenant(kdi="lenient")
    load(here, document(asset(vuln("a"))))
    load(here, document(asset(vuln("a", status="closed"))))
    assert held(here) == {"a": "closed"}


@pytest.mark.parametrize(
    "loose",
    [
        document(asset(vuln("a", status="fixed"))),
        document(asset(vuln("a", last_seen_at="yesterday"))),
        document({"tags": ["no locator"]}),
        first_version("a") | {"vuln_defs": []},
        {"version": 2, "assets": [], "vuln_defs": []},
        document(version=3),
        document() | {"assets": "none"},
        document() | {"assets": ["none"]},
    ],
)
def test_what_no_loader_may_send_is_refused_all_the_same(loose: JSON) -> None:
    assert load(tenant(kdi="lenient"), loose).success is False


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_document_is_refused_all_the_same(content: bytes) -> None:
    here = tenant(kdi="lenient")
    run = here.start_run(CONNECTOR_ID, [here.upload(CONNECTOR_ID, content).id])
    here.clock.advance(here.clock.now() - run.start_time + (run.due - run.start_time))
    assert [one.success for one in here.runs(CONNECTOR_ID)] == [False]


@needs_samples
@pytest.mark.parametrize(
    ("name", "number"), [("kdi_v1_dependency_track", 1), ("kdi_v2_panoptica", 2)]
)
def test_files_of_released_loaders(name: str, number: int) -> None:
    text = (SAMPLES / "ciscovm" / f"{name}.json").read_text()
    # One of them is a pattern of a test, with a place where any text fits.
    loose = json.loads(text.replace("${json-unit.any-string}", "2026-02-03"))
    here = both(loose)
    assert [one.is_open for one in here.held()] == [True] * number

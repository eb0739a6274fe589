"""Exports and searches that go wrong: read all the same, or not at all, with the cause told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import DiskFull, HoldingsUnavailable
from tests.sandbox_tests.loads import asset, document, vuln
from tests.target.cvm.holdings.read import Read, load, opened
from tests.target.private import file_size_limit

if TYPE_CHECKING:
    from tests.sandbox.sandbox import Sandbox

ALL = {"V-7-a": True, "V-7-b": False, "V-8-c": True}

PASSING = {
    "export-429": 1,
    "export-slow": 1,
    "export-failed": 2,
    "export-expired": 2,
    "export-killed": 2,
    "export-cut": 1,
    "export-bad-gzip": 2,
    "export-short": 2,
    "ciscovm-502": 1,
    "ciscovm-429": 1,
}
"""Faults that pass, and how many exports are asked for then."""


def exports_asked(sandbox: Sandbox) -> int:
    """Count the exports that were asked for with success."""
    return sandbox.tenant.state.last_ids["export"] - 2357


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
def test_an_export_comes_in_the_end(fault: str, model: str) -> None:
    with opened() as sandbox:
        load(sandbox)
        sandbox.faults.arm(fault)
        read = Read(sandbox, model)  # type: ignore[arg-type]

    assert sandbox.faults.struck[fault] > 0
    assert (read.by, len(read.all)) == ("export", 3 if model == "vulnerabilities" else 2)
    assert exports_asked(sandbox) == PASSING[fault]


STAYING = {
    "export-refused": "may not export vulnerabilities",
    "export-failed*0": "did not come whole: failed in CVM (HTTP 500)",
    "export-expired*0": "did not come whole: has expired (HTTP 410)",
    "export-killed*0": "did not come whole: was cancelled or failed in CVM (HTTP 400)",
    "export-bad-gzip*0": "did not come whole: its file is damaged or ends too early",
    "export-short*0": "did not come whole: its file has 1 of 3 rows",
    "export-never-ready": "had not come after 0 s",
    "export-cut*0": "was lost before the answer was complete. Tried 4 times",
}


@pytest.mark.parametrize("fault", STAYING)
def test_where_no_export_comes_cvm_is_searched(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened() as sandbox:
        load(sandbox)
        sandbox.faults.arm(fault)
        with caplog.at_level("INFO"):
            read = Read(sandbox, seconds=0.3 if "never" in fault else 20)

    assert (read.by, read.open) == ("search", ALL)
    (line,) = [one for one in caplog.messages if one.endswith("CVM is searched instead.")]
    assert STAYING[fault] in line


@pytest.mark.parametrize("fault", STAYING)
def test_where_cvm_cannot_be_searched_either_both_causes_are_told_in_a_line(fault: str) -> None:
    with opened() as sandbox:
        load(sandbox)
        sandbox.faults.arm(fault, "search-refused")
        with pytest.raises(HoldingsUnavailable) as caught:
            Read(sandbox, seconds=0.3 if "never" in fault else 20)

    text = str(caught.value)
    assert "\n" not in text
    assert sandbox.api_key not in text
    if fault == "export-refused":
        assert "may neither export nor search vulnerabilities in CVM (HTTP 403)" in text
    else:
        assert STAYING[fault] in text
        assert "may not search vulnerabilities" in text


def test_an_export_that_is_ready_too_late_is_not_fetched() -> None:
    with opened() as sandbox:
        load(sandbox)
        read = Read(sandbox, seconds=0)

    assert (read.by, read.open) == ("search", ALL)
    assert sandbox.ciscovm_requests["data_exports"] == 1


def test_a_wait_is_told() -> None:
    with opened("export-slow") as sandbox:
        load(sandbox)
        read = Read(sandbox)

    assert read.log.lines == ["CVM is working on an export of 3 vulnerabilities"]


def test_assets_whose_export_fails_are_searched() -> None:
    many = [
        {"url": f"https://a{n}.example.test/", "vulns": [vuln(f"V-{n}-x")]} for n in range(1001)
    ]
    with opened() as sandbox:
        load(sandbox, document(*many))
        sandbox.faults.arm("export-failed+1*0")
        read = Read(sandbox)

    assert (read.by, len(read.all)) == ("export", 1001)
    assert sandbox.ciscovm_requests["assets/search"] == 11


def many(number: int) -> list[dict[str, object]]:
    """Give so many vulnerabilities of one asset."""
    return [vuln(f"V-7-{place}") for place in range(number)]


def after(sandbox: Sandbox, calls: int, *vulns: dict[str, object]) -> None:
    """Let a run that somebody else started end after so many further calls."""
    tenant = sandbox.tenant
    whole = document(asset(*vulns), skip_autoclose=True)
    file = tenant.upload(sandbox.connector_id, json.dumps(whole).encode())

    def run() -> None:
        tenant.begin(sandbox.connector_id, [file.id])

    sandbox.ciscovm_face.interrupt(calls, run)


def test_what_comes_while_it_is_searched_is_searched_for_again() -> None:
    with opened("export-refused") as sandbox:
        load(sandbox, document(asset(*many(5100))))
        after(sandbox, 3, vuln("V-7-new"))
        read = Read(sandbox)

    assert (read.by, len(read.all)) == ("search", 5101)
    assert sandbox.ciscovm_requests["vulnerabilities/search"] == 2 + 2


@pytest.mark.parametrize("counted", [False, True])
def test_pages_are_read_to_the_last_one(*, counted: bool) -> None:
    with opened("export-refused", legacy_counts=not counted) as sandbox:
        load(sandbox, document(asset(*many(5100))))
        read = Read(sandbox)

    assert len(read.all) == 5100
    assert sandbox.ciscovm_requests["vulnerabilities/search"] == 2


@pytest.mark.parametrize("limit", [40_000, 400_000])
@pytest.mark.parametrize("faults", [(), ("export-refused",)])
def test_a_disk_that_gets_full_is_told_as_such(limit: int, faults: tuple[str, ...]) -> None:
    with opened(*faults) as sandbox:
        load(sandbox, document(asset(*many(5000))))
        with file_size_limit(limit), pytest.raises(DiskFull, match="output_path"):
            Read(sandbox)

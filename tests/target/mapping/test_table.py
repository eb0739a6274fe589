"""The table that people read says of each field what the code does with it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec
import pytest

from target_ciscovm.kdi import types as kdi_types
from target_ciscovm.kdi.types import MAX_NAME, SCANNER_TYPE
from target_ciscovm.mapping import records
from target_ciscovm.mapping.definition import definition, wasc_identifiers
from target_ciscovm.mapping.filters import FILTERS
from target_ciscovm.mapping.finding import FIXED, IGNORED, NO_REASON, OPEN_STATUSES, WITHOUT_STATUS
from target_ciscovm.mapping.locators import DEFAULT_ORDER, LOCATORS
from target_ciscovm.settings.schema import CONFIG_SCHEMA
from tests.support.processes import ROOT
from tests.target.rows import as_entry, as_finding

PAGE: Final = (ROOT / "docs" / "mapping.md").read_text("utf-8")
SOURCES: Final = PAGE.partition("## From Qualys to KDI")[2].partition("\n## ")[0]
SETTINGS: Final = set(CONFIG_SCHEMA["properties"])

KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "asset": kdi_types.Asset,
    "vuln": kdi_types.Vuln,
    "vuln_def": kdi_types.VulnDef,
}
NOT_MAPPED_ONE_TO_ONE: Final = {"scanner_type", "vuln_def_name", "vulns", "findings"}
"""Fields of KDI that stand in each entry, or hold the entries, and have no source in Qualys."""


class Row(NamedTuple):
    source: str
    to: str
    remark: str


def table(text: str) -> list[Row]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [Row(*row) for row in cells]


def code(text: str) -> list[str]:
    """Give what stands in back-quotes."""
    return re.findall(r"`([^`]+)`", text)


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


ROWS: Final = table(SOURCES)
RECORDS: Final[list[type[msgspec.Struct]]] = [
    *records.TYPES.values(),
    records.WebAppRef,
    records.ScanSummary,
]
WIRE_NAMES: Final = {name for kind in RECORDS for name in fields(kind)}


def test_the_table_is_there() -> None:
    assert len(ROWS) > 10
    assert ROWS[0].to == "asset `application`"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.to)
def test_each_field_of_kdi_that_a_row_names_is_one(row: Row) -> None:
    kind, _, names = row.to.partition(" ")
    known = fields(KINDS[kind])
    if "findings model" in row.to + row.remark:
        known |= fields(kdi_types.Finding)

    named = {name for name in code(names) if re.fullmatch("[a-z_]+", name)}
    assert named - known - {"open", "closed"} == set()
    assert named & known


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.to)
def test_each_field_of_qualys_that_a_row_names_is_one(row: Row) -> None:
    for quoted in code(row.source):
        if quoted == "{type}-{id}":
            continue
        for name in quoted.split("."):
            assert name in WIRE_NAMES, row


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_that_the_target_sends_is_without_a_row(kind: str) -> None:
    told = {
        name.partition(":")[0] for row in ROWS if row.to.split()[0] == kind for name in code(row.to)
    }
    extra = {"fqdn", "ip_address"} if kind == "asset" else set()

    assert fields(KINDS[kind]) - told - NOT_MAPPED_ONE_TO_ONE - extra == set()


def test_the_findings_model_is_told_of_as_well() -> None:
    for name in ("severity", "triage_state", "additional_fields"):
        assert f"`{name}`" in PAGE
        assert name in fields(kdi_types.Finding)


def test_the_examples_of_names_and_classes_are_what_the_code_makes() -> None:
    made = definition(as_finding(cwe=[79]), as_entry(title="Reflected XSS"))

    assert f"`{made.name}`" in SOURCES
    assert f"`{made.cwe_identifiers}`" in SOURCES
    assert f"`{wasc_identifiers([records.Classification(code=8)])}`" in SOURCES


def test_the_statuses_are_those_of_the_code() -> None:
    (opened,) = (row for row in ROWS if row.to == "vuln `status` `open`")
    (closed,) = (row for row in ROWS if row.to.startswith("vuln `status` `closed`"))

    words = set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", opened.source))
    assert words == OPEN_STATUSES | {WITHOUT_STATUS}
    assert FIXED in closed.source


def test_the_states_of_ignored_findings_are_those_of_the_code() -> None:
    paragraph = PAGE.partition("With `map_ignored: true`")[2].partition("\n\n")[0]

    assert set(code(paragraph)) == {*IGNORED.values(), NO_REASON}


def test_the_scanner_type_and_the_limit_are_those_of_the_code() -> None:
    assert f"`scanner_type` is always `{SCANNER_TYPE}`" in PAGE
    assert f"at most {len(SCANNER_TYPE) + 1 + MAX_NAME} characters" in PAGE


def test_the_locators_are_those_of_the_code() -> None:
    section = PAGE.partition("## What is one asset")[2]
    rows = table(section)

    told = [name for row in rows for name in code(row.source)]
    assert told == list(LOCATORS)
    assert f"`{DEFAULT_ORDER[0]}` (default" in rows[0].source


def test_every_setting_that_the_page_names_is_one() -> None:
    known = SETTINGS | WIRE_NAMES | set(FILTERS)
    kinds: list[type[msgspec.Struct]] = [*KINDS.values(), kdi_types.Finding]
    known |= {name for kind in kinds for name in fields(kind)}
    named = {name.partition(":")[0] for name in code(PAGE) if re.fullmatch(r"[a-z_]+(: .+)?", name)}
    words = {
        "open",
        "closed",
        "new",
        "resolved",
        "fqdn",
        *IGNORED.values(),
        NO_REASON,
        "scanner_type",
        "override_score",
        "tags_dropped",
        "webapp_details",
    }

    assert {name for name in named if "_" in name} - known - words == set()

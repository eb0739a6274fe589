"""Cases about the lines that a target reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.target import TargetCiscoVM
from tests.cases.case import read
from tests.cases.outcomes import identifiers, notes

if TYPE_CHECKING:
    from tests.target.loads import CVM


def test_blank_lines_and_unknown_messages_are_passed_over(cvm: CVM) -> None:
    loaded = cvm.load(read("input/blank_line").input("both"))

    assert (loaded.exit_code, cvm.open()) == (0, identifiers(7001, 7002))
    assert any("WHATEVER" in text for text in notes(loaded))


def test_what_is_no_number_is_null_and_counted(cvm: CVM) -> None:
    case = read("input/not_a_number")

    alone = cvm.load(case.input("one row"))
    among = cvm.load(case.input("among others"), max_failed_percent="50")

    for one in (alone, among):
        assert notes(one)["NaN or infinity in a record: taken as null"] == 2
    assert cvm.open() == identifiers(7002)


def test_a_field_that_a_mapper_took_is_named_in_one_clear_message(cvm: CVM) -> None:
    loaded = cvm.load(read("input/required_field_mapped_away").input("only an id"))

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert "1 of 1 finding was rejected" in loaded.message
    assert "uniqueId" in loaded.rejected[0]["reason"]


def test_a_record_before_its_schema_fails_by_line_and_stream(cvm: CVM) -> None:
    loaded = cvm.load(read("input/record_before_schema").input("record first"))

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert "Line 1 " in loaded.message
    assert "'findings' before its SCHEMA" in loaded.message


def test_a_stream_that_nobody_knows_is_counted(cvm: CVM) -> None:
    loaded = cvm.load(read("input/record_before_schema").input("unknown stream"))

    (row,) = (row for row in loaded.report["streams"] if row["foreign"])
    assert (row["stream"], row["received"]) == ("scans2", 1)
    assert (loaded.exit_code, cvm.open()) == (0, identifiers(7002))


def test_input_that_was_flattened_is_refused_in_one_line(cvm: CVM) -> None:
    loaded = cvm.load(read("input/flattened").input("flattened"), max_failed_percent="100")

    assert loaded.exit_code != 0
    assert "flatten" in loaded.message.lower()
    assert "\n" not in loaded.message
    assert cvm.requests["data_file"] == 0


def test_flattening_is_no_setting_of_the_target() -> None:
    assert "flattening_enabled" not in TargetCiscoVM.config_jsonschema["properties"]


POISONED = read("input/one_poisoned_row")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a QID above 2^63", {}),
        ("a zone with a dash", {"locator_order": ["ip_address"]}),
        ("a number without an end", {"data_model": "findings"}),
    ],
)
def test_one_poisoned_row_loses_no_other(name: str, settings: dict[str, object], cvm: CVM) -> None:
    given = POISONED.input(name).replace(b"app1.example.test", b"192.0.2.1")

    loaded = cvm.load(given, max_failed_percent="70", **settings)

    assert loaded.exit_code == 0
    assert cvm.open() >= identifiers(7002)

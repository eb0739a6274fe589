from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING

import msgspec
import pytest

from qualyswas_ciscovm.wording import clean, cut
from target_ciscovm.report.files import schema, write_html, write_json
from target_ciscovm.report.model import Report, RunInfo
from target_ciscovm.report.table import table
from target_ciscovm.report.wording import moment, share, short_number, size
from tests.support.json_schemas import in_order, shipped, validator_of
from tests.target.report.reports import REPORTS, hostile, huge, succeeded

if TYPE_CHECKING:
    from pathlib import Path


def test_the_schema_in_the_package_is_that_of_the_code() -> None:
    # To write it anew: python -m target_ciscovm.report.files > target_ciscovm/schemas/report.json
    assert in_order(shipped("report")) == in_order(schema())


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_what_its_schema_says(name: str, tmp_path: Path) -> None:
    write_json(REPORTS[name](), tmp_path / "report.json")

    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))

    validator_of("report").validate(document)


def test_the_schema_refuses_what_no_report_holds(tmp_path: Path) -> None:
    write_json(succeeded(), tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    validator = validator_of("report")

    assert not validator.is_valid(document | {"outcome": "fine"})
    assert not validator.is_valid(document | {"surprise": 1})
    counts = document["reconciliation"]
    assert not validator.is_valid(document | {"reconciliation": counts | {"mapped": -1}})


def test_a_report_can_be_read_back(tmp_path: Path) -> None:
    write_json(succeeded(), tmp_path / "report.json")

    again = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)

    assert again == succeeded()


def test_the_made_up_reports_add_up() -> None:
    for make in REPORTS.values():
        counts = make().reconciliation
        if make is hostile:
            continue
        left = counts.filtered + counts.nothing_to_do + counts.rejected + counts.superseded
        assert counts.received == left + counts.mapped
        if counts.fetched is not None:
            assert counts.fetched == counts.lost + counts.dropped_by_maps + counts.received
        if counts.entries is not None:
            assert counts.entries == counts.mapped + counts.closings + counts.fixed_again


def test_two_reports_share_no_lists() -> None:
    first, second = Report(), Report()
    first.warnings.append("x")
    first.reconciliation.filtered = 1
    assert second.warnings == []
    assert second.reconciliation.filtered == 0


@pytest.mark.parametrize("write", [write_json, write_html])
def test_only_the_owner_can_read_what_is_written(write: object, tmp_path: Path) -> None:
    path = tmp_path / "report"
    assert callable(write)
    write(succeeded(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("write", [write_json, write_html])
def test_a_report_is_written_whatever_its_texts_are(write: object, tmp_path: Path) -> None:
    report = succeeded()
    report.message = "lone \ud800 surrogate, \x00 nul, \x1b[31m colour, \u202e turned"
    assert callable(write)

    write(report, tmp_path / "report")

    text = (tmp_path / "report").read_text(encoding="utf-8")
    assert not {"\ud800", "\x00", "\x1b", "\u202e"} & set(text)
    assert "surrogate" in text


def test_the_table_shows_where_the_findings_went() -> None:
    lines = table(succeeded())

    assert lines[0] == (
        "succeeded (exit code 0): 45,098 findings on 312 assets are in Cisco Vulnerability "
        "Management, and 53 were closed."
    )
    assert lines[1:18] == [
        "  Qualys counts         48,311",
        "  fetched               48,311",
        "  received              48,311",
        "  - filtered             1,200   min_severity 1,000 (closes 12), exclude_potential 200",
        "  - nothing to do        2,000   already closed 1,990, outdated 10",
        "  - rejected                 3   findings: webApp: is missing (3)",
        "  - superseded              10",
        "  = mapped              45,098",
        "  + closings                22   gone 8, moved away 2, filtered: min_severity 12",
        "  + fixed elsewhere          1   the same fix at further assets",
        "  = in files            45,121   on 312 assets, 2 files, 49.8 MB",
        "  uploaded              45,121",
        "  processed             45,121   in CVM",
        "  failed                     0   payloads",
        "  created                  120",
        "  closed                    53   by the plan: fixed 31, gone 8, moved 2, filtered 12",
        "  reopened                   2",
    ]
    assert lines[18:] == [
        "  proof             full and complete: what is gone was closed",
        (
            "  coverage          312 web applications read to the end, the whole account, "
            "information gathered, sensitive content, vulnerabilities"
        ),
        "  stays open        14: deleted web app 14",
        "  connector         42 (Qualys WAS), run 7",
        "  web apps gone     1: Old shop",
        "  took              13 min 5 s",
    ]


def reckoned(report: Report) -> dict[str, int]:
    """Reckon the table by its own signs, and give what stands behind each of its sums."""
    found: dict[str, int] = {}
    total = 0
    for line in table(report)[1:]:
        match = re.fullmatch(r"  ([-+=]?) ?(\D+?) +([\d,]+)(?: .*)?", line)
        if match is None:  # not known
            continue
        sign, name, number = match[1], match[2], int(match[3].replace(",", ""))
        if sign == "=" or (not sign and name == "received"):
            found[name] = number - total
        total = {"-": total - number, "+": total + number}.get(sign, number)
        if name == "in files":
            break
    return found


@pytest.mark.parametrize("name", ["succeeded", "unproven", "failed", "dry_run", "lossy", "stopped"])
def test_a_person_can_reckon_the_table_from_top_to_bottom(name: str) -> None:
    assert reckoned(REPORTS[name]()) == {"received": 0, "mapped": 0, "in files": 0}


def rows(name: str) -> dict[str, str]:
    """Give the lines of a table by their labels."""
    return {line[2:20].strip(): line[20:].strip() for line in table(REPORTS[name]())[1:]}


def test_what_was_lost_on_the_way_has_rows_of_its_own() -> None:
    found = rows("lossy")

    assert found["- lost on the way"].startswith("40 ")
    assert found["- dropped"].startswith("30 ")
    assert found["gap"].startswith("CVM lacks what came before this load: this connector has no")


@pytest.mark.parametrize("name", ["dry_run", "stopped"])
def test_a_load_that_was_not_run_says_what_it_would_do(name: str) -> None:
    found = rows(name)

    assert found["would open"] == "120   on 4 new assets"
    assert found["would close"] == "53   by the plan: fixed 31, gone 8, moved 2, filtered 12"
    assert found["proof"] == "full and complete: what is gone would be closed"
    assert not {"processed", "created", "closed", "reopened"} & set(found)


def test_one_that_was_run_does_not() -> None:
    assert not {"would open", "would close"} & set(rows("succeeded"))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("unproven", "TAP_QUALYSWAS_FULL_SYNC=true meltano run tap-qualyswas target-ciscovm"),
        (
            "stopped",
            "TARGET_CISCOVM_MAX_CLOSE_PERCENT=100 meltano run tap-qualyswas target-ciscovm",
        ),
    ],
)
def test_the_next_step_is_a_command_that_can_be_copied(name: str, command: str) -> None:
    assert rows(name)["command"] == command


@pytest.mark.parametrize(
    ("changes", "applied"),
    [
        ({}, True),
        ({"outcome": "succeeded_unproven"}, True),
        ({"run": None}, True),
        # Rows were lost or CVM lacks something, but what came is in CVM.
        ({"outcome": "failed"}, True),
        ({"outcome": "failed", "run": None}, False),
        ({"outcome": "failed", "run": RunInfo(id=7, success=False)}, False),
        ({"outcome": "failed", "run": RunInfo(id=7)}, False),
        ({"outcome": "still_running", "run": RunInfo(id=7)}, True),
        ({"outcome": "interrupted", "run": RunInfo(id=7)}, True),
        ({"outcome": "interrupted", "run": None}, False),
        ({"destination": "dry_run", "run": None}, False),
        ({"destination": "files", "run": None}, False),
    ],
    ids=str,
)
def test_a_load_that_was_not_applied_does_not_claim_to_have_closed(
    changes: dict[str, object], applied: bool
) -> None:
    report = succeeded()
    for name, value in changes.items():
        setattr(report, name, value)

    (proof,) = [line for line in table(report) if line.startswith("  proof ")]
    assert report.was_applied is applied
    assert proof.endswith(f"what is gone {'was' if applied else 'would be'} closed")


@pytest.mark.parametrize("name", REPORTS)
def test_the_table_is_short_and_each_entry_one_printable_line(name: str) -> None:
    lines = table(REPORTS[name]())

    assert 1 <= len(lines) <= 40
    assert all(line.isprintable() and len(line) <= 420 for line in lines)
    assert lines[0].startswith(REPORTS[name]().outcome)


def test_the_numbers_of_the_table_stay_below_one_another() -> None:
    lines = table(huge())[1:14]

    assert "9,223,372,036,854" in lines[0]
    shapes = [re.match(r"(  .{18} *[\d,]+)(   |$)", line) for line in lines]
    assert {len(shape[1]) if shape else 0 for shape in shapes} == {37}


def test_a_refused_run_shows_no_empty_numbers() -> None:
    lines = table(REPORTS["refused"]())

    assert lines[0].startswith("refused (exit code 2): Cisco Vulnerability Management does not")
    assert lines[1:] == ["  took              0.0 s", "  next              Check api_key."]


def test_what_is_not_known_is_not_called_nothing() -> None:
    lines = table(REPORTS["unproven"]())
    assert lines[1] == "  Qualys counts        unknown"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (49_812_345, "49.8 MB"),
        (2_500_000_000, "2.5 GB"),
        (9_900_000_000_000, "9,900.0 GB"),
    ],
)
def test_sizes_are_told_in_decimal_units(value: int, text: str) -> None:
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0"),
        (99_999_999, "99,999,999"),
        (123_456_789, "123.46 million"),
        (9_223_372_036_854, "9.22 trillion"),
    ],
)
def test_very_large_numbers_are_told_in_words(value: int | None, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, ""),
        (0, 10, "0%"),
        (1, 1000, "below 1%"),
        (5, 10, "50%"),
        (999, 1000, "above 99%"),
        (10, 10, "100%"),
    ],
)
def test_some_is_never_called_none_or_all(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


def test_times_are_told_without_letters() -> None:
    assert moment("2024-05-06T08:00:00Z") == "2024-05-06 08:00:00 UTC"
    assert moment(None) == "unknown"


def test_a_cut_text_says_so() -> None:
    assert cut("a  b\nc", 10) == "a b c"
    assert cut("abcdef", 4) == "abc…"
    assert cut("", 4) == ""


def test_ordinary_letters_of_all_languages_are_kept() -> None:
    text = "Größe 日本語 🙂 שלום\n\tx"
    assert clean(text) == text

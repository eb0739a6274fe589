"""Findings of the Application Security Module keep what people made of them, not what loads did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, bare, finding, fixed, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded
    from tests.target.streams import Row

IGNORED: Final[dict[str, Any]] = {"isIgnored": True, "ignoredReason": "FALSE_POSITIVE"}
BY_SETTINGS: Final = [
    ({"map_ignored": True}, IGNORED, "false_positive"),
    ({"status_map": {"PROTECTED": "triaged"}}, {"status": "PROTECTED"}, "triaged"),
]


def load(cvm: CVM, *rows: Row, mode: str = "full", **settings: Any) -> Loaded:  # noqa: ANN401
    return cvm.load(Sync([webapp()], rows, mode=mode), data_model="findings", **settings)


def statuses(cvm: CVM) -> dict[str, str]:
    return {bare(one.scanner_identifier): one.status for one in cvm.held()}


def told(loaded: Loaded) -> dict[str, str | None]:
    """Give the state that each finding of the files has; None for none."""
    return {name: item.get("triage_state") for name, item in loaded.items("findings").items()}


@pytest.mark.parametrize(("settings", "changes", "word"), BY_SETTINGS)
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_what_a_load_has_set_ends_with_its_cause(
    settings: dict[str, Any], changes: dict[str, Any], word: str, mode: str, cvm: CVM
) -> None:
    load(cvm, finding(1, **changes), finding(2), **settings)
    assert statuses(cvm) == {"finding-1": word, "finding-2": "new"}

    back = load(cvm, finding(1), finding(2), mode=mode, **settings)

    assert told(back) == {"finding-1": "new", "finding-2": None}
    assert statuses(cvm) == {"finding-1": "new", "finding-2": "new"}


def test_it_is_taken_back_once_and_then_left_to_people(cvm: CVM) -> None:
    load(cvm, finding(1, **IGNORED), map_ignored=True)
    load(cvm, finding(1), map_ignored=True)

    assert told(load(cvm, finding(1), map_ignored=True)) == {"finding-1": None}


def test_it_is_taken_back_though_the_setting_is_gone(cvm: CVM) -> None:
    load(cvm, finding(1, **IGNORED), map_ignored=True)

    assert told(load(cvm, finding(1))) == {"finding-1": "new"}


def test_it_is_known_as_long_as_no_load_has_the_finding(cvm: CVM) -> None:
    load(cvm, finding(1, **IGNORED), finding(2), map_ignored=True)
    load(cvm, finding(2), mode="incremental", map_ignored=True)

    assert told(load(cvm, finding(1), finding(2), map_ignored=True))["finding-1"] == "new"


def test_a_load_that_failed_has_taken_nothing_back(cvm: CVM) -> None:
    load(cvm, finding(1, **IGNORED), map_ignored=True)
    cvm.faults.arm("run-fails")
    assert load(cvm, finding(1), map_ignored=True).outcome == "failed"

    assert told(load(cvm, finding(1), map_ignored=True)) == {"finding-1": "new"}


@pytest.mark.parametrize("closed_by", ["fix", "absence", "filter"])
def test_what_a_load_has_closed_is_opened_by_name(closed_by: str, cvm: CVM) -> None:
    """CVM's description does not say that a resolved finding opens without it."""
    load(cvm, finding(1), finding(2))
    rows = {"fix": [fixed(1), finding(2)], "absence": [finding(2)]}
    settings: dict[str, Any] = {"filter": {"min_severity": 3}}.get(closed_by, {})
    load(cvm, *rows.get(closed_by, [finding(1, severity=2), finding(2)]), **settings)
    assert statuses(cvm)["finding-1"] == "resolved"

    assert told(load(cvm, finding(1), finding(2))) == {"finding-1": "new", "finding-2": None}


def test_so_is_what_moves_back_to_where_a_load_has_closed_it(cvm: CVM) -> None:
    load(cvm, finding(1))
    load(cvm, finding(1, url="https://app1.example.test/elsewhere"))

    loaded = load(cvm, finding(1))

    states = {
        (asset["url"].rpartition("/")[2], item.get("triage_state"))
        for asset in loaded.assets
        for item in asset.get("findings", ())
    }
    assert states == {("page1", "new"), ("elsewhere", "resolved")}


@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
@pytest.mark.parametrize("rows", [[finding(2)], [fixed(1), finding(2)]])
def test_to_close_what_a_load_has_called_otherwise_raises_no_suspicion(
    model: str, rows: list[Row], cvm: CVM
) -> None:
    """CVM's counters need not count it: it was not open."""
    settings = {"data_model": model, "map_ignored": True}
    cvm.load(Sync([webapp()], [finding(1, **IGNORED), finding(2)]), **settings)

    loaded = cvm.load(Sync([webapp()], rows), **settings)

    assert loaded.outcome == "succeeded"
    assert loaded.report["warnings"] == []
    assert loaded.closings.keys() == {"finding-1"}

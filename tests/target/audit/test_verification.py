"""`verify_load`: after a load CVM is asked what it holds, and it is held against the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.altered import of_runs
from tests.target.audit import hands
from tests.target.audit.test_audit import DRIFTS, ELSEWHERE, FIVE, PAGE, WITHOUT_FIRST
from tests.target.streams import ASKING, STATE, Sync, finding, fixed, identifier, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

EVERY: Final = {"verify_load": "every_run"}


def told(loaded: Loaded) -> set[tuple[str, str]]:
    """Give kind and identifier of what the report names."""
    entries = loaded.report["verification"]["entries"]
    return {(one["kind"], one["identifier"]) for one in entries}


def with_counters(**counters: int) -> Any:  # noqa: ANN401 - a change of answers
    return of_runs(lambda run: run | counters)


@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
def test_a_load_that_has_arrived_is_verified(model: str, cvm: CVM) -> None:
    cvm.begin(FIVE, data_model=model)

    loaded = cvm.load(
        Sync([webapp()], [fixed(1), *FIVE.findings[2:], finding(8)]), data_model=model, **EVERY
    )

    assert loaded.outcome == "succeeded"
    found = loaded.report["verification"]
    assert (found["in_ledger"], found["in_cvm"], found["kinds"]) == (4, 4, [])
    assert loaded.folder is not None
    page = (loaded.folder / "report.html").read_text()
    assert "verified: CVM holds exactly these 4" in page
    assert cvm.open() == names(3, 4, 5, 8)


SILENTLY: Final = DRIFTS | {
    "not in the ledger": (
        lambda tenant, _: hands.open_silently(tenant, CONNECTOR_ID, ELSEWHERE, identifier(9)),
        9,
    ),
    "closed in the ledger": (
        lambda tenant, _: hands.open_silently(tenant, CONNECTOR_ID, PAGE, identifier(1)),
        1,
    ),
}
"""A run that the connector lists would be noticed before anything is planned."""
NOTHING: Final = Sync([webapp()], [], scans=[], mode="incremental")


@pytest.mark.parametrize("kind", SILENTLY)
def test_what_was_lost_before_fails_the_run_and_asks_for_a_full_sync(kind: str, cvm: CVM) -> None:
    plant, number = SILENTLY[kind]
    cvm.begin(FIVE)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))
    plant(cvm.tenant, "vulnerabilities")

    loaded = cvm.load(NOTHING, **EVERY)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
    assert told(loaded) == {(kind, identifier(number))}
    healed = cvm.load(WITHOUT_FIRST, **EVERY)
    assert (healed.outcome, healed.states) == ("succeeded", [STATE])
    assert cvm.open() == names(2, 3, 4, 5)


def test_each_of_them_is_named_when_all_are_there_at_once(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))
    for plant, _ in SILENTLY.values():
        plant(cvm.tenant, "vulnerabilities")
    cvm.tenant.people.judge(identifier(5), "closed")

    loaded = cvm.load(NOTHING, **EVERY)

    assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
    assert told(loaded) == {
        *((kind, identifier(number)) for kind, (_, number) in SILENTLY.items()),
        ("closed by people", identifier(5)),
    }
    assert loaded.report["verification"]["in_ledger"] == 4
    healed = cvm.load(WITHOUT_FIRST, **EVERY)
    assert (healed.outcome, healed.states) == ("succeeded", [STATE])
    assert cvm.open() == names(2, 3, 4, 5)


def test_by_default_only_a_suspicion_is_looked_into(cvm: CVM) -> None:
    assert cvm.load(FIVE).report["verification"] is None
    cvm.alter(with_counters(closed_scanner_vuln_count=7))

    loaded = cvm.load(FIVE)

    assert loaded.outcome == "succeeded"
    assert loaded.report["verification"]["kinds"] == []
    assert "CVM closed 7 entries" in loaded.report["warnings"][0]


def test_a_suspicion_that_proves_right_fails_the_run(cvm: CVM) -> None:
    cvm.begin(FIVE)
    hands.close(cvm.tenant, identifier(2))
    cvm.alter(with_counters(autoclosed_scanner_vuln_count=1))

    loaded = cvm.load(Sync([webapp()], [finding(8)], mode="incremental"))

    assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
    assert "CVM lacks 1 finding that this connector sent (closed in CVM 1)" in loaded.message
    assert told(loaded) == {("closed in CVM", identifier(2))}


def test_it_is_not_looked_into_with_never(cvm: CVM) -> None:
    cvm.alter(with_counters(autoclosed_scanner_vuln_count=1))

    assert cvm.load(FIVE, verify_load="never").report["verification"] is None


@pytest.mark.parametrize(("mode", "asked"), [("full", True), ("incremental", False)])
def test_full_syncs_are_looked_into_when_that_is_set(mode: str, cvm: CVM, *, asked: bool) -> None:
    cvm.begin(FIVE)

    loaded = cvm.load(replace(FIVE, mode=mode), verify_load="full_syncs")

    assert (loaded.report["verification"] is not None) is asked


def test_what_cannot_be_seen_yet_is_a_warning(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.play(replace(cvm.switches, search_delay=3600))

    loaded = cvm.load(
        Sync([webapp()], [fixed(1), *FIVE.findings[1:], finding(8)]), verify_load="every_run"
    )

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert loaded.report["verification"]["not_visible"] == 2
    (warning,) = loaded.report["warnings"]
    assert "2 changes of this load cannot be seen in CVM yet" in warning


def test_people_may_close_what_they_like(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.tenant.people.judge(identifier(2), "risk_accepted")

    loaded = cvm.load(FIVE, **EVERY)

    assert loaded.outcome == "succeeded"
    assert told(loaded) == {("closed by people", identifier(2))}


def test_a_key_that_may_not_read_leaves_the_load_as_it_is(cvm: CVM) -> None:
    for fault in ("export-refused", "search-refused"):
        cvm.faults.arm(fault)

    loaded = cvm.load(FIVE, **EVERY)

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert loaded.report["verification"]["asked"] is False
    (warning,) = loaded.report["warnings"]
    assert "CVM did not tell what it holds" in warning


@pytest.mark.parametrize("fault", ["ciscovm-key", "ciscovm-502*0", "ciscovm-html"])
def test_a_cvm_that_is_away_once_the_run_has_ended_leaves_the_load_as_it_is(
    fault: str, cvm: CVM
) -> None:
    def strike(run: dict[str, Any]) -> dict[str, Any]:
        if run["end_time"]:
            cvm.faults.arm(fault)
        return run

    cvm.alter(of_runs(strike))
    loaded = cvm.load(FIVE, **EVERY)

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert loaded.report["verification"]["asked"] is False
    (warning,) = loaded.report["warnings"]
    assert "CVM did not tell what it holds" in warning


def test_what_is_known_to_be_lost_is_told_though_cvm_goes_away_meanwhile(cvm: CVM) -> None:
    cvm.begin(FIVE)
    hands.close(cvm.tenant, identifier(2))
    cvm.faults.arm("export-refused")
    asked = []

    def strike(path: str, told: Any) -> Any:  # noqa: ANN401 - JSON
        asked.append(path)
        if asked.count("/assets/search") == 3:  # the last time that what differs is asked for
            cvm.faults.arm("ciscovm-key")
        return told

    cvm.alter(strike)
    loaded = cvm.load(NOTHING, **EVERY)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
    assert told(loaded) == {("closed in CVM", identifier(2))}

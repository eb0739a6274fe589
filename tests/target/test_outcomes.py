"""How a run ends: outcome, exit code, whether the state is passed on, whether CVM has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from target_ciscovm.outcomes import EXIT_CODES, PASSES_STATE_ON
from tests.sandbox.ciscovm.tenant.tenant import HOSTED_CONNECTOR_ID
from tests.sandbox.world.clock import START
from tests.target.loads import load
from tests.target.streams import (
    ASKING,
    STATE,
    Sync,
    finding,
    fixed,
    joined,
    names,
    record,
    scan,
    schema,
    state,
    webapp,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.target.loads import CVM


@dataclass(frozen=True)
class Row:
    """What an outcome means for whoever started the run."""

    exit_code: int
    passes_state_on: bool


OUTCOMES: Final[Mapping[str, Row]] = {
    "succeeded": Row(0, passes_state_on=True),
    "succeeded_unproven": Row(0, passes_state_on=True),
    "aborted": Row(0, passes_state_on=False),
    "failed": Row(1, passes_state_on=False),
    "refused": Row(2, passes_state_on=False),
    "still_running": Row(3, passes_state_on=False),
}
"""The table of docs/exit-codes.md, but for `interrupted`, which is in `process.test_signals`. Where
a failed run asks for a full sync, the state is passed on."""


@dataclass(frozen=True)
class Way:
    """One way to come to an outcome.

    Attributes:
        given: the input.
        faults: of CVM.
        settings: of the target.
        changes: whether CVM shows something else afterwards.
        asks: whether the state is passed on with a full sync asked for.
    """

    outcome: str
    given: Sync | bytes
    faults: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    changes: bool = False
    asks: bool = False


SYNC: Final = Sync([webapp()], [finding(1), finding(2)])
NOTHING_SCANNED: Final = Sync([webapp()], scans=[])
NOTHING_NEW: Final = Sync([webapp()], scans=[], mode="incremental")
TOLD: Final = {
    "streams": SYNC.sync_row({name: len(rows) for name, rows in SYNC.streams().items()}, START)[
        "streams"
    ]
}
"""What a proof of the full sync tells of its streams."""
BROKEN: Final = joined(schema("findings"), record("findings", finding()), "oops", state(STATE))


def since(sync: Sync) -> Sync:
    """Make an incremental sync that needs no load before it."""
    proof = {"previousSyncAt": None, "filters": {"start_date": "2026-02-01T00:00:00Z"}}
    return replace(sync, mode="incremental", proof=proof)


def bad(number: int) -> dict[str, Any]:
    """Make a finding that is rejected: it lacks the status that its type always has."""
    return finding(number, status=None)


WAYS: Final[Mapping[str, Way]] = {
    "a full sync": Way("succeeded", SYNC, changes=True),
    "an incremental one": Way("succeeded", since(SYNC), changes=True),
    "nothing new": Way("succeeded", since(NOTHING_NEW)),
    "a gap": Way("failed", replace(SYNC, mode="incremental"), changes=True, asks=True),
    "a gap and nothing new": Way("failed", NOTHING_NEW, asks=True),
    "rows lost on the way": Way(
        "failed", replace(SYNC, findings=SYNC.findings[:1], proof=TOLD), changes=True, asks=True
    ),
    "rows dropped on purpose": Way(
        "succeeded_unproven",
        replace(SYNC, findings=SYNC.findings[:1], proof=TOLD),
        settings={"allow_dropped_records": True},
        changes=True,
    ),
    "no word of the tap": Way("succeeded_unproven", replace(SYNC, proof=None), changes=True),
    "not complete": Way(
        "succeeded_unproven", replace(SYNC, proof={"complete": False}), changes=True
    ),
    "findings alone": Way(
        "succeeded_unproven", Sync(findings=[finding()], entries=[], proof=None), changes=True
    ),
    "no line": Way("aborted", b""),
    "blank lines": Way("aborted", b"\n \n"),
    "no record": Way("aborted", joined(schema("findings"), state(STATE))),
    "nothing ever scanned": Way("aborted", NOTHING_SCANNED),
    "a line that is no JSON": Way("failed", BROKEN),
    "half a line at the end": Way("failed", BROKEN.partition(b"oops")[0] + b'{"type": "REC'),
    "too much rejected": Way("failed", Sync([webapp()], [finding(1), bad(2)])),
    "an upload not taken": Way("failed", SYNC, ("upload-422*0",)),
    "a run that fails": Way("failed", SYNC, ("run-fails",)),
    "payloads that fail": Way("failed", SYNC, ("payloads-fail*0",)),
    "a key not accepted": Way("refused", SYNC, ("ciscovm-key",)),
    "a key of somebody else": Way("refused", SYNC, (), {"api_key": "another"}),
    "no such connector": Way("refused", SYNC, (), {"connector_id": 4}),
    "a connector that fetches": Way("refused", SYNC, (), {"connector_id": HOSTED_CONNECTOR_ID}),
    "another host": Way("refused", SYNC, ("ciscovm-html",)),
    "a run without end": Way(
        "still_running", SYNC, ("run-never-ends",), {"run_timeout_seconds": 1}
    ),
}


def test_the_table_is_that_of_the_code() -> None:
    assert {name: row.exit_code for name, row in OUTCOMES.items()} == EXIT_CODES
    assert {name for name, row in OUTCOMES.items() if row.passes_state_on} == PASSES_STATE_ON
    assert {way.outcome for way in WAYS.values()} == set(OUTCOMES)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_ends_as_the_table_says(way: Way, cvm: CVM) -> None:
    cvm.faults.arm(*way.faults)
    before = cvm.shown()

    loaded = cvm.load(way.given, **(way.settings or {}))

    expected = OUTCOMES[way.outcome]
    assert loaded.outcome == way.outcome, loaded.message
    assert loaded.exit_code == expected.exit_code
    passed_on = [STATE] if expected.passes_state_on else []
    assert loaded.states == ([ASKING] if way.asks else passed_on)
    assert (cvm.shown() != before) == way.changes
    if way.outcome in {"failed", "refused"}:
        assert loaded.report["next_step"], "somebody has to know what to do"


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.outcome == "aborted"])
def test_an_abort_is_a_failure_when_asked_for(name: str, cvm: CVM) -> None:
    loaded = cvm.load(WAYS[name].given, fail_on_abort=True)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("aborted", 1, [])


def test_an_abort_closes_nothing_of_what_is_open(cvm: CVM) -> None:
    cvm.begin(SYNC)

    cvm.load(NOTHING_SCANNED)

    assert cvm.open() == names(1, 2)


def test_an_abort_for_want_of_any_record_says_so_in_its_last_line(cvm: CVM) -> None:
    loaded = cvm.load(joined(schema("findings"), state(STATE)), fail_on_abort=True)

    assert "no record came" in loaded.message


def test_a_load_of_another_taps_records_says_that_none_can_be_loaded(
    cvm: CVM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    loaded = cvm.load(joined(schema("users"), record("users", {"id": 1})))

    assert "no record came that can be loaded" in loaded.message
    assert "Ignored 1 record of the stream users" in caplog.text


def test_a_run_without_end_is_told_by_its_number_and_waited_for_by_the_next_one(cvm: CVM) -> None:
    cvm.faults.arm("run-never-ends")
    first = cvm.load(SYNC, run_timeout_seconds=1)
    (number,) = (run.id for run in cvm.tenant.runs(cvm.login["connector_id"]))
    assert str(number) in first.message
    assert first.report["run"]["id"] == number

    busy = cvm.load(SYNC, run_timeout_seconds=1)
    assert (busy.outcome, cvm.requests["run"]) == ("failed", 1)
    cvm.faults.disarm("run-never-ends")
    second = cvm.load(SYNC)

    assert second.outcome == "succeeded"
    assert cvm.open() == names(1, 2)


class TestRefused:
    """Somebody has to change something first: one clear line, and nothing is kept."""

    SETTINGS: Final[Mapping[str, tuple[dict[str, Any], str]]] = {
        "a key without a connector": ({"connector_id": None}, "connector_id"),
        "a connector without a key": ({"api_key": None}, "api_key"),
        "tags skipped and reset": ({"skip_tags": True, "reset_tags": True}, "reset_tags"),
        "a number that is none": ({"min_severity": "high"}, "min_severity"),
        "a number out of bounds": ({"max_close_percent": 101}, "max_close_percent"),
        "an unknown word": ({"data_model": "vulns"}, "data_model"),
        "an unknown status": ({"status_map": {"NEW": "open!"}}, "status_map"),
        "an unknown locator": ({"locator_order": ["hostname"]}, "locator_order"),
        "a locator that CVM lacks": (
            {"locator_order": ["external_id"], "tenant_locator_order": ["url"]},
            "external_id",
        ),
        "a share of more than all": ({"max_failed_percent": "101"}, "max_failed_percent"),
        "a key with a line end": ({"api_key": "two\nlines"}, "api_key"),
        "a CA bundle that is not there": ({"ca_bundle": "/nowhere/ca.pem"}, "ca_bundle"),
        "an address that is none": ({"api_url": "ftp://cvm.example.test"}, "api_url"),
        "plain HTTP to another machine": ({"api_url": "http://192.0.2.1"}, "https"),
    }

    @pytest.mark.parametrize("name", SETTINGS)
    def test_settings_are_refused_by_name_before_anything_is_asked(
        self, name: str, cvm: CVM
    ) -> None:
        settings, word = self.SETTINGS[name]

        loaded = cvm.load(SYNC, **settings)

        assert loaded.exit_code == 2
        assert word in loaded.message
        assert loaded.states == []
        assert not cvm.requests

    def test_nothing_that_is_read_is_kept(self, cvm: CVM) -> None:
        loaded = cvm.load(SYNC, connector_id=4)

        assert loaded.folder is not None
        assert {path.name for path in loaded.folder.iterdir()} <= {"report.json", "report.html"}
        assert loaded.report["reconciliation"]["received"] == 0


def test_an_answer_that_names_no_next_step_is_told_with_one(cvm: CVM) -> None:
    cvm.alter(lambda path, told: {} if path.endswith("/connector_runs") else told)

    loaded = cvm.load(SYNC)

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert "did not list the runs" in loaded.message
    assert "run again" in loaded.report["next_step"]
    assert loaded.report["next_command"] == "meltano invoke target-ciscovm:verify"


class TestFilesOnly:
    """Without key and connector the files are the result, and the state is passed on."""

    def test_files_are_written_and_nobody_is_asked(self, cvm: CVM) -> None:
        loaded = cvm.load(SYNC, api_key=None, connector_id=None)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert set(loaded.items()) == names(1, 2)
        assert loaded.report["destination"] == "files"
        assert not cvm.requests
        assert not cvm.ledger.exists()

    def test_there_is_no_ledger_so_nothing_is_called_gone_and_the_report_says_so(
        self, cvm: CVM
    ) -> None:
        cvm.begin(SYNC, api_key=None, connector_id=None)

        loaded = cvm.load(
            replace(SYNC, findings=SYNC.findings[:1]), api_key=None, connector_id=None
        )

        assert set(loaded.items()) == names(1)
        assert loaded.closings == {}
        assert loaded.report["closing"]["open_before"] is None
        (reason,) = loaded.report["proof"]["reasons"]
        assert "no ledger" in reason


class TestDryRun:
    def test_nothing_changes_and_the_state_is_kept_back(self, cvm: CVM) -> None:
        loaded = cvm.load(SYNC, dry_run=True)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [])
        assert cvm.requests["data_file"] == cvm.requests["run"] == 0
        assert not cvm.ledger.exists()
        assert set(loaded.items()) == names(1, 2)

    MANY: Final = Sync(
        [webapp()],
        [finding(n) for n in range(1, 9)] + [finding(20, potential=True), finding(21)],
    )
    LATER: Final = Sync(
        [webapp(), webapp(2)],
        [
            *(finding(n) for n in range(1, 5)),
            fixed(5),
            fixed(30),
            finding(6, url="https://app1.example.test/elsewhere"),
            finding(7, severity=5),
            finding(20, potential=True),
            finding(21, status="REOPENED"),
            finding(40, 2),
        ],
    )

    def test_it_tells_what_would_change(self, cvm: CVM) -> None:
        """Tell of new, edited, moved, reopened, fixed, gone and filtered ones, and of no other."""
        cvm.begin(self.MANY)
        cvm.load(Sync([webapp()], [fixed(21)], mode="incremental"))
        before = cvm.shown()

        dry = cvm.load(self.LATER, dry_run=True, exclude_potential=True)

        assert dry.report["changes"] == {
            "new_assets": 2,
            "opened": 3,
            "closed": 4,
            "reopened": 1,
        }
        assert dry.closings == {
            "finding-5": "fixed",
            "finding-6": "moved away",
            "finding-8": "gone",
            "finding-20": "filtered: exclude_potential",
        }
        assert dry.report["closing"]["open_before"] == 9
        assert dry.report["closing"]["open_after"] == 8
        assert cvm.shown() == before

    def test_it_tells_what_the_real_run_then_does(self, cvm: CVM) -> None:
        cvm.begin(self.MANY)
        cvm.load(Sync([webapp()], [fixed(21)], mode="incremental"))
        dry = cvm.load(self.LATER, dry_run=True, exclude_potential=True)

        real = cvm.load(self.LATER, exclude_potential=True)

        assert real.changes == dry.changes
        assert real.report["closing"] == dry.report["closing"]
        told = dry.report["changes"]
        way = real.report["reconciliation"]
        assert way["closed"] == told["closed"]
        assert way["created"] + way["reopened"] == told["opened"]
        assert way["reopened"] == told["reopened"]
        assert len(cvm.open()) == dry.report["closing"]["open_after"]
        mapped_and_closings = way["mapped"] + way["closings"]
        assert way["entries"] == way["uploaded"] == way["processed"] == mapped_and_closings


THRESHOLDS: Final = [
    (1, 100, "1", True),
    (2, 100, "1", False),
    (10, 1000, "1", True),
    (11, 1000, "1", False),
    (1, 200, "0.5", True),
    (1, 199, "0.5", False),
    (1, 1000, "0", False),
    (2, 100, 2, True),
    (3, 3, "100", True),
]


@pytest.mark.parametrize(("rejected", "received", "limit", "passes"), THRESHOLDS)
def test_the_limit_of_rejected_findings_is_held_to_the_letter(
    rejected: int, received: int, limit: object, passes: bool, cvm: CVM
) -> None:
    good = [finding(number) for number in range(received - rejected)]
    sync = Sync([webapp()], [*good, *map(bad, range(received - rejected, received))])

    loaded = cvm.load(sync, max_failed_percent=limit)

    assert loaded.exit_code == (0 if passes else 1), loaded.message
    assert len(loaded.rejected) == rejected
    assert len(cvm.open()) == (received - rejected if passes else 0)
    assert bool(loaded.states) == passes
    if not passes:
        assert f"{rejected} of {received:,} findings" in loaded.message
        assert cvm.requests["data_file"] == 0


@pytest.mark.parametrize(("rejected", "passes"), [(1, True), (2, False)])
def test_web_applications_have_a_share_of_their_own(rejected: int, passes: bool, cvm: CVM) -> None:
    apps = [webapp(number) for number in range(1, 101 - rejected)]
    nameless = [webapp(number, name={"no": "text"}) for number in range(900, 900 + rejected)]
    findings = [finding(number) for number in range(1000)]

    loaded = cvm.load(Sync([*apps, *nameless], findings, scans=[scan()]))

    assert loaded.exit_code == (0 if passes else 1), loaded.message
    if not passes:
        assert "2 of 100 web applications" in loaded.message


def test_all_records_have_a_share_too(cvm: CVM) -> None:
    scans = [scan(number, id=None) for number in range(1, 4)]

    loaded = cvm.load(Sync([webapp()], [finding()], scans=scans))

    assert loaded.outcome == "failed"
    assert "3 of 7 records" in loaded.message


@pytest.mark.parametrize(
    ("failing", "total", "limit", "passes"),
    [(1, 100, "1", True), (2, 100, "1", False), (1, 200, "0.5", True), (1, 199, "0.5", False)],
)
def test_the_limit_of_failed_payloads_is_held_to_the_letter(
    failing: int, total: int, limit: str, passes: bool, cvm: CVM
) -> None:
    cvm.faults.arm(f"payload-fails*{failing}")
    sync = Sync([webapp()], [finding(number) for number in range(total)])

    loaded = cvm.load(sync, max_failed_percent=limit)

    assert loaded.exit_code == (0 if passes else 1), loaded.message
    assert loaded.outcome == ("succeeded" if passes else "failed")
    assert loaded.report["reconciliation"]["failed"] == failing
    assert loaded.report["reconciliation"]["processed"] == total - failing
    assert loaded.states == []
    words = "1 payload, within" if passes else f"{failing} of {total} payloads failed, more than"
    assert words in loaded.message


def test_the_state_passed_on_is_the_last_one(cvm: CVM) -> None:
    given = joined(
        state({"bookmarks": {"a": 1}}),
        schema("findings"),
        record("findings", finding()),
        state({"bookmarks": {"a": 2}}),
    )

    assert cvm.load(given).states == [{"bookmarks": {"a": 2}}]


def test_without_a_login_the_same_report_is_written(cvm: CVM) -> None:
    config = {"output_path": str(cvm.output)}

    loaded = load(SYNC.lines(cvm.clock.now()), config)

    assert loaded.report["reconciliation"]["mapped"] == 2
    assert loaded.report["connector"] is None

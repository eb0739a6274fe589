"""What is remembered from run to run: identity changes, a ledger lost, damaged, or elsewhere."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from target_ciscovm.output.lock import connector_lock
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, OTHER_CONNECTOR_ID
from tests.target.streams import ASKING, STATE, Sync, bare, finding, fixed, names, webapp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.target.loads import CVM, Loaded

TWO: Final = Sync([webapp()], [finding(1), finding(2)])


class TestIdentity:
    """A setting that tells assets or findings apart in another way closes and re-opens all."""

    CHANGES: Final[Mapping[str, dict[str, Any]]] = {
        "locator_order": {"locator_order": ["external_id", "url"]},
        "tenant_locator_order": {"tenant_locator_order": ["external_id", "url", "application"]},
        "url_query": {"url_query": "keep"},
        "data_model": {"data_model": "findings"},
    }

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change_stops_the_run_and_says_what_it_would_do(self, name: str, cvm: CVM) -> None:
        cvm.begin(TWO)
        before = cvm.shown()

        loaded = cvm.load(TWO, **self.CHANGES[name])

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("refused", 2, [])
        for word in (name, "all 2 open findings", "accept_identity_change to "):
            assert word in loaded.message
        assert cvm.shown() == before

    @pytest.mark.parametrize("name", CHANGES)
    def test_an_accepted_change_leaves_each_finding_open_once(self, name: str, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = accept(cvm, TWO, **self.CHANGES[name])

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        open_now = [bare(one.scanner_identifier) for one in cvm.held() if one.is_open]
        assert sorted(open_now) == sorted(names(1, 2))
        assert loaded.report["closing"]["open_after"] == 2

    def test_a_code_lets_its_own_change_through_alone(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        code = cvm.code(TWO, url_query="keep")

        loaded = cvm.load(TWO, accept_identity_change=code, data_model="findings")

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("refused", 2, [])
        assert code not in loaded.message
        assert cvm.load(TWO, accept_identity_change="true", url_query="keep").exit_code == 2
        assert cvm.load(TWO, accept_identity_change=code, url_query="keep").exit_code == 0

    @pytest.mark.parametrize("order", [("url", "external_id"), ("external_id", "url")])
    def test_nothing_else_closes_when_old_assets_and_new_ones_meet_in_cvm(
        self, order: tuple[str, str], cvm: CVM
    ) -> None:
        apps = [webapp(1), webapp(2)]
        before = [finding(number, 1 + number % 2) for number in range(20)]
        cvm.load(Sync(apps, before), locator_order=list(order))
        after = Sync(apps, [*before[3:], fixed(0, 1), finding(99, 2)])

        loaded = accept(cvm, after, locator_order=list(reversed(order)), part_max_bytes=1000)

        assert len(loaded.documents) > 5
        assert cvm.open() == names(*range(3, 20), 99)

    @pytest.mark.parametrize("name", CHANGES)
    def test_the_next_run_has_nothing_to_accept(self, name: str, cvm: CVM) -> None:
        cvm.begin(TWO)
        accept(cvm, TWO, **self.CHANGES[name])

        loaded = cvm.load(Sync([webapp()], [finding(1)]), **self.CHANGES[name])

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1)

    def test_the_findings_model_takes_over_from_the_other_one(self, cvm: CVM) -> None:
        cvm.begin(TWO)

        accept(cvm, TWO, data_model="findings")

        kinds = {(one.kind, one.is_open) for one in cvm.held()}
        assert kinds == {("vuln", False), ("finding", True)}

    @pytest.mark.parametrize("sync", [replace(TWO, mode="incremental"), replace(TWO, proof=None)])
    def test_an_accepted_change_needs_a_full_and_proven_load(self, sync: Sync, cvm: CVM) -> None:
        cvm.begin(TWO)
        before = cvm.shown()

        loaded = accept(cvm, sync, locator_order=["external_id"])

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
        assert "full_sync" in loaded.message
        assert cvm.shown() == before

    def test_the_guard_still_looks_at_what_is_gone(self, cvm: CVM) -> None:
        rows = [finding(number) for number in range(42)]
        cvm.begin(Sync([webapp()], rows))

        loaded = accept(cvm, Sync([webapp()], rows[:20]), url_query="keep")

        assert (loaded.outcome, loaded.states) == ("failed", [])
        assert "gone 22" in loaded.message
        assert cvm.open() == names(*range(42))

    def test_what_it_does_not_cover_moves_with_the_load_that_does(self, cvm: CVM) -> None:
        apps = [webapp(1), webapp(2)]
        both = Sync(apps, [finding(1), finding(2, 2)])
        cvm.begin(both)
        now = {"locator_order": ["external_id"]}
        loaded = accept(cvm, Sync(apps[:1], [finding(1)], not_proven=[2]), **now)
        assert (loaded.outcome, loaded.report["closing"]["moved"]) == ("succeeded", 1)
        assert cvm.open() == names(1, 2)

        loaded = cvm.load(both, **now)

        assert loaded.report["closing"]["moved"] == 1
        assert [one.is_open for one in cvm.held()].count(True) == 2

    def test_a_second_account_does_not_stand_in_its_way(self, cvm: CVM) -> None:
        theirs = Sync([webapp(7)], [finding(9, 7)], proof={"subscription": "another"})
        cvm.begin(TWO)
        cvm.load(theirs)

        assert accept(cvm, TWO, url_query="keep").outcome == "succeeded"
        assert cvm.load(theirs, url_query="keep").outcome == "succeeded"

        assert [one.is_open for one in cvm.held()].count(True) == 3

    def test_a_change_is_none_while_nothing_is_open(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp()], [finding(1)]))
        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

        loaded = cvm.load(TWO, locator_order=["external_id"])

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1, 2)

    def test_settings_that_tell_nothing_apart_may_change(self, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = cvm.load(TWO, min_severity=2, tag_prefix="qualys-", max_close_percent=20)

        assert loaded.outcome == "succeeded"


def accept(cvm: CVM, sync: Sync, **settings: Any) -> Loaded:  # noqa: ANN401 - of all types
    """Load with settings that are refused at first, and then with the code of the refusal."""
    code = cvm.code(sync, **settings)
    return cvm.load(sync, accept_identity_change=code, **settings)


class TestSource:
    """The tap's `source` decides what a finding is called, so a change of it is one of identity."""

    REPORTS: Final = Sync(
        [webapp()],
        [finding(1, uniqueId="report-1"), finding(2, uniqueId="report-2")],
        coverage={"source": "scan_reports"},
    )

    def test_it_stops_the_run_when_the_input_has_ended(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        before = cvm.shown()

        loaded = cvm.load(self.REPORTS)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("refused", 2, [])
        assert "source was api, is scan_reports" in loaded.message
        assert cvm.shown() == before

    def test_an_accepted_one_closes_all_of_the_old_source(self, cvm: CVM) -> None:
        many = [finding(number) for number in range(42)]
        cvm.begin(Sync([webapp()], many))

        loaded = accept(cvm, self.REPORTS)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert cvm.open() == {"report-1", "report-2"}
        assert cvm.load(self.REPORTS).outcome == "succeeded"

    def test_what_it_does_not_cover_could_never_be_closed(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp(1), webapp(2)], [finding(1), finding(2, 2)]))

        loaded = accept(cvm, replace(self.REPORTS, not_proven=[2]))

        assert (loaded.outcome, loaded.states) == ("failed", [])
        assert "1 open finding of web applications" in loaded.message
        assert cvm.open() == names(1, 2)


class TestLost:
    """Without its ledger, and without what CVM holds, a connector goes on with what comes."""

    @pytest.fixture(autouse=True)
    def _cvm_tells_nothing(self, cvm: CVM) -> None:
        for fault in ("export-refused", "search-refused"):
            cvm.faults.arm(fault)

    def test_it_is_said(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()

        loaded = cvm.load(TWO)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        (warning,) = loaded.report["warnings"]
        assert str(cvm.ledger) in warning
        assert "this connector has had runs in CVM" in warning

    def test_an_incremental_sync_leaves_a_gap_that_the_next_full_one_closes(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()

        loaded = cvm.load(Sync([webapp()], [finding(1)], mode="incremental"))

        assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
        assert loaded.states == [ASKING]
        assert "no earlier load" in loaded.report["gap"]
        healed = cvm.load(TWO)
        assert healed.states == [STATE]
        assert cvm.load(replace(TWO, mode="incremental")).outcome == "succeeded"

    def test_it_begins_with_what_came(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()
        cvm.load(Sync([webapp()], [finding(1)], mode="incremental"))

        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

        assert cvm.open() == names(2)

    def test_what_was_gone_meanwhile_stays_open_for_nobody_knows_of_it(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()

        cvm.load(Sync([webapp()], [finding(1)]))

        assert cvm.open() == names(1, 2)

    def test_a_new_connector_is_no_lost_ledger(self, cvm: CVM) -> None:
        assert cvm.load(TWO).report["warnings"] == []


class TestUnfit:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "it is empty"),
            (b"no database at all", "it is damaged"),
            (b"SQLite format 3\0" + b"\0" * 900, "it is damaged"),
        ],
        ids=["empty", "not a database", "damaged"],
    )
    def test_a_file_that_cannot_be_used_stops_the_run_before_anything_is_sent(
        self, content: bytes, why: str, cvm: CVM
    ) -> None:
        cvm.begin(TWO)
        cvm.ledger.write_bytes(content)
        before = (cvm.shown(), cvm.requests["data_file"])

        loaded = cvm.load(Sync([webapp()], [finding(1)]))

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
        assert str(cvm.ledger) in loaded.message
        assert why in loaded.message
        assert (cvm.shown(), cvm.requests["data_file"]) == before
        assert cvm.ledger.read_bytes() == content

    @pytest.mark.parametrize(
        ("statement", "exit_code", "why"),
        [
            ("PRAGMA application_id=1", 1, "another program wrote it"),
            ("PRAGMA user_version=1", 2, "an earlier version"),
            ("PRAGMA user_version=3", 2, "a later version"),
        ],
    )
    def test_one_of_another_program_or_version_is_named(
        self, statement: str, exit_code: int, why: str, cvm: CVM
    ) -> None:
        cvm.begin(TWO)
        with closing(sqlite3.connect(cvm.ledger, isolation_level=None)) as connection:
            connection.execute(statement)
        before = (cvm.shown(), cvm.ledger.read_bytes())

        loaded = cvm.load(Sync([webapp()], [finding(1)]))

        assert (loaded.exit_code, loaded.states) == (exit_code, [])
        assert why in loaded.message
        assert str(cvm.ledger) in loaded.message
        assert (cvm.shown(), cvm.ledger.read_bytes()) == before

    def test_one_of_another_connector_is_refused_by_name(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        before = cvm.ledger.read_bytes()

        loaded = cvm.load(TWO, connector_id=OTHER_CONNECTOR_ID, ledger_path=str(cvm.ledger))

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("refused", 2, [])
        assert f"connector {CONNECTOR_ID} at " in loaded.message
        assert "ledger_path" in loaded.message
        assert cvm.ledger.read_bytes() == before

    def test_one_of_another_tenant_is_too(self, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = cvm.load(TWO, api_url=cvm.url.replace("127.0.0.1", "localhost"))

        assert (loaded.outcome, loaded.states) == ("refused", [])
        assert " at 127.0.0.1" in loaded.message


class TestPlace:
    def test_it_is_where_the_setting_says_and_for_its_owner_only(
        self, cvm: CVM, tmp_path: Path
    ) -> None:
        path = tmp_path / "kept" / "ledger.db"

        cvm.load(TWO, ledger_path=str(path))

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not cvm.ledger.exists()
        cvm.load(Sync([webapp()], [finding(1)]), ledger_path=str(path))
        assert cvm.open() == names(1)

    def test_a_home_in_the_path_is_found(self, cvm: CVM, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(cvm.home))

        cvm.load(TWO, ledger_path="~/ledger.db")

        assert (cvm.home / "ledger.db").exists()

    def test_one_that_cannot_be_written_is_refused_before_anything_is_sent(
        self, cvm: CVM, tmp_path: Path
    ) -> None:
        blocked = tmp_path / "file"
        blocked.touch()

        loaded = cvm.load(TWO, ledger_path=str(blocked / "ledger.db"))

        assert (loaded.exit_code, loaded.states) == (2, [])
        assert "ledger_path" in loaded.message
        assert cvm.requests["data_file"] == 0


def test_two_loads_of_one_connector_do_not_run_at_once(cvm: CVM) -> None:
    cvm.output.mkdir(mode=0o700)
    with connector_lock(cvm.output, str(CONNECTOR_ID)):
        loaded = cvm.load(TWO)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert str(os.getpid()) in loaded.message
    assert not cvm.requests
    assert cvm.load(TWO).outcome == "succeeded"


def test_two_loads_with_one_ledger_do_not_run_at_once_by_whatever_path(
    cvm: CVM, tmp_path: Path
) -> None:
    (real := tmp_path / "real").mkdir(mode=0o700)
    (other := tmp_path / "other").mkdir(mode=0o700)
    (other / "ledger.db").symlink_to(real / "ledger.db")
    with connector_lock(real, str(CONNECTOR_ID)):
        loaded = cvm.load(TWO, ledger_path=str(other / "ledger.db"))

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert not cvm.requests


@pytest.mark.parametrize(
    "sync", [Sync([webapp()], [finding(1)]), Sync([webapp()], [finding(1), finding(3)], proof=None)]
)
def test_a_run_that_somebody_else_started_meanwhile_is_warned_about(sync: Sync, cvm: CVM) -> None:
    cvm.begin(TWO)
    cvm.faults.arm("connector-busy+1")

    loaded = cvm.load(sync)

    assert (loaded.exit_code, loaded.states) == (0, [STATE])
    (warning,) = loaded.report["warnings"]
    assert "was started by somebody else" in warning
    proven = sync.proof is not None
    assert cvm.open() == (names(1) if proven else names(1, 2, 3))

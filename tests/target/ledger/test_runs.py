"""What is remembered from run to run: identity changes, a ledger lost, damaged, or elsewhere."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from target_ciscovm.output.lock import connector_lock
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.loads import QUICK
from tests.target.streams import STATE, Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.target.loads import CVM

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
        cvm.load(TWO)
        before = cvm.shown()

        loaded = cvm.load(TWO, **self.CHANGES[name])

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("refused", 2, [])
        for word in (name, "2 findings", "accept_identity_change"):
            assert word in loaded.message
        assert cvm.shown() == before

    @pytest.mark.parametrize("name", CHANGES)
    def test_an_accepted_change_leaves_each_finding_open_once(self, name: str, cvm: CVM) -> None:
        cvm.load(TWO)

        loaded = cvm.load(TWO, accept_identity_change=True, **self.CHANGES[name])

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        open_now = [one.scanner_identifier for one in cvm.held() if one.is_open]
        assert sorted(open_now) == sorted(names(1, 2))

    @pytest.mark.parametrize("scope", ["file", "run"])
    @pytest.mark.parametrize("order", [("url", "external_id"), ("external_id", "url")])
    def test_nothing_else_closes_when_old_assets_and_new_ones_meet_in_cvm(
        self, order: tuple[str, str], scope: Literal["file", "run"], cvm: CVM
    ) -> None:
        cvm.play(replace(QUICK, autoclose_scope=scope))
        apps = [webapp(1), webapp(2)]
        before = [finding(number, 1 + number % 2) for number in range(20)]
        cvm.load(Sync(apps, before), locator_order=list(order))
        after = [*before[3:], fixed(0, 1), finding(99, 2)]

        loaded = cvm.load(
            Sync(apps, after),
            locator_order=list(reversed(order)),
            accept_identity_change=True,
            part_max_bytes=1000,
        )

        assert len(loaded.documents) > 5
        assert cvm.open() == names(*range(3, 20), 99)

    @pytest.mark.parametrize("name", CHANGES)
    def test_the_next_run_has_nothing_to_accept(self, name: str, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.load(TWO, accept_identity_change=True, **self.CHANGES[name])

        loaded = cvm.load(Sync([webapp()], [finding(1)]), **self.CHANGES[name])

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1)

    def test_the_findings_model_takes_over_from_the_other_one(self, cvm: CVM) -> None:
        cvm.load(TWO)

        cvm.load(TWO, accept_identity_change=True, data_model="findings")

        kinds = {(one.kind, one.is_open) for one in cvm.held()}
        assert kinds == {("vuln", False), ("finding", True)}

    @pytest.mark.parametrize("sync", [replace(TWO, mode="incremental"), replace(TWO, proof=None)])
    def test_an_accepted_change_needs_a_full_and_proven_load(self, sync: Sync, cvm: CVM) -> None:
        cvm.load(TWO)
        before = cvm.shown()

        loaded = cvm.load(sync, accept_identity_change=True, locator_order=["external_id"])

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
        assert "full_sync" in loaded.message
        assert cvm.shown() == before

    def test_a_change_is_none_while_nothing_is_open(self, cvm: CVM) -> None:
        cvm.load(Sync([webapp()], [finding(1)]))
        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

        loaded = cvm.load(TWO, locator_order=["external_id"])

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1, 2)

    def test_settings_that_tell_nothing_apart_may_change(self, cvm: CVM) -> None:
        cvm.load(TWO)

        loaded = cvm.load(TWO, min_severity=2, tag_prefix="qualys-", max_close_percent=20)

        assert loaded.outcome == "succeeded"


class TestLost:
    """Without its ledger a connector goes on, and closes again once a full sync has been."""

    def test_a_full_sync_builds_it_anew(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()
        cvm.load(TWO)

        cvm.load(Sync([webapp()], [finding(1)]))

        assert cvm.open() == names(1)

    def test_an_incremental_sync_begins_it_with_what_it_has(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()
        cvm.load(Sync([webapp()], [finding(1)], mode="incremental"))

        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

        assert cvm.open() == names(2)

    def test_a_finding_gone_meanwhile_is_closed_where_its_asset_is_still_loaded(
        self, cvm: CVM
    ) -> None:
        url = "https://app1.example.test/shared"
        cvm.load(Sync([webapp()], [finding(1, url=url), finding(2, url=url)]))
        cvm.ledger.unlink()

        cvm.load(Sync([webapp()], [finding(1, url=url)]))

        assert cvm.open() == names(1)


class TestDamaged:
    @pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\0" * 900])
    def test_a_damaged_ledger_stops_the_run_before_anything_is_sent(
        self, content: bytes, cvm: CVM
    ) -> None:
        cvm.load(TWO)
        cvm.ledger.write_bytes(content)
        before = (cvm.shown(), cvm.requests["data_file"])

        loaded = cvm.load(Sync([webapp()], [finding(1)]))

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
        assert str(cvm.ledger) in loaded.message
        assert (cvm.shown(), cvm.requests["data_file"]) == before
        assert cvm.ledger.read_bytes() == content

    def test_an_empty_file_is_a_new_ledger(self, cvm: CVM) -> None:
        cvm.output.mkdir(mode=0o700)
        cvm.ledger.touch()

        assert cvm.load(TWO).outcome == "succeeded"


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


def test_a_load_that_was_run_by_somebody_else_meanwhile_is_not_followed_by_ours(cvm: CVM) -> None:
    cvm.load(TWO)
    cvm.faults.arm("connector-busy+1")

    loaded = cvm.load(Sync([webapp()], [finding(1)]))

    assert (loaded.outcome, loaded.states) == ("failed", [])
    assert "somebody else" in loaded.message
    assert cvm.open() == names(1, 2)


def test_an_unproven_load_follows_whatever_ran_meanwhile(cvm: CVM) -> None:
    cvm.load(TWO)
    cvm.faults.arm("connector-busy+1")

    loaded = cvm.load(Sync([webapp()], [finding(3)], proof=None))

    assert loaded.outcome == "succeeded_unproven"
    assert cvm.open() == names(1, 2, 3)

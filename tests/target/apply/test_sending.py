"""Faults on the way to CVM: a load arrives whole and once, or fails and says so."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from target_ciscovm.target import TargetCiscoVM
from tests.sandbox.ciscovm.kdi.check import check
from tests.target import loads
from tests.target.cvm.passing import PASSING
from tests.target.loads import QUICK
from tests.target.streams import STATE, Sync, finding, identifier, names, webapp, webapp_of

if TYPE_CHECKING:
    from tests.sandbox.faults.switches import Switches
    from tests.target.loads import CVM, Loaded

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
MANY: Final = Sync([webapp()], [finding(number) for number in range(12)])


@pytest.mark.parametrize("fault", [*PASSING, "ciscovm-502+2", "ciscovm-429+5"])
def test_a_fault_that_passes_leaves_one_run_with_everything(fault: str, cvm: CVM) -> None:
    cvm.faults.arm(fault)

    loaded = cvm.load(MANY, part_max_bytes=2000)

    assert cvm.faults.struck[fault.partition("+")[0]] > 0
    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert cvm.open() == names(*range(12))
    assert len(cvm.tenant.runs(cvm.login["connector_id"])) == 1


@pytest.mark.parametrize("fault", ["upload-422", "upload-500", "upload-empty", "upload-reset"])
def test_a_file_is_sent_whole_again(fault: str, cvm: CVM) -> None:
    cvm.faults.arm(fault)

    loaded = cvm.load(TWO)

    (file,) = loaded.report["files"]
    tries = [one for one in cvm.log if one.endpoint == "data_file"]
    assert len(tries) > 1
    # One that was reset had been read in part only.
    whole = {(one.size, one.sha256) for one in tries if one.size is not None}
    assert len(whole) == 1
    assert whole.pop()[0] == file["bytes"]


def test_files_of_one_number_are_not_run(cvm: CVM) -> None:
    cvm.alter(lambda path, told: told | {"data_file": 7} if path.endswith("data_file") else told)

    loaded = cvm.load(MANY, part_max_bytes=2000)

    assert (loaded.outcome, loaded.states) == ("failed", [])
    assert "kdi-0002.json the number of another file (7)" in loaded.message
    assert cvm.requests["run"] == 0


def test_the_files_of_a_run_that_somebody_refused_are_run_when_it_is_over(cvm: CVM) -> None:
    cvm.faults.arm("connector-busy")
    cvm.play(replace(QUICK, run_seconds=0.3))

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(1, 2)
    assert len(cvm.tenant.runs(cvm.login["connector_id"])) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("upload-422*0", "could not be uploaded"),
        ("upload-reset*0", "could not be uploaded"),
        ("run-refused*0", "run"),
        ("run-fails", "failed"),
        ("payloads-fail*0", "payloads"),
        ("ciscovm-502*0", "502"),
    ],
)
def test_a_fault_that_stays_fails_the_load_and_nothing_is_marked_as_sent(
    fault: str, words: str, cvm: CVM
) -> None:
    cvm.faults.arm(fault)

    loaded = cvm.load(TWO)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert words in loaded.message
    assert cvm.open() == set()
    cvm.faults.disarm()
    again = cvm.load(TWO)
    assert (again.outcome, again.states) == ("succeeded", [STATE])
    assert again.report["reconciliation"]["uploaded"] == 2
    assert cvm.open() == names(1, 2)


def test_an_answer_lost_for_good_never_makes_a_second_run(cvm: CVM) -> None:
    cvm.faults.arm("lost-run-answer*0")

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    assert cvm.requests["run"] == 1
    assert cvm.open() == names(1, 2)


class TestKeyRefusedWhileTheRunIsWatched:
    """A gateway may fail to know a key that was good a minute ago."""

    def load(self, times: int, cvm: CVM) -> Loaded:
        """Refuse the key so often from the first look at the run on, which goes on for a while."""
        cvm.play(replace(QUICK, run_seconds=1))
        cvm.faults.arm("target-killed-in-run")
        cvm.faults.carry_out = lambda _: cvm.faults.arm(f"ciscovm-key*{times}")
        loaded = cvm.load(TWO)
        assert cvm.faults.struck["ciscovm-key"] == times
        cvm.faults.disarm()
        return loaded

    def test_once_it_is_asked_again(self, cvm: CVM) -> None:
        loaded = self.load(1, cvm)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert cvm.requests["run"] == 1

    def test_twice_the_load_ends_and_the_next_one_looks_the_run_up(self, cvm: CVM) -> None:
        loaded = self.load(2, cvm)
        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("still_running", 3, [])
        assert "API key" in loaded.message

        following = cvm.load(TWO)

        assert (following.outcome, following.states) == ("succeeded", [STATE])
        assert following.report["closing"]["open_before"] == 2
        assert following.changes == []
        assert cvm.open() == names(1, 2)


SWITCHES: Final = {
    "success as text": replace(QUICK, success_form="text"),
    "a counter misspelt": replace(QUICK, counter_spelling="misspelt"),
    "a run by GET": replace(QUICK, run_verb="GET"),
    "a run by POST": replace(QUICK, run_verb="POST"),
    "busy is 200": replace(QUICK, busy_status=200),
    "busy is 422": replace(QUICK, busy_status=422),
    "payloads are assets": replace(QUICK, payload="asset"),
    "files are looked at on arrival": replace(QUICK, upload_validates=True),
    "one bad file spoils all": replace(QUICK, bad_file_spoils_run=True),
    "a closing without a date closes": replace(QUICK, undated_closing="closes"),
    "assets are counted as merged": replace(QUICK, assets_counted="merged"),
    "vulnerabilities are counted": replace(QUICK, entries_counted="vulnerabilities"),
    "all that is named is updated": replace(QUICK, updated_counted="named"),
    "counters of entries are null": replace(QUICK, untold_counters="entries"),
    "all counters are null": replace(QUICK, untold_counters="all"),
    "searches are late": replace(QUICK, search_delay=600),
    "a run is a success always": replace(QUICK, success_rule="always"),
    "the name is part of the identity": replace(QUICK, name_in_identity=True),
    "capitals in URLs mean nothing": replace(QUICK, url_case="insensitive"),
    "dropped tags vanish": replace(QUICK, dropped_tags_vanish=True),
    "findings are not counted": replace(QUICK, findings_counted=False),
    "two runs at once": replace(QUICK, concurrent_runs=2),
}


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_a_load_and_its_closing_work_in_every_position_of_what_is_only_inferred(
    switches: Switches, cvm: CVM
) -> None:
    cvm.play(switches)
    first = cvm.load(MANY, part_max_bytes=2000)

    second = cvm.load(replace(MANY, findings=MANY.findings[:9]), part_max_bytes=2000)

    for loaded in (first, second):
        assert loaded.outcome == "succeeded", loaded.message
        assert loaded.report["run"]["success"] is True
        assert loaded.report["warnings"] == []
    assert second.report["reconciliation"]["processed"] in {12, None}
    assert cvm.open() == names(*range(9))


def test_counters_that_are_null_fail_nothing(cvm: CVM) -> None:
    cvm.faults.arm("counters-null")

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    assert loaded.report["reconciliation"]["failed"] is None


class TestTooLarge:
    """HTTP 413: halves, down to one asset, then without evidence, then left out."""

    def row(self, number: int, evidence: int = 0, text: int = 0) -> dict[str, Any]:
        answer = {"list": [{"payload": "x" * evidence}]} if evidence else None
        app = webapp_of(1) | {"name": "N" * text} if text else webapp_of(1)
        return finding(number, resultList=answer, content="y" * text, webApp=app)

    def in_cvm(self, cvm: CVM) -> set[str]:
        """Look at all that CVM has taken, too, as halves are no more on the disk."""
        for file in cvm.tenant.state.files.values():
            document = zlib.decompress(file.deflated)
            assert check(document) == []
            assert len(document) <= cvm.switches.max_file_bytes
        return cvm.open()

    def test_a_file_is_halved_until_it_is_taken(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, max_file_bytes=3000))

        loaded = cvm.load(Sync([webapp()], [self.row(n) for n in range(16)]))

        assert loaded.outcome == "succeeded"
        assert self.in_cvm(cvm) == names(*range(16))
        assert cvm.requests["run"] == 1
        assert len(loaded.report["files"]) > 4
        assert {file["data_file"] for file in loaded.report["files"]} == set(cvm.tenant.state.files)
        assert loaded.report["reconciliation"]["uploaded"] == 16

    def test_halves_close_as_the_whole_would_have(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, max_file_bytes=3000))
        cvm.load(Sync([webapp()], [self.row(n) for n in range(16)]))

        cvm.load(Sync([webapp()], [self.row(n) for n in range(10)]))

        assert self.in_cvm(cvm) == names(*range(10))

    @pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
    def test_an_asset_goes_without_evidence_before_it_is_left_out(
        self, model: str, cvm: CVM
    ) -> None:
        cvm.play(replace(QUICK, max_file_bytes=8000))
        rows = [self.row(1, evidence=20_000), self.row(2, evidence=100)]

        loaded = cvm.load(Sync([webapp()], rows), data_model=model)

        assert loaded.outcome == "succeeded"
        assert self.in_cvm(cvm) == names(1, 2)
        text = json.dumps(loaded.assets)
        assert "x" * 1000 not in text
        assert "x" * 100 in text

    def test_what_is_too_large_without_evidence_is_rejected_by_name(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, max_file_bytes=8000))
        rows = [self.row(n) for n in range(199)]
        given = Sync([webapp()], [*rows, self.row(999, text=20_000)]).lines(cvm.clock.now())

        loaded = cvm.load(given)

        assert loaded.outcome == "succeeded", loaded.message
        assert self.in_cvm(cvm) == names(*range(199))
        (row,) = loaded.rejected
        assert row["key"] == identifier(999)
        assert b'"finding-999"' in given.splitlines()[row["line"] - 1]
        assert "more than CVM takes" in row["reason"]
        assert loaded.report["reconciliation"]["mapped"] == 199
        assert loaded.report["reconciliation"]["rejected"] == 1

    def test_too_much_that_is_too_large_fails_the_load_before_it_is_run(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, max_file_bytes=8000))

        loaded = cvm.load(Sync([webapp()], [self.row(1), self.row(2, text=20_000)]))

        assert (loaded.outcome, loaded.states) == ("failed", [])
        assert "1 of 2 findings was rejected" in loaded.message
        assert cvm.requests["run"] == 0

    def test_nothing_is_too_large_for_ever(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, max_file_bytes=10))

        loaded = cvm.load(Sync([webapp()], [self.row(n, evidence=10) for n in range(4)]))

        assert (loaded.outcome, cvm.requests["run"]) == ("failed", 0)
        assert cvm.requests["data_file"] < 20

    def test_what_was_open_of_it_stays_open(self, cvm: CVM) -> None:
        rows = [self.row(n) for n in range(199)]
        cvm.begin(Sync([webapp()], [*rows, self.row(999)]))
        cvm.play(replace(QUICK, max_file_bytes=8000))

        loaded = cvm.load(Sync([webapp()], [*rows, self.row(999, text=20_000)]))

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(*range(199), 999)

    def test_what_moves_to_a_place_that_is_too_large_stays_open_at_its_old_one(
        self, cvm: CVM
    ) -> None:
        rows = [self.row(n) for n in range(199)]
        cvm.begin(Sync([webapp()], [*rows, self.row(999)]))
        cvm.play(replace(QUICK, max_file_bytes=8000))
        moved = self.row(999, text=20_000) | {"url": "https://app1.example.test/new"}

        loaded = cvm.load(Sync([webapp()], [*rows, moved]))

        assert loaded.outcome == "succeeded", loaded.message
        assert loaded.closings == {}
        (held,) = (one for one in cvm.held() if one.scanner_identifier == identifier(999))
        assert (held.is_open, held.locators["url"]) == (True, "https://app1.example.test/page999")


def test_fewer_than_five_requests_are_made_in_any_second(
    cvm: CVM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads.QuickTarget, "pace_seconds", TargetCiscoVM.pace_seconds)
    cvm.play(replace(QUICK, rate_limit=5))

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    moments = [one.moment for one in cvm.log]
    assert all(one.status != 429 for one in cvm.log)
    # Over the whole load: two moments as the server sees them are never quite as far apart.
    assert (len(moments) - 1) / (moments[-1] - moments[0]) < 4.5


def test_a_licence_over_its_limit_is_warned_about(cvm: CVM) -> None:
    cvm.faults.arm("ciscovm-overage")

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    assert any("licence" in warning for warning in loaded.report["warnings"])


def test_the_run_is_told_of_in_the_report(cvm: CVM) -> None:
    loaded = cvm.load(MANY)

    (run,) = cvm.tenant.runs(cvm.login["connector_id"])
    told = loaded.report["run"]
    assert told["id"] == run.id
    assert told["counters"]["created_scanner_vuln_count"] == 12
    assert loaded.report["reconciliation"]["created"] == 12
    assert loaded.report["connector"]["name"] == "Qualys WAS (Data Importer)"

"""What only a process shows: exit codes, pipes, standard output, memory, a disk that is full."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from target_ciscovm.ledger.ledger import Ledger
from tests.sandbox.ciscovm.tenant.tenant import API_KEY, CONNECTOR_ID
from tests.sandbox.world.clock import START as START_OF_ALL
from tests.support.json_lines import json_lines
from tests.support.processes import ROOT
from tests.target.ledger.ledgers import entries
from tests.target.loads import HOUR
from tests.target.processes import MEASURED, START, Ended, Process, peak_kb
from tests.target.streams import STATE, Sync, finding, joined, names, record, schema, state, webapp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.target.loads import CVM

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
MUCH: Final = joined(record("webapps", webapp(1) | {"padding": "x" * 1000})) * 300
"""More than a pipe holds."""


def assert_one_line(ended: Ended, *words: str) -> None:
    """See that the last line of the log is all that a person needs."""
    assert "Traceback" not in ended.log
    last = ended.log.rstrip().splitlines()[-1]
    for word in words:
        assert word in last, ended.log
    assert API_KEY not in ended.log


def test_standard_output_has_the_state_and_nothing_else(cvm: CVM) -> None:
    process = Process(cvm)

    ended = process.end(TWO.lines(cvm.clock.now()))

    assert ended.exit_code == 0, ended.log
    assert json_lines(ended.output.encode()) == [STATE]
    assert "2 findings on 2 assets are in Cisco Vulnerability Management" in ended.log
    assert process.loaded(ended).outcome == "succeeded"


@pytest.mark.parametrize(
    ("connector", "exit_code", "words"),
    [(CONNECTOR_ID, 0, "no record came"), (4, 2, "no connector")],
)
def test_a_closed_standard_input_is_one_without_records(
    connector: int, exit_code: int, words: str, cvm: CVM
) -> None:
    process = Process(cvm, code=f"import sys; sys.stdin = None; {START}", connector_id=connector)

    ended = process.end()

    assert ended.exit_code == exit_code
    assert words in ended.log
    assert "Traceback" not in ended.log


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "no record came"),
        (joined(schema("findings"), state(STATE)), "no record came"),
        (Sync([webapp()], [], scans=[]).lines(START_OF_ALL), "no finished scan and no finding"),
    ],
)
def test_an_abort_says_why_in_the_last_line_of_the_log(given: bytes, words: str, cvm: CVM) -> None:
    ended = Process(cvm).end(given)

    assert ended.exit_code == 0
    assert_one_line(ended, "Nothing was loaded and nothing closed", words)


def test_nothing_shows_the_key_at_any_level_of_the_log(cvm: CVM) -> None:
    cvm.faults.arm("upload-422", "poll-errors")
    process = Process(cvm, environment={"TARGET_CISCOVM_LOGLEVEL": "DEBUG", "LOGLEVEL": "DEBUG"})

    ended = process.end(TWO.lines(cvm.clock.now()))

    assert ended.exit_code == 0, ended.log
    assert API_KEY not in ended.log + ended.output
    for path in cvm.output.rglob("*"):
        assert path.is_dir() or API_KEY.encode() not in path.read_bytes(), path


class TestRefused:
    """A decision to stop lets the tap finish: nobody gets a broken pipe."""

    CAUSES: Final[Mapping[str, tuple[dict[str, Any], int, str]]] = {
        "a wrong key": ({"api_key": "another"}, 2, "api_key"),
        "no such connector": ({"connector_id": 4}, 2, "connector 4"),
        "half a login": ({"api_key": None}, 2, "api_key"),
        "a wrong type": ({"min_severity": "MARKER"}, 2, "min_severity"),
        "a wrong type of the key": ({"api_key": ["MARKER"]}, 2, "api_key"),
        "an identity change": ({"locator_order": ["external_id"]}, 2, "locator_order"),
    }

    @pytest.mark.parametrize("cause", CAUSES)
    def test_the_input_runs_dry_and_one_line_says_why(self, cause: str, cvm: CVM) -> None:
        settings, exit_code, word = self.CAUSES[cause]
        if cause == "an identity change":
            cvm.load(TWO)
        process = Process(cvm, **settings)

        for _ in range(40):
            process.write(MUCH)
        ended = process.end(TWO.lines(cvm.clock.now()))

        assert (ended.exit_code, ended.output) == (exit_code, ""), ended.log
        assert_one_line(ended, word)
        if "key" in cause:
            assert "MARKER" not in ended.log

    def test_a_line_in_the_middle_that_is_no_json_lets_the_rest_run_dry(self, cvm: CVM) -> None:
        process = Process(cvm)

        process.write(joined(schema("webapps"), "oops"))
        for _ in range(40):
            process.write(MUCH)
        ended = process.end()

        assert (ended.exit_code, ended.output) == (1, "")
        assert_one_line(ended, "Line 2 of the input is not JSON")


class TestVerify:
    def test_a_good_login_is_told(self, cvm: CVM) -> None:
        ended = Process(cvm, "--verify").end()

        assert (ended.exit_code, ended.output) == (0, ""), ended.log
        assert_one_line(ended, "Qualys WAS (Data Importer)", "are good")
        assert not cvm.output.exists()
        assert {one.method for one in cvm.log} == {"GET"}

    def test_nothing_is_left_behind_and_nothing_changed(self, cvm: CVM) -> None:
        below: dict[str, Any] = {
            "output_path": str(cvm.home / "runs" / "of" / "night"),
            "ledger_path": str(cvm.home / "kept" / "ledger.db"),
        }
        ended = [Process(cvm, "--verify", **below).end()]
        assert {path.name for path in cvm.home.iterdir()} == {"config.json"}
        cvm.load(TWO)
        before = {path: path.read_bytes() for path in cvm.output.rglob("*") if path.is_file()}

        ended.append(Process(cvm, "--verify").end())

        assert [one.exit_code for one in ended] == [0, 0], ended[-1].log
        after = {path: path.read_bytes() for path in cvm.output.rglob("*") if path.is_file()}
        assert after == before

    @pytest.mark.parametrize("name", ["output_path", "ledger_path"])
    def test_a_place_that_cannot_be_written_to_is_refused_as_by_a_run(
        self, name: str, cvm: CVM
    ) -> None:
        (cvm.home / "file").touch()
        settings: dict[str, Any] = {name: str(cvm.home / "file" / "below")}

        verified = Process(cvm, "--verify", **settings).end()
        loaded = Process(cvm, **settings).end(TWO.lines(cvm.clock.now()))

        assert (verified.exit_code, loaded.exit_code) == (2, 2), verified.log
        assert_one_line(verified, "file", name)
        assert verified.log.rpartition(" | ")[2] == loaded.log.rpartition(" | ")[2]

    @pytest.mark.parametrize(
        ("settings", "word"),
        [
            ({"api_key": "another"}, "API key"),
            ({"connector_id": 4}, "connector 4"),
            ({"api_key": None, "connector_id": None}, "set api_key and connector_id"),
        ],
    )
    def test_a_bad_one_is_refused(self, settings: dict[str, Any], word: str, cvm: CVM) -> None:
        ended = Process(cvm, "--verify", **settings).end()

        assert ended.exit_code == 2
        assert_one_line(ended, word)


class TestAudit:
    def test_it_ends_with_zero_where_cvm_and_the_ledger_agree(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp()], [finding(1), finding(2)]))
        cvm.clock.advance(HOUR)

        rebuilt = Process(cvm, "--rebuild-ledger").end()
        audited = Process(cvm, "--audit").end()

        assert (rebuilt.exit_code, rebuilt.output) == (0, ""), rebuilt.log
        assert "was made anew from CVM: 2 entries open" in rebuilt.log
        assert (audited.exit_code, audited.output) == (0, ""), audited.log
        assert "CVM holds exactly these 2" in audited.log


LIMITED: Final = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); "


class TestDiskFull:
    """A full disk, played by a limit of the process: it harms nobody else."""

    @pytest.mark.parametrize("limit", [1, 5000, 60_000, 200_000])
    def test_it_fails_clearly_and_sends_nothing(self, limit: int, cvm: CVM) -> None:
        rows = [finding(number) for number in range(2000)]
        process = Process(cvm, code=LIMITED.format(limit) + START)

        ended = process.end(Sync([webapp()], rows).lines(cvm.clock.now()))

        assert (ended.exit_code, ended.output) == (1, ""), ended.log
        assert_one_line(ended, "no room", "output_path")
        assert cvm.requests["data_file"] == 0
        assert not list(cvm.output.rglob("spool"))

    def test_what_is_rejected_needs_room_as_well(self, cvm: CVM) -> None:
        rows = [finding(number, status=None) for number in range(2000)]
        process = Process(cvm, code=LIMITED.format(60_000) + START, max_failed_percent="100")

        ended = process.end(Sync([webapp()], rows).lines(cvm.clock.now()))

        assert (ended.exit_code, ended.output) == (1, ""), ended.log
        assert_one_line(ended, "no room")
        assert cvm.requests["data_file"] == 0

    def test_the_next_run_with_room_makes_up_for_it(self, cvm: CVM) -> None:
        given = Sync([webapp()], [finding(number) for number in range(2000)])
        Process(cvm, code=LIMITED.format(60_000) + START).end(given.lines(cvm.clock.now()))

        assert cvm.load(given).outcome == "succeeded"
        assert len(cvm.open()) == 2000

    @pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process: Linux")
    @pytest.mark.parametrize(
        ("when", "runs"),
        [("target-killed", 1), ("target-killed-in-run", 2)],
        ids=["before the run", "while CVM works on it"],
    )
    def test_a_ledger_that_cannot_grow_fails_the_run_and_keeps_what_it_had(
        self, when: str, runs: int, cvm: CVM
    ) -> None:
        cvm.begin(TWO)
        before, limit = open_in(cvm.ledger), cvm.ledger.stat().st_size
        rows = [finding(n, url=f"https://app1.example.test/{'x' * 400}/{n}") for n in range(100)]
        sync = Sync([webapp()], rows)
        cvm.faults.arm(when)
        process = Process(cvm)
        cvm.faults.carry_out = lambda _: process.limit(resource.RLIMIT_FSIZE, limit)

        ended = process.end(sync.lines(cvm.clock.now()))

        assert (ended.exit_code, ended.output) == (1, ""), ended.log
        assert_one_line(ended, str(cvm.ledger))
        assert open_in(cvm.ledger) == before
        assert len(cvm.tenant.runs(CONNECTOR_ID)) == runs
        assert cvm.load(sync).outcome == "succeeded"
        assert cvm.open() == names(*range(100))


def open_in(path: Path) -> set[str]:
    """Give what a ledger has as open."""
    with Ledger(path) as ledger:
        return {one.identifier for one in entries(ledger) if one.state != "closed"}


class TestStandardOutput:
    """Passing the state on comes last: where it fails, the load stands."""

    def assert_only_the_state_was_lost(self, ended: Ended, cvm: CVM) -> None:
        assert ended.exit_code == 1, ended.log
        assert_one_line(ended, "Only the state could not be passed on", "are in Cisco")
        assert cvm.open() == names(1, 2)
        with Ledger(cvm.ledger) as ledger:
            assert ledger.pending is None
            assert ledger.open_count() == 2

    def test_nobody_reads_it_any_more(self, cvm: CVM) -> None:
        process = Process(cvm)
        process.close_output()

        self.assert_only_the_state_was_lost(process.end(TWO.lines(cvm.clock.now())), cvm)

    def test_it_is_closed(self, cvm: CVM) -> None:
        ended = in_an_interpreter_of_its_own(cvm, TWO.lines(cvm.clock.now()), redirection=">&-")

        self.assert_only_the_state_was_lost(ended, cvm)

    def test_a_state_is_passed_on_byte_by_byte_whatever_the_encoding(self, cvm: CVM) -> None:
        value = '{"größe":  "中文", "n": 1.10, "big": 12345678901234567890123}'
        given = TWO.lines(cvm.clock.now()) + b'{"type": "STATE", "value": %b}\n' % value.encode()

        ended = in_an_interpreter_of_its_own(cvm, given, PYTHONIOENCODING="ascii", PYTHONUTF8="0")

        assert ended.exit_code == 0, ended.log
        assert ended.output == value + "\n"


def in_an_interpreter_of_its_own(
    cvm: CVM, given: bytes, redirection: str = "", **environment: str
) -> Ended:
    """Load in a process that is not forked: it looks at its streams and variables anew."""
    config = cvm.home / "config.json"
    config.write_text(json.dumps(cvm.config()))
    words = [sys.executable, "-c", START, "--config", str(config)]
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *words],
        input=given,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def peak(number: int, cvm: CVM) -> float:
    """Give the most memory that a load of so many findings takes, in MB."""
    process = Process(cvm, code=MEASURED + START, api_key=None, connector_id=None)
    row = record("findings", finding(1)).replace('"finding-1"', '"finding-%d"')
    row = row.replace("/page1?", "/page%d?")
    process.write(joined(schema("findings")))
    for start in range(0, number, 1000):
        rows = (row % (n, n // 3) for n in range(start, start + 1000))
        process.write("".join(line + "\n" for line in rows).encode())
    ended = process.end()
    assert ended.exit_code == 0, ended.log
    return peak_kb(ended.log) / 1e3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process")
def test_memory_does_not_grow_with_the_findings(cvm: CVM) -> None:
    small, large = peak(10_000, cvm), peak(100_000, cvm)

    assert large < 250
    assert large - small < 80

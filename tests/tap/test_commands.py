"""The command as a person calls it: real processes, their output, their exit codes."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import time
from subprocess import PIPE
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas.errors import SettingsError
from tap_qualyswas.settings.schema import CONFIG_SCHEMA
from tap_qualyswas.streams import ORDER
from tests.sandbox.world.size import WorldSize
from tests.support import processes
from tests.support.json_lines import json_lines
from tests.support.processes import BIN, Process
from tests.tap.catalogs import only
from tests.tap.syncs import TAP, Files, Outcome, Platform, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE: Final = WorldSize(apps=6, findings=300, qids=12, scans=8)
PAGES: Final = {"page_size": 20}
FINDING: Final = b'{"type":"RECORD","stream":"findings"'
MOST_SECONDS: Final = 120
DEEP: Final = "[" * 1_000_000
"""Nested deeper than any Python reads."""
NOBODY: Final = {"api_url": "http://127.0.0.1:9", "username": "a", "password": "hidden-word"}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(SIZE) as shared:
        yield shared


def command(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return processes.run([*TAP, *arguments], timeout=60)


def test_discovery_needs_no_network_no_settings_and_little_time() -> None:
    began = time.monotonic()
    started = [str(BIN / "tap-qualyswas"), "--discover"]
    done = subprocess.run(started, capture_output=True, timeout=60, check=False)

    assert done.returncode == 0
    assert time.monotonic() - began < 10
    streams = json.loads(done.stdout)["streams"]
    assert [stream["tap_stream_id"] for stream in streams] == list(ORDER)


def test_discovery_sends_nothing(platform: Platform) -> None:
    before = platform.requests.total()

    with Files({"config.json": platform.config}) as files:
        done = command("--config", files["config.json"], "--discover")

    assert done.returncode == 0
    assert platform.requests.total() == before


def test_about_tells_each_setting() -> None:
    told = json.loads(command("--about", "--format", "json").stdout)

    assert set(told["settings"]["properties"]) >= set(CONFIG_SCHEMA["properties"])
    assert all(each["description"] for each in told["settings"]["properties"].values())
    assert told["name"] == "tap-qualyswas"
    assert {"catalog", "state", "discover", "about", "stream-maps"} <= set(told["capabilities"])


def test_the_check_tells_what_it_has_checked(platform: Platform) -> None:
    outcome = platform.sync(options=["--test"])

    assert outcome.exit_code == 0
    for line in ("Login accepted at ", "webapps: 6 can be read", "scans: 8 can be read"):
        assert line in outcome.log
    assert outcome.log.count(" can be read") == 2 + 3 + 1  # with the knowledge base
    assert "knowledge_base: can be read" in outcome.log
    assert outcome.messages == []


def test_the_check_fails_like_a_sync() -> None:
    with Platform(SIZE, faults=["kb-not-licensed"]) as refusing:
        outcome = refusing.sync(options=["--test"])

    assert outcome.exit_code == 2
    assert "read the knowledge base" in outcome.errors[0]


def test_the_help_tells_what_the_check_does() -> None:
    told = " ".join(command("--help").stdout.decode().split())

    assert "checks the login and the right to read each stream" in told


def stopped_midway(platform: Platform, fault: str, folder: Path, number: signal.Signals) -> Outcome:
    """Run the tap, and send it a signal at a page of findings, once it has written some."""
    written, log = folder / "lines.jsonl", folder / "log.txt"
    faults = platform.face.faults

    def stop(_: str) -> None:
        # Pages are asked for ahead of the writing: without a wait none may have been written yet.
        until = time.monotonic() + MOST_SECONDS
        while FINDING not in written.read_bytes() and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(number)

    faults.carry_out = stop
    faults.arm(fault)
    with Files({"config.json": {**platform.config, **PAGES}}) as files:
        command = [*TAP, "--config", files["config.json"]]
        with written.open("wb") as out, log.open("wb") as told:
            process = Process(command, stdout=out, stderr=told)
            code = process.wait(2 * MOST_SECONDS)
    faults.carry_out = None
    faults.disarm()
    lines = written.read_bytes()
    if number == signal.SIGKILL:
        lines = lines[: lines.rindex(b"\n") + 1]  # only this one may end within a line
    return Outcome(code, log.read_text("utf-8"), json_lines(lines))


def assert_resumes(platform: Platform, stopped: Outcome) -> None:
    rest = platform.sync(PAGES, state=stopped.state)
    before = [row["uniqueId"] for row in stopped.records("findings")]
    after = [row["uniqueId"] for row in rest.records("findings")]

    assert 0 < len(before) < 300
    assert set(before) | set(after) == {
        platform.world.unique_id(row) for row in platform.world.all_findings()
    }
    assert len(set(before) & set(after)) <= PAGES["page_size"]
    assert rest.exit_code == 0
    assert rest.proof["complete"] is False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_the_middle_leaves_a_state_that_resumes(
    platform: Platform, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    stopped = stopped_midway(platform, "tap-terminated+3", tmp_path, number)

    assert stopped.exit_code == code
    assert stopped.records("syncs") == []
    assert stopped.errors == []
    assert "Traceback" not in stopped.log
    assert_resumes(platform, stopped)


def test_a_kill_in_the_middle_leaves_a_state_that_resumes(
    platform: Platform, tmp_path: Path
) -> None:
    stopped = stopped_midway(platform, "tap-killed+5", tmp_path, signal.SIGKILL)

    assert stopped.exit_code == -signal.SIGKILL
    assert_resumes(platform, stopped)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_end_changes_nothing(platform: Platform, number: int) -> None:
    late = f"import atexit, os; atexit.register(lambda: os.kill(os.getpid(), {number:d}))\n"
    with Files({"config.json": platform.config}) as files:
        words = [*TAP[:-1], late + TAP[-1], "--config", files["config.json"]]
        done = processes.run(words, timeout=60)

    assert done.returncode == 0
    assert "Traceback" not in done.stderr.decode()
    assert json_lines(done.stdout)[-1]["type"] == "STATE"


def test_a_closed_standard_output_is_told() -> None:
    code = f"import sys; sys.stdout = None; {TAP[-1]}"
    with Files({"config.json": NOBODY}) as files:
        done = processes.run([*TAP[:-1], code, "--config", files["config.json"]], timeout=60)

    assert done.returncode == 2
    (line,) = Outcome(2, done.stderr.decode()).errors
    assert line.startswith("The standard output is closed")


def test_a_broken_pipe_ends_quietly_with_1(platform: Platform) -> None:
    with Files({"config.json": platform.config}) as files:
        process = subprocess.Popen(
            [*TAP, "--config", files["config.json"]], stdout=PIPE, stderr=PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()
        process.stderr.close()

    assert process.wait(60) == 1
    assert "Traceback" not in log
    assert "| ERROR " not in log
    assert "BrokenPipe" not in log


@pytest.mark.parametrize("text", ["{}", '{"bookmarks": {}}', '{"bookmarks": null}', "  \n"])
def test_a_state_file_with_nothing_in_it_means_everything(platform: Platform, text: str) -> None:
    outcome = with_state(platform, text)

    assert outcome.exit_code == 0
    assert outcome.log.count("holds no bookmarks: everything is read.") == 1
    assert len(outcome.records("findings")) == 300


@pytest.mark.parametrize("whole", [{"type": "STATE"}, {}])
def test_a_state_is_found_in_what_carries_it(platform: Platform, whole: dict[str, str]) -> None:
    """A line of the output, and what `meltano state get` prints."""
    state = platform.sync_here().state
    carrier = {**whole, ("value" if whole else "singer_state"): state}
    outcome = with_state(platform, json.dumps(carrier))

    assert "holds no bookmarks" not in outcome.log
    assert outcome.proof["mode"] == "incremental"


def with_state(platform: Platform, text: str) -> Outcome:
    with Files({"config.json": platform.config, "state.json": text}) as files:
        done = command("--config", files["config.json"], "--state", files["state.json"])
    return Outcome(done.returncode, done.stderr.decode(), json_lines(done.stdout))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "holds no Singer state"),
        (DEEP, "is not JSON"),
        ('{"bookmarks": []}', "holds no Singer state"),
        ('{"bookmarks": {"findings": 5}}', "holds no Singer state"),
    ],
)
def test_a_state_file_that_is_damaged_is_refused_by_name(
    platform: Platform, text: str, told: str
) -> None:
    before = platform.requests.total()
    outcome = with_state(platform, text)

    assert outcome.exit_code == 2
    (line,) = outcome.errors
    assert "state.json" in line
    assert told in line
    assert platform.requests.total() == before


def test_what_others_keep_in_the_state_is_left_as_it_is(platform: Platform) -> None:
    foreign = {"bookmarks": {"other": {"x": 1}, "findings": {"theirs": 2}}}

    kept = platform.sync_here(state=foreign).state

    assert kept["bookmarks"]["other"] == {"x": 1}
    assert kept["bookmarks"]["findings"]["theirs"] == 2


def test_a_part_of_the_state_that_is_null_is_none(platform: Platform) -> None:
    outcome = with_state(platform, '{"bookmarks": {"findings": null, "syncs": null}}')

    assert outcome.exit_code == 0
    assert len(outcome.records("findings")) == 300


def test_a_bookmark_in_the_future_is_none(platform: Platform) -> None:
    first = platform.sync_here()
    ahead = copy.deepcopy(first.state)
    for stream in ("findings", "scans"):
        ahead["bookmarks"][stream]["replication_key_value"] = "2099-01-01T00:00:00Z"
    outcome = platform.sync_here(state=ahead)

    assert "ignoring the bookmark 2099-01-01T00:00:00Z, which lies in the future" in outcome.log
    for stream in ("findings", "scans"):
        assert outcome.state["bookmarks"][stream] == first.state["bookmarks"][stream]


@pytest.mark.parametrize("value", ["yesterday", 17, None, "", {"a": 1}])
def test_a_bookmark_that_is_no_date_means_everything(platform: Platform, value: object) -> None:
    state = platform.sync_here().state
    state["bookmarks"]["findings"]["replication_key_value"] = value
    outcome = platform.sync_here(state=state)

    assert len(outcome.records("findings")) == 300


def test_a_bookmark_with_an_offset_is_sent_in_utc(platform: Platform) -> None:
    state = platform.sync_here().state
    state["bookmarks"]["findings"]["replication_key_value"] = "2026-03-01T08:00:00.123+02:00"
    proof = platform.sync_here(state=state).proof

    (told,) = [row for row in proof["streams"] if row["stream"] == "findings"]
    assert told["windowStart"] == "2026-02-28T06:00:00Z"


def test_nothing_selected_is_refused(platform: Platform) -> None:
    catalog = json.loads(command("--discover").stdout)
    for stream in catalog["streams"]:
        stream["metadata"] = [{"breadcrumb": [], "metadata": {"selected": False}}]
    with Files({"catalog.json": catalog}) as files:
        outcome = platform.sync(options=["--catalog", files["catalog.json"]])

    assert outcome.exit_code == 2
    assert "No stream is selected" in outcome.errors[0]


@pytest.mark.parametrize(
    ("stream", "needed"), [("knowledge_base", "findings"), ("scan_results", "scans")]
)
def test_a_stream_that_would_stay_empty_is_told(
    platform: Platform, stream: str, needed: str
) -> None:
    told = f"{stream} stays empty without {needed}. Select {needed} too."
    outcome = platform.sync_here(catalog=only("webapps", stream))

    assert f"WARNING: {told}" in outcome.log
    with pytest.raises(SettingsError, match=told):
        platform.sync_here(catalog=only(stream, "syncs"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"streams": 3}', "{", '{"streams": ["x"]}', '{"streams": [{}]}'),
        DEEP,
        '{"streams": [{"tap_stream_id": "findings", "schema": {}, "metadata": null}]}',
        '{"streams": [{"tap_stream_id": "findings", "schema": {}, "metadata": ["x"]}]}',
    ],
)
def test_a_catalog_file_that_is_none_is_refused_by_name(text: str) -> None:
    with Files({"catalog.json": text}) as files:
        outcome = run_tap(NOBODY, options=["--catalog", files["catalog.json"]])

    assert outcome.exit_code == 2
    assert "catalog.json is not a Singer catalog" in outcome.errors[0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"page_size": "x"}, "page_size must be a whole number"),
        ({"stream_maps": {"webapps": {"x": "1 +"}}}, "stream_maps cannot be applied"),
    ],
)
@pytest.mark.parametrize("option", ["--test", "--test=schema"])
def test_wrong_settings_end_a_test_with_one_line(
    option: str, wrong: dict[str, object], told: str
) -> None:
    outcome = run_tap(NOBODY | wrong, options=[option])

    assert outcome.exit_code == 2
    assert told in outcome.errors[0]


@pytest.mark.parametrize("text", ["{", "[1]", '"a"', "", DEEP])
def test_a_config_file_that_is_none_is_refused_by_name(text: str) -> None:
    with Files({"settings.json": text}) as files:
        done = command("--config", files["settings.json"])

    assert done.returncode == 2
    assert "settings.json" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_config_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    done = command("--config", str(tmp_path / "nowhere.json"))

    assert done.returncode == 2
    assert "nowhere.json" in done.stderr.decode()


def test_files_may_begin_with_a_mark_of_their_encoding(platform: Platform) -> None:
    state = json.dumps(platform.sync_here().state)
    catalog = json.dumps(only("webapps", "findings"))
    with Files({"state.json": f"\ufeff{state}", "catalog.json": f"\ufeff{catalog}"}) as files:
        options = ["--state", files["state.json"], "--catalog", files["catalog.json"]]
        outcome = platform.sync(options=options)

    assert outcome.exit_code == 0
    assert outcome.records("webapps")
    assert not outcome.records("scans")

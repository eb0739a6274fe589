"""Whatever world, pages, faults and kills: in the end all is read, or said not to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tap_qualyswas.errors import QualysError
from tests.sandbox.world.size import WorldSize
from tests.tap.sync.worlds import any_sizes, any_switches
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.faults.switches import Switches
    from tests.sandbox.world.model import Finding
    from tests.sandbox.world.world import World

Rows = dict[str, set[Any]]
KEYS: Final = {"webapps": "id", "scans": "id", "findings": "uniqueId", "knowledge_base": "qid"}

PASSING: Final = [
    *("qualys-concurrency", "qualys-rate-unreadable", "qualys-maintenance", "qualys-500"),
    *("qualys-502", "qualys-202", "qualys-processing", "qualys-server-down", "qualys-other-error"),
    *("qualys-html", "qualys-empty", "qualys-cut-body", "qualys-cut-xml", "qualys-bad-gzip"),
    *("qualys-reset", "qualys-foreign-root", "page-foreign", "qualys-401", "kb-busy"),
]
ODD: Final = [
    *("page-no-last-id*0", "page-empty-last*0", "page-duplicates*0", "rows-without-dates"),
    "qualys-bad-characters",
]
# One of them at most: rows kept back and rows deleted at once may make the counts agree, which
# no reader could see.
UNPROVEN: Final = ["qualys-half-page", "qualys-evaluation-header", "rows-vanish", "rows-appear"]

POINTS: Final = st.integers(0, 9)
FAULTS: Final = st.lists(
    st.one_of(
        st.builds(
            "{}+{}*{}".format, st.sampled_from([*PASSING, "tap-error"]), POINTS, st.integers(1, 2)
        ),
        st.sampled_from(ODD),
    ),
    max_size=4,
)
UNPROVEN_FAULTS: Final = st.lists(
    st.builds("{}+{}".format, st.sampled_from(UNPROVEN), POINTS), max_size=1
)
SIZES: Final = any_sizes(turbulent=st.booleans())
SWITCHES: Final = any_switches(
    subscription_header=st.booleans(), kb_max_ids=st.sampled_from([250, 1000])
)
SETTINGS: Final = st.fixed_dictionaries(
    {
        "page_size": st.integers(1, 25),
        "max_concurrency": st.sampled_from([1, 2, 8]),
        "include_evidence": st.booleans(),
    }
)
KILLS: Final = st.lists(st.floats(0, 1), max_size=3)
"""Where the output of the first runs ends, as a share of it."""


@pytest.fixture(scope="module", autouse=True)
def long_types_are_short() -> Iterator[None]:
    # Types of 20,000 rows would take minutes for each world; those are read in other tests.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_qualyswas.search.walk.ROWS_WORTH_SPLITTING", 12)
        yield


def there(world: World) -> Rows:
    """Give the keys of what a world holds."""
    return {
        "webapps": set(world.apps),
        "scans": {scan.id for scan in world.scans},
        "findings": set(map(world.unique_id, world.all_findings())),
        "knowledge_base": {row.qid.qid for row in world.all_findings() if row.qid.entry},
    }


@dataclass
class Chain:
    """Runs of which each begins with the state that the one before has left.

    Attributes:
        emitted: what all runs have written.
        walked: what the walk that goes on in the next run has written.
    """

    platform: Platform
    settings: dict[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    emitted: Rows = field(default_factory=lambda: {name: set() for name in KEYS})
    walked: Rows = field(default_factory=dict)

    def run(self, kill: float | None = None) -> Outcome | None:
        """Run once, and give what came of it; None when it was killed or failed."""
        ended = kill is None
        self.platform.face.faults.struck.clear()
        try:
            outcome = self.platform.sync_here(self.settings, self.state)
        except QualysError as error:
            outcome, ended = error.outcome, False  # type: ignore[attr-defined] # set by sync_here
            assert outcome.records("syncs") == []
        if kill is not None:
            del outcome.messages[int(kill * len(outcome.messages)) :]
        for name in KEYS:
            self._take(name, outcome)
        self.state = outcome.state or self.state
        return outcome if ended else None

    def _take(self, name: str, outcome: Outcome) -> None:
        rows = outcome.records(name)
        written = {row[KEYS[name]] for row in rows}
        assert len(rows) == len(written), f"{name} came twice in one run"
        if self.state.get("bookmarks", {}).get(name, {}).get("resume"):
            repeated = written & self.walked.get(name, set())
            assert len(repeated) <= self.settings["page_size"], f"{name} came again"
            self.walked[name] |= written
        else:
            self.walked[name] = written
        self.emitted[name] |= written


def check_proof(outcome: Outcome, platform: Platform, before: Rows) -> bool:
    """Check what a run says of itself, and tell whether it says that it is complete."""
    proof = outcome.proof
    assert {row["stream"]: row["emitted"] for row in proof["streams"]} == {
        name: len(outcome.records(name)) for name in KEYS
    }
    if not proof["complete"]:
        assert proof["incompleteReasons"]
        return False
    assert "goes on where" not in outcome.log
    assert not platform.face.faults.struck["qualys-evaluation-header"]
    classes = {qid.qid: (list(qid.cwe), qid.group) for qid in platform.world.qids}
    for row in outcome.records("knowledge_base"):
        assert (row["cwe"] or [], row["group"]) == classes[row["qid"]]
    if proof["mode"] == "full":
        after = there(platform.world)
        for name, key in KEYS.items():
            assert {row[key] for row in outcome.records(name)} >= before[name] & after[name]
    return True


@settings(
    max_examples=25,
    derandomize=True,  # the same worlds for everybody who runs the tests
    suppress_health_check=[HealthCheck.too_slow],
    # Each run is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.generate],
)
@given(SIZES, SWITCHES, SETTINGS, FAULTS, UNPROVEN_FAULTS, KILLS)
def test_all_is_emitted_or_the_sync_is_not_complete(
    size: WorldSize,
    switches: Switches,
    wishes: dict[str, Any],
    faults: list[str],
    unproven: list[str],
    kills: list[float],
) -> None:
    with Platform(size, switches=switches, faults=[*faults, *unproven]) as platform:
        before = there(platform.world)
        chain = Chain(platform, {**wishes, "max_attempts": 12})
        complete = False
        for kill in [*kills, *[None] * 3]:
            outcome = chain.run(kill)
            complete = outcome is not None and check_proof(outcome, platform, before)
        platform.face.faults.disarm()
        while not complete:
            outcome = chain.run()
            assert outcome is not None
            complete = check_proof(outcome, platform, before)
        after = there(platform.world)

    possible = {name: before[name] | after[name] for name in KEYS}
    # A QID without an entry has a row too when its findings told its classification.
    possible["knowledge_base"] |= {qid.qid for qid in platform.world.qids}
    for name in KEYS:
        assert before[name] & after[name] <= chain.emitted[name] <= possible[name]


SMALL: Final = WorldSize(apps=5, findings=60, qids=12, scans=8)


def test_findings_that_stand_for_qids_are_asked_for_again_when_some_do_not_come() -> None:
    with Platform(SMALL, faults=["qualys-half-page+3"]) as platform:  # after one page a type
        before = there(platform.world)
        outcome = platform.sync_here()
        assert platform.face.faults.struck["qualys-half-page"]
        assert check_proof(outcome, platform, before)


def proof_after_losing(chosen: Callable[[World], list[Finding]]) -> dict[str, Any]:
    """Give the proof of a sync during which these findings vanish, once they have been read."""
    with Platform(SMALL, faults=["tap-killed+2"]) as platform:  # a hook, harmless here
        world = platform.world

        def lose(_: str) -> None:
            for finding in chosen(world):
                world.delete_finding(finding)

        platform.face.faults.carry_out = lose
        return platform.sync_here({"max_concurrency": 1}).proof


def of_one_qid(world: World) -> list[Finding]:
    rows = world.findings["VULNERABILITY"]
    return [row for row in rows if row.qid is rows[0].qid]


def test_another_finding_stands_for_a_qid_when_the_first_has_vanished() -> None:
    assert proof_after_losing(lambda world: of_one_qid(world)[:1])["complete"] is True


def test_a_qid_whose_findings_have_vanished_keeps_the_sync_from_being_complete() -> None:
    proof = proof_after_losing(of_one_qid)

    assert proof["incompleteReasons"] == ["knowledge_base: 1 QID could not be classified"]

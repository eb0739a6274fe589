"""Day after day, through faults and interruptions: nothing that changes is missed or pretended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tap_qualyswas.errors import QualysError
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.clock import START
from tests.sandbox.world.model import iso
from tests.sandbox.world.size import WorldSize
from tests.tap.sync.worlds import any_sizes, any_switches
from tests.tap.syncs import Outcome, Platform

PASSING: Final = (
    *("qualys-concurrency", "qualys-rate-unreadable", "qualys-maintenance", "qualys-500"),
    *("qualys-502", "qualys-202", "qualys-processing", "qualys-server-down", "qualys-other-error"),
    *("kb-busy", "qualys-html", "qualys-empty", "qualys-cut-body", "qualys-cut-xml"),
    *("qualys-bad-gzip", "qualys-reset", "qualys-foreign-root", "page-foreign", "qualys-401"),
    *("rows-vanish", "rows-appear"),
)
LASTING: Final = (
    *("page-no-last-id", "page-empty-last", "page-duplicates", "qualys-bad-characters"),
    *("tap-error", "kb-down", "qualys-evaluation-header", "page-no-data", "page-same-cursor"),
)
HIDING: Final = "qualys-half-page"
"""Only counts can show it, and only a full sync counts: so it is left to the first one."""

SIZES: Final = any_sizes()
SWITCHES: Final = any_switches()
FAULTS: Final = st.lists(
    st.one_of(
        st.builds("{}+{}".format, st.sampled_from(PASSING), st.integers(0, 6)),
        st.builds("{}+{}".format, st.sampled_from(LASTING), st.integers(0, 6)),
    ),
    max_size=2,
)
RUNS: Final = st.lists(
    st.fixed_dictionaries(
        {
            "faults": FAULTS,
            "days": st.integers(0, 3),
            "turbulent": st.booleans(),
            "killed_at": st.none() | st.floats(0, 1),
            "page_size": st.integers(1, 40),
            "max_concurrency": st.integers(1, 4),
            "include_evidence": st.booleans(),
        }
    ),
    min_size=1,
    max_size=4,
)


class Reader:
    """Somebody who keeps what the tap writes, and checks each claim that all has been read."""

    def __init__(self, platform: Platform, fixed: dict[str, Any]) -> None:
        self.platform = platform
        self.fixed = fixed
        self.state: dict[str, Any] | None = None
        self.tested: dict[str, str | None] = {}
        self.webapps: set[int] = set()

    def world(self) -> dict[str, str]:
        """Give when each finding was last tested, by its unique id."""
        world = self.platform.world
        return {world.unique_id(row): iso(row.tested) for row in world.all_findings()}

    def run(self, chosen: dict[str, Any], killed_at: float | None = None) -> bool:
        """Sync once, perhaps only up to some line; tell whether it claimed to be complete."""
        before, apps = self.world(), set(self.platform.world.apps)
        try:
            outcome = self.platform.sync_here({**self.fixed, **chosen}, self.state)
        except QualysError as error:
            outcome = error.outcome  # type: ignore[attr-defined] # set by sync_here
        messages = outcome.messages
        if killed_at is not None:
            messages = messages[: round(len(messages) * killed_at)]
        kept = Outcome(0, "", messages)
        self.state = kept.state or self.state
        self.tested |= {r["uniqueId"]: r["lastTestedDate"] for r in kept.records("findings")}
        self.webapps |= {row["id"] for row in kept.records("webapps")}
        complete = any(row["complete"] for row in kept.records("syncs"))
        if complete:
            self.check(before, apps)
        return complete

    def check(self, before: dict[str, str], apps: set[int]) -> None:
        """Hold what was read against what was there the whole time."""
        after = self.world()
        there = {key: date for key, date in before.items() if after.get(key) == date}
        read = {key: self.tested.get(key) for key in there}
        assert read == there
        assert apps & set(self.platform.world.apps) <= self.webapps


VARYING: Final = given(
    size=SIZES,
    switches=SWITCHES,
    runs=RUNS,
    hides=st.booleans(),
    every=st.sampled_from([0, 7]),
    overlap=st.sampled_from([0, 24]),
)
QUICK: Final = settings(
    max_examples=25,
    derandomize=True,  # the same worlds for everybody who runs the tests
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # Each run is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.generate],
)


REFUSED_AGAIN: Final = example(
    size=WorldSize(apps=6, findings=77, qids=12, scans=11, seed=21681, id_sequences="shared"),
    switches=Switches(id_order="descending", empty_result_form="more"),
    runs=[
        {
            "faults": ["qualys-cut-body+3", "tap-error+4"],
            "days": 3,
            "turbulent": True,
            "killed_at": None,
            "page_size": 39,
            "max_concurrency": 1,
            "include_evidence": True,
        }
    ],
    hides=True,
    every=7,
    overlap=24,
)
"""A page is refused with which a web application is read again, as its findings differ."""


@QUICK
@VARYING
@REFUSED_AGAIN
def test_what_was_read_is_what_is_there_day_after_day(**chosen: Any) -> None:  # noqa: ANN401
    live(**chosen)


@pytest.mark.long
@settings(QUICK, max_examples=500, derandomize=False)
@VARYING
def test_so_it_is_in_ever_other_worlds(**chosen: Any) -> None:  # noqa: ANN401
    live(**chosen)


def live(
    *,
    size: WorldSize,
    switches: Switches,
    runs: list[dict[str, Any]],
    hides: bool,
    every: int,
    overlap: int,
) -> None:
    with Platform(size, switches=switches) as platform:
        reader = Reader(platform, {"full_sync_every_days": every, "overlap_hours": overlap})
        day = 0
        for number, each in enumerate(runs):
            platform.face.faults.arm(*each["faults"], *([HIDING] if hides and not number else []))
            chosen = {k: each[k] for k in ("page_size", "max_concurrency", "include_evidence")}
            reader.run(chosen, each["killed_at"])
            platform.face.faults.disarm()
            for _ in range(each["days"]):
                day += 1
                platform.clock.set(START + timedelta(days=day))
                platform.world.next_day(turbulent=each["turbulent"])

        # Never by itself: then it is for a person to ask for what is missing.
        wish = {"full_sync": True} if every == 0 else {}
        assert any(reader.run(wish) for _ in range(3)), "undisturbed, it becomes complete"
        assert reader.tested.keys() >= reader.world().keys()

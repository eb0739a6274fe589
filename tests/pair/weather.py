"""What weeks of trouble are made of: the faults, and what is only inferred of the two systems."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from tests.sandbox.faults.positions import MET

SURVIVED: Final = (
    "qualys-busy",
    "qualys-rate-text",
    "qualys-maintenance",
    "qualys-502",
    "qualys-processing",
    "qualys-html",
    "qualys-empty",
    "qualys-cut-body",
    "qualys-cut-xml",
    "qualys-reset",
    "qualys-401",
    "kb-busy",
    "kb-down",
    "page-duplicates",
    "page-empty-last",
    "rows-vanish",
    "rows-appear",
    "rows-without-dates",
    "qualys-bad-characters",
    "qualys-foreign-root",
    "upload-422",
    "upload-500",
    "upload-twice",
    "upload-empty",
    "upload-reset",
    "upload-413",
    "lost-run-answer",
    "run-twice",
    "run-refused",
    "poll-errors",
    "counters-null",
    "ciscovm-502",
    "ciscovm-429",
)
"""Faults that a run may live through; whether it did, its exit code tells."""
BROKEN_PAGES: Final = (
    "qualys-html",
    "qualys-empty",
    "qualys-cut-body",
    "qualys-cut-xml",
    "qualys-foreign-root",
)
"""Those of them that could be taken for a page without rows."""
FATAL: Final = (
    "tap-error",
    "qualys-credentials",
    "qualys-trial",
    "qualys-half-page",
    "qualys-nothing",
    "qualys-other-account",
    "qualys-evaluation-header",
    "page-no-data",
    "page-same-cursor",
    "page-foreign",
    "run-fails",
    "payload-fails",
    "payloads-fail",
    "ciscovm-key",
    "ciscovm-overage",
)
"""Faults that a run ends by, or that it must at least not take for the truth."""

PASSING: Final = [
    name
    for name in (*SURVIVED, *FATAL)
    # Of what another account brings, nothing is remembered, so nothing of it is ever closed.
    if name != "qualys-other-account"
]
"""Faults of one day that leave nothing behind for good."""

OF_CLOCKS: Final = ("clock-back", "clock-ahead")
"""Faults after which a load may look older than CVM's newest run, so that it cannot be proven."""


AT_REST: Final = frozenset({"export_seconds", "rate_limit", "run_seconds"})
"""Switches that only make waits; the weeks have none of them."""

OWN: Final[dict[str, tuple[object, ...]]] = {
    # More than an asset of the weeks has: that one is refused is another story.
    "max_file_bytes": (0, 40_000),
    "locator_order": ((), ("application",), ("external_id",)),
}
"""Positions of switches of which the weeks draw others than the tests of the pair."""

SWITCHES: Final = st.fixed_dictionaries(
    {
        name: st.sampled_from(OWN.get(name, every))
        for name, every in MET.items()
        if name not in AT_REST
    }
)
"""What no public source settles, in all positions that the weeks can be lived in."""

"""What weeks of trouble are made of: the faults, and what is only inferred of the two systems."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

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

SWITCHES: Final = st.fixed_dictionaries(
    {
        "autoclose_scope": st.sampled_from(["file", "run"]),
        "dropped_tags_vanish": st.booleans(),
        "upload_validates": st.booleans(),
        "payload": st.sampled_from(["file", "asset"]),
        "success_form": st.sampled_from(["boolean", "text"]),
        "counter_spelling": st.sampled_from(["correct", "misspelt"]),
        "empty_result_form": st.sampled_from(["count", "more", "data"]),
        "refused_criteria": st.sampled_from([(), ("finding.ignoredDate",)]),
        "search_scan_details": st.booleans(),
        "search_app_details": st.booleans(),
        "subscription_header": st.booleans(),
        "id_sequences": st.sampled_from(["separate", "shared"]),
        "manual_statuses_survive": st.booleans(),
        "busy_status": st.sampled_from([200, 409, 422]),
        "unknown_closing": st.sampled_from(["created", "ignored"]),
        "assets_counted": st.sampled_from(["rows", "merged"]),
        "entries_counted": st.sampled_from(["entries", "vulnerabilities"]),
        "updated_counted": st.sampled_from(["changed", "named"]),
        "untold_counters": st.sampled_from(["none", "entries", "all"]),
        "url_case": st.sampled_from(["sensitive", "insensitive"]),
        "name_in_identity": st.booleans(),
        "locator_order": st.sampled_from([(), ("application",), ("external_id",)]),
    }
)
"""What no public source settles, in all positions."""

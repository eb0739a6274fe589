"""What is only inferred about the two real systems: each is a switch, so tests run both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Switches:
    """Positions of everything that no public source settles. The defaults are the likelier ones.

    Attributes:
        id_order: order of the rows of a search answer. Ascending was seen, never documented.
        empty_result_form: what an empty page holds (all three were recorded): `count` alone, also
            `hasMoreRecords`, or these and an empty `data`.
        verbose_limit: rows in a verbose page at most; the docs give one limit for both kinds.
        id_sequences: whether ids of the three finding types come from separate sequences.
        bare_dates: whether a date criterion without a time is taken.
        subscription_header: whether answers name the subscription in `X-Powered-By`.
        lean_updated_date: whether lean findings carry `updatedDate`.
        search_scan_details: whether a scan search answer carries `endScanDate`, `scanDuration`
            and the whole summary, or only a scan's own `get`.
        search_app_details: whether a verbose web app search carries `os` and `attributes`.
        bearer_on_fo: whether the knowledge base takes a bearer token.
        kb_max_ids: ids accepted by one knowledge base call; more are refused with 1905.
        autoclose_scope: whether CVM's auto-close looks at one file or at the whole run.
        dropped_tags_vanish: whether a tag that a later load lacks is taken from the asset.
        concurrent_runs: connector runs that the tenant works on at once.
        upload_validates: whether a bad KDI file is refused at upload or fails in the run.
        locator_order: the tenant's order, highest first; CVM's own when empty.
        payload: what `payload` means in a run's counters: a whole file, or each asset in it.
        bad_file_spoils_run: whether one file that is refused keeps the run's others out too.
        manual_statuses_survive: whether a false positive or accepted risk set by hand stays when a
            load has the vulnerability open.
        findings_counted: whether findings are counted among a run's scanner vulnerabilities.
        busy_status: HTTP status that refuses a run while another one is on; with 200 only
            `success` says no.
        max_file_bytes: an upload of more is refused with 413; 0 is no limit.
        run_verb: HTTP method that starts a run (the OpenAPI file and code agree on GET or POST).
        run_seconds: how long a run takes, in real seconds.
        success_form: whether a run's `success` is a boolean or the text of one.
        counter_spelling: `processed_payload_count`, or the `processed_palyoad_count` once seen.
        rate_limit: requests that CVM takes in a second; a further one is refused with 429.
        legacy_counts: whether `total_count` is left out of search answers.
    """

    id_order: Literal["ascending", "descending"] = "ascending"
    empty_result_form: Literal["count", "more", "data"] = "more"
    verbose_limit: int = 1000
    id_sequences: Literal["separate", "shared"] = "separate"
    bare_dates: bool = True
    subscription_header: bool = True
    lean_updated_date: bool = True
    search_scan_details: bool = True
    search_app_details: bool = True
    bearer_on_fo: bool = False
    kb_max_ids: int = 1000

    autoclose_scope: Literal["file", "run"] = "file"
    dropped_tags_vanish: bool = False
    concurrent_runs: int = 1
    upload_validates: bool = False
    locator_order: tuple[str, ...] = ()
    payload: Literal["file", "asset"] = "file"
    bad_file_spoils_run: bool = False
    manual_statuses_survive: bool = True
    findings_counted: bool = True
    busy_status: Literal[200, 409, 422] = 409
    max_file_bytes: int = 0
    run_verb: Literal["GET", "POST", "both"] = "both"
    run_seconds: float = 0.1
    success_form: Literal["boolean", "text"] = "boolean"
    counter_spelling: Literal["correct", "misspelt"] = "correct"
    rate_limit: int = 5
    legacy_counts: bool = False

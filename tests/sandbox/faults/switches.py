"""What is only inferred about the two real systems: each is a switch, so tests run both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Switches:
    """Positions of everything that no public source settles. The defaults are the likelier ones.

    Attributes:
        id_order: order of the rows of a search answer. Ascending was seen, never documented.
        empty_result_form: what an empty page holds: as `recorded`, or always `count` alone, also
            `hasMoreRecords` (`more`), or these and an empty `data`. Recorded is the first where an
            id was named that is not there, and the last otherwise.
        verbose_limit: rows in a verbose page at most; the docs give one limit for both kinds.
        id_sequences: where ids of the three finding types come from: ranges that are `separate` but
            for a few ids, `overlapping` ones (nearly every id is there twice), or one range that is
            `shared`.
        huge_ids: whether finding ids lie about 2^53, where a double begins to lose them.
        bare_dates: whether a date criterion without a time is taken.
        subscription_header: whether answers name the subscription in `X-Powered-By`.
        subscription_days: on which days they do so; proxies strip the header.
        lean_updated_date: whether lean findings carry `updatedDate`.
        search_scan_details: whether a scan search answer carries `endScanDate` and `scanDuration`,
            or only a scan's own `get` and download, as recorded.
        verbose_scans: whether a scan search may ask for `verbose`; one client says that it is
            refused.
        search_app_details: whether a verbose web app search carries `os` and `attributes`.
        single_apps: whether the account may get one web app with all its details.
        marked_evidence: whether request headers and bodies in evidence, which are base64, bear an
            attribute that says so. Only those of downloads were recorded with it.
        password: of Qualys's login: one that clients can send in Latin-1, or one that differs there
            from UTF-8.
        bearer_on_fo: whether the knowledge base takes a bearer token.
        kb_oldest_version: the oldest version of the knowledge base API that still answers.
        portal_version: whether the account may ask for the portal's version.
        token_form: whether the gateway's token comes `bare`, or in `json` as elsewhere.
        refused_criteria: documented criteria that searches refuse all the same, such as
            `wasscan.resultsStatus`.
        concurrency_wait: seconds that a call beyond the number at a time is told to wait in
            `X-RateLimit-ToWait-Sec`; None for no such header.
        tag_search: whether the account may search tags, and what it is answered where it may not.
        tag_parents: whether a tag names the one above it, or only those below it.
        kb_max_ids: ids accepted by one knowledge base call; more are refused with 1905.
        kb_refuses: what a knowledge base call is answered that names the world's first QID: its
            entry, a refusal with code 1905, or one without a code.
        autoclose_scope: whether CVM's auto-close looks at the whole run or at each file. Cisco's
            toolkit cuts its loads into files of 500 with auto-close on: by file, each of its loads
            would close half of what it holds.
        dropped_tags_vanish: whether a tag that a later load lacks is taken from the asset.
        concurrent_runs: connector runs that the tenant works on at once.
        upload_validates: whether a bad KDI file is refused at upload or fails in the run.
        locator_order: the tenant's order, highest first; CVM's own when empty.
        payload: what `payload` means in a run's counters: each asset, or a whole file.
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
        kdi: whether the tenant reads KDI 2 to the letter, or also the looser files that released
            loaders send: KDI 1, other forms of dates, fields that no description has.
        undated_closing: what becomes of a closed row without `closed_at`: the whole file is
            refused (not by a `lenient` reader), the row is ignored, or it closes.
        unknown_closing: whether a closed row of an entry that CVM does not know is created
            (closed), or ignored.
        judged_closing: what a closed row does to an entry that a person has called a false
            positive or an accepted risk: it closes `beneath` the person's word (a finding has one
            status only, so it takes the row's), it `closes` against that word, or is `ignored`.
        name_in_identity: whether the definition's name is part of an entry's identity.
        url_case: whether capitals tell URLs of assets apart.
        closing_under_skip: whether closed rows of a file with `skip_autoclose` close.
        skip_autoclose_of: whether each file's `skip_autoclose` is for itself, or that of the run's
            first or last file is for the whole run.
        run_takes: whether a run imports all files that it names, or the last one alone.
        assets_counted: whether `processed_assets_count` counts rows, or the assets in CVM that
            they come to.
        entries_counted: whether the `*_scanner_vuln_count`s count a connector's entries, or the
            vulnerabilities that these are merged into.
        updated_counted: whether `updated_scanner_vuln_count` counts known entries that have
            changed, or all that are named.
        untold_counters: counters that are always null: none, those of entries, or all.
        success_rule: when a run's `success` is true: `some` of its payloads were processed, `all`
            were, `always`, or `never`, whatever the counters say.
        search_delay: seconds of the world after a run's end until searches show what it did.
        licensed_assets: assets that the licence has room for; what is over it gets no entries
            until there is room. 0 is no limit.
        export_seconds: how long a data export takes, in real seconds.
        export_inactive: whether an export of vulnerabilities has those of inactive assets too.
        finding_exports: whether findings can be exported, which the OpenAPI file does not say.
    """

    id_order: Literal["ascending", "descending"] = "ascending"
    empty_result_form: Literal["recorded", "count", "more", "data"] = "recorded"
    verbose_limit: int = 1000
    id_sequences: Literal["separate", "overlapping", "shared"] = "separate"
    huge_ids: bool = False
    bare_dates: bool = True
    subscription_header: bool = True
    subscription_days: Literal["every", "every other"] = "every"
    lean_updated_date: bool = True
    search_scan_details: bool = False
    verbose_scans: bool = True
    search_app_details: bool = True
    single_apps: bool = True
    marked_evidence: bool = False
    password: Literal["plain", "hostile"] = "plain"
    bearer_on_fo: bool = False
    kb_oldest_version: Literal["2.0", "3.0", "4.0"] = "2.0"
    portal_version: bool = True
    token_form: Literal["bare", "json"] = "bare"
    refused_criteria: tuple[str, ...] = ()
    concurrency_wait: Literal[0, 1] | None = 0
    tag_search: Literal["open", "unauthorized", "401", "404"] = "open"
    tag_parents: Literal["named", "children"] = "named"
    kb_max_ids: int = 1000
    kb_refuses: Literal["nothing", "with 1905", "without code"] = "nothing"

    autoclose_scope: Literal["run", "file"] = "run"
    dropped_tags_vanish: bool = False
    concurrent_runs: int = 1
    upload_validates: bool = False
    locator_order: tuple[str, ...] = ()
    payload: Literal["asset", "file"] = "asset"
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
    kdi: Literal["strict", "lenient"] = "strict"
    undated_closing: Literal["refused", "ignored", "closes"] = "refused"
    unknown_closing: Literal["created", "ignored"] = "created"
    judged_closing: Literal["beneath", "closes", "ignored"] = "beneath"
    name_in_identity: bool = False
    url_case: Literal["sensitive", "insensitive"] = "sensitive"
    closing_under_skip: bool = True
    skip_autoclose_of: Literal["file", "first", "last"] = "file"
    run_takes: Literal["all", "last"] = "all"
    assets_counted: Literal["rows", "merged"] = "rows"
    entries_counted: Literal["entries", "vulnerabilities"] = "entries"
    updated_counted: Literal["changed", "named"] = "changed"
    untold_counters: Literal["none", "entries", "all"] = "none"
    success_rule: Literal["some", "all", "always", "never"] = "some"
    search_delay: float = 0
    licensed_assets: int = 0
    export_seconds: float = 0
    export_inactive: bool = False
    finding_exports: bool = True


TOLD: Final[Mapping[str, frozenset[object]]] = {
    "closing_under_skip": frozenset({False}),
    "run_takes": frozenset({"last"}),
    "success_rule": frozenset({"never"}),
}
"""Positions in which nobody can load all and close what is gone. The load says that it did not."""

"""What a scratch connector of CVM is asked: each run is loaded once, for all that it can tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.probe import exports
from tests.probe.answers import Answer
from tests.probe.scratch import asset, closed, document, url_of, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.probe.scratch import JSON, Scratch

CVE: Final = "CVE-2021-44228"
ASSETS: Final = (
    *("skip", "unknown", "undated", "judged", "false", "named", "files", "first"),
    *("one", "two", "tags", "same", "good", "merged"),
)
CASES: Final = (f"{url_of('case')}Page", f"{url_of('case')}page")
BAD: Final = "fixed"
"""No status of KDI."""
LONGEST_DELAY: Final = 600


def ask(scratch: Scratch) -> Iterator[Answer]:
    """Load the connector, tell what became of it, and close everything again."""
    begun = [asset(name, vuln(name)) for name in ("skip", "undated", "judged", "false", "named")]
    tagged = asset("tags", vuln("tags"), tags=["probe-a", "probe-b"])
    first = document(asset("first", vuln("first")))
    run = scratch.load(first, document(*begun, tagged, _cased(0)))
    scratch.delay = _seconds_until_shown(scratch)
    scratch.load(document(asset("skip", closed("skip"))))
    closes = scratch.state(url_of("skip"), "probe-skip") == "closed"
    yield Answer(
        "Does an explicit close work under skip_autoclose: true?", closes, "closing_under_skip"
    )
    both = scratch.verb == "POST" and scratch.starts_by("GET", document(asset("one", vuln("one"))))
    yield Answer("Runs are started by", "both" if both else scratch.verb, "run_verb")
    # If it does not, the other closings can still be asked about without it.
    yield from _second_rows(scratch, skip=closes)
    yield from _undated(scratch, skip=closes)
    yield from _counters(scratch)
    whole = scratch.state(url_of("first"), "probe-first") is not None
    yield Answer("A run of two files takes", "all" if whole else "last", "run_takes")
    yield Answer("Seconds until searches show a load:", round(scratch.delay))
    yield from exports.ask(scratch)
    if whole:
        yield from _two_files(scratch, run)
    everything = [*(asset(name) for name in ASSETS), *(asset("case", url=url) for url in CASES)]
    scratch.load(document(*everything, skip=False))


def _seconds_until_shown(scratch: Scratch) -> float:
    """Wait until the first load shows in searches, and return for how long."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_DELAY and not scratch.rows(url_of("skip")):
        time.sleep(scratch.poll_seconds)
    return time.monotonic() - began


def _second_rows(scratch: Scratch, *, skip: bool) -> Iterator[Answer]:
    """Load known entries a second time, and tell what their rows have done."""
    _judge(scratch, "judged", "risk_accepted")
    _judge(scratch, "false", "false_positive")
    scratch.load(
        document(
            asset("unknown", closed("unknown")),
            asset("judged", closed("judged")),
            asset("false", vuln("false")),
            asset("named", vuln("named", vuln_def_name="Probe renamed")),
            _cased(1),
            asset("tags", vuln("tags"), tags=["probe-b"]),
            skip=skip,
        )
    )
    known = scratch.state(url_of("unknown"), "probe-unknown") is not None
    yield Answer(
        "A closed row of an unknown entry is", "created" if known else "ignored", "unknown_closing"
    )
    yield Answer("A closed row of an accepted risk", _judged(scratch), "judged_closing")
    stays = any("false_positive" in row["status"] for row in scratch.rows(url_of("false")))
    yield Answer(
        "Does a false positive stay one when a load has it open?", stays, "manual_statuses_survive"
    )
    named = [
        one
        for row in scratch.rows(url_of("named"))
        for one in row["scanner_vulnerabilities"]
        if one["external_unique_id"] == "probe-named"
    ]
    yield Answer("Is the definition's name part of identity?", len(named) > 1, "name_in_identity")
    together = [scratch.state(url, f"probe-case-{1 - place}") for place, url in enumerate(CASES)]
    case = "insensitive" if any(together) else "sensitive"
    yield Answer("Capitals in URLs are", case, "url_case")
    (row, *_) = scratch.rows(url_of("tags"))
    tags = scratch.read(f"/assets/{row['asset_id']}/tags")["tags"]
    yield Answer("Do tags vanish that a load lacks?", "probe-a" not in tags, "dropped_tags_vanish")


def _cased(place: int) -> JSON:
    """Return an asset whose URL differs from the other one's in a capital alone."""
    return asset("case", vuln(f"case-{place}"), url=CASES[place])


def _judge(scratch: Scratch, name: str, status: str) -> None:
    for row in scratch.rows(url_of(name)):
        body = {"vulnerability": {"status": status}}
        scratch.ask("PUT", f"/vulnerabilities/{row['id']}", json=body)


def _judged(scratch: Scratch) -> str:
    (row, *_) = scratch.rows(url_of("judged"))
    if row["status"].startswith("closed"):
        return "closes"
    return "ignored" if row["scanner_vulnerabilities"][0]["open"] else "beneath"


def _undated(scratch: Scratch, *, skip: bool) -> Iterator[Answer]:
    """Ask what a closed row without a date does; it may be refused with its file."""
    file = document(asset("undated", vuln("undated", status="closed")), skip=skip)
    run = scratch.load(file) if scratch.upload(file).ok else None
    state = str(scratch.state(url_of("undated"), "probe-undated"))
    told = {"closed": "closes", "open": "ignored"}.get(state, state)
    if run is None or run["failed_payload_count"] or not _succeeded(run):
        told = "refused"
    yield Answer("A closed row without closed_at", told, "undated_closing")


def _counters(scratch: Scratch) -> Iterator[Answer]:
    """Ask what the counters of a run mean."""
    same = document(asset("same", vuln("same")))
    both = document(asset("merged", vuln("merged-1"), vuln("merged-2")), cve=CVE)
    scratch.load(same)
    again, merged = scratch.load(same), scratch.load(both)
    nulls = [name for name, value in merged.items() if name.endswith("_count") and value is None]
    untold = "none" if not nulls else "all" if "total_payload_count" in nulls else "entries"
    yield Answer("Counters that are null:", untold, "untold_counters")
    if untold == "none":
        updated, count = again["updated_scanner_vuln_count"], merged["processed_scanner_vuln_count"]
        yield Answer(
            "`updated` counts what is", "named" if updated else "changed", "updated_counted"
        )
        yield Answer(
            "Two entries of one CVE are counted as",
            "entries" if count == 2 else "vulnerabilities",
            "entries_counted",
        )
    spelled = "processed_payload_count" in merged
    yield Answer("The counter is spelled", "correct" if spelled else "misspelt", "counter_spelling")
    text = isinstance(merged["success"], str)
    yield Answer("`success` is", "text" if text else "boolean", "success_form")


def _two_files(scratch: Scratch, run: JSON) -> Iterator[Answer]:
    """Ask what holds for a file and what for a run; the first run has told a part of it."""
    total = run["total_payload_count"]
    if total is not None:
        yield Answer("A payload is", "file" if total == 2 else "asset", "payload")
    files = [document(asset("files", vuln(name)), skip=False) for name in ("one-file", "other")]
    run = scratch.load(*files)
    kept = scratch.state(url_of("files"), "probe-one-file") == "open"
    yield Answer("Auto-close looks at the", "run" if kept else "file", "autoclose_scope")
    if run["processed_assets_count"] is not None:
        counted = "merged" if run["processed_assets_count"] == 1 else "rows"
        yield Answer("An asset in two files is counted as", counted, "assets_counted")
    scratch.load(document(asset("one", vuln("one")), asset("two", vuln("two"))))
    scratch.load(document(asset("one"), skip=False), document(asset("two"), skip=True))
    states = " ".join(str(scratch.state(url_of(name), f"probe-{name}")) for name in ("one", "two"))
    told = {"closed open": "file", "closed closed": "first", "open open": "last"}
    yield Answer(
        "In a run, skip_autoclose is that of the", told.get(states, states), "skip_autoclose_of"
    )
    yield from _bad_files(scratch)


def _bad_files(scratch: Scratch) -> Iterator[Answer]:
    """Ask what becomes of a file that CVM cannot use."""
    bad = document(asset("undated", vuln("bad", status=BAD)))
    refused = not scratch.upload(bad).ok
    yield Answer("Is a bad file refused at its upload?", refused, "upload_validates")
    if refused:
        return
    run = scratch.load(document(asset("good", vuln("good"))), bad)
    spoilt = scratch.state(url_of("good"), "probe-good") is None
    yield Answer("Does a bad file spoil the others of its run?", spoilt, "bad_file_spoils_run")
    alone = _succeeded(scratch.load(bad))
    rule = "always" if alone else "some" if _succeeded(run) else "all"
    if spoilt and rule == "all":
        return  # nothing was processed in either run, so `some` would fail both too
    yield Answer("A run with bad files succeeds", rule, "success_rule")


def _succeeded(run: JSON) -> bool:
    return str(run["success"]).lower() == "true"

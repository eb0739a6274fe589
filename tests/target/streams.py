"""What the paired tap writes, made small: rows with all that a load needs, and a proof of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

Row = dict[str, Any]
TYPES: Final = ["VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED"]


def fingerprint(*values: object) -> int:
    """Give the fingerprint of a row by hand, as the README of the format says."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


FINGERPRINTS: Final = {
    "webapps": lambda row: fingerprint(row["id"]),
    "findings": lambda row: fingerprint(
        row.get("uniqueId"),
        row.get("type"),
        row.get("status"),
        (row.get("webApp") or {}).get("id"),
        row.get("url"),
    ),
}

SUBSCRIPTION: Final = "5e5bcd1a-made-up"
API_URL: Final = "https://qualysapi.example.test"
FIRST: Final = "2026-02-01T08:00:00Z"
LAST: Final = "2026-03-01T08:00:00Z"
"""Dates of the rows: both before the sandbox's clock begins."""
STATE: Final = {"bookmarks": {"findings": {"replication_key_value": LAST}}}
ASKING: Final = {"bookmarks": STATE["bookmarks"] | {"syncs": {"fullSyncAsked": True}}}
"""The same state, as it is passed on where the tap's next sync shall be a full one."""


def webapp(number: int = 1, **changes: object) -> Row:
    """Make a row of `webapps`; its URL is unlike those of its findings."""
    return {
        "id": number,
        "name": f"App {number}",
        "url": f"https://app{number}.example.test/",
        "os": None,
        "tags": [{"id": 10, "name": "Production"}],
    } | changes


def webapp_of(number: int) -> Row:
    """Make the web application as findings and scans name it."""
    return {"id": number, "name": f"App {number}", "url": f"https://app{number}.example.test/"}


def scan(app: int = 1, ended: str = LAST, **changes: object) -> Row:
    """Make a row of `scans`: a finished scan of a web application."""
    return {
        "id": 1000 + app,
        "type": "VULNERABILITY",
        "status": "FINISHED",
        "webApp": webapp_of(app),
        "launchedDate": ended,
        "endScanDate": ended,
        "summary": {"resultsStatus": "SUCCESSFUL", "os": None},
    } | changes


def finding(number: int = 1, app: int = 1, **changes: object) -> Row:
    """Make a row of `findings`: an open vulnerability on a page of its own."""
    return {
        "id": number,
        "uniqueId": name_of(number),
        "qid": 150000 + number % 7,
        "name": "Cross-site scripting",
        "type": "VULNERABILITY",
        "potential": False,
        "severity": 3,
        "status": "ACTIVE",
        "url": f"https://app{app}.example.test/page{number}?id=1",
        "param": "id",
        "firstDetectedDate": FIRST,
        "lastDetectedDate": LAST,
        "lastTestedDate": LAST,
        "fixedDate": None,
        "webApp": webapp_of(app),
    } | changes


def fixed(number: int = 1, app: int = 1, **changes: object) -> Row:
    """Make a finding that Qualys calls fixed."""
    return finding(number, app, **({"status": "FIXED", "fixedDate": LAST} | changes))


def name_of(number: int) -> str:
    """Give the uniqueId of a finding."""
    return f"finding-{number}"


def names(*numbers: int) -> set[str]:
    """Give the uniqueIds of findings."""
    return {name_of(number) for number in numbers}


def identifier(number: int, app: int = 1) -> str:
    """Give the identifier in CVM of an open vulnerability."""
    return f"V-{app}-{name_of(number)}"


def bare(identifier: str) -> str:
    """Give the uniqueId that an identifier of CVM holds, behind type and web application."""
    return re.sub(r"^[VSI]--?\d+-", "", identifier)


def entry(qid: int, **changes: object) -> Row:
    """Make a row of `knowledge_base`."""
    return {
        "qid": qid,
        "title": f"Title of {qid}",
        "diagnosis": "<p>What it is.</p>",
        "solution": "<ul><li>Do this</li><li>Then that</li></ul>",
        "cves": [],
        "cwe": [79],
    } | changes


@dataclass
class Sync:
    """What the tap writes in one run.

    Attributes:
        scans: of each web application one that finished, unless given.
        entries: rows of `knowledge_base`, one for each QID of the findings unless given.
        tags: rows of `tags`, a stream that is not there unless given.
        proof: changes to the row of `syncs`; None leaves it out.
        coverage: changes to what it covers.
        not_proven: web applications of which the tap knows that something is missing.
        changed: web applications that came or went while the tap read.
        started: when it began; None for the moment at which it is written.
        window: lower bound of the findings that were read.
    """

    webapps: Sequence[Row] = ()
    findings: Sequence[Row] = ()
    scans: Sequence[Row] | None = None
    entries: Sequence[Row] | None = None
    tags: Sequence[Row] | None = None
    mode: str = "full"
    proof: Mapping[str, object] | None = field(default_factory=dict)
    coverage: Mapping[str, object] = field(default_factory=dict)
    not_proven: Sequence[int] = ()
    changed: Sequence[int] = ()
    started: str | None = None
    window: str | None = None
    state: object = field(default_factory=lambda: STATE)

    def streams(self) -> dict[str, Sequence[Row]]:
        """Give the rows of each stream but `syncs`, in the tap's order."""
        scans, entries = self.scans, self.entries
        if scans is None:
            scans = [scan(app["id"]) for app in self.webapps]
        if entries is None:
            entries = [entry(qid) for qid in sorted({row["qid"] for row in self.findings})]
        return {
            "webapps": self.webapps,
            "scans": scans,
            "findings": self.findings,
            "knowledge_base": entries,
            **({} if self.tags is None else {"tags": self.tags}),
        }

    def rows(self, now: datetime) -> Iterable[tuple[str, Row]]:
        """Give all rows with the names of their streams, the proof last."""
        streams = self.streams()
        for name, rows in streams.items():
            yield from ((name, row) for row in rows)
        if self.proof is not None:
            counts = Counter({name: len(rows) for name, rows in streams.items()})
            yield ("syncs", self.sync_row(counts, now) | dict(self.proof))

    def sync_row(self, counts: Mapping[str, int], now: datetime) -> Row:
        """Give the row of `syncs` that proves so many rows."""
        started = self.started or now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "syncId": f"sync of {started}",
            "mode": self.mode,
            "startedAt": started,
            "finishedAt": started,
            "previousSyncAt": None if self.mode == "full" else LAST,
            "previousFullSyncAt": None,
            "complete": True,
            "incompleteReasons": [],
            "apiUrl": API_URL,
            "subscription": SUBSCRIPTION,
            "filters": {},
            "contract": 1,
            "tapVersion": "0.0.0",
            "login": "made-up",
            "coverage": {
                "source": "api",
                "findingTypes": TYPES,
                "wholeAccount": True,
                "webApps": {
                    "read": counts["webapps"],
                    "notProven": list(self.not_proven),
                    "changed": list(self.changed),
                },
                "since": None if self.mode == "full" else self.window,
            }
            | dict(self.coverage),
            "streams": [
                {
                    "stream": name,
                    "read": count,
                    "emitted": count,
                    "digest": self.digest(name),
                    "counted": count if self.mode == "full" else None,
                    "duplicates": 0,
                    "windowStart": self.window if name == "findings" else None,
                }
                for name, count in counts.items()
            ],
        }

    def digest(self, stream: str) -> str | None:
        """Give the fingerprint of a stream's rows, as the tap makes it."""
        if stream not in {"webapps", "findings"}:
            return None
        rows = self.streams()[stream]
        return f"{sum(map(FINGERPRINTS[stream], rows)) % 2**64:016x}"

    def lines(self, now: datetime) -> bytes:
        """Give the whole input."""
        rows = list(self.rows(now))
        schemas = [schema(name) for name in dict.fromkeys(name for name, _ in rows)]
        records = [record(name, row) for name, row in rows]
        return joined(*schemas, *records, state(self.state))


def schema(stream: str, **changes: object) -> str:
    """Make a SCHEMA line."""
    said = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
    return json.dumps(said | changes)


def record(stream: str, row: object) -> str:
    """Make a RECORD line."""
    return json.dumps({"type": "RECORD", "stream": stream, "record": row})


def state(value: object) -> str:
    """Make a STATE line."""
    return json.dumps({"type": "STATE", "value": value})


def joined(*lines: str) -> bytes:
    """Make an input of lines."""
    return "".join(line + "\n" for line in lines).encode()

"""One connector run at its end: files in, assets and entries changed, counters told."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm.kdi.check import refusals
from tests.sandbox.ciscovm.kdi.fields import IDENTIFIERS, LOCATORS
from tests.sandbox.ciscovm.tenant.assets import drop_tags, tag_by_connector
from tests.sandbox.ciscovm.tenant.entries import Bookkeeper
from tests.sandbox.ciscovm.tenant.state import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.ciscovm.tenant.assets import AssetBook
    from tests.sandbox.ciscovm.tenant.state import Asset, DataFile, Kind, Run, State
    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.faults.switches import Switches

    Record = dict[str, Any]

_LISTS: Final[tuple[tuple[Kind, str], ...]] = (("vuln", "vulns"), ("finding", "findings"))


@dataclass(frozen=True)
class Conditions:
    """What a run's outcome depends on besides its files.

    Attributes:
        overage: the licence is over its limit: new assets get no entries.
    """

    switches: Switches
    faults: Faults
    overage: bool


class Import:
    """The work of one run.

    Args:
        state: the tenant's.
        book: its assets.
        run: which is to end at `now`.
        now: the moment that counts as "seen" where a file has no date.
        conditions: switches, faults and licence.
    """

    def __init__(
        self, state: State, book: AssetBook, run: Run, now: datetime, conditions: Conditions
    ) -> None:
        self.state, self.book, self.run, self.now = state, book, run, now
        self.switches, self.faults = conditions.switches, conditions.faults
        self.overage = conditions.overage
        switches = conditions.switches
        self.keeper = Bookkeeper(
            state,
            run.counters,
            now,
            run.id,
            survive=switches.manual_statuses_survive,
            counted=switches.findings_counted,
        )
        self._all_fail = False
        self._closing: set[int] = set()
        self._seen: dict[int, set[str]] = {}

    def carry_out(self) -> None:
        """Import the run's files and set its end, its success and its counters."""
        counters, run = self.run.counters, self.run
        files = [self.state.files[number] for number in run.data_files]
        run.end_time = self.now
        if self.faults.take("run-fails"):
            counters.total_payload_count = len(files)
            run.success = False
            run.problems.append("the connector failed")
            return
        self._all_fail = self.faults.take("payloads-fail")
        documents = [(file, self._read(file)) for file in files]
        spoilt = self.switches.bad_file_spoils_run and any(not doc for _, doc in documents)
        for file, document in documents:
            self._file(file, None if spoilt else document)
        self._autoclose()
        run.success = counters.processed_payload_count > 0 or counters.total_payload_count == 0

    def _read(self, file: DataFile) -> Record | None:
        document = zlib.decompress(file.deflated)
        problems = refusals(document)
        self.run.problems += [f"file {file.id}: {problem}" for problem in problems]
        return None if problems else json.loads(document)

    def _file(self, file: DataFile, document: Record | None) -> None:
        by_file = self.switches.payload == "file"
        if document is None:
            self._payloads(1, 1)
            return
        if by_file and self._payload_fails(file):
            self._payloads(1, 1)
            return
        definitions = {(one["scanner_type"], one["name"]): one for one in document["vuln_defs"]}
        failed = 0
        for record in document["assets"]:
            if not by_file and self._payload_fails(file):
                failed += 1
                continue
            self._asset(record, document, definitions)
        self._payloads(1 if by_file else len(document["assets"]), failed)
        if self.switches.autoclose_scope == "file":
            self._autoclose()

    def _payload_fails(self, file: DataFile) -> bool:
        fails = self._all_fail or self.faults.take("payload-fails")
        if fails:
            self.run.problems.append(f"file {file.id}: a payload failed")
        return fails

    def _payloads(self, total: int, failed: int) -> None:
        self.run.counters.total_payload_count += total
        self.run.counters.failed_payload_count += failed
        self.run.counters.processed_payload_count += total - failed

    def _asset(self, record: Record, document: Record, definitions: dict[Any, Record]) -> None:
        locators = {name: record[name] for name in LOCATORS if name in record}
        last_seen = self._moment(record.get("last_seen_at"))
        known = self.book.match(locators)
        asset = known or self.book.create(self.now, last_seen)
        self.book.relocate(asset, locators)
        self.run.counters.processed_assets_count += 1
        asset.overage = self.overage and (known is None or known.overage)
        # A load that saw the asset earlier than another one does not make it older.
        asset.last_seen = max(asset.last_seen, last_seen)
        asset.os = record.get("os", asset.os)
        asset.owner = record.get("owner", asset.owner)
        asset.priority = record.get("priority", asset.priority)
        self._tags(asset, record, reset=document.get("reset_tags", False))
        if not asset.overage:
            self._entries(asset, record, definitions)
            if not document["skip_autoclose"]:
                self._closing.add(asset.id)

    def _tags(self, asset: Asset, record: Record, *, reset: bool) -> None:
        if reset:
            asset.tags.clear()
            self.run.counters.assets_with_tags_reset_count += 1
        if "tags" in record:
            if self.switches.dropped_tags_vanish:
                drop_tags(asset, record["tags"], self.run.connector_id)
            tag_by_connector(asset, record["tags"], self.run.connector_id, self.now)

    def _entries(self, asset: Asset, record: Record, definitions: dict[Any, Record]) -> None:
        seen = self._seen.setdefault(asset.id, set())
        for kind, key in _LISTS:
            for said in record.get(key, []):
                definition = definitions[said["scanner_type"], said["vuln_def_name"]]
                entry = self._entry(kind, said, definition)
                self.keeper.take(asset, entry, said.get("status", said.get("triage_state")))
                seen.add(entry.key)

    def _entry(self, kind: Kind, said: Record, definition: Record) -> Entry:
        return Entry(
            kind=kind,
            connector_id=self.run.connector_id,
            scanner_type=said["scanner_type"],
            scanner_identifier=said["scanner_identifier"],
            name=said["vuln_def_name"],
            status="open" if kind == "vuln" else "new",
            created_at=self._moment(said.get("created_at")),
            last_seen_at=self._moment(said["last_seen_at"]),
            closed_at=self._moment(said["closed_at"]) if "closed_at" in said else None,
            score=said.get("scanner_score", said.get("severity")),
            port=said.get("port"),
            details=said.get("details"),
            identifiers=list(_identifiers(definition)),
            description=definition.get("description"),
            solution=definition.get("solution"),
            additional_fields=said.get("additional_fields", {}),
        )

    def _autoclose(self) -> None:
        """Close what this connector has open on the loaded assets and the load does not name."""
        for number in sorted(self._closing):
            asset, seen = self.state.assets[number], self._seen[number]
            for key, entry in asset.entries.items():
                own = entry.connector_id == self.run.connector_id
                if own and entry.is_open and key not in seen:
                    self.keeper.close(asset, entry, "auto")
        self._closing.clear()
        self._seen.clear()

    def _moment(self, text: str | None) -> datetime:
        return self.now if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def _identifiers(definition: Record) -> Iterable[str]:
    """Yield the identifiers of the one kind that CVM keeps."""
    kept = next((kind for kind in IDENTIFIERS if kind in definition), None)
    return (name.strip() for name in definition[kept].split(",")) if kept else ()

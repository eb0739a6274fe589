"""The import of a connector run: it reads the files and changes assets, entries and counters."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm.tenant.assets import drop_tags, tag_by_connector
from tests.sandbox.ciscovm.tenant.documents import read
from tests.sandbox.ciscovm.tenant.entries import Bookkeeper
from tests.sandbox.ciscovm.tenant.rows import entry_of, locators_of, moment, status_of
from tests.sandbox.ciscovm.tenant.state import CLOSED
from tests.sandbox.ciscovm.tenant.tally import Tally

if TYPE_CHECKING:
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.assets import AssetBook
    from tests.sandbox.ciscovm.tenant.rows import Record
    from tests.sandbox.ciscovm.tenant.state import Asset, DataFile, Kind, Run, State
    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.faults.switches import Switches

_LISTS: Final[tuple[tuple[Kind, str], ...]] = (("vuln", "vulns"), ("finding", "findings"))


@dataclass(frozen=True)
class Conditions:
    """What a run's outcome depends on besides its files.

    Attributes:
        overage: the licence is over its limit: new assets get no entries.
        room: assets that the licence still has room for; None without a limit.
    """

    switches: Switches
    faults: Faults
    overage: bool
    room: int | None = None


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
        self.overage, self.room = conditions.overage, conditions.room
        self.tally = Tally(run.counters, conditions.switches)
        self.keeper = Bookkeeper(state, self.tally, now, run.id)
        self._all_fail = False
        self._closing: set[int] = set()
        self._seen: dict[int, set[str]] = {}

    def carry_out(self) -> None:
        """Import the run's files and set its end, its success and its counters."""
        run = self.run
        files = [self.state.files[number] for number in run.data_files]
        run.end_time = self.now
        if self.faults.take("run-fails"):
            run.counters.total_payload_count = len(files)
            run.success = False
            run.problems.append("the connector failed")
            return
        self._all_fail = self.faults.take("payloads-fail")
        taken = files if self.switches.run_takes == "all" else files[-1:]
        documents = [(file, self._read(file)) for file in taken]
        self._decide_autoclose([document for _, document in documents if document])
        spoilt = self.switches.bad_file_spoils_run and any(not doc for _, doc in documents)
        for file, document in documents:
            self._file(file, None if spoilt else document)
        self._autoclose()
        run.success = self.tally.success()

    def _read(self, file: DataFile) -> Record | None:
        document, problems = read(zlib.decompress(file.deflated), self.switches)
        self.run.problems += [f"file {file.id}: {problem}" for problem in problems]
        return document

    def _decide_autoclose(self, documents: list[Record]) -> None:
        """Apply one file's `skip_autoclose` to all, where CVM takes it for the whole run."""
        chosen = {"first": 0, "last": -1}.get(self.switches.skip_autoclose_of)
        for document in documents:
            if chosen is not None:
                document["skip_autoclose"] = documents[chosen]["skip_autoclose"]

    def _file(self, file: DataFile, document: Record | None) -> None:
        by_file = self.switches.payload == "file"
        if document is None or (by_file and self._payload_fails(file, *document["assets"])):
            self.tally.payloads(1, 1)
            return
        definitions = {(one["scanner_type"], one["name"]): one for one in document["vuln_defs"]}
        failed = 0
        for record in document["assets"]:
            if not by_file and self._payload_fails(file, record):
                failed += 1
                continue
            self._asset(record, document, definitions)
        self.tally.payloads(1 if by_file else len(document["assets"]), failed)
        if self.switches.autoclose_scope == "file":
            self._autoclose()

    def _payload_fails(self, file: DataFile, *records: Record) -> bool:
        fails = self._all_fail or self.faults.take("payload-fails")
        if fails:
            self.run.problems.append(f"file {file.id}: a payload failed")
            for record in records:
                self._drop(record)
        return fails

    def _drop(self, record: Record) -> None:
        """Note the closings of an asset that nothing is made of."""
        asset = self.book.match(locators_of(record))
        said = [one for _, key in _LISTS for one in record.get(key, ())]
        closings = (one for one in said if status_of(one) in CLOSED)
        if asset is not None:
            names = (one["scanner_identifier"] for one in closings)
            self.run.dropped.update((asset.id, name) for name in names)

    def _asset(self, record: Record, document: Record, definitions: dict[Any, Record]) -> None:
        locators = locators_of(record)
        last_seen = moment(record.get("last_seen_at"), self.now)
        known = self.book.match(locators)
        asset = known or self.book.create(self.now, last_seen)
        self.book.relocate(asset, locators)
        self.tally.asset(asset)
        asset.overage = self._is_over(known)
        # An older load does not move last-seen back.
        asset.last_seen = max(asset.last_seen, last_seen)
        asset.os = record.get("os", asset.os)
        asset.owner = record.get("owner", asset.owner)
        asset.priority = record.get("priority", asset.priority)
        self._tags(asset, record, reset=document.get("reset_tags", False))
        if not asset.overage:
            self._entries(asset, record, document, definitions)
            if not document["skip_autoclose"]:
                self._closing.add(asset.id)

    def _is_over(self, known: Asset | None) -> bool:
        """Tell whether the licence has no room for an asset; one that had room keeps it."""
        if known is not None and not known.overage:
            return False
        if self.overage or self.room == 0:
            return True
        if self.room is not None:
            self.room -= 1
        return False

    def _tags(self, asset: Asset, record: Record, *, reset: bool) -> None:
        if reset:
            asset.tags.clear()
            self.run.counters.assets_with_tags_reset_count += 1
        if "tags" in record:
            if self.switches.dropped_tags_vanish:
                drop_tags(asset, record["tags"], self.run.connector_id)
            tag_by_connector(asset, record["tags"], self.run.connector_id, self.now)

    def _entries(
        self, asset: Asset, record: Record, document: Record, definitions: dict[Any, Record]
    ) -> None:
        seen = self._seen.setdefault(asset.id, set())
        for kind, key in _LISTS:
            for said in record.get(key, []):
                definition = definitions[said["scanner_type"], said["vuln_def_name"]]
                entry = entry_of(kind, said, definition, self.run.connector_id, self.now)
                entry.named = self.switches.name_in_identity
                skips = document["skip_autoclose"]
                self.keeper.take(asset, entry, status_of(said), skip_autoclose=skips)
                seen.add(entry.key)

    def _autoclose(self) -> None:
        """Close open entries of this connector on loaded assets that the load does not name."""
        for number in sorted(self._closing):
            asset, seen = self.state.assets[number], self._seen[number]
            for key, entry in asset.entries.items():
                own = entry.connector_id == self.run.connector_id
                if own and entry.is_open and key not in seen:
                    self.keeper.close(asset, entry, "auto")
        self._closing.clear()
        self._seen.clear()

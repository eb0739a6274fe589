"""What becomes of a vulnerability or finding when a load names it, lacks it, or a person acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.tenant.state import CLOSED, Closing, Entry, Vulnerability

if TYPE_CHECKING:
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.state import Asset, Cause, Counters, State, Status

_FIRST_IDS: Final = {"vuln": 9001, "finding": 70001, "vulnerability": 500001}


@dataclass
class Bookkeeper:
    """Changes entries and keeps the merged vulnerabilities, the counters and the history right.

    Attributes:
        run_id: None when a person acts.
        survive: whether a status given by hand survives an entry's being open in a load.
        counted: whether findings are counted as scanner vulnerabilities.
    """

    state: State
    counters: Counters
    now: datetime
    run_id: int | None = None
    survive: bool = True
    counted: bool = True

    def take(self, asset: Asset, said: Entry, status: Status | None) -> None:
        """Take in what a load says of an entry.

        Args:
            asset: the asset it was said of.
            said: the entry as the file has it.
            status: the file's status; None for a finding whose triage state was left out.
        """
        known = asset.entries.get(said.key)
        self._count("processed_scanner_vuln_count", said)
        if known is None:
            self._create(asset, said, status)
            return
        self._count("updated_scanner_vuln_count", said)
        said.id, said.vulnerability, said.created_at = (
            known.id,
            known.vulnerability,
            known.created_at,
        )
        said.status, said.closed_by = known.status, known.closed_by
        said.closed_at = known.closed_at if said.closed_at is None else said.closed_at
        asset.entries[said.key] = said
        self._turn(asset, said, status or ("new" if known.status in CLOSED else known.status))

    def _create(self, asset: Asset, entry: Entry, status: Status | None) -> None:
        self._count("created_scanner_vuln_count", entry)
        entry.status = status or "new"
        entry.id = self.state.next_id(entry.kind, _FIRST_IDS[entry.kind])
        asset.entries[entry.key] = entry
        if entry.kind == "vuln":
            entry.vulnerability = _merged_key(entry)
            merged = self._merged(asset, entry)
            merged.entries.append(entry.key)
            if entry.is_open:
                self._reopen_merged(asset, entry, count=bool(merged.entries[1:]))

    def _turn(self, asset: Asset, entry: Entry, status: Status) -> None:
        """Give a known entry the status that a load has for it."""
        if entry.is_open and status in CLOSED:
            self.close(asset, entry, "explicit", entry.closed_at)
            return
        if entry.status in CLOSED and status not in CLOSED:
            self._count("reopened_scanner_vuln_count", entry)
            entry.closed_at = entry.closed_by = None
        entry.status = status
        if entry.is_open:
            entry.closed_by = None
        if entry.kind == "vuln":
            self._reopen_merged(asset, entry, count=True)

    def _reopen_merged(self, asset: Asset, entry: Entry, *, count: bool) -> None:
        merged = self._merged(asset, entry)
        if not entry.is_open:
            merged.open_entries.discard(entry.key)
            return
        if count and not merged.open_entries:
            self.counters.reopened_vuln_count += 1
        merged.open_entries.add(entry.key)
        # Closed by hand says that it is gone; a scanner that sees it again knows better.
        if merged.manual == "closed" or not self.survive:
            merged.manual = None

    def close(
        self, asset: Asset, entry: Entry, cause: Cause, moment: datetime | None = None
    ) -> None:
        """Close an open entry, and write it into the history."""
        entry.status = "closed" if entry.kind == "vuln" else "resolved"
        entry.closed_at, entry.closed_by = moment or self.now, cause
        prefix = "autoclosed" if cause == "auto" else "closed"
        self._count(f"{prefix}_scanner_vuln_count", entry)
        if entry.kind == "vuln":
            merged = self._merged(asset, entry)
            merged.open_entries.discard(entry.key)
            if not merged.open_entries:
                self._count(f"{prefix}_vuln_count", entry)
        self.state.closings.append(
            Closing(
                self.now,
                cause,
                entry.kind,
                entry.connector_id,
                self.run_id,
                asset.id,
                dict(asset.locators),
                entry.scanner_type,
                entry.scanner_identifier,
            )
        )

    def _merged(self, asset: Asset, entry: Entry) -> Vulnerability:
        known = asset.vulnerabilities.get(entry.vulnerability)
        if known is None:
            known = Vulnerability(
                self.state.next_id("vulnerability", _FIRST_IDS["vulnerability"]), self.now
            )
            asset.vulnerabilities[entry.vulnerability] = known
        return known

    def _count(self, counter: str, entry: Entry) -> None:
        if entry.kind == "vuln" or self.counted:
            setattr(self.counters, counter, getattr(self.counters, counter) + 1)


def _merged_key(entry: Entry) -> str:
    """Return what makes entries one vulnerability of an asset: the same CVE, else the same id.

    That connectors' entries are merged is documented, by what is not: CVEs are CVM's own
    definitions, while several checks with one CWE are known to stay apart.
    """
    cves = [name for name in entry.identifiers if name.startswith("CVE-")]
    return " ".join(cves) or f"{entry.scanner_type} {entry.scanner_identifier}"

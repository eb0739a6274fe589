"""How entries change: by a load that names or lacks them, and by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.tenant.state import CLOSED, Closing, Entry, Vulnerability

if TYPE_CHECKING:
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.state import Asset, Cause, State, Status
    from tests.sandbox.ciscovm.tenant.tally import Tally
    from tests.sandbox.faults.switches import Switches

_FIRST_IDS: Final = {"vuln": 9001, "finding": 70001, "vulnerability": 500001}


@dataclass
class Bookkeeper:
    """Changes entries and keeps the merged vulnerabilities, the counters and the history right.

    Attributes:
        run_id: None when a person acts.
    """

    state: State
    tally: Tally
    now: datetime
    run_id: int | None = None

    @property
    def switches(self) -> Switches:
        """Return the switches."""
        return self.tally.switches

    def take(
        self, asset: Asset, said: Entry, status: Status | None, *, skip_autoclose: bool
    ) -> None:
        """Apply a row of a load to an entry.

        Args:
            asset: the asset it was said of.
            said: the entry as the file has it.
            status: the file's status; None for a finding whose triage state was left out.
            skip_autoclose: what the file says of closing what it lacks.
        """
        known = asset.entries.get(said.key)
        said.vulnerability = known.vulnerability if known else _merged_key(said)
        self.tally.entry("processed_scanner_vuln_count", asset, said)
        if status in CLOSED and self._ignores(asset, known, said, skip_autoclose=skip_autoclose):
            return
        if known is None:
            self._create(asset, said, status)
            return
        self.tally.known(asset, known, said, status)
        said.id, said.created_at = known.id, known.created_at
        said.status, said.closed_by = known.status, known.closed_by
        said.closed_at = known.closed_at if said.closed_at is None else said.closed_at
        asset.entries[said.key] = said
        self._turn(asset, said, status or ("new" if known.status in CLOSED else known.status))

    def _ignores(
        self, asset: Asset, known: Entry | None, said: Entry, *, skip_autoclose: bool
    ) -> bool:
        """Tell whether a closed row has no effect."""
        switches = self.switches
        if skip_autoclose and not switches.closing_under_skip:
            return True
        if said.kind == "vuln" and said.closed_at is None and switches.undated_closing == "ignored":
            return True
        if known is None:
            return switches.unknown_closing == "ignored"
        return switches.judged_closing == "ignored" and self._is_judged(asset, known)

    def _is_judged(self, asset: Asset, entry: Entry) -> bool:
        """Tell whether a person has called an entry something other than open or closed."""
        if entry.kind == "finding":
            return entry.closed_by == "manual" and entry.status not in CLOSED
        return self._merged(asset, entry).manual in {"false_positive", "risk_accepted"}

    def _create(self, asset: Asset, entry: Entry, status: Status | None) -> None:
        self.tally.entry("created_scanner_vuln_count", asset, entry)
        entry.status = status or "new"
        entry.id = self.state.next_id(entry.kind, _FIRST_IDS[entry.kind])
        asset.entries[entry.key] = entry
        if entry.kind == "vuln":
            merged = self._merged(asset, entry)
            merged.entries.append(entry.key)
            if entry.is_open:
                self._reopen_merged(asset, entry, count=bool(merged.entries[1:]))

    def _turn(self, asset: Asset, entry: Entry, status: Status) -> None:
        """Set the status that a load gives a known entry."""
        if status in CLOSED and self.switches.judged_closing == "closes" and entry.kind == "vuln":
            self._merged(asset, entry).manual = None
        if entry.is_open and status in CLOSED:
            self.close(asset, entry, "explicit", entry.closed_at)
            return
        if entry.status in CLOSED and status not in CLOSED:
            self.tally.entry("reopened_scanner_vuln_count", asset, entry)
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
            self.tally.add("reopened_vuln_count")
        merged.open_entries.add(entry.key)
        # A person closed it as gone, but a scanner has seen it again.
        if merged.manual == "closed" or not self.switches.manual_statuses_survive:
            merged.manual = None

    def close(
        self, asset: Asset, entry: Entry, cause: Cause, moment: datetime | None = None
    ) -> None:
        """Close an open entry, and write it into the history."""
        entry.status = "closed" if entry.kind == "vuln" else "resolved"
        entry.closed_at, entry.closed_by = moment or self.now, cause
        prefix = "autoclosed" if cause == "auto" else "closed"
        self.tally.entry(f"{prefix}_scanner_vuln_count", asset, entry)
        if entry.kind == "vuln":
            merged = self._merged(asset, entry)
            merged.open_entries.discard(entry.key)
            if not merged.open_entries:
                self.tally.add(f"{prefix}_vuln_count")
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


def _merged_key(entry: Entry) -> str:
    """Return what makes entries one vulnerability of an asset: the same CVE, else the same id.

    Findings are not merged.

    That connectors' entries are merged is documented, by what is not: CVEs are CVM's own
    definitions, while several checks with one CWE are known to stay apart.
    """
    if entry.kind == "finding":
        return ""
    cves = [name for name in entry.identifiers if name.startswith("CVE-")]
    return " ".join(cves) or entry.identity

"""What people, and another connector, do at Qualys and at CVM while the weeks go by."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.pair.life import Life
from tests.pair.neighbour import Neighbour

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.state import Asset, Manual, Run

MARKS: Final = st.sampled_from(["false_positive", "risk_accepted"])


class PeopleAtQualys(Life):
    """Edits that move no date by which a sync could see them."""

    @rule(
        pick=st.integers(0, 99),
        reason=st.sampled_from(["FALSE_POSITIVE", None]),
        severity=st.integers(1, 5),
        what=st.sampled_from(["ignore", "severity", "patch"]),
    )
    def somebody_edits_a_finding(
        self, pick: int, reason: str | None, severity: int, what: str
    ) -> None:
        world, finding = self.sandbox.world, self.any_finding(pick)
        if finding is None:
            return
        if what == "ignore":
            world.ignore_finding(finding, reason)
        elif what == "severity":
            world.edit_severity(finding, severity)
        else:
            world.protect_finding(finding)

    @rule(pick=st.integers(0, 99))
    def a_finding_is_deleted(self, pick: int) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.delete_finding(finding)

    @rule(pick=st.integers(0, 99), path=st.sampled_from(["/moved", "/a/b?c=d#e", "/é"]))
    def a_finding_moves(self, pick: int, path: str) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.move_finding(finding, finding.app.url.rstrip("/") + path)

    @rule(pick=st.integers(0, 99), name=st.sampled_from(['Shop "new"', "", "A, B", "Shop"]))
    def an_app_is_renamed(self, pick: int, name: str) -> None:
        if app := self.any_app(pick):
            self.sandbox.world.rename_app(app, name or f"App {pick}")

    @rule(pick=st.integers(0, 99), shares_name=st.booleans(), shares_url=st.booleans())
    def an_app_is_added(self, pick: int, shares_name: bool, shares_url: bool) -> None:
        other = self.any_app(pick)
        self.sandbox.world.add_app(
            other.name if other and shares_name else None,
            other.url if other and shares_url else None,
        )

    @rule(pick=st.integers(0, 99))
    def a_qid_gets_another_title(self, pick: int) -> None:
        world = self.sandbox.world
        qid = world.qids[pick % len(world.qids)]
        world.retitle(qid, f"{qid.title} again")

    @precondition(lambda self: len(self.sandbox.world.apps) > 1)
    @rule(pick=st.integers(0, 99))
    def an_app_is_deleted(self, pick: int) -> None:
        if app := self.any_app(pick):
            self.sandbox.world.delete_app(app)


class PeopleAtCVM(Life):
    """Work done in CVM, which no sync may undo."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[int, set[str]] = {}
        self.vulnerabilities: dict[tuple[int, str], Manual] = {}
        """Marks by asset and vulnerability."""
        self.findings: dict[tuple[int, str], tuple[Manual, int]] = {}
        """Marks by asset and entry, with the last run at that time."""
        self.states_sent: dict[int, set[str] | None] = {}
        """Findings that each run gave a triage state; None where its files are gone."""
        self.neighbour: Neighbour | None = None

    def any_asset(self, pick: int) -> Asset | None:
        assets = self.sandbox.tenant.state.assets
        return assets[sorted(assets)[pick % len(assets)]] if assets else None

    @rule(pick=st.integers(0, 99), tag=st.sampled_from(["by hand", "owner: me"]))
    def somebody_tags_an_asset(self, pick: int, tag: str) -> None:
        if asset := self.any_asset(pick):
            self.sandbox.tenant.people.tag(asset.id, tag)
            self.tags.setdefault(asset.id, set()).add(tag)

    @rule(pick=st.integers(0, 99), mark=MARKS)
    def somebody_judges_a_finding(self, pick: int, mark: Manual) -> None:
        held = self.ours()
        if not held:
            return
        tenant, name = self.sandbox.tenant, held[pick % len(held)].scanner_identifier
        tenant.people.judge(name, mark)
        tenant.people.triage(name, mark)
        for asset in tenant.state.assets.values():
            for key, entry in asset.entries.items():
                if entry.scanner_identifier != name:
                    continue
                if entry.kind == "vuln":
                    self.vulnerabilities[asset.id, entry.vulnerability] = mark
                else:
                    self.findings[asset.id, key] = (mark, max(tenant.state.runs))

    @rule(pick=st.integers(0, 99), merged=st.booleans())
    def another_connector_knows_an_asset(self, pick: int, merged: bool) -> None:
        asset = self.any_asset(pick)
        if self.neighbour is None:
            self.neighbour = Neighbour(self.sandbox.tenant)
        if asset is None or not self.neighbour.finds(asset):
            return
        names = [one for entry in asset.entries.values() for one in entry.identifiers]
        cves = [one for one in names if one.startswith("CVE-")] if merged else []
        self.neighbour.load(asset, f"theirs {pick}", ",".join(cves[:1]))

    @invariant()
    def tags_set_by_hand_are_kept(self) -> None:
        for number, tags in self.tags.items():
            assert tags <= set(self.sandbox.tenant.state.assets[number].tags)

    @invariant()
    def what_people_judged_stays_as_they_judged_it(self) -> None:
        assets = self.sandbox.tenant.state.assets
        if self.sandbox.switches.manual_statuses_survive:
            for (number, key), mark in self.vulnerabilities.items():
                found = assets[number].vulnerabilities[key].manual
                assert found == mark or (found is None and self._is_taken_back(number))
        for (number, key), (state, since) in self.findings.items():
            entry = assets[number].entries[key]
            if not self._is_told(entry.scanner_identifier, since):
                assert entry.status == state

    def _is_taken_back(self, asset: int) -> bool:
        """Tell whether CVM may have dropped marks at an asset, as it does when an entry closes."""
        closings = self.sandbox.tenant.state.closings
        closes = self.sandbox.switches.judged_closing == "closes"
        return closes and any((one.asset_id, one.cause) == (asset, "explicit") for one in closings)

    def _is_told(self, name: str, since: int) -> bool:
        """Tell whether a load has had a state of its own for the finding since that run."""
        runs = self.sandbox.tenant.state.runs.values()
        later = [self._states_sent(run) for run in runs if run.id > since]
        return any(sent is None or name in sent for sent in later)

    def _states_sent(self, run: Run) -> set[str] | None:
        if run.id not in self.states_sent:
            files = self.sandbox.tenant.state.files
            kept = [files[number] for number in run.data_files if number in files]
            names = {
                str(one["scanner_identifier"])
                for file in kept
                for asset in json.loads(zlib.decompress(file.deflated))["assets"]
                for one in asset.get("findings", ())
                if "triage_state" in one
            }
            self.states_sent[run.id] = names if len(kept) == len(run.data_files) else None
        return self.states_sent[run.id]

    @invariant()
    def what_another_connector_has_open_is_not_touched(self) -> None:
        if self.neighbour is not None:
            self.neighbour.check()

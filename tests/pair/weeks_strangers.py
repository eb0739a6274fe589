"""What others do in our connector, and what CVM and a proxy do to all, while the weeks go by."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.pair.figures import FIGURES
from tests.pair.life import STRANGER, Life
from tests.sandbox_tests.loads import document, vuln

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.view import Held

CLOSED_AT: Final = "2026-03-01T00:00:00Z"


class Strangers(Life):
    """Another loader, a licence with a limit, a proxy that takes a header away."""

    @rule(pick=st.integers(0, 99))
    def another_loader_opens_something(self, pick: int) -> None:
        self.load_by_hand(pick, closes=False)

    @rule(pick=st.integers(0, 99))
    def another_loader_closes_something(self, pick: int) -> None:
        self.load_by_hand(pick, closes=True)

    @rule(
        pick=st.integers(0, 99), closes=st.booleans(), after=st.integers(0, 9), full=st.booleans()
    )
    def another_loader_comes_between(self, pick: int, closes: bool, after: int, full: bool) -> None:
        """It does so between any two calls of a load."""
        FIGURES["faults survived"] += 1
        self.sandbox.ciscovm_face.interrupt(after, lambda: self.load_by_hand(pick, closes=closes))
        synced = self.pair.sync(full_sync=full)
        self.sandbox.ciscovm_face.interrupt(0, None)
        self.check(synced)

    def load_by_hand(self, pick: int, *, closes: bool) -> None:
        """Open an entry of a stranger's on an asset of ours, or close one of ours there.

        It is one that CVM finds by its locators as they rank now. Else such a load would move
        another asset of ours, which nobody could tell from here.
        """
        tenant = self.sandbox.tenant
        assets = {one.asset_id: tenant.book.match(one.locators) for one in self.ours()}
        found = {number for number, asset in assets.items() if asset and asset.id == number}
        held = [one for one in self.ours() if one.asset_id in found]
        if not held:
            return
        where = held[pick % len(held)]
        said = vuln(f"stranger's {pick}", scanner_type=STRANGER)
        self.sandbox.oracle.strangers.add(said["scanner_identifier"])
        for pair in getattr(self, "_pairs", {}).values():
            pair.watch.oracle.strangers.add(said["scanner_identifier"])
        self.run_by_hand(where, _closing(where) if closes else {"vulns": [said]})

    def run_by_hand(self, where: Held, said: dict[str, Any]) -> None:
        tenant, number = self.sandbox.tenant, self.sandbox.connector_id
        whole = document({**where.locators, "vulns": [], **said}, skip_autoclose=True)
        file = tenant.upload(number, json.dumps(whole).encode())
        run = tenant.begin(number, [file.id])
        self.sandbox.watch.strange_runs.add(run.id)
        tenant.settle()

    @invariant()
    def what_another_loader_has_open_is_not_touched(self) -> None:
        closed = [
            one.scanner_identifier
            for one in self.ours()
            if one.scanner_type == STRANGER and not one.is_open
        ]
        self.hold(not closed, closed)

    @rule(over=st.booleans())
    def the_licence_comes_to_its_limit(self, over: bool) -> None:
        """It stays there, for as many days as it takes somebody to buy more."""
        self.sandbox.tenant.overage = over

    @rule(pick=st.integers(0, 99), page=st.integers(1, 3))
    def a_finding_moves_over_the_limit(self, pick: int, page: int) -> None:
        """It moves to an asset that CVM does not take."""
        self.sandbox.tenant.overage = True
        if finding := self.any_finding(pick):
            self.sandbox.world.move_finding(finding, f"{finding.app.url}unlicensed/{page}")
        self.check(self.pair.sync(full_sync=True))

    @rule(told=st.booleans(), pick=st.integers(0, 99))
    def a_proxy_takes_the_header_away(self, told: bool, pick: int) -> None:
        """It is the same account all the same, and what is gone there is closed."""
        face = self.sandbox.face
        face.switches = replace(face.switches, subscription_header=told)
        if finding := self.any_finding(pick):
            self.sandbox.world.delete_finding(finding)
        self.check(self.pair.sync(full_sync=True), fine=True)


def _closing(ours: Held) -> dict[str, Any]:
    """Give an entry of ours as closed."""
    if ours.kind == "finding":
        said: dict[str, Any] = {
            "scanner_type": ours.scanner_type,
            "scanner_identifier": ours.scanner_identifier,
            "vuln_def_name": ours.name,
            "last_seen_at": CLOSED_AT,
            "triage_state": "resolved",
        }
        return {"findings": [said]}
    closed = vuln(ours.name, scanner_identifier=ours.scanner_identifier, status="closed")
    return {"vulns": [closed | {"closed_at": CLOSED_AT}]}

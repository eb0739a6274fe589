"""Settings that somebody changes while the weeks go by."""

from __future__ import annotations

import copy
import re
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.pair.figures import FIGURES
from tests.pair.life import STRANGER, Life
from tests.pair.together import asks_for_full_sync
from tests.sandbox.ciscovm.kdi.locators import order_of

ORDERS: Final = (
    ["url", "external_id", "application"],
    ["external_id", "application"],
    ["application", "external_id"],
)
TENANT_ORDERS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("external_id",),
    ("application", "external_id", "url"),
)
"""What CVM's own order may begin with."""


class ChangingSettings(Life):
    """Other sizes, other filters, other assets."""

    @rule(page_size=st.sampled_from([2, 5, 1000]), workers=st.sampled_from([1, 3]))
    def settings_change(self, page_size: int, workers: int) -> None:
        self.pair.tap_settings |= {"page_size": page_size, "max_concurrency": workers}

    @rule(severity=st.integers(1, 4), potential=st.booleans(), protected=st.booleans())
    def filters_change(self, severity: int, potential: bool, protected: bool) -> None:
        self.pair.settings |= {
            "min_severity": severity,
            "exclude_potential": potential,
            "exclude_non_exploitable": protected,
        }

    @rule(
        order=st.sampled_from(ORDERS),
        tenant=st.sampled_from(TENANT_ORDERS),
        model=st.sampled_from(["vulnerabilities", "findings"]),
    )
    def assets_are_told_apart_otherwise(
        self, order: list[str], tenant: tuple[str, ...], model: str
    ) -> None:
        """It is refused while anything is open; once accepted, a full sync puts all in place."""
        before = self.pair.settings
        after = before | {
            "locator_order": order,
            "tenant_locator_order": list(order_of(tenant)),
            "data_model": model,
        }
        if identity(after) == identity(before):
            return
        # Of what no ledger knows, nobody could tell what would come back as new.
        if not (self.settings_known and self.pair.installation.knows):
            return
        # What a person calls a false positive is open all the same, as far as a load knows.
        was_open = any(not one.is_closed for one in self.ours() if one.scanner_type != STRANGER)
        sent, state = self.sandbox.ciscovm_requests["data_file"], copy.deepcopy(self.pair.state)
        self.live_by(after)
        synced = self.pair.sync()
        if was_open:
            assert (synced.exit_code, synced.outcome) == (2, "refused"), synced
            assert self.sandbox.ciscovm_requests["data_file"] == sent
            assert self.pair.state == state
        # What a clock that was ahead has opened may count as open for as long, and what CVM may
        # not have taken over its licence until it is closed.
        counts = was_open or self.pair.watch.is_behind or self.sandbox.tenant.is_over()
        self.check(synced, fine=not counts)
        self.pair.settings = after | {"accept_identity_change": accepted(synced.message)}
        synced = self.pair.sync(full_sync=True)
        FIGURES["identities changed"] += synced.proven
        # What reading back shows to be elsewhere in CVM is put in place by the full sync asked for.
        goes_on = synced.outcome == "failed" and asks_for_full_sync(self.pair.state)
        # With nothing open the first of the two has carried the change out already.
        done = synced.outcome == "succeeded" or goes_on or not was_open
        self.live_by(after if done else before)
        self.check(synced)
        # Where CVM shows a load late, the first of them cannot see that it has mended it, nor can
        # any other before it shows.
        delay = timedelta(seconds=self.sandbox.switches.search_delay)
        for _ in range(1 + bool(delay)):
            if synced.outcome == "failed" and goes_on:
                self.sandbox.clock.advance(delay)
                synced = self.pair.sync(full_sync=True)
                self.check(synced)
        refused = "close_deleted_webapps" in synced.message
        excused = self.sandbox.oracle.memory.excused
        excused |= refused or synced.outcome == "aborted"
        self.hold(synced.proven or excused, synced)

    def live_by(self, settings: dict[str, Any]) -> None:
        """Give the target these settings, and CVM the order of locators that they tell of."""
        self.pair.settings = settings
        self.sandbox.tenant.people.rank_locators(*settings.get("tenant_locator_order", ()))


def accepted(message: str) -> str | None:
    """Give the code that a refused run names, by which it lets its change of identity through."""
    found = re.search(r"accept_identity_change to ([0-9a-f]{8})", message)
    return found[1] if found else None


def identity(settings: dict[str, Any]) -> tuple[object, ...]:
    """Give what the target tells assets and findings apart by."""
    return (
        settings.get("locator_order", ORDERS[0]),
        settings.get("tenant_locator_order", list(order_of(()))),
        settings.get("data_model", "vulnerabilities"),
    )

"""What the tap is told to read, which somebody changes while the weeks go by."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.pair.life import Life
from tests.sandbox.oracle.scene import key_of
from tests.sandbox.oracle.sight import finding_of
from tests.sandbox.world.model import FINDING_TYPES
from tests.tap.catalogs import only, without

if TYPE_CHECKING:
    from collections.abc import Sequence

MAPS: Final[dict[str, dict[str, Any]]] = {
    "filter": {"findings": {"__filter__": "severity >= 3"}},
    "alias": {"findings": {"__alias__": "was_findings"}},
    "split": {
        "findings_high": {"__source__": "findings", "__filter__": "severity >= 3"},
        "findings": {"__filter__": "severity < 3"},
    },
}
STREAMS: Final = ("webapps", "scans", "findings", "knowledge_base", "syncs")
PROPERTIES: Final = ("url", "webApp", "status", "type")


class ChangingReading(Life):
    """Other types, other web apps, other rows."""

    def choose(self, **settings: object) -> None:
        """Set what is read from now on; None takes a setting back."""
        kept = {**self.pair.tap_settings, **settings}
        self.pair.tap_settings = {name: value for name, value in kept.items() if value is not None}

    @rule(kinds=st.sets(st.sampled_from(FINDING_TYPES)), full=st.booleans())
    def other_types_are_read(self, kinds: set[str], full: bool) -> None:
        self.choose(finding_types=sorted(kinds) or None)
        self.check(self.pair.sync(full_sync=full), fine=True)

    @rule(how=st.sampled_from(["all", "ids", "tags", "name", "words"]), pick=st.integers(0, 99))
    def other_apps_are_read(self, how: str, pick: int) -> None:
        app = self.any_app(pick)
        if app is None:
            return
        self.choose(
            webapp_ids=[app.id] if how == "ids" else None,
            webapp_tag_ids=[tag.id for tag in app.tags] or None if how == "tags" else None,
            webapp_name_contains=app.name if how == "name" else None,
            webapp_tags=[tag.name for tag in app.tags] or None if how == "words" else None,
            webapp_attributes={"Tier": app.attributes["Tier"]} if how == "words" else None,
        )
        self.check(self.pair.sync(), fine=True)

    @rule(pick=st.integers(0, 99), tags=st.integers(0, 3))
    def an_app_gets_other_tags(self, pick: int, tags: int) -> None:
        if app := self.any_app(pick):
            self.sandbox.world.tag_app(app, self.sandbox.world.tags[:tags])

    @rule(full=st.booleans())
    def a_sync_with_a_start_date(self, full: bool) -> None:
        start = f"{self.sandbox.clock.now():%Y-%m-%dT00:00:00Z}"
        self.check(self.pair.sync(start_date=start, full_sync=full))

    @rule(maps=st.sampled_from(sorted(MAPS)), full=st.booleans())
    def the_tap_maps_its_rows(self, maps: str, full: bool) -> None:
        self.check(self.pair.sync(stream_maps=MAPS[maps], full_sync=full))

    @rule(maps=st.sampled_from(["alias", "split"]), full=st.booleans())
    def the_target_maps_rows_away(self, maps: str, full: bool) -> None:
        self.pair.settings["stream_maps"] = MAPS[maps]
        self.check(self.pair.sync(full_sync=full))
        del self.pair.settings["stream_maps"]

    @rule(left_out=st.sampled_from(STREAMS), full=st.booleans())
    def a_stream_is_not_selected(self, left_out: str, full: bool) -> None:
        self.select(only(*(name for name in STREAMS if name != left_out)), full=full)

    @rule(names=st.lists(st.sampled_from(PROPERTIES), min_size=1, unique=True), full=st.booleans())
    def properties_are_not_selected(self, names: Sequence[str], full: bool) -> None:
        self.select(without("findings", *names), full=full)

    def select(self, catalog: dict[str, Any], *, full: bool) -> None:
        """Run once with another catalog."""
        self.pair.catalog = catalog
        self.check(self.pair.sync(full_sync=full))
        self.pair.catalog = None

    @rule()
    def another_source_is_refused(self) -> None:
        """It would re-create all that is open, under other names.

        But a ledger that was made anew knows the source only of what was read since.
        """
        # Of what no ledger knows, nobody could tell what would come back as new.
        if not self.settings_known:
            return
        world, asked = self.sandbox.world, self.sandbox.oracle.asked
        read = {
            world.unique_id(one)
            for one in world.all_findings()
            if self.lets_through(one) and one.type in asked.kinds and asked.wants(one.app)
        }
        own = [one for one in self.ours() if key_of(one) in self.pair.installation.knows]
        if not any(held.is_open and finding_of(held) in read for held in own):
            return
        sent = self.sandbox.ciscovm_requests["data_file"]
        self.pair.read(source="scan_reports")
        exit_code, report = self.pair.run_target(io.BytesIO(self.pair.written))
        told = (exit_code, report.get("outcome"))
        self.hold(told in {(2, "refused"), (0, "aborted")}, report)
        self.hold(self.sandbox.ciscovm_requests["data_file"] == sent, report)

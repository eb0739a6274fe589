"""The join: from the spool, asset by asset, to KDI files."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.intake.spool import BATCH
from target_ciscovm.kdi.files import EncodedAsset, Group
from target_ciscovm.mapping.asset import AssetRules, Holder, describe, last_seen, located
from target_ciscovm.mapping.filters import FilterRules, exclude_informational
from target_ciscovm.mapping.locators import Place, addressed, asset_key, sent_locators
from target_ciscovm.output.timing import Progress
from target_ciscovm.plan import closures, joins
from target_ciscovm.plan.items import AssetItems, Named, named
from target_ciscovm.plan.joins import FIXED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_ciscovm.intake.references import References
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi import types as kdi
    from target_ciscovm.kdi.files import Files
    from target_ciscovm.mapping.asset import Sources
    from target_ciscovm.mapping.catalogue import Catalogue
    from target_ciscovm.plan.closing import Read
    from target_ciscovm.plan.closures import Leaving
    from target_ciscovm.plan.joins import SentAsset, SpooledFinding


OTHER_MODEL: Final[dict[kdi.DataModel, kdi.DataModel]] = {
    "vulnerabilities": "findings",
    "findings": "vulnerabilities",
}


@dataclass(frozen=True)
class Plan:
    """What is decided before a load is built.

    Attributes:
        proven: whether what the load lacks may be closed.
        fresh: whether the load is known to be of now; if not, dates tell what is outdated.
        read: which web applications were read.
        sources: what is known of web applications.
        has_ledger: whether a ledger is attached to the spool.
        since: scans that ended later make a web application part of the load; None: any scan does.
        other_model: whether something was sent in the other data model before, and is to go.
        other_identity: whether assets were told apart in another way before. CVM may then take an
            old asset for a new one, so all that is closed is closed before anything is opened.
        inactive: web applications that are left out, being scanned no longer.
        now: dates the closing of what moved; empty where nobody tells it, and nothing is closed.
    """

    proven: bool
    fresh: bool
    read: Read
    sources: Sources
    has_ledger: bool
    now: str
    since: str | None = None
    other_model: bool = False
    other_identity: bool = False
    assets: AssetRules = field(default_factory=AssetRules)
    data_model: kdi.DataModel = "vulnerabilities"
    filters: FilterRules = field(default_factory=FilterRules)
    inactive: frozenset[int] = frozenset()


class Builder:
    """Writes the files of a load, and what is in them into the spool's tables.

    Attributes:
        mapped: findings that stand in the files.
    """

    def __init__(
        self, spool: Spool, files: Files, catalogue: Catalogue, shared: References, plan: Plan
    ) -> None:
        self.mapped = 0
        self._spool = spool
        self._files = files
        self._catalogue = catalogue
        self._shared = shared
        self._plan = plan
        self._sources = plan.sources
        self._encode = msgspec.json.Encoder().encode
        self._names: list[Named] = []
        self._assets: list[tuple[object, ...]] = []
        self._leaving: list[tuple[str, str, str]] = []
        self._apps_in_load: set[int] = set()
        self._told: dict[int, kdi.Asset] = {}
        self._any_leaving = self._any_lost = False
        self._progress = Progress("building", spool.number("SELECT COUNT(*) FROM finding"))

    def build(self) -> None:
        """Write all assets of the load.

        Raises:
            DiskFull: when there is no room for them.
        """
        self._define()
        self._any_leaving = bool(self._spool.number("SELECT COUNT(*) FROM leaving"))
        self._any_lost = closures.is_any_lost(self._spool)
        for key, rows in joins.findings_by_asset(self._spool, has_ledger=self._plan.has_ledger):
            self._add_findings(key, rows)
            self._progress.add(len(rows))
        self._flush()
        for key in closures.left_behind(self._spool):
            self._add_findings(key, [])
        self._add_clean()
        self._flush()
        if self._plan.proven and self._plan.has_ledger:
            for asset in closures.assets_lacking(self._spool):
                if asset.webapps:
                    self._add_gone(asset)
        self._flush()

    def _define(self) -> None:
        """Give each QID its definition, and leave out what needs no more than that to be told."""
        known = [self._catalogue.of(one) for one in self._shared.representatives]
        self._names = [named(one.name) for one in known]
        rules = self._plan.filters
        joins.define(
            self._spool,
            (one.name for one in known),
            (number for number, one in enumerate(known) if exclude_informational(one.facts, rules)),
        )

    def _add_findings(self, key: str, rows: Sequence[SpooledFinding]) -> None:
        found = AssetItems(self._plan.data_model)
        apps, names = self._shared.apps, self._names
        for row in rows:
            if row.state > FIXED:
                continue
            found.note(row, None if row.app is None else apps[row.app])
            if row.filter is None:
                item = self._spool.item(row.item_at, row.item_bytes)
                found.add(row, item, self._sent_name(row) or names[row.definition])
        self.mapped += found.findings
        for left in closures.leaving_from(self._spool, key) if self._any_leaving else ():
            self._close(found, left)
        holder = self._holder(key, found)
        if self._closes_by_name(key, holder):
            self._close_gone(key, found)
        if found.items or found.before:
            self._add(key, found, holder)

    def _close(self, found: AssetItems, left: Leaving) -> None:
        name, model = self._catalogue.use(left.name), self._plan.data_model
        sent_in = OTHER_MODEL[model] if self._plan.other_model else model
        found.close(left.identifier, name, self._plan.now, sent_in)

    def _closes_by_name(self, key: str, holder: Holder) -> bool:
        """Tell whether what is gone from the asset can be closed only by name, one by one."""
        proven = self._plan.proven and self._plan.has_ledger
        return proven and not self._is_whole(key, holder.ids)

    def _close_gone(self, key: str, found: AssetItems) -> None:
        for gone in closures.gone_from(self._spool, key, sent_too=self._plan.other_model):
            self._close(found, gone)
            self._leaving.append((key, *gone))

    def _sent_name(self, row: SpooledFinding) -> Named | None:
        if row.sent_name is None:
            return None
        representative = self._shared.representatives[row.definition]
        return named(self._catalogue.use(row.sent_name, representative))

    def _holder(self, key: str, found: AssetItems) -> Holder:
        holder = found.holder()
        before = None
        if not holder.ids and self._plan.has_ledger:
            before = joins.sent_asset(self._spool, key)
        if before is None:
            return holder
        apps = self._sources.apps_of(before.webapps)
        place = Place(None, apps[0].id, apps[0].name) if apps else Place()
        return Holder(before.webapps, place)

    def _add(self, key: str, found: AssetItems, holder: Holder) -> None:
        locators = sent_locators(key, holder.place, self._plan.assets.identity)
        asset = self._described(locators, holder)
        self._apps_in_load |= holder.ids
        self._write(key, asset, found, holder.ids, locators)

    def _described(self, locators: dict[str, str], holder: Holder) -> kdi.Asset:
        """Describe an asset; what is said of a web application is worked out once."""
        number = next(iter(holder.ids)) if len(holder.ids) == 1 else None
        if number is None or not self._sources.tell_all_of(number):
            return describe(locators, holder, self._sources, self._plan.assets)
        told = self._told.get(number)
        if told is None:
            told = describe({}, holder, self._sources, self._plan.assets)
            self._told[number] = told
        return msgspec.structs.replace(told, **locators)

    def _add_clean(self) -> None:
        """Add web applications that were scanned and of which nothing else is in the load."""
        by_key: dict[str, set[int]] = defaultdict(set)
        for number, scan in self._sources.scans.items():
            if number in self._apps_in_load or number in self._plan.inactive:
                continue
            if self._plan.since is not None and scan.seen <= self._plan.since:
                continue
            key = asset_key(self._place(number), self._plan.assets.identity)
            if key is not None:
                by_key[key].add(number)
        for key, numbers in sorted(by_key.items()):
            if not joins.is_in_load(self._spool, key):
                holder = Holder(frozenset(numbers), self._place(min(numbers)))
                self._add(key, AssetItems(self._plan.data_model), holder)

    def _place(self, number: int) -> Place:
        app, scan = self._sources.webapps.get(number), self._sources.scans.get(number)
        url = (app.url if app else None) or (scan.url if scan else None)
        return Place(url, number, (app.name if app else None) or (scan.name if scan else None))

    def _add_gone(self, before: SentAsset) -> None:
        locators = addressed(before.key, before.locators, self._plan.assets.identity)
        asset = located(locators)
        if not self._plan.assets.ignore_scanner_last_seen:
            asset.last_seen_at = last_seen(Holder(before.webapps, Place()), self._sources)
        self._write(before.key, asset, AssetItems(self._plan.data_model), before.webapps, locators)

    def _write(
        self,
        key: str,
        asset: kdi.Asset,
        found: AssetItems,
        webapps: frozenset[int],
        locators: dict[str, str],
    ) -> None:
        self._set_items(asset, found)
        whole = self._is_whole(key, webapps)
        reset = self._plan.assets.reset_tags and asset.tags is not None and self._rows_of(webapps)
        count = len(found.items) + len(found.before)
        encoded = EncodedAsset(key, self._encode(asset), frozenset(found.names), count)
        first = self._plan.other_identity and not found.any_open
        part, position = self._files.add(encoded, Group(not whole, reset, first))
        self._assets.append(
            (
                key,
                int(whole),
                part,
                position,
                self._encode(locators).decode(),
                asset.application,
                self._encode(sorted(webapps)).decode(),
            )
        )
        if len(self._assets) >= BATCH:
            self._flush()

    def _set_items(self, asset: kdi.Asset, found: AssetItems) -> None:
        others = found.before if self._plan.other_model else None
        if self._plan.data_model == "findings":
            asset.findings, asset.vulns = found.items, others
        else:
            asset.vulns, asset.findings = found.items, others

    def _is_whole(self, key: str, webapps: frozenset[int]) -> bool:
        return (
            self._plan.proven
            and bool(webapps)
            and all(self._plan.read.may_close(number) for number in webapps)
            and not (self._any_lost and closures.is_lost(self._spool, key))
        )

    def _rows_of(self, webapps: Iterable[int]) -> bool:
        return all(number in self._sources.webapps for number in webapps)

    def _flush(self) -> None:
        self._spool.insert("load_asset", self._assets, 7)
        self._spool.insert("leaving", self._leaving, 3)
        self._assets.clear()
        self._leaving.clear()

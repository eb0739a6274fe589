"""The KDI files of a plan, written asset by asset in one pass over its decisions."""

from __future__ import annotations

from collections import defaultdict
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.apply.asset_items import AssetItems, read_opened, read_others
from target_ciscovm.apply.sent_tags import as_text
from target_ciscovm.intake.spool import BATCH
from target_ciscovm.kdi.files import EncodedAsset, Files, Group
from target_ciscovm.mapping.asset import Holder, describe, last_seen, located
from target_ciscovm.mapping.locators import (
    Place,
    addressed,
    asset_key,
    last_key,
    sent_locators,
)
from target_ciscovm.output.timing import Progress
from target_ciscovm.plan import decisions
from target_ciscovm.plan.definitions import Named, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.apply.asset_items import NotOpenedRow
    from target_ciscovm.intake.references import References
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi import types as kdi
    from target_ciscovm.kdi.files import Part
    from target_ciscovm.mapping.asset import AssetRules
    from target_ciscovm.plan.plan import Plan

TABLE: Final = """
DROP TABLE IF EXISTS load_asset;
CREATE TABLE load_asset(
    key TEXT PRIMARY KEY, part TEXT NOT NULL, position INTEGER NOT NULL, locators TEXT NOT NULL,
    last_seen TEXT, tags TEXT, told INTEGER NOT NULL, reset INTEGER NOT NULL
) WITHOUT ROWID;
"""
OPENED: Final = """
SELECT k.key, json_group_array(json_array(
    o.identifier, o.name, o.definition, o.app, o.url, o.seen, o.item, o.severity
))
FROM asset_key k CROSS JOIN opened o ON o.asset = k.number GROUP BY k.key ORDER BY k.key
"""
"""`CROSS JOIN` keeps SQLite to this order, which needs no sorting. To read the rows of an asset
together takes half the time of reading each."""
NOT_OPENED: Final = """
SELECT d.asset, json_group_array(json_array(
    d.identifier, d.name, f.definition, f.app, f.url, f.seen, f.item, d.action, d.model, d.cause,
    f.closed
))
FROM not_opened d LEFT JOIN finding_row f ON f.number = d.finding
WHERE d.action <> 'leave' OR d.finding IS NOT NULL GROUP BY d.asset ORDER BY d.asset
"""
TAKEN: Final = (
    "SELECT 1 FROM load_asset WHERE key = ? UNION ALL SELECT 1 FROM refused WHERE asset = ? LIMIT 1"
)
"""Whether an asset is in the load already, or was refused."""
UNNAMED: Final = "Qualys WAS finding"
"""Definition of closings whose own is not known: the entry was read from CVM, which does not tell
it, and nothing of the load stands for it."""
SENT: Final = "SELECT locators, last_seen FROM ledger.asset WHERE key = ?"
OPEN_THERE: Final = "SELECT DISTINCT webapp FROM live WHERE asset = ? AND webapp IS NOT NULL"
OPEN_UNCOVERED: Final = """
SELECT e.asset, e.webapp FROM live e
WHERE e.webapp NOT IN (SELECT webapp FROM covered_webapp)
    AND (+e.asset IN (SELECT key FROM asset_key) OR +e.asset IN (SELECT asset FROM not_opened))
"""
"""Of web applications that a proven load may lack: all others are in it with all that is open.

The plus keeps SQLite from looking up each asset of the load: most loads have nothing uncovered."""


class Written(msgspec.Struct, frozen=True):
    """The files of a load.

    Attributes:
        files: writes more of them, where one has to be cut.
        parts: what they are, in the order in which CVM shall take them.
    """

    files: Files
    parts: Sequence[Part]

    @property
    def assets(self) -> int:
        """Count the assets of all files."""
        return sum(part.assets for part in self.parts)


def write_files(
    spool: Spool,
    plan: Plan,
    references: References,
    rules: AssetRules,
    files: Files,
) -> Written:
    """Write all that the plan opens and closes, and the web applications that are clean.

    Raises:
        DiskFull: when there is no room for it.
        CiscoVMError: when something is not what CVM takes, which would be a defect of ours.
    """
    spool.begin(TABLE)
    spool.execute("CREATE INDEX IF NOT EXISTS finding_asset ON finding_row(asset)")
    writer = _Writer(spool, plan, references, rules, files)
    writer.write()
    return Written(files, files.close())


class _Writer:
    """Writes the assets of one load."""

    def __init__(
        self, spool: Spool, plan: Plan, references: References, rules: AssetRules, files: Files
    ) -> None:
        self._spool = spool
        self._plan = plan
        self._model = plan.model
        self._references = references
        self._rules = rules
        self._files = files
        self._sources = plan.sources
        self._encode = msgspec.json.Encoder().encode
        self._names: dict[str, Named] = {}
        self._assets: list[tuple[object, ...]] = []
        self._apps_in_load: set[int] = set()
        self._told: dict[int, kdi.Asset] = {}
        self._uncovered: dict[str, set[int]] = defaultdict(set)
        if plan.coverage.proven:
            for key, number in spool.execute(OPEN_UNCOVERED):
                self._uncovered[key].add(number)
        self._progress = Progress("building", sum(one.entries for one in plan.decided))

    def write(self) -> None:
        opened, others = map(self._spool.execute, (OPENED, NOT_OPENED))
        assets = merge(
            ((key, self._add_opened, rows) for key, rows in opened),
            ((key, self._add_others, rows) for key, rows in others),
            key=itemgetter(0),
        )
        for key, groups in groupby(assets, itemgetter(0)):
            found = AssetItems(self._model)
            for _, add, rows in groups:
                self._progress.add(add(rows, found))
            if found.count:
                self._write_found(key, found)
        self._add_clean()
        self._flush()

    def _add_opened(self, json: str, found: AssetItems) -> int:
        """Add what is opened; give how much that is."""
        rows = read_opened(json)
        _, names, numbers, apps, urls, seen, items, severities = zip(*rows, strict=True)
        for url, app in dict.fromkeys(zip(urls, apps, strict=True)):
            found.note(url, None if app is None else self._references.apps[app])
        found.note_date(max(seen))
        made = self._plan.names
        definitions = [
            made[number] if name is None else self._definition(number, name)
            for number, name in zip(numbers, names, strict=True)
        ]
        found.open(definitions, severities, self._spool.items(items))
        return len(rows)

    def _add_others(self, json: str, found: AssetItems) -> int:
        """Add what is closed, and what all of these say of the asset; give how many they are."""
        rows = read_others(json)
        for row in rows:
            if row.item is not None:
                app = None if row.app is None else self._references.apps[row.app]
                found.note(row.url, app)
                found.note_date(row.seen or "")
            if row.action == "close":
                self._close(row, found)
                found.moves |= row.cause == decisions.MOVED_AWAY
        return len(rows)

    def _close(self, row: NotOpenedRow, found: AssetItems) -> None:
        if row.item is None or row.cause.startswith("filtered"):
            found.close(row, self._closed_name(row), self._plan.now)
        elif row.model != self._model:
            found.close(row, self._closed_name(row), row.closed or self._plan.now)
        else:
            definition = self._definition(row.definition or 0, row.name)
            found.fix(row.model, definition, *self._spool.items([row.item]))

    def _closed_name(self, row: NotOpenedRow) -> str:
        """Give the name to close an entry by; CVM does not tell that of one that was read there."""
        made = None if row.definition is None else self._plan.names[row.definition].name
        return self._plan.catalogue.use(row.name or made or UNNAMED)

    def _definition(self, number: int, name: str | None) -> Named:
        """Give the name that the entry has in CVM, else that of its QID."""
        made = self._plan.names[number]
        if name is None or name == made.name:
            return made
        name = self._plan.catalogue.use(name, self._references.representatives[number])
        return self._names.setdefault(name, named(name, made.scores))

    def _write_found(self, key: str, found: AssetItems) -> None:
        holder = found.holder()
        if found.any_nowhere or holder.ids:
            self._write_described(key, found, holder)
        else:
            self._write_known(key, found)

    def _write_described(self, key: str, found: AssetItems, holder: Holder) -> None:
        others = self._others(key) - holder.ids
        locators = sent_locators(key, holder.place, self._rules.identity)
        if others and (not holder.ids or min(others) < min(holder.ids)):
            # An asset that web applications share has the locators of the lowest of them. They must
            # not go to and fro with what a load happens to bring.
            before, _ = self._sent(key)
            locators |= {name: value for name, value in before.items() if name in locators}
        asset = self._described(locators, holder)
        self._apps_in_load |= holder.ids
        found.tells_tags = (
            not self._rules.tags.skip
            and not found.any_nowhere
            and not others
            and bool(holder.ids)
            and self._sources.tell_tags_of(holder.ids, self._rules.tags)
        )
        reset = self._rules.reset_tags and asset.tags is not None and found.tells_tags
        first = found.moves or (bool(self._plan.change) and not found.any_open)
        self._write(key, asset, found, locators, Group(reset, first))

    def _others(self, key: str) -> set[int]:
        """Give the web applications that something is open of at an asset, as far as need be."""
        if self._plan.coverage.proven or not self._plan.open_before:
            return self._uncovered.get(key, set())
        return {number for (number,) in self._spool.execute(OPEN_THERE, (key,))}

    def _sent(self, key: str) -> tuple[dict[str, str], str | None]:
        """Give the locators and the last date that an asset was sent with, as far as known."""
        row = self._spool.execute(SENT, (key,)).fetchone()
        return (msgspec.json.decode(row[0], type=dict[str, str]), row[1]) if row else ({}, None)

    def _write_known(self, key: str, found: AssetItems) -> None:
        """Write an asset that is in the load only for closings as it was last sent."""
        before, last_seen_at = self._sent(key)
        kind, _, value = key.partition(":")
        locators = addressed(key, before or {kind: value}, self._rules.identity)
        asset = located(locators)
        if not self._rules.ignore_scanner_last_seen:
            asset.last_seen_at = last_seen_at
        self._write(key, asset, found, locators, Group(reset_tags=False, first=not found.any_open))

    def _described(self, locators: dict[str, str], holder: Holder) -> kdi.Asset:
        """Describe an asset; what the row of its web application says is worked out once."""
        number = next(iter(holder.ids)) if len(holder.ids) == 1 else None
        if number is None or not self._sources.tell_all_of(number):
            return describe(locators, holder, self._sources, self._rules)
        told = self._told.get(number)
        if told is None:
            told = self._told[number] = describe({}, holder, self._sources, self._rules)
        asset = msgspec.structs.replace(told, **locators)
        if not self._rules.ignore_scanner_last_seen:
            asset.last_seen_at = last_seen(holder, self._sources)
        return asset

    def _add_clean(self) -> None:
        """Add web applications that were scanned and of which nothing else is in the load."""
        by_key: dict[str, set[int]] = defaultdict(set)
        for number in self._clean():
            place, identity = self._place(number), self._rules.identity
            key = asset_key(place, identity) or last_key(place, identity)
            if key is not None:
                by_key[key].add(number)
        self._flush()
        for key, numbers in sorted(by_key.items()):
            if not self._spool.number(TAKEN, (key, key)):
                holder = Holder(frozenset(numbers), self._place(min(numbers)))
                self._write_described(key, AssetItems(self._model), holder)

    def _clean(self) -> Iterator[int]:
        since, inactive = self._plan.since, self._plan.coverage.inactive
        for number, scan in self._sources.scans.items():
            if number in self._apps_in_load or number in inactive:
                continue
            if since is None or scan.seen > since:
                yield number

    def _place(self, number: int) -> Place:
        app, scan = self._sources.webapps.get(number), self._sources.scans.get(number)
        url = (app.url if app else None) or (scan.url if scan else None)
        return Place(url, number, (app.name if app else None) or (scan.name if scan else None))

    def _write(
        self,
        key: str,
        asset: kdi.Asset,
        found: AssetItems,
        locators: dict[str, str],
        group: Group,
    ) -> None:
        asset.vulns = found.items.get("vulnerabilities")
        asset.findings = found.items.get("findings")
        encoded = EncodedAsset(key, self._encode(asset))
        part, position = self._files.add(encoded, group)
        text = self._encode(locators).decode()
        told = found.tells_tags
        tags = as_text(asset.tags) if told or asset.tags else None
        self._assets.append(
            (key, part, position, text, asset.last_seen_at, tags, told, group.reset_tags)
        )
        if len(self._assets) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        self._spool.insert("load_asset", self._assets, 8)
        self._assets.clear()


def keys_of(spool: Spool, part: Part) -> Sequence[str]:
    """Give the keys of a part's assets, in the order of the file."""
    if part.keys:
        return part.keys
    rows = spool.execute(
        "SELECT key FROM load_asset WHERE part = ? ORDER BY position", (part.path.name,)
    )
    return [row[0] for row in rows]


def load_assets(spool: Spool) -> list[str]:
    """Give the keys of all assets of the load."""
    return [key for (key,) in spool.execute("SELECT key FROM load_asset ORDER BY key")]

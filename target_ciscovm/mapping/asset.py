"""A KDI asset, made from the web applications that share it. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_ciscovm.kdi.types import Asset
from target_ciscovm.mapping.locators import Identity, Place
from target_ciscovm.mapping.tag_tree import TagTree
from target_ciscovm.mapping.tags import TagRules, asset_tags
from target_ciscovm.mapping.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_ciscovm.mapping.records import Tag, WebApp
    from target_ciscovm.mapping.scans_seen import LastScan


class AssetRules(msgspec.Struct, frozen=True):
    """How assets are described: the settings of the same names."""

    identity: Identity = msgspec.field(default_factory=Identity)
    tags: TagRules = msgspec.field(default_factory=TagRules)
    reset_tags: bool = False
    ignore_scanner_last_seen: bool = False


class Sources(msgspec.Struct, frozen=True):
    """What is known of web applications, by id.

    Attributes:
        webapps: rows of `webapps`.
        scans: the latest scans that have worked.
        tree: the tags of the subscription, as far as they came.
    """

    webapps: Mapping[int, WebApp]
    scans: Mapping[int, LastScan]
    tree: TagTree = msgspec.field(default_factory=TagTree)

    def tell_all_of(self, number: int) -> bool:
        """Tell whether name, tags and system are known without the web application's findings."""
        app = self.webapps.get(number)
        return app is not None and bool(app.name)

    def tell_tags_of(self, ids: Iterable[int], rules: TagRules) -> bool:
        """Tell whether all that the tags of these web applications are made of has come."""
        if rules.need_tree and not self.tree.is_known:
            return False
        rows = (self.webapps.get(number) for number in ids)
        return all(
            app is not None
            and app.tags is not None
            and (app.attributes is not None or not rules.attributes)
            for app in rows
        )

    def apps_of(self, ids: Iterable[int]) -> list[WebApp]:
        """Give the rows of these web applications, sorted by id, where there is one."""
        return [self.webapps[number] for number in sorted(ids) if number in self.webapps]


class Holder(NamedTuple):
    """The web applications of one asset, and what its findings say about them.

    Attributes:
        ids: of the web applications that share the asset.
        place: where the asset is, with the lowest id and its name.
        names: of the web applications, as the findings have them, by id.
        tags: as the findings have them.
        last_looked_at: when Qualys last looked at one of the asset's findings.
    """

    ids: frozenset[int]
    place: Place
    names: Mapping[int, str] = MappingProxyType({})
    tags: tuple[Tag, ...] = ()
    last_looked_at: str | None = None


def describe(
    locators: Mapping[str, str], holder: Holder, sources: Sources, rules: AssetRules
) -> Asset:
    """Give the asset with these locators, still without vulnerabilities or findings."""
    apps = sources.apps_of(holder.ids)
    asset = located(locators)
    asset.os = _os(holder, apps, sources)
    asset.tags = _tags(holder, apps, sources.tree, rules)
    if not rules.ignore_scanner_last_seen:
        asset.last_seen_at = last_seen(holder, sources)
    return asset


def located(locators: Mapping[str, str]) -> Asset:
    """Give an asset with nothing but its locators."""
    return Asset(
        url=locators.get("url"),
        external_id=locators.get("external_id"),
        application=locators.get("application"),
        fqdn=locators.get("fqdn"),
        ip_address=locators.get("ip_address"),
    )


def last_seen(holder: Holder, sources: Sources) -> str | None:
    """Give when the asset was last scanned: its latest scan that worked, else its latest test."""
    seen = [sources.scans[number].seen for number in holder.ids if number in sources.scans]
    return max(seen) if seen else holder.last_looked_at


def _os(holder: Holder, apps: list[WebApp], sources: Sources) -> str | None:
    for app in apps:
        if system := one_line(app.os):
            return system
    scans = (sources.scans[number] for number in sorted(holder.ids) if number in sources.scans)
    return next((scan.os for scan in scans if scan.os), None)


def _tags(holder: Holder, apps: list[WebApp], tree: TagTree, rules: AssetRules) -> list[str] | None:
    tags = [tag for app in apps for tag in app.tags or ()]
    if len(apps) < len(holder.ids) or not apps:
        tags += holder.tags
    names = [*rules.tags.names_of(tags, tree)]
    for app in apps:
        names += rules.tags.of_attributes(app.attributes)
    by_id = dict(holder.names) | {
        app.id: app.name for app in apps if app.id is not None and app.name
    }
    found = asset_tags(names, [by_id[number] for number in sorted(by_id)], rules.tags)
    return found if found or (rules.reset_tags and found is not None) else None

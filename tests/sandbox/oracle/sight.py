"""What Qualys shows at one moment, and where a finding lies in CVM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.world.model import Finding, WebApp
    from tests.sandbox.world.world import World

GARBLED: Final = "\ufffd\ufffd"
"""What comes in place of the two characters that `qualys-bad-characters` puts before a text."""

UUID_LENGTH: Final = 36


class Seen(NamedTuple):
    """A finding as Qualys shows it.

    Attributes:
        open: FIXED alone is closed, unless settings say otherwise.
        visible: whether the connector's filters let it through.
        place: what tells its asset apart.
        tags: that its asset has to have.
    """

    kind: str
    app_id: int
    open: bool
    visible: bool
    place: str
    severity: int
    tested: int
    tags: frozenset[str]


@dataclass(frozen=True)
class Moment:
    """All that Qualys shows.

    Attributes:
        at: in seconds since 1970.
        apps: ids of all web apps.
        wanted: ids of those that the tap is told to read.
    """

    at: int
    findings: Mapping[str, Seen]
    apps: frozenset[int]
    wanted: frozenset[int]


def place_by_url(finding: Finding) -> str:
    """Return the asset that a finding lies on: its page, or its web app's for information items.

    The query and the fragment do not count, nor do capitals in scheme and host.
    """
    return cut(finding.url or finding.app.url)


@lru_cache(1 << 14)
def cut(url: str) -> str:
    """Return a URL without query and fragment, scheme and host in lower case."""
    bare = url.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}"


def finding_of(entry: Held) -> str:
    """Return the uniqueId of the finding that an entry stands for.

    Each form of identifier that CVM was ever given ends in it.
    """
    return entry.scanner_identifier[-UUID_LENGTH:]


def tags_of(finding: Finding) -> frozenset[str]:
    """Return the tags that a finding's asset has to have: its web app's, and that one's name."""
    return _tags((finding.app.name, *[tag.name for tag in finding.app.tags]))


@lru_cache(1 << 12)
def _tags(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(filter(None, map(plain, names)))


@dataclass
class Rules:
    """What the connector's settings make of the world.

    Attributes:
        is_open: what counts as open.
        visible: which findings the filters let through.
        place: what tells assets apart: by default the finding's URL up to `?` and `#`.
        key: the locator that says so; none where the tenant goes by an order that nobody told.
        tenant_place: the same of what the tenant holds.
        tags: which tags its asset has to have.
        closes_deleted_apps: whether what deleted web apps had open is to be closed.
    """

    is_open: Callable[[Finding], bool] = lambda finding: finding.open
    visible: Callable[[Finding], bool] = lambda _: True
    place: Callable[[Finding], str] = place_by_url
    key: Callable[[], str] = lambda: "url"
    tenant_place: Callable[[Held], str] = lambda entry: entry.locators.get("url", "")
    tags: Callable[[Finding], frozenset[str]] = tags_of
    closes_deleted_apps: bool = False

    def lies_at(self, entry: Held) -> str:
        """Return the place of an entry."""
        place = self.tenant_place(entry)
        # What has characters before its scheme is no URL, so its capitals stay as they are.
        return cut(place) if place.startswith(GARBLED) else place

    def look(self, world: World, wants: Callable[[WebApp], bool]) -> Moment:
        """Look at the world as it is now."""
        findings = {world.unique_id(one): self._see(one) for one in world.all_findings()}
        wanted = frozenset(app.id for app in world.apps.values() if wants(app))
        return Moment(world.moment(), findings, frozenset(world.apps), wanted)

    def _see(self, finding: Finding) -> Seen:
        return Seen(
            kind=finding.type,
            app_id=finding.app.id,
            open=self.is_open(finding),
            visible=self.visible(finding),
            place=self.place(finding),
            severity=finding.severity,
            tested=finding.tested,
            tags=self.tags(finding),
        )


def plain(tag: str) -> str:
    """Return a tag as far as it can be compared: double quotes may come as single ones."""
    return tag.strip().replace('"', "'")

"""What a tap is told to read by its settings and its catalog, in the judge's own words."""

from __future__ import annotations

import operator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.oracle.coverage import Asked
from tests.sandbox.world.model import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.sandbox.world.model import WebApp

Settings = dict[str, Any]

PROVING: Final = frozenset({"webapps", "findings", "syncs"})
"""Streams without which nothing is proven."""

IDENTITY: Final = frozenset({"url", "webApp", "status", "type", "uniqueId", "id"})
"""Properties of a finding without which it is not told what is open, and where."""

SIGNS: Final = {">=": operator.ge, "<": operator.lt}
"""Comparisons in the filters of maps by severity."""


def asked_of(settings: Mapping[str, Any], catalog: Settings | None = None) -> Asked:
    """Give what settings and catalog choose."""
    kinds = settings.get("finding_types") or FINDING_TYPES
    start = settings.get("start_date")
    return Asked(
        kinds=frozenset() if catalog and not _has_findings(catalog) else frozenset(kinds),
        wants=lambda app: _is_wanted(app, settings),
        since=int(datetime.fromisoformat(start.replace("Z", "+00:00")).timestamp())
        if start
        else None,
    )


def _has_findings(catalog: Settings) -> bool:
    (found,) = (one for one in catalog["streams"] if one["tap_stream_id"] == "findings")
    (whole,) = (part["metadata"] for part in found["metadata"] if not part["breadcrumb"])
    return whole.get("selected") is not False


def _is_wanted(app: WebApp, settings: Mapping[str, Any]) -> bool:
    ids, tags = settings.get("webapp_ids"), settings.get("webapp_tag_ids")
    name = settings.get("webapp_name_contains")
    names = {tag.name for tag in app.tags}
    words, excluded = settings.get("webapp_tags"), settings.get("webapp_tags_exclude")
    attributes = settings.get("webapp_attributes") or {}
    match = all if settings.get("webapp_tags_match") == "all" else any
    left_out = (
        words and not match(word in names for word in words),
        excluded and names & set(excluded),
        not attributes.items() <= app.attributes.items(),
        ids and app.id not in ids,
        tags and not {tag.id for tag in app.tags} & set(tags),
        name and name not in app.name,
    )
    return not any(left_out)


def is_whole(
    settings: Mapping[str, Any], catalog: Settings | None, severities: Collection[int]
) -> bool:
    """Tell whether each row that is read is written as it was read.

    Args:
        settings: of the tap.
        catalog: what is selected; all, if there is none.
        severities: of the findings that are there to be read.
    """
    mapped = settings.get("stream_maps") or {}
    taken = any(name in mapped for name in ("webapps", "syncs"))
    taken |= "findings" in mapped and not _lets_through(mapped["findings"], severities)
    return not taken and (catalog is None or _is_selected(catalog))


def _lets_through(stream_map: Settings, severities: Collection[int]) -> bool:
    """Tell whether a map by severity, or one that renames, leaves all findings as they are."""
    if "__filter__" not in stream_map:
        return not severities
    _, sign, limit = stream_map["__filter__"].split()
    return all(SIGNS[sign](severity, int(limit)) for severity in severities)


def _is_selected(catalog: Settings) -> bool:
    return not any(_leaves_out(stream) for stream in catalog["streams"])


def _leaves_out(stream: Settings) -> bool:
    name = stream["tap_stream_id"]
    for part in stream["metadata"]:
        where, told = part["breadcrumb"], part["metadata"]
        if told.get("selected") is not False:
            continue
        if not where and name in PROVING:
            return True
        if name == "findings" and len(where) == 2 and where[1] in IDENTITY:
            return True
    return False

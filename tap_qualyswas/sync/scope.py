"""The scope of a run: the web applications that the filter settings let through."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import NoSuchTag, NothingMatches, TrialLicence, cause_of
from tap_qualyswas.qualys.client import NO_RIGHT, TAG
from tap_qualyswas.qualys.request_bodies import attribute, contains, equals, one_of
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.sweeps import Sweep
from tap_qualyswas.search.walk import Walk, count_all
from tap_qualyswas.sync.tallies import read_until_counted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Sequence

    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.settings.values import Filters
    from tap_qualyswas.sync.tallies import Tally

IDS_PER_CRITERION: Final = 500
"""Web application ids in one IN list; with more of them a search is walked in chunks."""
PASSING: Final = "web applications that pass the filters"


@dataclass(frozen=True, slots=True)
class Scope:
    """The web applications of a run.

    Attributes:
        webapp_ids: their ids, ascending; None for all that the account may read.
    """

    webapp_ids: tuple[int, ...] | None = None

    def criteria(self, field: str) -> list[tuple[Criterion, ...]]:
        """Give the conditions that limit a search to them.

        Args:
            field: what holds the id of the web application in the search: `id` or `webApp.id`.

        Returns:
            One tuple for each search that is needed; a single empty one for all.
        """
        if self.webapp_ids is None:
            return [()]
        if len(self.webapp_ids) == 1:
            return [(equals(field, self.webapp_ids[0]),)]
        return [(one_of(field, chunk),) for chunk in _chunks(self.webapp_ids)]

    def fingerprint(self) -> str | None:
        """Give a hash by which the state recognizes the same scope; None for all."""
        if self.webapp_ids is None:
            return None
        return hashlib.sha256(",".join(map(str, self.webapp_ids)).encode()).hexdigest()


def find_scope(
    client: QualysClient,
    filters: Filters,
    page_size: int,
    tally: Tally,
    logger: logging.Logger,
) -> Scope:
    """Resolve the web application filters to ids.

    Args:
        client: asked for the web applications.
        filters: of the settings.
        page_size: rows of a page.
        tally: of a stream; gets what may be missing.
        logger: gets what matches nothing.

    Raises:
        NoSuchTag: when a filter names a tag that is not there.
        NothingMatches: when no web application passes them.
        TrialLicence: when some are counted that never come.
        QualysError: when Qualys cannot be asked.
    """
    if not filters.names_webapps:
        return Scope()
    found = _Search(client, page_size, tally, logger).find(filters)
    if not found:
        raise NothingMatches(filters.described())
    missing = sorted(set(filters.webapp_ids) - found)
    if missing:
        ids = ", ".join(map(str, missing))
        logger.warning("No web application matches these webapp_ids: %s. Check the ids.", ids)
    return Scope(tuple(sorted(found)))


class _Search:
    """Searches of web applications for their ids alone.

    Each name of a tag and each attribute is a search of its own: whether Qualys takes two criteria
    on one field as two of one tag, or of two, is not documented.
    """

    def __init__(
        self, client: QualysClient, page_size: int, tally: Tally, logger: logging.Logger
    ) -> None:
        self._client = client
        self._page_size = page_size
        self._tally = tally
        self._logger = logger

    def find(self, filters: Filters) -> set[int]:
        """Give the ids that pass all filters.

        Raises:
            NoSuchTag: when a filter names a tag that is not there.
        """
        found: list[set[int]] = []
        if filters.names_criteria or not (filters.tags.names or filters.webapp_attributes):
            found.append(self._ids(_filter_criteria(filters)))
        if tagged := [self._tagged("webapp_tags", name) for name in filters.tags.names]:
            found.append(
                set.union(*tagged) if filters.tags.match == "any" else set.intersection(*tagged)
            )
        for name, value in filters.webapp_attributes:
            found.append(self._ids([(attribute(name, value),)]))
        excluded = (self._tagged("webapp_tags_exclude", name) for name in filters.tags.exclude)
        return set.intersection(*found).difference(*excluded)

    def _tagged(self, setting: str, name: str) -> set[int]:
        found = self._ids([(equals("tags.name", name),)])
        if not found:
            self._require_tag(setting, name)
            self._logger.warning("No web application has the tag %r of %s.", name, setting)
        return found

    def _require_tag(self, setting: str, name: str) -> None:
        try:
            known = self._client.count(TAG, (equals("name", name),))
        except NO_RIGHT as refused:
            raise NoSuchTag(setting, name, cause_of(refused)) from None
        if not known:
            raise NoSuchTag(setting, name)

    def _ids(self, searches: Iterable[tuple[Criterion, ...]]) -> set[int]:
        sweeps = [
            Sweep(
                key=f"filter/{number}",
                kind="webapp",
                criteria=criteria,
                read=WEBAPP,
                page_size=self._page_size,
                verbose=False,
            )
            for number, criteria in enumerate(searches)
        ]
        return self._counted_ids(sweeps)

    def _counted_ids(self, sweeps: Sequence[Sweep]) -> set[int]:
        """Search until as many have come as Qualys counts; a count may lag behind."""
        asked = [(sweep.kind, sweep.criteria) for sweep in sweeps]
        found: set[int] = set()

        def read() -> int:
            records = Walk(self._client, sweeps).records()
            found.update(int(str(record["id"])) for record in records)
            return len(found)

        lacking = read_until_counted(
            read,
            lambda: sum(count_all(self._client, asked)),
            partial(self._tally.note_uncounted, "filters", logger=self._logger),
            self._client.sleep,
        )
        if lacking and not found:
            raise TrialLicence(PASSING, lacking[1])
        if lacking:
            self._tally.gaps.append("filters: {:,} found, {:,} counted".format(*lacking))
        return found


def _filter_criteria(filters: Filters) -> list[tuple[Criterion, ...]]:
    fixed: list[Criterion] = []
    if filters.webapp_name_contains:
        fixed.append(contains("name", filters.webapp_name_contains))
    if filters.webapp_tag_ids:
        fixed.append(one_of("tags.id", filters.webapp_tag_ids))
    if not filters.webapp_ids:
        return [tuple(fixed)]
    return [(one_of("id", ids), *fixed) for ids in _chunks(filters.webapp_ids)]


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[at : at + IDS_PER_CRITERION] for at in range(0, len(ids), IDS_PER_CRITERION)]

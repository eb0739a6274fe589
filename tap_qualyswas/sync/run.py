"""One run of the tap: what the streams share, from the first call to the `syncs` row."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.dates import to_text
from tap_qualyswas.errors import NothingMatches, SettingsError
from tap_qualyswas.qualys.request_bodies import contains, equals, one_of
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.pages import Span
from tap_qualyswas.search.walk import Sweep, Walk
from tap_qualyswas.sync import plan as planning
from tap_qualyswas.sync.bookmarks import Bookmarks
from tap_qualyswas.sync.qids import Qids
from tap_qualyswas.sync.state import Frame, Mark, State
from tap_qualyswas.sync.tallies import Circumstances, Tally, incomplete_reasons, missing_streams

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.settings.values import Settings

HORIZON: Final = "horizon"
IDS_PER_CRITERION: Final = 500
"""Web application ids in one IN list; with more of them a search is walked in chunks."""


class Run:
    """What the streams of a run share.

    Args:
        settings: of the run.
        api: the way to Qualys.
        state: what earlier runs left; changed in place.
        save_state: writes the state to stdout, as far as it has changed.
        emitted: gives the RECORD lines of a stream that were written.
        selected: names of the selected streams, in their order, `syncs` left out.
        logger: of the tap.
    """

    def __init__(  # noqa: PLR0913 - parts that are put together in one place
        self,
        settings: Settings,
        api: QualysClient,
        state: State,
        *,
        save_state: Callable[[], None],
        emitted: Callable[[str], int],
        selected: Sequence[str],
        logger: logging.Logger,
    ) -> None:
        self.settings = settings
        self.api = api
        self.state = state
        self.save_state = save_state
        self._emitted = emitted
        self.selected = tuple(selected)
        self.logger = logger
        self.tallies: dict[str, Tally] = {name: Tally() for name in selected}
        self.qids = Qids()
        self.resumed = False
        self.unfetched_qids = 0
        self.unclassified_qids = 0
        self.not_proven: list[int] = []
        self.sync_id = str(uuid.uuid4())
        self.bookmarks = Bookmarks(state, lambda: self.now, logger)
        self._previous = (state.last_sync_at, state.last_full_sync_at)

    @property
    def now(self) -> datetime:
        """The server's time at its first answer, which is the time of this run."""
        if self.api.now is None:
            self.api.greet()
        return self.api.now or datetime.now(timezone.utc)

    @property
    def can_plan(self) -> bool:
        """Whether the plan is known without asking Qualys for its time first."""
        return self.api.now is not None or not planning.needs_time(self._memory, **self._wishes)

    @cached_property
    def plan(self) -> planning.Plan:
        """Full or incremental. Asks Qualys for its time when that matters and is not known yet."""
        now = self.now if planning.needs_time(self._memory, **self._wishes) else None
        plan = planning.make_plan(self._memory, **self._wishes, now=now)
        self.logger.info("%s sync: %s.", plan.mode.capitalize(), plan.why)
        return plan

    @cached_property
    def _memory(self) -> planning.Memory:
        state = self.state
        filters, streams = state.filters, state.streams
        same_streams = None if streams is None else set(self.selected) <= set(streams)
        return planning.Memory(
            last_sync_at=state.last_sync_at,
            last_full_sync_at=state.last_full_sync_at,
            same_filters=None if filters is None else filters == self.filters,
            same_streams=same_streams,
            has_bookmark=any(
                state.has_bookmark(name) for name in ("findings", "scans") if name in self.selected
            ),
        )

    @property
    def _wishes(self) -> dict[str, Any]:
        return {
            "full_sync": self.settings.full_sync,
            "has_start_date": self.settings.filters.start_date is not None,
            "every_days": self.settings.full_sync_every_days,
        }

    @property
    def filters(self) -> dict[str, Any]:
        """The filter settings, as they are kept in the state and shown in `syncs`."""
        return self.settings.filters.as_state()

    @cached_property
    def webapp_ids(self) -> tuple[int, ...] | None:
        """Ids of the web applications that the filters let through; None without filters.

        Raises:
            NothingMatches: when there is none.
        """
        filters = self.settings.filters
        if not filters.names_webapps:
            return None
        sweeps = [
            Sweep(
                key=f"filter/{number}",
                kind="webapp",
                criteria=criteria,
                read=WEBAPP,
                page_size=self.settings.page_size,
                verbose=False,
            )
            for number, criteria in enumerate(self._filter_criteria())
        ]
        found: set[int] = set()
        walk = Walk(self.api, sweeps)
        for page in walk.pages({sweep.key: [Span()] for sweep in sweeps}):
            found.update(int(str(record["id"])) for record in page.records)
        if not found:
            raise NothingMatches(filters.told())
        missing = sorted(set(filters.webapp_ids) - found)
        if missing:
            self.logger.warning("No web application passes for webapp_ids %s.", missing)
        return tuple(sorted(found))

    def _filter_criteria(self) -> list[tuple[Criterion, ...]]:
        filters = self.settings.filters
        fixed: list[Criterion] = []
        if filters.webapp_name_contains:
            fixed.append(contains("name", filters.webapp_name_contains))
        if filters.webapp_tag_ids:
            fixed.append(one_of("tags.id", filters.webapp_tag_ids))
        if not filters.webapp_ids:
            return [tuple(fixed)]
        return [(one_of("id", ids), *fixed) for ids in _chunks(filters.webapp_ids)]

    def scopes(self, field: str) -> list[tuple[Criterion, ...]]:
        """Give the conditions that keep a search to the filtered web applications.

        Args:
            field: what holds the web application's id in the search: `id` or `webApp.id`.

        Returns:
            One tuple for each search that is needed; a single empty one without filters.
        """
        ids = self.webapp_ids
        if ids is None:
            return [()]
        if len(ids) == 1:
            return [(equals(field, ids[0]),)]
        return [(one_of(field, chunk),) for chunk in _chunks(ids)]

    @property
    def can_ask_kb(self) -> bool:
        """Whether there is a login for the knowledge base, which takes no token."""
        return bool(self.settings.username and self.settings.password)

    def frame(self, window_start: str | None) -> Frame:
        """Give what a walk of this run reads, so that a cursor of another one is not used."""
        ids = self.webapp_ids
        text = ",".join(map(str, ids or ()))
        scope = None if ids is None else hashlib.sha256(text.encode()).hexdigest()
        return Frame(window_start, self.filters, scope, self.settings.include_evidence)

    def window_start(self, stream: str, key: str) -> str | None:
        """Give the moment after which a stream asks for rows; None for all."""
        restart = self.plan.restart
        return planning.window_start(
            None if restart else self.bookmarks.get(stream, key),
            restart=restart,
            start_date=self.settings.filters.start_date,
            overlap_hours=self.settings.overlap_hours,
        )

    def move_bookmark(self, stream: str, key: str, greatest: str | None) -> None:
        """Move a stream's bookmark as far as is safe."""
        same = self._memory.same_filters is not False
        self.bookmarks.move(stream, key, greatest, same_filters=same)

    def resume_mark(self, stream: str, frame: Frame) -> Mark | None:
        """Give where an interrupted walk of the same frame goes on, None when there is none.

        With `full_sync` everything is read from the beginning: a walk that went on can be no proof,
        and one may be just what is asked for.
        """
        mark = None if self.settings.full_sync else self.state.mark(stream, frame)
        if mark is None:
            return None
        try:
            self.bookmarks.inherit(stream, str(mark.carried.get(HORIZON)))
        except ValueError:
            return None
        self.resumed = True
        self.logger.info("%s goes on where an interrupted run stopped.", stream)
        return mark

    def keep_mark(
        self, stream: str, frame: Frame, spans: dict[str, list[Span]], carried: dict[str, Any]
    ) -> None:
        """Keep where a walk stands, and write the state."""
        horizon = to_text(self.bookmarks.horizon(stream))
        self.state.set_mark(stream, frame, Mark(spans, {**carried, HORIZON: horizon}))
        self.save_state()

    def keep_qids(self) -> None:
        """Keep the QIDs of the findings in the state until their entries have been read."""
        if "knowledge_base" in self.selected:
            self.qids.restore(self.state.pending("knowledge_base"))
            self.state.set_pending("knowledge_base", self.qids.as_state())

    def incomplete_reasons(self) -> list[str]:
        """Give why what was read may not be all that there is, for the selected streams."""
        circumstances = Circumstances(
            resumed=self.resumed,
            has_base=self._has_base,
            evaluation=self.api.evaluation,
            unfetched_qids=self.unfetched_qids,
            unclassified_qids=self.unclassified_qids,
        )
        return incomplete_reasons(self.tallies, circumstances)

    @property
    def _has_base(self) -> bool:
        """Whether what this run adds to was read in full; a start date says from when on."""
        is_first = self.plan.mode == "full" or self.settings.filters.start_date is not None
        return is_first or self._memory.last_full_sync_at is not None

    def close(self) -> None:
        """Remember this sync in the state: its streams have all ended."""
        memory = self._memory
        self.state.set_sync(
            started_at=to_text(self.now),
            filters=self.filters,
            streams=self.selected,
            full=self.plan.mode == "full" and not self.incomplete_reasons(),
            same=memory.same_filters is not False and memory.same_streams is not False,
        )

    def row(self) -> Record:
        """Give the row of the `syncs` stream: what was read, and whether it was everything."""
        reasons = [*self.incomplete_reasons(), *missing_streams(self.selected)]
        last_sync, last_full = self._previous
        streams: list[Json] = [self._stream_row(name) for name in self.selected]
        incomplete: list[Json] = [*reasons]
        not_proven: list[Json] = [*sorted(self.not_proven)]
        return {
            "syncId": self.sync_id,
            "mode": self.plan.mode,
            "startedAt": to_text(self.now),
            "finishedAt": to_text(self.api.later or self.now),
            "previousSyncAt": last_sync,
            "previousFullSyncAt": last_full,
            "complete": not reasons,
            "incompleteReasons": incomplete,
            "apiUrl": self.settings.platform.api_url,
            "subscription": self.api.subscription,
            "filters": self.filters,
            "streams": streams,
            "notProven": not_proven,
        }

    def _stream_row(self, name: str) -> Json:
        tally = self.tallies[name]
        return {
            "stream": name,
            "emitted": self._emitted(name),
            "counted": tally.told_count,
            "duplicates": tally.duplicates,
            "windowStart": tally.window_start,
        }


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[at : at + IDS_PER_CRITERION] for at in range(0, len(ids), IDS_PER_CRITERION)]


def require_selection(selected: Sequence[str]) -> None:
    """Refuse a run without a stream.

    Raises:
        SettingsError: when none is selected.
    """
    if not selected:
        msg = "No stream is selected, so nothing would be read. Select at least one."
        raise SettingsError(msg)

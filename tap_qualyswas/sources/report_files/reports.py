"""Web applications, findings and knowledge base out of report files, without a call to Qualys.

All files are read each time, as none of them tells what has changed. Their time is Qualys's own: a
run takes place when the newest of them was made, and after the run before it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from qualyswas_ciscovm.accounts import Account
from qualyswas_ciscovm.dates import parse, to_text, to_utc
from qualyswas_ciscovm.wording import counted, first_few, one_line
from tap_qualyswas.errors import NothingMatches, UnreadableReports
from tap_qualyswas.sources.report_files.paths import find_reports
from tap_qualyswas.sources.report_files.survey import UNDATED, Survey, reason_of, survey
from tap_qualyswas.sync.connection import login_hash

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_qualyswas.settings.values import Filters, Settings
    from tap_qualyswas.sync.state import State

KEPT: Final = "reports"
"""Part of the state of `findings`: ids of web applications by the moment of the newest report of
theirs that was read."""
A_SECOND: Final = timedelta(seconds=1)
A_DAY: Final = timedelta(days=1)
"""So far may the local clock be behind, or a report lack its time zone."""


class ReportFiles:
    """The report files of a run: where its records come from.

    Args:
        settings: of the run.
        state: of the tap.
        logger: gets what is passed over, and why.

    Attributes:
        subscription: None, as no report names it.
        evaluation: False, as no report tells it.
        is_mixed: likewise.
        qids: of the findings that have been read; None while none have.
    """

    knows_time = True

    def __init__(self, settings: Settings, state: State, logger: logging.Logger) -> None:
        self._settings = settings
        self._state = state
        self._logger = logger
        self._began = time.monotonic()
        self._last_sync_at = state.last_sync_at
        host = urlsplit(settings.platform.api_url).netloc
        login = login_hash(settings) if settings.username or settings.client_id else None
        self.account = Account(None, host, login)
        self.subscription: str | None = None
        self.evaluation = False
        self.is_mixed = False
        self.qids: set[int] | None = None

    def check(self) -> None:
        """Look through the files, and say what is in them.

        Raises:
            QualysError: when none can be read.
        """
        found = self.survey
        self._logger.info(
            "%s can be read: %s, %s",
            counted(len(found.files), "report"),
            counted(len(self.webapp_ids), "web application"),
            counted(len(found.glossary), "QID"),
        )

    @cached_property
    def survey(self) -> Survey:
        """What the files say together.

        Raises:
            SettingsError: when there is none.
            UnreadableReports: when none can be read.
        """
        unread: list[OSError] = []

        def note(error: OSError) -> None:
            unread.append(error)
            told = (one_line(str(error.filename)), reason_of(error))
            self._logger.warning("Passed over the folder %s: %s.", *told)

        paths = find_reports(self._settings.report_paths, note)
        latest = to_text(datetime.now(timezone.utc) + A_DAY)
        found = survey(paths, self._settings.filters.finding_types, latest, self._logger)
        found.unread += len(unread)
        if not found.files:
            raise UnreadableReports(len(paths))
        self._logger.info("Read %s.", counted(len(found.files), "report"))
        return found

    def started_at(self) -> datetime:
        """Give when the newest report was made; after the run before, in any case."""
        return self._started_at

    def time_now(self) -> datetime:
        """Give the time of the run and what has passed since it began."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._began)

    @cached_property
    def _started_at(self) -> datetime:
        last = parse(self._last_sync_at)
        told = parse(self.survey.files[0].generated)
        moments = [told, last and last + A_SECOND]
        return max(filter(None, moments), default=datetime.now(timezone.utc))

    @cached_property
    def webapp_ids(self) -> frozenset[int]:
        """Ids of the web applications that the filters let through and that are not outdated.

        Raises:
            NothingMatches: when the filters let none through.
        """
        return self._matching - self.outdated

    @cached_property
    def _matching(self) -> frozenset[int]:
        filters = self._settings.filters
        found = frozenset(
            number
            for number, webapp in self.survey.webapps.items()
            if passes(filters, number, webapp.get("name"))
        )
        if filters.names_webapps and not found:
            raise NothingMatches(filters.described())
        return found

    @cached_property
    def kept(self) -> Mapping[int, str]:
        """When the newest report of each web application was made that earlier runs have read."""
        kept = self._state.part("findings").get(KEPT)
        found: dict[int, str] = {}
        for moment, numbers in kept.items() if isinstance(kept, dict) else ():
            told = to_utc(str(moment))
            for number in numbers if told and isinstance(numbers, list) else ():
                if isinstance(number, int):
                    found[number] = max(told or UNDATED, found.get(number, UNDATED))
        return found

    @cached_property
    def outdated(self) -> frozenset[int]:
        """Web applications of which a newer report than those that are here was read before.

        One that does not say when it was made may be newer. A full sync does not read them either:
        it begins after the one before it, so what they lack would count as gone.
        """
        found = frozenset(
            number
            for number in self._matching - self.survey.undated
            if self.survey.newest[number] < self.kept.get(number, UNDATED)
        )
        if found:
            self._logger.warning(
                "Earlier runs have read newer reports of %s (ids %s) than those in report_paths. "
                "The older ones are not read; without a state (Meltano's --full-refresh) they are.",
                *(counted(len(found), "web application"), first_few(found)),
            )
        return found

    def covered(self, newest: Mapping[int, str]) -> set[int]:
        """Give the web applications whose newest report shows all that there is of them.

        Args:
            newest: when the newest report of each was made.
        """
        return {
            number
            for number, moment in newest.items()
            if self.survey.whole.get(number, UNDATED)
            >= max(moment, self.kept.get(number, UNDATED), A_DATE)
        }

    def keep(self, newest: Mapping[int, str]) -> None:
        """Keep when the newest report of each web application was made that this run has read."""
        together = dict(self.kept)
        for number, moment in newest.items():
            together[number] = max(moment, together.get(number, UNDATED))
        by_moment: defaultdict[str, list[int]] = defaultdict(list)
        for number, moment in sorted(together.items()):
            by_moment[moment].append(number)
        self._state.open("findings")[KEPT] = dict(by_moment)


A_DATE: Final = to_text(datetime(1971, 1, 1, tzinfo=timezone.utc))
"""Earlier than any report, and later than no date."""


def passes(filters: Filters, number: int | None, name: object) -> bool:
    """Tell whether the filters let a web application through."""
    if filters.webapp_ids and number not in filters.webapp_ids:
        return False
    part = filters.webapp_name_contains
    return not part or part.casefold() in str(name or "").casefold()

"""Whose the rows of a report file are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tap_qualyswas.sources.report_files.survey import NamedWebapp

if TYPE_CHECKING:
    from tap_qualyswas.records.portal.report import Row
    from tap_qualyswas.sources.report_files.survey import ReportFile, Survey

NOBODY: Final = NamedWebapp(None, None, None)


class Attribution:
    """The web applications that the rows of one file may be of.

    Args:
        file: the file.
        survey: knows the ids of web applications that the file only names.
    """

    def __init__(self, file: ReportFile, survey: Survey) -> None:
        self._file = file
        self._survey = survey
        self._webapps = tuple(dict.fromkeys((*file.webapps, *file.sections)))
        self._by_host: defaultdict[str, list[tuple[str, NamedWebapp]]] = defaultdict(list)
        for one in self._webapps:
            host, path = _place(one.url or "")
            self._by_host[host].append((path.rstrip("/"), one))

    @property
    def ids(self) -> set[int]:
        """Ids of them, as far as they are known."""
        return {one.id for one in self._webapps if one.id is not None}

    def webapp_of(self, row: Row) -> NamedWebapp:
        """Give the web application of a row: that of its section, or the only one of the file.

        Where there are several, it is the one whose URL that of the row begins with.
        """
        if row.section is not None:
            return self._file.sections[row.section]
        if row.webapp is not None:
            return self._survey.identified(NamedWebapp.of(row.webapp))
        if len(self._webapps) == 1:
            return self._webapps[0]
        return self._by_url(str(row.values["url"] or ""))

    def _by_url(self, url: str) -> NamedWebapp:
        host, path = _place(url)
        found = [
            (len(base), one)
            for base, one in (self._by_host.get(host, ()) if host else ())
            if path == base or path.startswith(f"{base}/")
        ]
        longest = max((length for length, _ in found), default=0)
        best = [one for length, one in found if length == longest]
        return best[0] if len(best) == 1 else NOBODY


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ("", "")
    return (parts.netloc.lower(), parts.path)

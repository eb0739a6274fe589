"""Where findings come from: the finding search, or downloaded scan reports.

Each source fills the same stream.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_qualyswas.sources import finding_search, scan_reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import Bookmarks
    from tap_qualyswas.sync.qids import Qids
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

    Source = Callable[[Reader, Scope, Settings, Bookmarks, Qids], Iterator[Sequence[Record]]]

SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {"api": finding_search.read_findings, "scan_reports": scan_reports.read_findings}
)
"""By the value of the setting `source`."""


def read_findings(
    reader: Reader, scope: Scope, settings: Settings, bookmarks: Bookmarks, qids: Qids
) -> Iterator[Sequence[Record]]:
    """Read the findings from the source that is set, by pages.

    Raises:
        QualysError: when the read cannot go on.
    """
    return SOURCES[settings.filters.source](reader, scope, settings, bookmarks, qids)

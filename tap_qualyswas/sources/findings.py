"""Where findings come from: the finding search, or downloaded scan reports.

The same streams come from each source. A further one has its place here: reports that a person
exported from the portal, for networks where no call to the API is possible.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_qualyswas.sources import finding_search, scan_reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.run import Run

SOURCES: Final[Mapping[str, Callable[[Run], Iterator[Record]]]] = MappingProxyType(
    {"api": finding_search.read_findings, "scan_reports": scan_reports.read_findings}
)
"""Values of the setting `source`."""


def read_findings(run: Run) -> Iterator[Record]:
    """Read the findings of a run from the source that is set.

    Raises:
        QualysError: when the read cannot go on.
    """
    return SOURCES[run.settings.filters.source](run)

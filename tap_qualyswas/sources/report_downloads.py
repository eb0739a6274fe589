"""Downloads of scan reports, several at a time, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tap_qualyswas.errors import NotFound
from tap_qualyswas.search.workers import WorkerPool, in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from tap_qualyswas.qualys.client import QualysClient

T = TypeVar("T")


def download_reports(
    client: QualysClient, scan_ids: Sequence[int], read: Callable[[IO[bytes]], T]
) -> Iterator[tuple[int, T | None]]:
    """Download the reports of scans.

    Args:
        client: the session to Qualys.
        scan_ids: whose reports.
        read: makes something of one document.

    Returns:
        Scan id, and what was made of its report; None for a scan that has none (any more).

    Raises:
        QualysError: the first error other than a missing report.
    """

    def work(
        scan_id: int, _pool: WorkerPool[int, tuple[int, T | None]]
    ) -> Iterator[tuple[int, T | None]]:
        try:
            yield (scan_id, client.download_scan(scan_id, read))
        except NotFound:
            yield (scan_id, None)

    return in_parallel(scan_ids, work, max(min(client.workers, len(scan_ids)), 1))


class CompletedPrefix:
    """Knows up to which of some ascending ids all are done, while they are done in any order.

    Args:
        ids: ascending.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self._at = 0
        self._done: set[int] = set()

    def finish(self, done_id: int) -> int | None:
        """Note an id that is done; give the last one up to which all are done, None for none."""
        self._done.add(done_id)
        while self._at < len(self._ids) and self._ids[self._at] in self._done:
            self._done.discard(self._ids[self._at])
            self._at += 1
        return self._ids[self._at - 1] if self._at else None

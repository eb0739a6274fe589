"""Pages that may have been cut, or may be all that Qualys sends: it shows when they come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_qualyswas.errors import DoubtfulAnswer

if TYPE_CHECKING:
    from tap_qualyswas.search.pages import IdRange
    from tap_qualyswas.search.sweeps import Sweep


class ShortPages:
    """Pages with fewer rows than were asked for, though the answer says that there are more.

    A server with a limit of its own sends as many again; a page that was cut does not. So it is
    with pages that hold nothing at all, not even how many rows they have, and with those that a
    walk cannot go on from.
    """

    def __init__(self) -> None:
        self._bare: set[tuple[str, IdRange]] = set()
        self._stuck: set[tuple[str, IdRange]] = set()
        self._limits: dict[str, int] = {}
        self._last: dict[tuple[str, IdRange], int] = {}

    def check(self, sweep: Sweep, id_range: IdRange, rows: int, asked: int) -> None:
        """Let a full page pass, and a short one that came twice with as many rows.

        Raises:
            DoubtfulAnswer: when a short page came for the first time.
        """
        if rows >= asked or self._limits.get(sweep.kind) == rows:
            return
        if self._last.get((sweep.key, id_range)) == rows:
            self._limits[sweep.kind] = rows
            return
        self._last[sweep.key, id_range] = rows
        msg = f"Qualys sent {rows:,} of {asked:,} rows, and says that there are more."
        raise DoubtfulAnswer(msg)

    def check_bare(self, sweep: Sweep, id_range: IdRange) -> None:
        """Let a page that holds nothing pass when it comes again.

        Raises:
            DoubtfulAnswer: when it came for the first time.
        """
        msg = "Qualys sent a page without rows that does not say that there are none."
        _require_again(self._bare, sweep, id_range, msg)

    def check_stuck(self, sweep: Sweep, id_range: IdRange) -> None:
        """Let a page end a walk that cannot go on from it, when it comes again.

        Raises:
            DoubtfulAnswer: when it came for the first time.
        """
        msg = f"Qualys sent a page {id_range.described()} that no other can follow."
        _require_again(self._stuck, sweep, id_range, msg)


def _require_again(
    came: set[tuple[str, IdRange]], sweep: Sweep, id_range: IdRange, msg: str
) -> None:
    if (sweep.key, id_range) not in came:
        came.add((sweep.key, id_range))
        raise DoubtfulAnswer(msg)

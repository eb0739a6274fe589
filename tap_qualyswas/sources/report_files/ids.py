"""Ids of findings on disk, so that a million of them take no memory."""

from __future__ import annotations

import sqlite3
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Record

# Numbers are texts, as those of a report may be larger than SQLite's.
TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE read(unique_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE named(
    type TEXT, id TEXT, qid TEXT, unique_id TEXT, webapp TEXT, PRIMARY KEY(type, id, qid)
) WITHOUT ROWID;
"""


class ReportIds:
    """Which findings have been read, and the unique ids of those that another file names.

    The file belongs to the process, and is gone with it or with these.
    """

    def __init__(self) -> None:
        self._ids = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._ids.close)
        self._ids.executescript(TABLES)
        self._ids.execute("BEGIN")

    def is_new(self, unique_id: str) -> bool:
        """Note a finding; tell whether it has not been read before."""
        done = self._ids.execute("INSERT OR IGNORE INTO read VALUES (?)", (unique_id,))
        return done.rowcount == 1

    def name(self, values: Record, webapp_id: int | None) -> None:
        """Note the unique id of a row, where it has both of its ids."""
        if values["uniqueId"] and values["id"] is not None:
            found = (*_key(values), values["uniqueId"], _text(webapp_id))
            self._ids.execute("INSERT OR IGNORE INTO named VALUES (?, ?, ?, ?, ?)", found)

    def named(self, values: Record) -> tuple[str, int | None] | None:
        """Give the unique id and the web application of a row by the id of its detection."""
        found = self._ids.execute(
            "SELECT unique_id, webapp FROM named WHERE type = ? AND id = ? AND qid = ?",
            _key(values),
        ).fetchone()
        return found and (found[0], int(found[1]) if found[1] else None)


def _key(values: Record) -> tuple[str, str, str]:
    return (_text(values["type"]), _text(values["id"]), _text(values["qid"]))


def _text(value: object) -> str:
    return "" if value is None else str(value)

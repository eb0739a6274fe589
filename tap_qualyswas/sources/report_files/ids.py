"""Ids of findings on disk, so that a million of them take no memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Record

TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE read(unique_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE named(
    type TEXT, id INTEGER, qid INTEGER, unique_id TEXT, webapp INTEGER, PRIMARY KEY(type, id, qid)
) WITHOUT ROWID;
"""


class ReportIds:
    """Which findings have been read, and the unique ids of those that another file names.

    The file belongs to the process and is gone with it.
    """

    def __init__(self) -> None:
        self._ids = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._ids.executescript(TABLES)
        self._ids.execute("BEGIN")

    def is_new(self, unique_id: str) -> bool:
        """Note a finding; tell whether it has not been read before."""
        done = self._ids.execute("INSERT OR IGNORE INTO read VALUES (?)", (unique_id,))
        return done.rowcount == 1

    def name(self, values: Record, webapp_id: int | None) -> None:
        """Note the unique id of a row, where it has both of its ids."""
        if values["uniqueId"] and values["id"] is not None:
            key = (values["type"], values["id"], values["qid"], values["uniqueId"], webapp_id)
            self._ids.execute("INSERT OR IGNORE INTO named VALUES (?, ?, ?, ?, ?)", key)

    def named(self, values: Record) -> tuple[str, int | None] | None:
        """Give the unique id and the web application of a row by the id of its detection."""
        found: tuple[str, int | None] | None = self._ids.execute(
            "SELECT unique_id, webapp FROM named WHERE type = ? AND id = ? AND qid IS ?",
            (values["type"], values["id"], values["qid"]),
        ).fetchone()
        return found

"""What in a ledger is not of its kind, as after an edit by hand: SQLite takes anything.

To look at each value takes seconds, so it is done where an error that nobody expects wants a cause.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_ciscovm.errors import CiscoVMError, LedgerDamaged
from target_ciscovm.ledger.file import connect
from target_ciscovm.ledger.tables import TABLES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

JSON: Final[dict[str, Any]] = {"locators": dict[str, str], "tags": list[str], "value": Any}
"""Columns that hold JSON, and of what kind."""
PLACE: Final = "asset"
"""The column that holds an asset's key: the name of its locator, a colon, and the value."""
BUSY_SECONDS: Final = 5.0


@contextmanager
def blaming(path: Path | None) -> Iterator[None]:
    """Say that a ledger is damaged where it may be the cause of an error that nobody expects.

    Raises:
        LedgerDamaged: something in it is not of its kind; all other errors pass as they are.
    """
    try:
        yield
    except (CiscoVMError, OSError):
        raise
    except Exception as error:
        if path is not None and path.exists() and (odd := odd_value(path)):
            raise LedgerDamaged(path, f"it is damaged ({odd})") from error
        raise


def odd_value(path: Path) -> str | None:
    """Name a place whose value is not of its kind; None where all are."""
    with closing(connect(path, BUSY_SECONDS)) as connection:
        connection.text_factory = bytes  # what is no UTF-8 can be looked at, too
        return next(_odd_values(connection), None)


def _odd_values(connection: sqlite3.Connection) -> Iterator[str]:
    for table in TABLES:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        kinds = [(name.decode(), declared.decode()) for _, name, declared, *_ in columns]
        stored = ", ".join(f"typeof({name})" for name, _ in kinds)
        for row in connection.execute(f"SELECT *, {stored} FROM {table}"):  # noqa: S608 - ours
            values, types = row[: len(kinds)], row[len(kinds) :]
            for (name, declared), value, kind in zip(kinds, values, types, strict=True):
                if not _fits(name, declared, value, kind.decode()):
                    yield f"{name} in {table}"


def _fits(name: str, declared: str, value: Any, kind: str) -> bool:  # noqa: ANN401 - of any type
    if kind == "null":  # SQLite sees to where there may be none
        return True
    if kind != declared.lower() or (name == PLACE and b":" not in value):
        return False
    if declared != "TEXT":
        return True
    try:
        text = value.decode()
        if name in JSON:
            msgspec.json.decode(text, type=JSON[name])
    except (UnicodeDecodeError, msgspec.MsgspecError):
        return False
    return True

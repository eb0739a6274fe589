"""The ledger: what this connector last sent as open, so that only what is known is ever closed.

It is written in one transaction, after CVM's run has succeeded. A crash at any moment leaves what
was settled before. See `ledger_file` for its tables.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from target_ciscovm.ledger.file import (
    attach_empty,
    attach_file,
    connect,
    empty_ledger,
    open_ledger,
    sql_errors,
    try_writing,
)
from target_ciscovm.ledger.settlement import apply, stage, unstage
from target_ciscovm.output.private_files import FILE_MODE, private_file, private_folder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

BUSY_SECONDS: Final = 30.0
PLAIN_NAME: Final = re.compile(r"[a-z_]{1,32}")
ENTRY: Final = "SELECT identifier, asset, name, webapp_id, seen FROM entry WHERE identifier = ?"
ENTRIES_OF: Final = (
    "SELECT identifier, asset, name, webapp_id, seen FROM entry WHERE asset = ? ORDER BY identifier"
)
ASSETS: Final = "SELECT key, locators, application, webapp_ids FROM asset ORDER BY key"
OF_ASSETS: Final = "SELECT DISTINCT webapp_ids FROM asset"
OF_ENTRIES: Final = "SELECT DISTINCT webapp_id FROM entry WHERE webapp_id IS NOT NULL"

T = TypeVar("T")


class Entry(NamedTuple):
    """A finding that is open in CVM.

    `identifier` is its `scanner_identifier`, `asset` the key of its asset, `name` the
    `vuln_def_name` last sent, `seen` when Qualys had last looked at it, in UTC as text.
    """

    identifier: str
    asset: str
    name: str
    webapp_id: int | None
    seen: str = ""


class LedgerAsset(NamedTuple):
    """What is needed to address an asset once more, with an empty list or with less than before.

    `locators` are those sent, by KDI's names.
    """

    key: str
    locators: dict[str, str]
    application: str | None
    webapp_ids: tuple[int, ...]


class LedgerIdentity(msgspec.Struct, frozen=True):
    """Whose findings they are, and by what assets and findings were told apart.

    Attributes:
        account: Qualys subscription, else API host; None when no load has told it.
        settings: the settings that decide it, each as text; see `closing.identity_text`.
    """

    account: str | None
    settings: dict[str, str]


@dataclass(frozen=True)
class Settlement:
    """What a successful run has done. Iterables are read once, one after the other as listed.

    Attributes:
        identity: as of this run.
        run_id: of this run.
        opened: what was sent as open; the later one of two with the same identifier counts. Each
            one's asset must be in `assets` of this or an earlier settlement.
        closed: identifiers sent as closed.
        assets: those of the load.
        whole: keys of the assets that CVM closed all else of: their entries that are not among
            the opened ones are dropped.
        removed: keys of the assets that were emptied for good: they and their entries are dropped,
            before the opened ones are added.
        full_open: findings open in this load if it was a full and proven one, else None. Assets
            that it lacks and that have nothing open are then forgotten.
    """

    identity: LedgerIdentity
    run_id: str
    opened: Iterable[Entry] = ()
    closed: Iterable[str] = ()
    assets: Iterable[LedgerAsset] = ()
    whole: Iterable[str] = ()
    removed: Iterable[str] = ()
    full_open: int | None = None


class Ledger:
    """The ledger of one connector. Reading never creates its file; without one it is empty.

    All methods raise `LedgerDamaged` for a file that cannot be trusted, and `LedgerUnusable` for
    one that cannot be reached.

    Args:
        path: its file; None where nothing is remembered.
        busy_seconds: how long to wait for another process that is writing.
    """

    def __init__(self, path: Path | None, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._file: Path | None = None

    def __enter__(self) -> Self:
        """Give the ledger itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def exists(self) -> bool:
        """Tell whether something has been settled."""
        return self.identity is not None

    @property
    def identity(self) -> LedgerIdentity | None:
        """Give the identity of what was settled, None when nothing was."""
        return self._meta("identity", LedgerIdentity)

    @property
    def last_full_open(self) -> int | None:
        """Give the number of findings open in the last full and proven load, None without one."""
        return self._meta("last_full_open", int)

    @property
    def last_run_id(self) -> str | None:
        """Give the run that settled last."""
        return self._meta("last_run_id", str)

    def open_count(self) -> int:
        """Count what is open."""
        return sum(count for (count,) in self._rows("SELECT count(*) FROM entry"))

    def is_open(self, identifier: str) -> bool:
        """Tell whether a finding is open."""
        return self.entry(identifier) is not None

    def entry(self, identifier: str) -> Entry | None:
        """Give an open finding by its `scanner_identifier`."""
        return next((Entry(*row) for row in self._rows(ENTRY, identifier)), None)

    def entries(self, identifiers: Iterable[str]) -> dict[str, Entry]:
        """Give those of the findings that are open, by identifier."""
        found = map(self.entry, identifiers)
        return {entry.identifier: entry for entry in found if entry is not None}

    def entries_of(self, asset_key: str) -> list[Entry]:
        """Give what is open at an asset, in the order of identifiers."""
        return [Entry(*row) for row in self._rows(ENTRIES_OF, asset_key)]

    def assets(self) -> Iterator[LedgerAsset]:
        """Give all assets, in the order of their keys."""
        for key, locators, application, webapp_ids in self._rows(ASSETS):
            yield LedgerAsset(
                key,
                self._decode(locators, dict[str, str]),
                application,
                self._decode(webapp_ids, tuple[int, ...]),
            )

    def webapp_ids(self) -> set[int]:
        """Give the web applications that assets or open findings belong to."""
        found = {number for (number,) in self._rows(OF_ENTRIES)}
        for (webapp_ids,) in self._rows(OF_ASSETS):
            found |= set(self._decode(webapp_ids, tuple[int, ...]))
        return found

    def attach_to(self, connection: sqlite3.Connection, name: str = "ledger") -> None:
        """Attach the tables to another connection, to join with; empty ones without a file.

        What is attached is read without locks, as it is now: do not use it after `settle`.

        Args:
            connection: opened with `uri=True`; it may be within a transaction.
            name: of the schema, such as in `SELECT count(*) FROM ledger.entry`.

        Raises:
            ValueError: the connection cannot attach files, or the name is not a plain one.
        """
        if not PLAIN_NAME.fullmatch(name):
            message = f"{name!r} is no name for a schema"
            raise ValueError(message)
        self._open()
        if self._file is None:
            attach_empty(connection, name)
        else:
            attach_file(connection, self._file, name)

    def require_writable(self) -> None:
        """See, before anything is sent, that `settle` will be able to write.

        Raises:
            NoAccess: its folder cannot be written to.
        """
        if self.path is None:
            return
        folder = private_folder(self.path.parent, "ledger_path")
        private_file(folder / f".{self.path.name}.try", "ledger_path").unlink()
        connection = self._open()
        if self._file is not None:
            try_writing(connection, self._file)

    def settle(self, settlement: Settlement) -> None:
        """Bring the ledger up to what a run has done: all of it, or nothing.

        Only for runs that have succeeded in CVM. The file is created with mode 0600 if missing. An
        error of the settlement's iterables passes as it is and changes nothing.

        Raises:
            ValueError: there is no path to remember anything at.
        """
        if self.path is None:
            message = "a ledger without a path cannot be settled"
            raise ValueError(message)
        connection = self._open_to_write(self.path)
        try:
            stage(connection, settlement, self.path)
            apply(connection, settlement, self.path)
            unstage(connection)
        except BaseException:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            found = None if self.path is None else open_ledger(self.path, self._busy_seconds)
            self._file = None if found is None else self.path
            self._connection = found or empty_ledger()
        return self._connection

    def _open_to_write(self, path: Path) -> sqlite3.Connection:
        connection = self._open()
        if self._file is None:
            self.close()
            private_folder(path.parent, "ledger_path")
            private_file(path, "ledger_path")
            with sql_errors(path, "written"):
                self._connection = connection = connect(path, self._busy_seconds)
            self._file = path
        with suppress(OSError):
            path.chmod(FILE_MODE)
        return connection

    def _rows(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        connection = self._open()
        with sql_errors(self.path, "read"):
            yield from connection.execute(query, values)

    def _decode(self, text: str, kind: type[T]) -> T:
        with sql_errors(self.path, "read"):
            return msgspec.json.decode(text, type=kind)

    def _meta(self, key: str, kind: type[T]) -> T | None:
        for (text,) in self._rows("SELECT value FROM meta WHERE key = ?", key):
            return self._decode(text, kind)
        return None

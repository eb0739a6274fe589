"""The ledger: what is open in CVM, as far as this connector knows."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from qualyswas_ciscovm.accounts import Account
from target_ciscovm.errors import LedgerForeign
from target_ciscovm.ledger import settlement as settling
from target_ciscovm.ledger.accounts import KnownAccount
from target_ciscovm.ledger.file import (
    attach_empty,
    attach_file,
    connect,
    create_ledger,
    empty_ledger,
    open_ledger,
    sql_errors,
    try_writing,
)
from target_ciscovm.ledger.tables import LIVE, OPEN, Link
from target_ciscovm.output.private_files import FILE_MODE, private_file, private_folder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from target_ciscovm.ledger.settlement import Settlement
    from target_ciscovm.settings.values import Settings

BUSY_SECONDS: Final = 30.0
PLAIN_NAME: Final = re.compile(r"[a-z_]{1,32}")

T = TypeVar("T")


class Home(msgspec.Struct, frozen=True):
    """Whose ledger it is: host of CVM's API and number of the connector."""

    host: str
    connector: int


def home_of(settings: Settings) -> Home | None:
    """Give whose ledger the settings mean, None where they name no connector."""
    login = settings.login
    return None if login is None else Home(login.host, login.connector_id)


class PendingRun(msgspec.Struct, frozen=True):
    """A run whose end is not known yet.

    Attributes:
        run: number in CVM; None where it is not known whether it began.
    """

    run: int | None = None


class KnownRuns(msgspec.Struct, frozen=True):
    """Runs of the connector that the ledger accounts for.

    Attributes:
        up_to: all up to this number.
        own: of the later ones, those of this installation.
    """

    up_to: int = 0
    own: tuple[int, ...] = ()

    def others(self, runs: Collection[int]) -> list[int]:
        """Give the runs that it does not account for."""
        return sorted(run for run in runs if run > self.up_to and run not in self.own)

    def among(self, runs: Collection[int]) -> KnownRuns:
        """Give them by the last one alone, where all runs so far are known."""
        return KnownRuns(max(runs)) if runs and self.own and not self.others(runs) else self


class LastLoad(msgspec.Struct, frozen=True):
    """The load that was settled last.

    Attributes:
        began: when its sync began: long before, where it waited.
        ran: when it was handed to CVM.
    """

    began: str
    ran: str


class Ledger:
    """The ledger of one connector. Reading never creates its file; without one it is empty.

    All methods raise `LedgerRefused` and `LedgerDamaged` for a file that cannot be trusted, and
    `LedgerUnusable` for one that cannot be reached.

    Args:
        path: its file; None where nothing is remembered.
        home: whose it must be; None to take any.
        busy_seconds: how long to wait for another process that is writing.
    """

    def __init__(
        self, path: Path | None, home: Home | None = None, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        self._home = home
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._on_disk = False

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
        """Tell whether a run of this connector was ever put down in it."""
        return self._meta("home", Home) is not None

    @property
    def identity(self) -> dict[str, str] | None:
        """Give the settings that assets and findings were told apart by, None before any load."""
        return self._meta("identity", dict[str, str])

    @property
    def over_licence(self) -> bool:
        """Tell whether the tenant's licence was over its limit when the last load was settled."""
        return bool(self._meta("over_licence", bool))

    @property
    def failed_loads(self) -> int:
        """Give how many loads in a row had payloads that CVM failed."""
        return self._meta("failed_loads", int) or 0

    @property
    def proven_at(self) -> str | None:
        """Give the beginning of the newest sync that was settled as proven."""
        return self._meta("proven_at", str)

    @property
    def last_load(self) -> LastLoad | None:
        """Give the load that was settled last, None where its times were not told."""
        return self._meta("last_load", LastLoad)

    @property
    def is_whole(self) -> bool:
        """Tell whether it knows all that this connector has open: never lost, or rebuilt since."""
        return self._meta("whole", bool) is not False

    @property
    def known_runs(self) -> KnownRuns:
        """Give the runs of the connector that it accounts for."""
        return self._meta("runs", KnownRuns) or KnownRuns()

    @property
    def pending(self) -> PendingRun | None:
        """Give the run that was put down and not settled yet, None when there is none."""
        rows = self._rows("SELECT 1 FROM pending_meta LIMIT 1")
        return (self._meta("pending", PendingRun) or PendingRun()) if list(rows) else None

    @property
    def put_down_count(self) -> int:
        """Count the entries of the run that was put down and not settled yet."""
        return sum(count for (count,) in self._rows("SELECT count(*) FROM pending_entry"))

    def open_count(self) -> int:
        """Count what is open, or perhaps open."""
        return sum(count for (count,) in self._rows(f"SELECT count(*) FROM entry WHERE {OPEN}"))  # noqa: S608 - ours

    def models(self) -> set[str]:
        """Give the data models that something is open in."""
        return {model for (model,) in self._rows(f"SELECT DISTINCT model FROM entry WHERE {LIVE}")}  # noqa: S608 - ours

    def accounts(self) -> list[KnownAccount]:
        """Give the Qualys accounts that were loaded."""
        rows = self._rows("SELECT number, subscription, host, login FROM account ORDER BY number")
        return [KnownAccount(number, Account(*named)) for number, *named in rows]

    def link(self, scope: str) -> Link | None:
        """Give the end of a scope's chain, None when nothing of it was settled.

        Where what CVM holds was read because of runs that are not known here, the last of them
        that went well stands in.
        """
        query = "SELECT scope, began, findings FROM chain WHERE scope = ?"
        own = next((Link(*row) for row in self._rows(query, scope)), None)
        instead = self._meta("run_instead", str)
        if instead is None or (own is not None and own.began >= instead):
            return own
        return Link(scope, instead, own.findings if own else None)

    def newest(self) -> str:
        """Give the latest beginning of a sync that anything here comes from; empty without any."""
        query = (
            "SELECT max(at) FROM (SELECT max(sent_at) AS at FROM entry UNION ALL SELECT "
            "max(covered_at) FROM coverage UNION ALL SELECT max(began) FROM chain)"
        )
        return next((at for (at,) in self._rows(query)), None) or ""

    def attach_to(self, connection: sqlite3.Connection, name: str = "ledger") -> None:
        """Attach the tables to another connection, to join with; empty ones without a file.

        What is attached is read without locks, as it is now: attach it anew after a change.

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
        if self._on_disk and self.path is not None:
            attach_file(connection, self.path, name)
        else:
            attach_empty(connection, name)

    def require_writable(self) -> None:
        """See, before anything is sent, that a load can be put down.

        Raises:
            NoAccess: its folder cannot be written to.
        """
        if self.path is None:
            return
        folder = private_folder(self.path.parent, "ledger_path")
        tried = private_file(folder / f".{self.path.name}.try", "ledger_path")
        tried.unlink(missing_ok=True)  # a check of the login may try at the same moment
        connection = self._open()
        if self._on_disk:
            try_writing(connection, self.path)

    def create(self, *, whole: bool) -> None:
        """Make its file where there is none.

        Args:
            whole: whether it knows all that this connector has open, though it is empty.
        """
        self._open()
        if not self._on_disk:
            self._create(whole=whole)

    def register(self, account: Account, number: int) -> None:
        """Keep an account under its number, and the subscription that it names."""
        connection, path = self._writable()
        known = next((one.account for one in self.accounts() if one.number == number), None)
        if known and (known.subscription or not account.subscription):
            return  # each change waits several times for the disk
        with sql_errors(path, "written"):
            connection.execute(
                "INSERT INTO account VALUES(?, ?, ?, ?) ON CONFLICT(number) DO UPDATE SET "
                "subscription = COALESCE(subscription, excluded.subscription)",
                (number, *account),
            )

    def put_down(self, settlement: Settlement) -> None:
        """Write down what a run is about to do in CVM.

        An error of the settlement's iterables passes as it is and changes nothing.
        """
        connection, path = self._writable()
        settling.put_down(connection, settlement, path, {"pending": PendingRun()})

    def name_pending(self, run: int, before: Collection[int] = ()) -> None:
        """Write down the number that CVM gave to the run.

        Args:
            run: the number.
            before: the connector's runs that were there before.
        """
        known = self.known_runs.among(before)
        with settling.transaction(*self._writable()):
            self._set_meta("pending", PendingRun(run))
            self._set_meta("runs", msgspec.structs.replace(known, own=(*known.own, run)))

    def settle(self) -> None:
        """Take over what was put down: the run has done it."""
        connection, path = self._writable()
        settling.take_over(connection, path)

    def doubt(self, *, keep: bool = False, link: bool = False, in_part: bool = False) -> None:
        """Take what was put down as perhaps open.

        Args:
            keep: whether it stays put down, as the run is still going on.
            link: whether its sync is a link of the chain all the same.
            in_part: whether the run has done most of it, and failed the rest.
        """
        connection, path = self._writable()
        settling.doubt(connection, path, keep=keep, link=link, in_part=in_part)

    def remember(self, name: str, *, value: object) -> None:
        """Keep a value by its name."""
        self._set_meta(name, value)

    @contextmanager
    def amending(self, tables: Path) -> Iterator[sqlite3.Connection]:
        """Change it by the tables of another file, attached as `cvm`: all of it, or nothing."""
        connection, path = self._writable()
        with sql_errors(path, "written"):
            connection.execute("ATTACH ? AS cvm", (str(tables),))
        try:
            with settling.transaction(connection, path), sql_errors(path, "written"):
                yield connection
        finally:
            connection.execute("DETACH cvm")

    def copied(self, path: Path) -> Ledger:
        """Copy it, so that the copy can be changed and this one stays as it is."""
        self._open()
        if self._on_disk and self.path is not None:
            shutil.copyfile(self.path, path)
        return Ledger(path, self._home)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            found = None if self.path is None else open_ledger(self.path, self._busy_seconds)
            self._on_disk = found is not None
            self._connection = found or empty_ledger()
            self._require_home()
        return self._connection

    def _require_home(self) -> None:
        found = self._meta("home", Home)
        if found is None or self.path is None or self._home is None:
            return
        if found != self._home:
            owner = f"connector {found.connector} at {found.host}"
            self.close()
            raise LedgerForeign(self.path, owner)

    def _writable(self) -> tuple[sqlite3.Connection, Path]:
        if self.path is None:
            message = "a ledger without a path cannot be written"
            raise ValueError(message)
        self._open()
        if not self._on_disk:
            self._create(whole=True)
        with suppress(OSError):
            self.path.chmod(FILE_MODE)
        return (self._open(), self.path)

    def _create(self, *, whole: bool) -> None:
        if self.path is None:
            return
        self.close()
        private_folder(self.path.parent, "ledger_path")
        meta: dict[str, object] = {"whole": whole}
        if self._home is not None:
            meta["home"] = self._home
        create_ledger(self.path, dict(settling.texts(meta)))
        with sql_errors(self.path, "written"):
            self._connection = connect(self.path, self._busy_seconds)
        self._on_disk = True

    def _set_meta(self, name: str, value: object) -> None:
        connection, path = self._writable()
        with sql_errors(path, "written"):
            rows = settling.texts({name: value})
            connection.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", rows)

    def _rows(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        connection = self._open()
        with sql_errors(self.path, "read"):
            yield from connection.execute(query, values)

    def _meta(self, key: str, kind: type[T]) -> T | None:
        for (text,) in self._rows("SELECT value FROM meta WHERE key = ?", key):
            with sql_errors(self.path, "read"):
                return msgspec.json.decode(text, type=kind)
        return None

"""Everything that can end a load, with one class for each thing that a person can do about it.

    CiscoVMError                 exit code 1: try again later, or look at the report
    ├── Refused                  exit code 2: someone has to change something first
    │   ├── SettingsError        a setting is missing, of the wrong form, or contradicts another
    │   ├── NoAccess             a folder or file of our own cannot be used
    │   ├── BadKey               the API key is not accepted
    │   ├── KeyLacksRights       the key is known, but may not do this
    │   ├── ConnectorMissing     no connector with this number under this key
    │   ├── NotADataImporter     the connector fetches by itself and takes no files
    │   ├── LedgerRefused        the ledger has the form of another version
    │   ├── LedgerForeign        the ledger is that of another connector
    │   ├── LedgerMissing        there is no ledger to hold CVM against
    │   ├── WrongHost            what answers is not the API of Cisco Vulnerability Management
    │   └── UntrustedServer      the TLS certificate of the server is not trusted
    ├── AlreadyRunning           another process on this machine is loading into the connector
    ├── DiskFull                 there is no room for the files of the run
    ├── LedgerDamaged            the ledger exists but cannot be read
    ├── LedgerUnusable           the ledger cannot be read or written now
    ├── UploadFailed             a file was refused, or failed after all tries
    │   └── TooLarge             a file is too large for CVM: it is sent in halves
    ├── InputBroken              a line is not JSON, or the stream is not Singer's
    ├── LimitReached             too much would be closed
    │   └── TooManyRejected      too much was rejected
    ├── ConnectorBusy            the connector is working on another run
    │   └── StillBusy            it did not end in time
    ├── RunFailed                the run ended in CVM without success (in cvm.connector)
    ├── StillRunning             exit code 3: the run goes on in CVM, longer than we wait
    ├── HoldingsUnavailable      what CVM holds cannot be read, or not to its end
    ├── RequestRefused           CVM accepts the key but refuses the request
    └── TemporaryError           tried again after a growing wait, within the limits set
        ├── RateLimited          more requests a second than CVM allows
        ├── Unavailable          an error of the server or of a gateway before it
        ├── Unreachable          no connection to the server
        ├── TimedOut             a connection, but no answer in time
        └── BrokenAnswer         an answer that is missing, empty, cut, or not what was asked for

No message holds the API key, a request's headers or a proxy's address.
"""

# ruff: noqa: N818 - each name says the cause, as in the tree above

from __future__ import annotations

from typing import TYPE_CHECKING

from qualyswas_ciscovm.errors import SETTINGS_EXIT, PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class CiscoVMError(PluginError):
    """A load that cannot go on. `str(error)` is one or two sentences for a person, no secrets.

    Attributes:
        once_with: settings that let the load through, by environment variable, for one run.
    """

    def __init__(self, message: str, once_with: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.once_with = once_with or {}


class Refused(CiscoVMError):
    """Trying again is useless until settings, key, connector or network have changed."""

    exit_code = SETTINGS_EXIT


class SettingsError(Refused):
    """A setting is missing, has the wrong form, or contradicts another one."""


class NoAccess(Refused):
    """The system refuses access to a folder or file that the target needs.

    Args:
        path: the folder or file.
        doing: what could not be done with it, such as `created`.
        cause: the system's own words.
        way_out: what to do about it, as a whole sentence.
    """

    def __init__(self, path: Path, doing: str, cause: str, way_out: str) -> None:
        super().__init__(f"{path} could not be {doing}: {cause}. {way_out}")


class BadKey(Refused):
    """CVM does not know the API key (HTTP 401)."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Cisco Vulnerability Management does not accept the API key at {place} (HTTP 401). "
            "Check api_key, and that api_url is the host shown in CVM under Settings > API Keys."
        )


class KeyLacksRights(Refused):
    """The key is known, but its user may not do what was asked (HTTP 403)."""

    def __init__(self, place: str, doing: str) -> None:
        super().__init__(
            f"The user of this API key may not {doing} at {place} (HTTP 403). Use a key of a user "
            "whose role may use connectors, such as an administrator's."
        )


class ConnectorMissing(Refused):
    """The key shows no connector with this number."""

    def __init__(self, connector_id: int, place: str, file_based: str = "") -> None:
        seen = f" The key shows these Data Importers: {file_based}." if file_based else ""
        super().__init__(
            f"There is no connector {connector_id} at {place} for this API key.{seen} Create a "
            "Data Importer (KDI) connector in CVM and set connector_id to its number, which is at "
            "the end of the address of its page."
        )


class NotADataImporter(Refused):
    """The connector has a host of its own, so it is not file based."""

    def __init__(self, connector_id: int, name: str, host: str) -> None:
        super().__init__(
            f"Connector {connector_id} ({name}) fetches its data from {host} itself and takes no "
            "files. Set connector_id to that of a Data Importer (KDI) connector."
        )


class WrongHost(Refused):
    """The server at this address is not CVM's API."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(
            f"{place} is not the API of Cisco Vulnerability Management: it answers {what}. Set "
            "api_url to the host shown in CVM under Settings > API Keys, such as "
            "https://api.kennasecurity.com."
        )


class UntrustedServer(Refused):
    """The server's certificate cannot be verified."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The TLS certificate of {place} is not trusted. If your own proxy opens TLS "
            "connections, set ca_bundle to the path of its CA certificate. Verification cannot be "
            "switched off."
        )


class AlreadyRunning(CiscoVMError):
    """Another process holds the connector's lock. Nothing has been sent.

    Attributes:
        pid: its process id, None when it could not be read.
    """

    def __init__(self, connector: str, path: Path, pid: int | None) -> None:
        who = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"Connector {connector} is being loaded by {who}, which holds {path}. Two loads at "
            "once would close each other's findings. Wait until it ends, or stop it, and run again."
        )
        self.pid = pid


class DiskFull(CiscoVMError):
    """The files of the run have no room.

    Args:
        folder: where there is no room.
        free: bytes that are free, None when unknown.
        needed: bytes that the run needs, None when a write failed.
        cause: why the write failed, in the system's own words.
    """

    def __init__(
        self,
        folder: Path,
        free: int | None,
        *,
        needed: int | None = None,
        cause: str = "no space is left",
    ) -> None:
        why = cause if needed is None else f"the run needs about {needed / 1e6:,.1f} MB"
        room = "" if free is None else f", and {free / 1e6:,.1f} MB are free"
        super().__init__(
            f"There is no room for files in {folder}: {why}{room}. Free some space, or set "
            "output_path to a folder on a larger disk, and run again."
        )


class LedgerDamaged(CiscoVMError):
    """The ledger's file is not one that this version can read. Nothing has been sent."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The ledger {path} cannot be used: {why}. Restore a good copy of it, or make it anew "
            "from CVM: meltano invoke target-ciscovm:rebuild-ledger."
        )


class LedgerRefused(Refused):
    """The ledger's file has the form of another version. Nothing has been sent."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The ledger {path} cannot be used: {why}. Make it anew from CVM (meltano invoke "
            "target-ciscovm:rebuild-ledger), or set ledger_path to another file."
        )


class LedgerForeign(Refused):
    """The ledger's file remembers another connector. Nothing has been sent."""

    def __init__(self, path: Path, owner: str) -> None:
        super().__init__(
            f"The ledger {path} is that of {owner}. Set ledger_path to a file of this connector's "
            "own. If only CVM's address has changed, make it anew: meltano invoke "
            "target-ciscovm:rebuild-ledger."
        )


class LedgerMissing(Refused):
    """There is no ledger, and what was asked for needs one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no ledger at {path}, so there is nothing to hold CVM against. Set "
            "ledger_path to where it is, or run target-ciscovm:rebuild-ledger to make it from CVM."
        )


class LedgerUnusable(CiscoVMError):
    """The ledger cannot be read or written now; it has its last good content.

    Args:
        path: the ledger.
        doing: `read` or `written`.
        cause: SQLite's or the system's own words.
    """

    def __init__(self, path: Path, doing: str, cause: str) -> None:
        super().__init__(
            f"The ledger {path} could not be {doing}: {cause}. It still has what was settled "
            "last. Fix the cause; the next run sends the same again."
        )


class UploadFailed(CiscoVMError):
    """A data file could not be uploaded. Nothing has been run in CVM."""


class TooLarge(UploadFailed):
    """A data file is larger than CVM, or a gateway before it, accepts (HTTP 413)."""


class ConnectorBusy(CiscoVMError):
    """CVM starts no run now, as another one may be in progress. None of our files has been run."""


class StillBusy(ConnectorBusy):
    """It did not end in time."""


class StillRunning(CiscoVMError):
    """The run had not ended, or could not be checked, when the time was up.

    Attributes:
        run_id: the run in CVM, to check later.
    """

    exit_code = 3

    def __init__(self, run_id: int, seconds: float, why: str = "") -> None:
        reason = f" ({why})" if why else ""
        super().__init__(
            f"Connector run {run_id} had not ended in CVM after {seconds:,.0f} s{reason}. Check "
            "it on the connector's page. The next load waits for its end and sends the same again. "
            "Raise run_timeout_seconds if runs usually take longer."
        )
        self.run_id = run_id


class InputBroken(CiscoVMError):
    """The input cannot be trusted: a line is not JSON, or the stream is not Singer's."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(
            f"Line {line:,} of the input {what}. The load was stopped and nothing was sent. "
            "Check the tap's log for the cause and run again."
        )


class LimitReached(CiscoVMError):
    """A limit of the settings stops the load before anything is run in CVM."""


class TooManyRejected(LimitReached):
    """More records were rejected than `max_failed_percent` allows."""


class HoldingsUnavailable(CiscoVMError):
    """What CVM holds could not be read whole; the text is the cause, as one sentence."""


class RequestRefused(CiscoVMError):
    """CVM refuses for good: HTTP 400 or another status that trying again does not change."""


class TemporaryError(CiscoVMError):
    """Worth trying again.

    Attributes:
        wait_seconds: the wait that the server named, None when it named none.
    """

    wait_seconds: float | None = None


class RateLimited(TemporaryError):
    """HTTP 429: more than five requests a second from this address."""


class Unavailable(TemporaryError):
    """HTTP 5xx, or 422 on an upload: the server responds but cannot do it now."""


class Unreachable(TemporaryError):
    """No connection was made, so CVM has not seen the request."""


class TimedOut(TemporaryError):
    """No answer in time; CVM may or may not have done what was asked."""


class BrokenAnswer(TemporaryError):
    """No answer, or an unreadable one; CVM may or may not have done what was asked."""

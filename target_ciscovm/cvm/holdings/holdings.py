"""All that CVM holds of a connector: by data exports, or by searches where there are none."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from target_ciscovm.cvm.holdings.exports import Exports
from target_ciscovm.cvm.holdings.holding import Owner
from target_ciscovm.cvm.holdings.reading import Reading
from target_ciscovm.cvm.holdings.store import Store
from target_ciscovm.errors import CiscoVMError, HoldingsUnavailable, KeyLacksRights
from target_ciscovm.output.folders import writing_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.cvm.holdings.holding import Holding
    from target_ciscovm.kdi.types import DataModel

LOGGER: Final = logging.getLogger(__name__)

Source = Literal["export", "search"]


class Holdings(msgspec.Struct, frozen=True):
    """The holdings of one connector in one data model, all of them.

    Attributes:
        source: how they were read.
    """

    source: Source
    _store: Store
    _model: DataModel

    def __iter__(self) -> Iterator[Holding]:
        return self._store.holdings(self._model)


@contextmanager
def open_holdings(
    api: CiscoVMClient,
    data_model: DataModel,
    folder: Path,
    *,
    timeout_seconds: float,
    progress: Callable[[str], None] = LOGGER.info,
) -> Iterator[Holdings]:
    """Read what CVM holds of the connector, in every status and on inactive assets too.

    It is read to its end before the block begins, and kept on disk as long as that lasts.

    Args:
        api: the connector.
        data_model: which of the two kinds of entries.
        folder: a private folder for files that have no name there.
        timeout_seconds: for data exports to be ready and fetched; all of them together.
        progress: gets a line for each wait.

    Raises:
        HoldingsUnavailable: it could not be read, or not to its end.
        CiscoVMError: the connector could not be looked at.
        DiskFull: there is no room in the folder.
        NoAccess: the folder cannot be used.
    """
    name = api.connector().name
    with Store(folder) as store:
        exports = Exports(api.calls, folder, timeout_seconds, progress)
        names = (name,) if name else ()
        reading = Reading(api.calls, Owner(api.connector_id, name), names, store, exports)
        with writing_in(folder), _unavailable():
            source = _read(reading, data_model)
            if data_model == "vulnerabilities" and store.is_empty and _has_imported(api):
                # An empty answer would be taken for an empty CVM, while perhaps only the name is
                # not one that CVM can filter by.
                LOGGER.info("CVM shows nothing for this connector's name; reading all connectors.")
                source = _read(msgspec.structs.replace(reading, connectors=()), data_model)
        yield Holdings(source, store, data_model)


@contextmanager
def _unavailable() -> Iterator[None]:
    """Give every error of CVM one type: whatever it is, the holdings cannot be had."""
    try:
        yield
    except CiscoVMError as error:
        raise HoldingsUnavailable(str(error)) from error


def _has_imported(api: CiscoVMClient) -> bool:
    """Tell whether a run of the connector may have brought entries."""
    return any(run.success and run.processed_scanner_vuln_count != 0 for run in api.runs())


def _read(reading: Reading, model: DataModel) -> Source:
    source: Source = "export"
    try:
        reading.export(model)
    except CiscoVMError as error:
        LOGGER.info("%s CVM is searched instead.", error)
        _search(reading, model, error)
        source = "search"
    reading.find_assets()
    return source


def _search(reading: Reading, model: DataModel, no_export: CiscoVMError) -> None:
    try:
        reading.search(model)
    except CiscoVMError as error:
        if isinstance(no_export, KeyLacksRights) and isinstance(error, KeyLacksRights):
            msg = (
                f"The user of this API key may neither export nor search {model} in CVM (HTTP "
                "403). Use a key of a user who may read assets and vulnerabilities, such as an "
                "administrator's."
            )
            raise HoldingsUnavailable(msg) from error
        msg = " ".join(dict.fromkeys((str(no_export), str(error))))
        raise HoldingsUnavailable(msg) from error

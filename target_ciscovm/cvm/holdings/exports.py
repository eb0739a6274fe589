"""Data exports: CVM is asked for one, works on it, and gives a file; asked anew if that is lost."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, Generic

import msgspec

from qualyswas_ciscovm.wording import counted
from target_ciscovm.cvm.connector import read_int
from target_ciscovm.cvm.holdings.export_file import FileBroken, rows_in
from target_ciscovm.cvm.holdings.rows import Row
from target_ciscovm.cvm.retry_policy import capped, persist
from target_ciscovm.cvm.run_watch import Teller
from target_ciscovm.errors import BrokenAnswer, HoldingsUnavailable, RequestRefused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from target_ciscovm.cvm.answer import Answer
    from target_ciscovm.cvm.calls import Calls

LOGGER: Final = logging.getLogger(__name__)

PATH: Final = "/data_exports"
DOING: Final = "export data"
EXPORTS: Final = 3
"""How often an export is asked for that fails, or whose file is not whole."""
ENDINGS: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "was cancelled or failed in CVM (HTTP 400)",
    HTTPStatus.GONE: "has expired (HTTP 410)",
    HTTPStatus.INTERNAL_SERVER_ERROR: "failed in CVM (HTTP 500)",
}
"""What a status says of an export that was taken on (OpenAPI: `/data_exports`, with `/status`)."""


class ExportLost(Exception):  # noqa: N818 - the name says the cause
    """This export will not come; another one may."""


class Request(msgspec.Struct, Generic[Row], frozen=True):
    """What is to be exported.

    Attributes:
        row: the form of a row.
        model: what its rows are: `vulnerability`, `finding` or `asset`.
        plural: what they are called.
        filters: as CVM names them.
        fields: of assets, those wanted besides the id.
    """

    row: type[Row]
    model: str
    plural: str
    filters: Mapping[str, Sequence[str]]
    fields: Sequence[str] = ()

    def body(self) -> dict[str, object]:
        """Give it as CVM is asked."""
        fields = {"fields": list(self.fields)} if self.fields else {}
        return {"export_settings": {"model": self.model, "format": "jsonl", **fields}} | {
            name: list(values) for name, values in self.filters.items()
        }


@dataclass
class Exports:
    """The exports of one reading.

    Attributes:
        folder: for the files while they are read; they have no name there.
        timeout_seconds: for all exports together.
        progress: gets a line for each wait.
    """

    calls: Calls
    folder: Path
    timeout_seconds: float
    progress: Callable[[str], None]
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.timeout_seconds

    def read(self, request: Request[Row], keep: Callable[[Iterable[Row]], None]) -> None:
        """Fetch an export and hand its rows on.

        Args:
            request: what is to be exported.
            keep: gets the rows; if they end in `FileBroken`, it must not keep any.

        Raises:
            HoldingsUnavailable: when no export came whole, or none in time.
            CiscoVMError: when CVM refuses exports, or cannot be reached.
        """
        for attempt in range(1, EXPORTS + 1):
            lost = self._read_once(request, keep)
            if lost is None:
                return
            msg = f"CVM's export of {request.plural} did not come whole: {lost}."
            if attempt < EXPORTS:
                LOGGER.warning("%s Asking for another one.", msg)
        raise HoldingsUnavailable(msg)

    def _read_once(
        self, request: Request[Row], keep: Callable[[Iterable[Row]], None]
    ) -> Exception | None:
        """Try to fetch an export, and give why it did not come."""
        number, count = persist(lambda: self._ask(request), self.calls.policy)
        try:
            self._wait(number, request, count)
            with TemporaryFile(dir=self.folder) as file:
                persist(lambda: self._fetch(number, file, request.plural), self.calls.policy)
                keep(rows_in(file, request.row, count))
        except (ExportLost, FileBroken) as error:
            return error
        return None

    def _ask(self, request: Request[Row]) -> tuple[int, int | None]:
        """Ask for an export and give its number, and how many rows it is to have."""
        answer = self.calls.once("POST", PATH, json=request.body())
        self.calls.judge(answer, f"export {request.plural}")
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            msg = f"{self.calls.place} has no data exports (HTTP {answer.status})."
            raise RequestRefused(msg)
        told = answer.fields()
        number = read_int(told.get("search_id"))
        if number is None:
            msg = f"CVM did not confirm the export (HTTP {answer.status})."
            raise BrokenAnswer(msg)
        return number, read_int(told.get("record_count"))

    def _wait(self, number: int, request: Request[Row], count: int | None) -> None:
        """Wait until the export can be fetched, checking less and less often."""
        policy, teller = self.calls.policy, Teller(self.progress)
        many = request.plural if count is None else counted(count, request.model, request.plural)
        for wait in policy.waits(policy.poll_seconds):
            if persist(lambda: self._is_ready(number), policy):
                return
            self._require_time(request.plural)
            teller.tell(f"CVM is working on an export of {many}")
            time.sleep(capped(wait, self._deadline))

    def _require_time(self, plural: str) -> None:
        if time.monotonic() >= self._deadline:
            msg = f"CVM's export of {plural} had not come after {self.timeout_seconds:,.0f} s."
            raise HoldingsUnavailable(msg)

    def _is_ready(self, number: int) -> bool:
        answer = self.calls.once("GET", f"{PATH}/status", query=[("search_id", number)])
        self._judge(answer)
        if answer.status == HTTPStatus.NOT_FOUND:  # it may not be there yet
            msg = "CVM does not know the export that it has taken on (HTTP 404)."
            raise Unavailable(msg)
        return answer.status != HTTPStatus.PARTIAL_CONTENT

    def _fetch(self, number: int, file: IO[bytes], plural: str) -> None:
        self._require_time(plural)
        query = [("search_id", number)]
        answer = self.calls.transport.download(PATH, file, query=query, deadline=self._deadline)
        self._judge(answer)
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            msg = "CVM's export is not ready, though its status said so."
            raise Unavailable(msg)

    def _judge(self, answer: Answer) -> None:
        ending = ENDINGS.get(answer.status)
        if ending and answer.is_json():  # a gateway's own page says nothing of the export
            raise ExportLost(ending)
        self.calls.judge(answer, DOING)

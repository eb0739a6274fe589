"""The data exports of the CVM face: asked for, worked on, and fetched as a gzip file."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from starlette.responses import Response

from tests.sandbox.ciscovm import export_requests
from tests.sandbox.http.connection import CutShort

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from tests.sandbox.ciscovm.export_requests import Answer, ExportRequest
    from tests.sandbox.ciscovm.face import CiscoFace, Logged

KEPT: Final = timedelta(days=30)
"""How long a search id is valid."""

_FIRST_EXPORT: Final = 2358
_WORKING: Final = "The export is currently {}. Try again later."
_FAILED: Final = (
    "There was an error getting your search data. Please contact tech support for more details."
)
_EXPIRED: Final = "The search has expired and is no longer available."

State = Literal["working", "failed", "expired"]


@dataclass
class Export:
    """One export.

    Attributes:
        asked_at: by the world's clock.
        started: by a clock that never jumps.
        content: the gzip file.
        state: `failed` also when somebody has killed it.
    """

    asked_at: datetime
    started: float
    content: bytes
    state: State = "working"


class Exports:
    """The calls of exports. Those that a tenant has asked for are not saved with it."""

    def __init__(self, face: CiscoFace) -> None:
        self.face = face
        self._exports: dict[int, Export] = {}

    async def data_exports(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Ask for an export, or fetch one."""
        if self.face.faults.take("export-429"):
            return self.face.error(429, "Rate limit exceeded.")
        if request.method == "POST":
            return await self._request(request)
        return self._retrieve(request)

    async def _request(self, request: Request) -> Response:
        face = self.face
        if face.faults.take("export-refused"):
            return face.error(403, "You are not authorized to perform this action.")
        try:
            body = json.loads(await request.body())
            asked = export_requests.read(body, findings=face.switches.finding_exports)
        except ValueError as error:
            status = 422 if isinstance(error, export_requests.FieldsError) else 400
            return face.json({"success": False, "message": str(error)}, status)
        with face.tenant.lock:
            rows = asked.rows(face.tenant)
            number = face.tenant.state.next_id("export", _FIRST_EXPORT)
        told = rows[: len(rows) // 2] if face.faults.take("export-short") else rows
        export = Export(face.clock.now(), time.monotonic(), _packed(asked, told))
        if face.faults.take("export-failed"):
            export.state = "failed"
        self._exports[number] = export
        return face.json({"search_id": number, "record_count": len(rows)})

    async def status(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Tell how far an export is."""
        face, export = self.face, self._named(request)
        if face.faults.take("export-429"):
            return face.error(429, "Rate limit exceeded.")
        if export is None:
            return face.error(404, "No search found")
        working = self._working(export)
        if working:
            return face.json({"message": working}, 206)
        if export.state == "failed":
            return face.error(500, _FAILED)
        if export.state == "expired":
            return face.error(410, _EXPIRED)
        return face.json({"message": "Export ready for download"})

    def _retrieve(self, request: Request) -> Response:
        face, export = self.face, self._named(request)
        if export is None:
            return face.error(400, "Export not found.")
        working = self._working(export)
        if working:
            return face.json({"message": working, "success": "true"}, 206)
        if export.state == "failed":
            return face.error(400, "Cannot retrieve a failed or cancelled export.")
        if export.state == "expired":
            return face.error(410, _EXPIRED)
        return self._download(export)

    def _download(self, export: Export) -> Response:
        take, content, headers = self.face.faults.take, export.content, self.face.headers()
        kind: type[Response] = Response
        if take("export-bad-gzip"):
            content = content[: len(content) // 2]
        if take("export-cut"):
            kind = CutShort
        if take("export-killed"):
            kind, export.state = CutShort, "failed"
        return kind(content, 200, headers, "application/gzip")

    def _named(self, request: Request) -> Export | None:
        text = request.query_params.get("search_id", "")
        return self._exports.get(int(text)) if text.isdecimal() else None

    def _working(self, export: Export) -> str | None:
        """Return what is said of an export that is not at its end, None of another one."""
        face = self.face
        if face.faults.take("export-never-ready") or face.faults.take("export-slow"):
            return _WORKING.format("processing")
        if face.clock.now() - export.asked_at > KEPT or face.faults.take("export-expired"):
            export.state = "expired"
        seconds = face.switches.export_seconds
        passed = max(
            (face.clock.now() - export.asked_at).total_seconds(),
            time.monotonic() - export.started,
        )
        if export.state != "working" or passed >= seconds:
            return None
        return _WORKING.format("enqueued" if passed < seconds / 2 else "processing")


def _packed(asked: ExportRequest, rows: list[Answer]) -> bytes:
    if asked.format == "jsonl":
        content = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    else:
        content = msgspec.json.encode({asked.list_name: rows, "meta": {"total_count": len(rows)}})
    return gzip.compress(content, mtime=0)

"""`POST /connectors/{id}/data_file`: a multipart form with the file, `run` and `encoding`."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from tests.sandbox.ciscovm.face import Dropped
from tests.sandbox.ciscovm.tenant.tenant import BadFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.ciscovm.face import CiscoFace, Logged

FAULTY_LIMIT: Final = 100_000
"""Bytes, while the fault `upload-413` is armed."""

_PROCESS_FAULTS: Final = ("target-killed", "target-terminated")
_TRUE: Final = frozenset({"true", "1", "t", "on"})
_FALSE: Final = frozenset({"false", "0", "f", "off", ""})
_MAX_TEXT_PART: Final = 1 << 30


class UploadError(ValueError):
    """A form that is refused with HTTP 400."""


async def upload(
    face: CiscoFace, request: Request, logged: Logged, start: Callable[[], Response]
) -> Response:
    """Keep the form's file; with `run` also start it.

    Args:
        face: the API that was asked.
        request: with the multipart body.
        logged: its line in the log, which is given the file's size and hash.
        start: starts a run of the file uploaded last, and answers as the run's own call does.
    """
    if face.faults.take("upload-reset"):
        await anext(request.stream())
        return Dropped()
    try:
        content, run = await _form(request, logged)
    except UploadError as error:
        return face.error(400, str(error))
    for name in _PROCESS_FAULTS:
        face.faults.take(name)
    return _spoilt(face, content) or _kept(face, request, content, start if run else None)


def _spoilt(face: CiscoFace, content: bytes) -> Response | None:
    limit, take = face.switches.max_file_bytes, face.faults.take
    if (limit and len(content) > limit) or (len(content) > FAULTY_LIMIT and take("upload-413")):
        return face.too_large()
    if take("upload-422"):
        return face.error(422, "HttpError")
    return face.bad_gateway() if take("upload-500") else None


def _kept(
    face: CiscoFace, request: Request, content: bytes, start: Callable[[], Response] | None
) -> Response:
    connector_id = request.path_params["connector_id"]
    try:
        file = face.tenant.upload(connector_id, content)
        if face.faults.take("upload-twice"):
            file = face.tenant.upload(connector_id, content)
    except BadFileError as error:
        return face.error(400, str(error))
    if face.faults.take("upload-empty"):
        return face.empty()
    if start is not None:
        return start()
    run_url = str(request.url_for("run", connector_id=connector_id))
    # A text, as in Cisco's example and as Cisco's toolkit compares it, whatever the schema says.
    return face.json({"success": "true", "run_url": run_url, "data_file": file.id})


async def _form(request: Request, logged: Logged) -> tuple[bytes, bool]:
    """Return the file's bytes and whether it is to run at once."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        # Documented: the header `Content-Type: application/json` makes a 400.
        msg = "unexpected token"
        raise UploadError(msg)
    try:
        async with request.form(max_part_size=_MAX_TEXT_PART) as form:
            part = form.get("file")
            if part is None:
                msg = "param is missing or the value is empty: file"
                raise UploadError(msg)
            sent = await part.read() if isinstance(part, UploadFile) else part.encode()
            run = str(form.get("run", request.query_params.get("run", "")))
            encoding = str(form.get("encoding", ""))
    except HTTPException as error:
        raise UploadError(str(error.detail)) from error
    logged.size, logged.sha256 = len(sent), hashlib.sha256(sent).hexdigest()
    return _decoded(sent, encoding), _flag(run)


def _decoded(sent: bytes, encoding: str) -> bytes:
    if encoding in {"", "none"}:
        return sent
    if encoding != "deflate":
        msg = f"encoding is not valid: {encoding}"
        raise UploadError(msg)
    try:
        return zlib.decompress(sent)
    except zlib.error as error:
        msg = "file is not deflated"
        raise UploadError(msg) from error


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        msg = f"run is not valid: {text}"
        raise UploadError(msg)
    return text.lower() in _TRUE

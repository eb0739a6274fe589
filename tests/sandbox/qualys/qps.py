"""The qps side of the platform: the calls below `/qps/rest`, routed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.object_kinds import object_kinds
from tests.sandbox.qualys.search import service_request
from tests.sandbox.qualys.search.refusals import RefusalError
from tests.sandbox.qualys.spoiled_pages import break_off
from tests.sandbox.qualys.was import WasSide, without_paging
from tests.sandbox.qualys.xml import markup

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.qualys.face import Logged, QualysFace
    from tests.sandbox.qualys.object_kinds import ObjectKind

_PROCESS_FAULTS: Final = ("tap-killed", "tap-terminated")
_VERSION: Final = (
    "    <Portal-Version>\n"
    "      <PortalApplication-VERSION>3.21.0.0</PortalApplication-VERSION>\n"
    "      <WAS-VERSION>9.12.0.0</WAS-VERSION>\n"
    "    </Portal-Version>\n"
)


class QpsSide:
    """Reads the requests that are let in, and routes them."""

    def __init__(self, face: QualysFace) -> None:
        self.face = face
        self.kinds = object_kinds(face.world.size.seed)
        self.was = WasSide(face)

    def version(self) -> Response:
        """Answer with the versions of portal and WAS, whether or not WAS is licensed."""
        if not self.face.switches.portal_version:
            return self.face.html("<html><body>404 Not Found</body></html>", 404)
        return self.face.xml(markup.success("version", 1, data=_VERSION))

    def answer(self, path: str, request: Request, body: bytes, logged: Logged) -> Response:
        """Answer a call about objects; `path` is version and module, e.g. `3.0/was`."""
        if request.method == "POST" and not body and "content-type" not in request.headers:
            return self.face.xml("", 415)
        name = request.path_params["kind"]
        kind = self.kinds.get((path, name))
        if kind is None:
            return self.face.failure("INVALID_URL", f"Unknown object '{name}'.")
        try:
            return self._answer(kind, request, body, logged) or self._unsupported(kind, request)
        except RefusalError as refusal:
            return self.face.failure(refusal.code, refusal.message, refusal.resolution, kind.schema)

    def _answer(
        self, kind: ObjectKind, request: Request, body: bytes, logged: Logged
    ) -> Response | None:
        operation, key = request.path_params["operation"], request.path_params.get("key")
        if key is not None:
            return self._by_key(kind, operation, key) if request.method == "GET" else None
        counted = operation == "count"
        if request.method == "GET" and not (counted and kind.count_by_get):
            return None
        asked = service_request.parse(body, request.headers.get("content-type", ""))
        logged.criteria, logged.limit = asked.criteria, asked.limit
        logged.verbose = asked.verbose
        if counted:
            return self.was.count(kind, without_paging(asked))
        if operation != "search":
            return None
        return self._strike(kind, asked.limit) or self.was.search(kind, asked, logged)

    def _by_key(self, kind: ObjectKind, operation: str, key: str) -> Response | None:
        if operation == "get":
            return self.was.get(kind, key)
        if kind.name != "wasscan" or operation not in {"status", "download"}:
            return None
        return (self.was.status if operation == "status" else self.was.download)(kind, key)

    def _strike(self, kind: ObjectKind, wanted: int) -> Response | None:
        """Apply the faults that strike before a search of findings is answered."""
        if kind.name != "finding":
            return None
        for name in _PROCESS_FAULTS:
            self.face.faults.take(name)
        return break_off(self.face, wanted)

    def _unsupported(self, kind: ObjectKind, request: Request) -> Response:
        operation = request.path_params["operation"]
        message = f"{request.method} {operation} is not supported for '{kind.name}'."
        return self.face.failure("OPERATION_NOT_SUPPORTED", message, schema=kind.schema)

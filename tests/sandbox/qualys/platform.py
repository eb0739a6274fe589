"""The Qualys face of the sandbox: the platform's API over real HTTP, as far as a reader uses it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import Route

from tests.sandbox.qualys.face import KNOWLEDGE_BASE, Logged, QualysFace, spelled
from tests.sandbox.qualys.fo import FoSide
from tests.sandbox.qualys.login import issue_token, refuse_fo, refuse_qps
from tests.sandbox.qualys.refusal_strikes import strike
from tests.sandbox.qualys.search import service_request
from tests.sandbox.qualys.search.refusals import RefusalError
from tests.sandbox.qualys.spoiled_pages import SLOW_SECONDS, break_off, spoil_bytes
from tests.sandbox.qualys.was import OBJECTS, WasSide, without_paging
from tests.sandbox.qualys.xml import markup
from tests.sandbox.world.model import seconds

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.faults.switches import Switches
    from tests.sandbox.world.clock import Clock
    from tests.sandbox.world.world import World

PAGE: Final = "search/was/finding"
VERSIONS: Final = ("2.0", "3.0", "4.0")
_PROCESS_FAULTS: Final = ("tap-killed", "tap-terminated")
_GET_COUNTS: Final = ("webapp", "wasscan")


def create_app(world: World, clock: Clock, faults: Faults, switches: Switches) -> Starlette:
    """Return the application; `app.state` holds `face`, `requests` (by endpoint) and `log`."""
    return create_face_app(QualysFace(world, clock, faults, switches))


def create_face_app(face: QualysFace) -> Starlette:
    """Return the application for a face that the caller has made, with logins of its own."""
    platform = _Platform(face)
    was = "/qps/rest/3.0"
    both = ["GET", "POST"]
    app = Starlette(
        routes=[
            Route(f"{was}/{{operation}}/was/{{kind}}", platform.was, methods=both),
            Route(f"{was}/{{operation}}/was/{{kind}}/", platform.was, methods=both),
            Route(f"{was}/{{operation}}/was/{{kind}}/{{key}}", platform.was, methods=both),
            Route("/qps/rest/portal/version", platform.version, methods=["GET"]),
            Route("/api/{version}/fo/knowledge_base/vuln/", platform.fo, methods=both),
            Route("/auth/oidc", platform.token, methods=["POST"]),
            Route("/{rest:path}", platform.portal, methods=both),
        ]
    )
    app.state.face, app.state.requests, app.state.log = face, face.requests, face.log
    return app


class _Platform:
    """The requests' way in: counted, perhaps struck by a fault, let in, answered."""

    def __init__(self, face: QualysFace) -> None:
        self.face = face
        self.was_side = WasSide(face)
        self.fo_side = FoSide(face)

    async def was(self, request: Request) -> Response:
        """Answer everything below `/qps/rest/3.0`."""
        parts = request.path_params
        endpoint = f"{parts['operation']}/was/{parts['kind']}"
        logged = self._log(request, endpoint)
        body = await request.body()
        if endpoint == PAGE and self.face.faults.take("qualys-slow"):
            await asyncio.sleep(SLOW_SECONDS)
        answer = strike(self.face, "was", endpoint) or refuse_qps(self.face, request)
        struck = answer is not None
        if answer is None and _has_nothing(request, body):
            answer = self.face.xml("", 415)
        if answer is None:
            try:
                answer = self._was(request, body, logged)
            except RefusalError as refusal:
                answer = self.face.failure(
                    refusal.code, refusal.message, refusal.resolution, parts["kind"]
                )
        answer = spelled(answer, request)
        if endpoint == PAGE and answer.body and not struck:
            answer = spoil_bytes(self.face, answer)
        logged.status = answer.status_code
        return answer

    def _was(self, request: Request, body: bytes, logged: Logged) -> Response:
        operation, kind = request.path_params["operation"], request.path_params["kind"]
        key = request.path_params.get("key")
        if kind not in OBJECTS:
            return self.face.failure("INVALID_URL", f"Unknown object '{kind}'.", schema="webapp")
        if key is not None and request.method == "GET":
            if operation == "get":
                return self.was_side.get(kind, key)
            if (operation, kind) == ("download", "wasscan"):
                return self.was_side.download(key)
        if key is None and (request.method == "POST" or (operation, kind) in _BY_GET):
            asked = service_request.parse(body, request.headers.get("content-type", ""))
            logged.criteria, logged.limit = asked.criteria, asked.limit
            logged.verbose = asked.verbose
            if operation == "count":
                return self.was_side.count(kind, without_paging(asked))
            if operation == "search":
                return self._search(kind, asked, logged)
        message = f"{request.method} {operation} is not supported for '{kind}'."
        return self.face.failure("OPERATION_NOT_SUPPORTED", message, schema=kind)

    def _search(self, kind: str, asked: service_request.ServiceRequest, logged: Logged) -> Response:
        if kind == "finding":
            for name in _PROCESS_FAULTS:
                self.face.faults.take(name)
            broken = break_off(self.face)
            if broken is not None:
                return broken
        return self.was_side.search(kind, asked, logged)

    async def fo(self, request: Request) -> Response:
        """Answer the knowledge base."""
        logged = self._log(request, KNOWLEDGE_BASE)
        body = (await request.body()).decode("utf-8", "replace")
        answer = strike(self.face, "fo", KNOWLEDGE_BASE) or refuse_fo(self.face, request)
        if answer is None and request.path_params["version"] not in VERSIONS:
            answer = self.face.html("<html><body>404 Not Found</body></html>", 404)
        if answer is None:
            query = request.url.query
            parameters = "&".join(part for part in (query, body) if part)
            answer = await self.fo_side.knowledge_base(parameters, logged)
        logged.status = answer.status_code
        return answer

    async def version(self, request: Request) -> Response:
        """Answer with the versions of portal and WAS: the login works, WAS licensed or not."""
        logged = self._log(request, "portal/version")
        answer = strike(self.face, "other", logged.endpoint) or refuse_qps(self.face, request)
        if answer is None:
            data = (
                "    <Portal-Version>\n"
                "      <PortalApplication-VERSION>3.21.0.0</PortalApplication-VERSION>\n"
                "      <WAS-VERSION>9.12.0.0</WAS-VERSION>\n"
                "    </Portal-Version>\n"
            )
            answer = self.face.xml(markup.success("version", 1, data=data))
        answer = spelled(answer, request)
        logged.status = answer.status_code
        return answer

    async def token(self, request: Request) -> Response:
        """Answer the gateway's `/auth/oidc`."""
        logged = self._log(request, "auth/oidc")
        answer = issue_token(self.face, request)
        logged.status = answer.status_code
        return answer

    async def portal(self, request: Request) -> Response:
        """Answer every other path as the portal does: a page for people."""
        logged = self._log(request, "other")
        logged.status = 404
        return self.face.html("<html><body>404 Not Found</body></html>", 404)

    def _log(self, request: Request, endpoint: str) -> Logged:
        logged = Logged(request.method, endpoint, seconds(self.face.clock.now()))
        self.face.requests[endpoint] += 1
        self.face.log.append(logged)
        return logged


def _has_nothing(request: Request, body: bytes) -> bool:
    """Tell whether a request that is to have a body has neither one nor its type."""
    return request.method == "POST" and not body and "content-type" not in request.headers


_BY_GET: Final = frozenset(("count", kind) for kind in _GET_COUNTS)

"""The Qualys face of the sandbox: the platform's API over real HTTP, as far as a reader uses it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import Route

from tests.sandbox.qualys.face import KNOWLEDGE_BASE, Logged, QualysFace, spelled
from tests.sandbox.qualys.fo import FoSide
from tests.sandbox.qualys.login import issue_token, refuse_fo, refuse_qps, refuse_tags
from tests.sandbox.qualys.qps import QpsSide
from tests.sandbox.qualys.refusal_strikes import strike
from tests.sandbox.qualys.sessions import about, session
from tests.sandbox.qualys.spoiled_pages import SLOW_SECONDS, spoil_bytes
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


def create_app(world: World, clock: Clock, faults: Faults, switches: Switches) -> Starlette:
    """Return the application; `app.state` holds `face`, `requests` (by endpoint) and `log`."""
    return create_face_app(QualysFace(world, clock, faults, switches))


def create_face_app(face: QualysFace) -> Starlette:
    """Return the application for a face that the caller has made, with logins of its own."""
    platform = _Platform(face)
    both = ["GET", "POST"]
    objects = [
        Route(f"/qps/rest/{path}/{{kind}}{end}", answer, methods=both)
        for path, answer in (
            ("3.0/{operation}/was", platform.was),
            ("2.0/{operation}/am", platform.asset_management),
        )
        for end in ("", "/", "/{key}")
    ]
    app = Starlette(
        routes=[
            *objects,
            Route("/qps/rest/portal/version", platform.version, methods=["GET"]),
            Route("/api/{version}/fo/knowledge_base/vuln/", platform.fo, methods=both),
            Route("/api/2.0/fo/session/", platform.session, methods=["POST"]),
            Route("/msp/about.php", platform.about, methods=both),
            Route("/auth/oidc", platform.token, methods=["POST"]),
            Route("/{rest:path}", platform.portal, methods=both),
        ]
    )
    app.state.face, app.state.requests, app.state.log = face, face.requests, face.log
    return app


class _Platform:
    """The way of a request: it is counted, may meet a fault, is let in and answered."""

    def __init__(self, face: QualysFace) -> None:
        self.face = face
        self.qps_side = QpsSide(face)
        self.fo_side = FoSide(face)

    async def was(self, request: Request) -> Response:
        """Answer about web apps, scans and findings."""
        return await self._qps("3.0/was", request)

    async def asset_management(self, request: Request) -> Response:
        """Answer about tags."""
        return await self._qps("2.0/am", request, refuse_tags(self.face))

    async def _qps(self, path: str, request: Request, closed: Response | None = None) -> Response:
        parts = request.path_params
        endpoint = f"{parts['operation']}/{path.partition('/')[2]}/{parts['kind']}"
        logged = self._log(request, endpoint)
        body = await request.body()
        if endpoint == PAGE and self.face.faults.take("qualys-slow"):
            await asyncio.sleep(SLOW_SECONDS)
        struck = strike(self.face, "was", endpoint) or refuse_qps(self.face, request) or closed
        answer = spelled(struck or self.qps_side.answer(path, request, body, logged), request)
        if endpoint == PAGE and answer.body and not struck:
            answer = spoil_bytes(self.face, answer)
        logged.answered(answer)
        return answer

    async def fo(self, request: Request) -> Response:
        """Answer the knowledge base."""
        logged = self._log(request, KNOWLEDGE_BASE)
        logged.version = request.path_params["version"]
        body = (await request.body()).decode("utf-8", "replace")
        refused = strike(self.face, "fo", KNOWLEDGE_BASE) or refuse_fo(self.face, request)
        answer = refused or self.fo_side.refuse_unnamed(request)
        oldest = VERSIONS.index(self.face.switches.kb_oldest_version)
        if answer is None and request.path_params["version"] not in VERSIONS[oldest:]:
            answer = self.face.html("<html><body>404 Not Found</body></html>", 404)
        if answer is None:
            query = request.url.query
            parameters = "&".join(part for part in (query, body) if part)
            answer = await self.fo_side.knowledge_base(parameters, logged)
        logged.answered(answer)
        return answer

    async def version(self, request: Request) -> Response:
        """Answer with the versions of portal and WAS, whether or not WAS is licensed."""
        logged = self._log(request, "portal/version")
        answer = strike(self.face, "other", logged.endpoint) or refuse_qps(self.face, request)
        answer = spelled(answer or self.qps_side.version(), request)
        logged.answered(answer)
        return answer

    async def session(self, request: Request) -> Response:
        """Answer the login or logout of a session."""
        logged = self._log(request, "session")
        form = await request.form()
        answer = strike(self.face, "session", logged.endpoint) or session(
            self.face, request, {name: str(value) for name, value in form.items()}
        )
        logged.answered(answer)
        return answer

    async def about(self, request: Request) -> Response:
        """Answer the oldest call there is, with versions."""
        logged = self._log(request, "about")
        answer = strike(self.face, "session", logged.endpoint) or about(self.face, request)
        logged.answered(answer)
        return answer

    async def token(self, request: Request) -> Response:
        """Answer the gateway's `/auth/oidc`."""
        logged = self._log(request, "auth/oidc")
        answer = issue_token(self.face, request)
        logged.answered(answer)
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

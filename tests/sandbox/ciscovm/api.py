"""The CVM face of the sandbox: the tenant's API over real HTTP, as far as a load uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox.ciscovm import lookups, search, shapes
from tests.sandbox.ciscovm.exports import Exports
from tests.sandbox.ciscovm.face import CiscoFace, Dropped
from tests.sandbox.ciscovm.parameters import QueryError
from tests.sandbox.ciscovm.tenant.tenant import BadFileError, BusyError, NotFoundError
from tests.sandbox.ciscovm.upload import upload
from tests.sandbox.http.connection import Breakable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from tests.sandbox.ciscovm.face import Logged
    from tests.sandbox.ciscovm.tenant.state import Manual, Run
    from tests.sandbox.ciscovm.tenant.tenant import Tenant
    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.faults.switches import Switches
    from tests.sandbox.world.clock import Clock

    Handler = Callable[[Request, Logged], Awaitable[Response]]

_METHODS: Final = ["GET", "POST", "PUT", "DELETE"]
_STATUSES: Final[Mapping[str, Manual | None]] = {
    "open": None,
    "closed": "closed",
    "false_positive": "false_positive",
    "risk_accepted": "risk_accepted",
}
"""Words for a status in an update."""
_SEARCHES: Final = {
    "assets/search": search.assets,
    "vulnerabilities/search": search.vulnerabilities,
    "findings": search.findings,
    "assets": lookups.assets,
    "vulnerabilities": lookups.vulnerabilities,
}


_REFUSABLE: Final = ("assets/search", "vulnerabilities/search", "findings")


def create_app(tenant: Tenant, clock: Clock, faults: Faults, switches: Switches) -> Starlette:
    """Return the application.

    Its `state` holds `face`, `requests` (a Counter by endpoint: connectors, connector, data_file,
    run, connector_runs, connector_run, assets/search, vulnerabilities/search, assets,
    vulnerabilities, findings, data_exports, data_exports/status, the paths of single objects, tags,
    entitlements/overage, other) and `log` (one `Logged` for each request).
    """
    face = CiscoFace(tenant, clock, faults, switches)
    api, exports = _API(face), Exports(face)
    one = "/connectors/{connector_id:int}"
    routes: Mapping[str, tuple[str, str, Handler]] = {
        "connectors": ("GET", "/connectors", api.connectors),
        "connector": ("GET", one, api.connector),
        "data_file": ("POST", f"{one}/data_file", api.data_file),
        "run": ("GET POST", f"{one}/run", api.run),
        "connector_runs": ("GET", f"{one}/connector_runs", api.connector_runs),
        "connector_run": ("GET", f"{one}/connector_runs/{{run_id:int}}", api.connector_run),
        "tags": ("GET", "/assets/{asset_id:int}/tags", api.tags),
        "entitlements/overage": ("GET", "/entitlements/overage", api.overage),
        "data_exports": ("GET POST", "/data_exports", exports.data_exports),
        "data_exports/status": ("GET", "/data_exports/status", exports.status),
        **{name: ("GET", f"/{name}", api.search(name)) for name in _SEARCHES},
        **{path.replace(":int", ""): ("GET", path, api.lookup(path)) for path in lookups.BY_ID},
        "vulnerability": ("PUT", "/vulnerabilities/{id:int}", api.update_vulnerability),
    }
    app = Starlette(
        routes=[
            *(
                Route(path, api.endpoint(name, handler), name=name, methods=verbs.split())
                for name, (verbs, path, handler) in routes.items()
            ),
            Route("/{rest:path}", api.endpoint("other", api.nothing), methods=_METHODS),
        ]
    )
    app.state.face, app.state.requests, app.state.log = face, face.requests, face.log
    app.add_middleware(Breakable)
    return app


class _API:
    """The calls, each behind the same gate."""

    def __init__(self, face: CiscoFace) -> None:
        self.face = face
        self.tenant = face.tenant

    def endpoint(self, name: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return a route's endpoint: it counts, may refuse, answers and words errors."""

        async def answer(request: Request) -> Response:
            logged = self.face.log_request(request, name)
            found = self.face.refuse(request) or await self._answer(handler, request, logged)
            logged.status = 0 if isinstance(found, Dropped) else found.status_code
            return found

        return answer

    async def _answer(self, handler: Handler, request: Request, logged: Logged) -> Response:
        face = self.face
        try:
            if "connector_id" in request.path_params:
                self.tenant.connector(request.path_params["connector_id"])
                if face.faults.take("connector-gone"):
                    return face.error(404, "Connector was not found.")
            return await handler(request, logged)
        except NotFoundError as error:
            return face.error(404, str(error))
        except (BadFileError, QueryError) as error:
            return face.error(400, str(error))
        except BusyError as error:
            return self._busy(str(error))

    def _busy(self, message: str) -> Response:
        status = self.face.switches.busy_status
        if status == 200:
            return self.face.json({"success": "false", "message": message})
        return self.face.error(status, message)

    async def nothing(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Answer a path that does not exist."""
        return self.face.error(404, "Not found.")

    async def connectors(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """List the connectors."""
        self.face.faults.take("disk-full")
        self._somebody_else_starts()
        found = self.tenant.state.connectors.values()
        rows = [shapes.connector(self.tenant, one) for one in found]
        return self.face.json({"connectors": rows})

    async def connector(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Show one connector: not in the OpenAPI file, but used by Cisco's toolkit for years."""
        self.face.faults.take("disk-full")
        self._somebody_else_starts()
        found = self.tenant.connector(request.path_params["connector_id"])
        return self.face.json({"connector": shapes.connector(self.tenant, found)})

    def _somebody_else_starts(self) -> None:
        if self.face.faults.take("connector-busy"):
            for found in self.tenant.state.connectors.values():
                if found.host is None:
                    self.tenant.begin(found.id, [])

    async def data_file(self, request: Request, logged: Logged) -> Response:
        """Take a file."""
        number = request.path_params["connector_id"]
        return await upload(self.face, request, logged, lambda: self._start(number, (), "true"))

    async def run(self, request: Request, logged: Logged) -> Response:
        """Start a run: the file documents GET with a query, Cisco's toolkit sends POST and JSON."""
        face, faults = self.face, self.face.faults
        if face.switches.run_verb not in {request.method, "both"}:
            return face.error(404, "Not found.")
        logged.data_files = await _data_files(request)
        if faults.take("target-killed-before-run") and faults.carry_out is not None:
            return Dropped()
        if faults.take("run-refused"):
            return self._busy("Connector is already running.")
        number = request.path_params["connector_id"]
        if faults.take("run-twice"):
            self.tenant.start_run(number, logged.data_files)
        return self._start(number, logged.data_files, success=True)

    def _start(self, number: int, files: tuple[int, ...], success: object) -> Response:
        run = self.tenant.start_run(number, files)
        if self.face.faults.take("lost-run-answer"):
            return Dropped()
        told = "true" if self.face.switches.success_form == "text" else success
        return self.face.json({"success": told, "connector_run_id": run.id})

    async def connector_runs(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """List the connector's runs, newest first."""
        number = request.path_params["connector_id"]
        runs = self.tenant.runs(number)
        if runs and runs[0].end_time is None and (struck := self._poll_strikes()):
            return struck
        return self.face.json([self._run(run) for run in runs])

    async def connector_run(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Show one run."""
        runs = self.tenant.runs(request.path_params["connector_id"])
        found = next((run for run in runs if run.id == request.path_params["run_id"]), None)
        if found is None:
            return self.face.error(404, "Connector run was not found.")
        return self._poll_strikes() or self.face.json(self._run(found))

    def _poll_strikes(self) -> Response | None:
        """Return how a poll of a run fails: in turn with 502, a reset and an empty body."""
        faults = self.face.faults
        faults.take("target-killed-in-run")
        if not faults.take("poll-errors"):
            return None
        turn = faults.struck["poll-errors"] % 3
        return (self.face.empty(), self.face.bad_gateway(), Dropped())[turn]

    def _run(self, run: Run) -> dict[str, object]:
        null = self.face.faults.take("counters-null")
        return shapes.run(run, self.face.switches, null_counters=null)

    async def tags(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Show who has tagged an asset."""
        self.tenant.settle()
        asset = self.tenant.state.assets.get(request.path_params["asset_id"])
        if asset is None:
            return self.face.error(400, "Cannot find specified asset.")
        return self.face.json(shapes.tags(asset))

    async def overage(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Tell whether the licence is over its limit."""
        return self.face.json({"overage_status": self.tenant.is_over()})

    def search(self, name: str) -> Handler:
        """Return the handler of a search."""

        async def handler(request: Request, logged: Logged) -> Response:  # noqa: ARG001
            if name in _REFUSABLE and self.face.faults.take("search-refused"):
                return self.face.error(403, "You are not authorized to perform this action.")
            with self.tenant.lock:
                self.tenant.settle()
                return self.face.json(_SEARCHES[name](self.tenant, request.query_params))

        return handler

    def lookup(self, path: str) -> Handler:
        """Return the handler of a single object."""
        look_up, status, message = lookups.BY_ID[path]

        async def handler(request: Request, logged: Logged) -> Response:  # noqa: ARG001
            with self.tenant.lock:
                found = look_up(self.tenant, request.path_params["id"])
            return self.face.error(status, message) if found is None else self.face.json(found)

        return handler

    async def update_vulnerability(self, request: Request, logged: Logged) -> Response:  # noqa: ARG002
        """Set the status of a vulnerability, as people do by script; nothing else is modelled."""
        try:
            asked = json.loads(await request.body())["vulnerability"]["status"]
            status = _STATUSES[asked]
        except (KeyError, TypeError, ValueError):
            return self.face.error(422, "status is not valid")
        if not self.tenant.people.judge_one(request.path_params["id"], status):
            return self.face.error(404, "Vulnerability was not found.")
        return Response(b"", 204, self.face.headers())


async def _data_files(request: Request) -> tuple[int, ...]:
    """Return the ids of the query and of a JSON body; a body may name none.

    Raises:
        BadFileError: when they are no list of integers.
    """
    named: list[Any] = [*request.query_params.getlist("data_files[]")]
    body = await request.body()
    try:
        named += json.loads(body).get("data_files", ()) if body else ()
        return tuple(int(value) for value in named)
    except (AttributeError, TypeError, ValueError) as error:
        msg = "data_files must be a list of ids"
        raise BadFileError(msg) from error

"""The calls of the qps side: count, search, get, status and download, for each kind of object."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.sandbox.qualys.search.criteria import EQUALS, IN
from tests.sandbox.qualys.search.query import Query, compile_query
from tests.sandbox.qualys.search.refusals import refuse
from tests.sandbox.qualys.spoiled_pages import Page, spoil_page, stir, stir_apps
from tests.sandbox.qualys.xml import markup
from tests.sandbox.qualys.xml.markup import Form
from tests.sandbox.qualys.xml.objects import scan_status
from tests.sandbox.qualys.xml.scan_download import download
from tests.sandbox.world.model import Report

if TYPE_CHECKING:
    from starlette.responses import Response

    from tests.sandbox.qualys.face import Logged, QualysFace
    from tests.sandbox.qualys.object_kinds import ObjectKind
    from tests.sandbox.qualys.search.criteria import Criterion
    from tests.sandbox.qualys.search.service_request import ServiceRequest
    from tests.sandbox.world.model import Scan


class WasSide:
    """Answers about the objects of the world, for requests that are let in."""

    def __init__(self, face: QualysFace) -> None:
        self.face = face

    def count(self, kind: ObjectKind, request: ServiceRequest) -> Response:
        """Answer a count: the total of what matches."""
        faults = self.face.faults
        query = self._query(kind, request)
        hidden = kind.name == "finding" and faults.armed("qualys-nothing")
        total = 0 if hidden else query.count(kind.rows(self.face.world))
        return self.face.good(markup.success(kind.schema, total))

    def search(self, kind: ObjectKind, request: ServiceRequest, logged: Logged) -> Response:
        """Answer a search with one page."""
        if kind.name == "wasscan" and request.verbose and not self.face.switches.verbose_scans:
            refuse("Invalid element 'verbose'.", "Remove it from the preferences.", "INVALID_XML")
        query = self._query(kind, request)
        faults, is_finding = self.face.faults, kind.name == "finding"
        if faults.take("qualys-trial") or (is_finding and faults.take("qualys-nothing")):
            return self._empty(kind, request)
        limit = self._limit(request)
        descending = self.face.switches.id_order == "descending"
        rows = query.select(kind.rows(self.face.world), descending=descending)
        start = request.offset - 1
        found = list(islice(rows, start, start + limit + 1))
        more = len(found) > limit
        page = Page(found[:limit], more, found[limit - 1].id if more else None)
        if is_finding:
            chosen = next(iter(query.kinds)) if query.kinds else None
            cursor = None if query.low < 0 else query.low
            page = spoil_page(self.face, page, cursor, chosen)
        logged.rows = len(page.rows)
        empty = not page.rows and not page.more
        answer = self._empty(kind, request) if empty else self._page(kind, page, request)
        if is_finding:
            stir(self.face)
        if kind.name == "wasscan":
            stir_apps(self.face)
        return answer

    def get(self, kind: ObjectKind, key: str) -> Response:
        """Answer a get of one object; a finding also goes by its UUID."""
        if kind.name == "webapp" and not self.face.switches.single_apps:
            refuse("You are not authorized to get web applications.", "", "UNAUTHORIZED")
        row = self._one(kind, key)
        if row is None:
            return self._not_found(kind, key)
        data = kind.write([row], self._form(verbose=True, whole=True))
        return self.face.good(markup.success(kind.schema, 1, data=data))

    def status(self, kind: ObjectKind, key: str) -> Response:
        """Answer with the status of a scan alone."""
        scan: Scan | None = self._one(kind, key)
        if scan is None:
            return self._not_found(kind, key)
        return self.face.good(markup.success(kind.schema, 1, data=scan_status(scan)))

    def download(self, kind: ObjectKind, key: str) -> Response:
        """Answer a download of a scan's results: the document itself, without an envelope."""
        scan: Scan | None = self._one(kind, key)
        if scan is None:
            return self._not_found(kind, key)
        if not scan.over:
            refuse("The scan is still running.", "Try again later.", "STILL_PROCESSING")
        report = scan.report or Report(scan.app.name, scan.app.url, ())
        return self.face.good(download(scan, report, self._form(whole=True)))

    def _query(self, kind: ObjectKind, request: ServiceRequest) -> Query[Any]:
        bare = self.face.switches.bare_dates
        by_type = kind.name == "finding"
        refused = self.face.switches.refused_criteria
        fields = {
            name: field
            for name, field in kind.fields.items()
            if f"{kind.name}.{name}" not in refused
        }
        return compile_query(fields, request, by_type=by_type, bare_dates=bare)

    def _limit(self, request: ServiceRequest) -> int:
        return min(request.limit, self.face.switches.verbose_limit if request.verbose else 1000)

    def _form(self, *, verbose: bool = False, whole: bool = False) -> Form:
        return Form(self.face.world.size.seed, self.face.switches, verbose, whole)

    def _page(self, kind: ObjectKind, page: Page, request: ServiceRequest) -> Response:
        form = self._form(verbose=request.verbose)
        data = kind.write(page.rows, form) if page.with_data else ""
        count, last_id = len(page.rows), page.last_id
        text = markup.success(kind.schema, count, more=page.more, last_id=last_id, data=data)
        return self.face.good(text)

    def _empty(self, kind: ObjectKind, request: ServiceRequest) -> Response:
        """Answer without rows."""
        form = self.face.switches.empty_result_form
        if form == "recorded":
            form = "count" if any(map(_names_ids, request.criteria)) else "data"
        more = None if form == "count" else False
        data = "      " if form == "data" else ""
        return self.face.good(markup.success(kind.schema, 0, more=more, data=data))

    def _one(self, kind: ObjectKind, key: str) -> Any:  # noqa: ANN401 - a row of any kind
        world = self.face.world
        if kind.name == "finding" and not key.isdigit():
            every = world.all_findings()
            return next((row for row in every if world.unique_id(row) == key), None)
        if not key.isdigit():
            refuse(f"Invalid value format for id ({key}).", "Specify the id as Long.")
        for rows in kind.rows(world).values():
            found = list(Query[Any](ids=[int(key)]).select({"": rows}, descending=False))
            if found:
                return found[0]
        return None

    def _not_found(self, kind: ObjectKind, key: str) -> Response:
        message = f"{kind.element} with id {key} was not found."
        return self.face.failure("NOT_FOUND", message, "Verify the id.", kind.schema)


def _names_ids(criterion: Criterion) -> bool:
    return criterion.field in {"id", "webApp.id"} and criterion.operator in {EQUALS, IN}


def without_paging(request: ServiceRequest) -> ServiceRequest:
    """Return the request as a count reads it: a limit or an offset has no meaning there."""
    return replace(request, offset=1, from_id=None)

"""Faults in a page of findings: wrong rows, cursors and bytes."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from starlette.responses import Response

from tests.sandbox.http.connection import CutShort, abort
from tests.sandbox.qualys.face import rewritten
from tests.sandbox.world.model import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from tests.sandbox.qualys.face import QualysFace
    from tests.sandbox.world.model import Finding, WebApp
    from tests.sandbox.world.world import World

HANG_SECONDS: Final = 3600
IN_TIME: Final = 3
"""Rows, or ids of the knowledge base, that can be had in time where more cannot."""
SLOW_SECONDS: Final = 2
JUMP: Final = timedelta(days=1)
_DATES: Final = re.compile(
    rb" *<(?:first|last)(?:Detected|Tested)Date>[^<]*</[A-Za-z]+>\n| *<updatedDate>[^<]*</\w+>\n"
)


@dataclass
class Page:
    """A page of findings on its way out."""

    rows: Sequence[Finding]
    more: bool
    last_id: int | None
    with_data: bool = True


def spoil_page(face: QualysFace, page: Page, cursor: int | None, kind: str | None) -> Page:
    """Return the page after the armed faults; `cursor` is the id that it follows."""
    take = face.faults.take
    previous = None if cursor is None else _row(face, kind, cursor)
    if page.more and take("page-no-last-id"):
        page.last_id = None
    if page.more and take("page-no-data"):
        page.rows, page.with_data = (), False
    if page.rows and not page.more and take("page-empty-last"):
        page.more, page.last_id = True, page.rows[-1].id
    if previous is not None and take("page-duplicates"):
        page.rows = [previous, *page.rows]
    if previous is not None and take("page-same-cursor"):
        page = Page([previous], more=True, last_id=cursor)
    if kind is not None and take("page-foreign"):
        other = face.world.findings[FINDING_TYPES[FINDING_TYPES.index(kind) - 1]]
        page = Page(other[: max(1, len(page.rows))], page.more, page.last_id)
    if page.rows and not page.more and take("qualys-half-page"):
        page.rows = page.rows[: len(page.rows) // 2]
    return page


def stir(face: QualysFace) -> None:
    """Let findings vanish or appear, or clocks jump, between a page and the next one."""
    world = face.world
    if face.faults.take("rows-vanish"):
        for rows in world.findings.values():
            for row in world.random.sample(rows, min(2, len(rows))):
                world.delete_finding(row)
    if face.faults.take("rows-appear"):
        for _ in range(4):
            world.add_finding(world.random.choice(list(world.apps.values())))
    if face.faults.take("clock-back"):
        face.clock.advance(-JUMP)
    if face.faults.take("clock-ahead"):
        face.clock.advance(JUMP)


def stir_apps(face: QualysFace) -> None:
    """Let a web app go and another one come, in equal number, before findings are walked."""
    if face.faults.take("apps-change"):
        face.world.delete_app(_least_app(face.world))
        face.world.add_app()


def _least_app(world: World) -> WebApp:
    """Return the web app that has the fewest findings, of those that have any."""
    apps = [app for app in world.apps.values() if world.findings_of(app)]
    return min(apps or world.apps.values(), key=lambda app: len(world.findings_of(app)))


def _row(face: QualysFace, kind: str | None, row_id: int) -> Finding | None:
    rows = face.world.findings.get(kind or "", [])
    return next((row for row in rows if row.id == row_id), None)


class NoAnswer(Response):
    """The connection is closed, or held for `seconds`, without an answer."""

    seconds: float = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await asyncio.sleep(self.seconds)
        await abort(scope)


class Hung(NoAnswer):
    """The connection is held for an hour."""

    seconds = HANG_SECONDS


def break_off(face: QualysFace, wanted: int) -> Response | None:
    """Return a broken connection in place of a page of `wanted` rows, or None."""
    if face.faults.take("qualys-reset"):
        return NoAnswer()
    return Hung() if face.faults.take("qualys-hung") else too_large(face, "page", wanted)


def too_large(face: QualysFace, what: Literal["page", "kb"], wanted: int) -> Response | None:
    """Return a connection that is held, where more is wanted than can be had in time, or None."""
    return Hung() if wanted > IN_TIME and face.faults.take(f"{what}-too-large") else None


def spoil_bytes(face: QualysFace, answer: Response) -> Response:
    """Return the answer to a search of findings after the armed faults."""
    take = face.faults.take
    body, extra = bytes(answer.body), dict[str, Any]()
    if take("rows-without-dates"):
        body = _undated(body)
    if take("qualys-bad-characters"):
        body = body.replace(b"<![CDATA[", b"<![CDATA[\x01\x0b")
    if take("qualys-cut-xml"):
        body = body[: len(body) * 2 // 3]
    if take("qualys-bad-gzip"):
        packed = gzip.compress(body)
        body, extra = packed[: len(packed) // 2], {"Content-Encoding": "gzip"}
    if take("qualys-cut-body"):
        return rewritten(answer, body, kind=CutShort)
    return answer if body == answer.body else rewritten(answer, body, extra)


def _undated(body: bytes) -> bytes:
    """Remove the dates from every fifth row."""
    parts = body.split(b"<Finding>")
    return b"<Finding>".join(
        _DATES.sub(b"", part) if place % 5 == 1 else part for place, part in enumerate(parts)
    )

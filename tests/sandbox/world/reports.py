"""The reports of scans, written at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.world.model import Report, Reported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.world.model import Finding, WebApp


def written(app: WebApp, seen: Iterable[Finding]) -> Report:
    """Return the report of a scan that has seen these findings of a web app, as they are now."""
    rows = (
        Reported(one.type, one.qid, one.qid.title, one.url, one.param, one.severity, one.id)
        for one in seen
    )
    return Report(app.name, app.url, tuple(rows))

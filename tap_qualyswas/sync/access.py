"""The check of `--test`: the login, and the right to read each stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from tap_qualyswas.qualys.request_bodies import equals

if TYPE_CHECKING:
    import logging

    from tap_qualyswas.sync.run import Run

ANY_QID: Final = 150_001
"""A QID of the range of web application findings; unknown ones are no error."""


def check_access(run: Run, logger: logging.Logger) -> None:
    """Check the login and the right to read each kind of thing, one line in the log for each.

    Raises:
        QualysError: what stands in the way.
    """
    client, settings, log = run.client, run.settings, logger.info
    client.check_login()
    started_at = client.started_at()
    log("Login accepted at %s; it is %s there.", settings.platform.place, to_text(started_at))
    run.reader.planner.options.require_past(started_at)
    webapps = sum(client.count("webapp", scope) for scope in run.scope.criteria("id"))
    log("webapps: %d can be read", webapps)
    scopes = run.scope.criteria("webApp.id")
    log("scans: %d can be read", sum(client.count("wasscan", scope) for scope in scopes))
    for kind in settings.filters.finding_types:
        found = sum(client.count("finding", (equals("type", kind), *scope)) for scope in scopes)
        log("findings: %d of type %s can be read", found, kind)
    if settings.has_kb_login:
        client.knowledge_base(lambda: [ANY_QID])
        log("knowledge_base: can be read")
    else:
        log("knowledge_base: cannot be read with a token; set username and password too")
    if client.evaluation:
        log("The account marks itself as an evaluation: no sync of it counts as complete.")

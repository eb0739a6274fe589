"""`--test`: log in, and look whether everything that a sync needs may be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from tap_qualyswas.qualys.request_bodies import equals

if TYPE_CHECKING:
    from tap_qualyswas.sync.run import Run

ANY_QID: Final = 150_001
"""A QID of the range of web application findings; unknown ones are no error."""


def check_access(run: Run) -> None:
    """Check the login and the right to read each kind of thing, one line in the log for each.

    Raises:
        QualysError: what stands in the way.
    """
    api, settings, log = run.api, run.settings, run.logger.info
    api.greet()
    log("Login accepted at %s; it is %s there.", settings.platform.place, to_text(run.now))
    webapps = sum(api.count("webapp", scope) for scope in run.scopes("id"))
    log("webapps: %d can be read", webapps)
    scopes = run.scopes("webApp.id")
    log("scans: %d can be read", sum(api.count("wasscan", scope) for scope in scopes))
    for kind in settings.filters.finding_types:
        found = sum(api.count("finding", (equals("type", kind), *scope)) for scope in scopes)
        log("findings: %d of type %s can be read", found, kind)
    if run.can_ask_kb:
        api.knowledge_base([ANY_QID])
        log("knowledge_base: can be read")
    else:
        log("knowledge_base: cannot be read with a token; set username and password too")
    if api.evaluation:
        log("The account marks itself as an evaluation: no sync of it counts as complete.")

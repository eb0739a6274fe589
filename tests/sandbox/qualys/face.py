"""What every answer of the Qualys face has in common: its state, headers and request log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from tests.sandbox.faults.switches import Switches
from tests.sandbox.qualys.xml import markup
from tests.sandbox.qualys.xml.json_spelling import in_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.qualys.search.criteria import Criterion
    from tests.sandbox.world.clock import Clock
    from tests.sandbox.world.world import World

OTHER_SUBSCRIPTION: Final = "99999999-9999-4999-8999-999999999999"
KNOWLEDGE_BASE: Final = "knowledge_base"
PASSWORDS: Final = {"plain": "p&ss:w0rd <1>", "hostile": "p&ss:wörd <1>"}
"""Both hold characters that clients often mangle; many clients can only send Latin-1."""
STRANGER: Final = frozenset({"AUTH_CREDENTIALS_NEEDED", "INVALID_CREDENTIALS"})
"""Refusals of a login, which do not name the subscription."""


@dataclass
class Logged:
    """One request as it came, for the oracle and the tests.

    Attributes:
        endpoint: as counted, e.g. `search/was/finding` or `knowledge_base`.
        status: HTTP status of the answer; 0 when the connection was broken instead.
        rows: rows in the answer's page.
        size: bytes of the answer.
        version: of the knowledge base API; empty elsewhere.
        violation: what a careful client would not have done, e.g. asking for all QIDs.
    """

    method: str
    endpoint: str
    moment: float
    criteria: tuple[Criterion, ...] = ()
    limit: int = 0
    verbose: bool = False
    status: int = 0
    rows: int = 0
    size: int = 0
    version: str = ""
    violation: str | None = None

    def answered(self, answer: Response) -> None:
        """Take note of the answer."""
        self.status, self.size = answer.status_code, len(answer.body)


@dataclass
class QualysFace:
    """The platform behind one `create_app`: whose world, which login, what was asked."""

    world: World
    clock: Clock
    faults: Faults
    switches: Switches = field(default_factory=Switches)
    username: str = "sandbox_user"
    password: str = ""
    client_id: str = "sandbox-client"
    client_secret: str = "s3cret-of-the-client"
    requests: Counter[str] = field(default_factory=Counter)
    log: list[Logged] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.password = self.password or PASSWORDS[self.switches.password]

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        return {"Date": self.clock.http_date()}

    def identity(self) -> dict[str, str]:
        """Return the header that names the subscription, on days that have it.

        Recorded on every answer to an accepted login except the version's. The subscription does
        not depend on the port.
        """
        world, switches = self.world, self.switches
        absent = switches.subscription_days == "every other" and world.day % 2
        if absent or not switches.subscription_header:
            return {}
        other = self.faults.armed("qualys-other-account")
        subscription = OTHER_SUBSCRIPTION if other else world.subscription
        return {"X-Powered-By": f"Qualys:SBX:{subscription}:{world.user}"}

    def evaluation(self) -> dict[str, str]:
        """Return the header that only good answers of the qps side have."""
        return {"evaluation": markup.flag(self.faults.armed("qualys-evaluation-header"))}

    def good(self, text: str | bytes, extra: Mapping[str, str] | None = None) -> Response:
        """Return a good answer of the qps side."""
        return self.xml(text, extra={**self.identity(), **self.evaluation(), **(extra or {})})

    def xml(
        self, text: str | bytes, status: int = 200, extra: Mapping[str, str] | None = None
    ) -> Response:
        """Return an answer of the XML kind."""
        headers = {**self.headers(), **(extra or {})}
        return Response(text, status, headers, media_type="application/xml")

    def html(self, text: str, status: int = 200) -> Response:
        """Return a page for people, as proxies and portals send it."""
        return Response(text, status, self.headers(), media_type="text/html")

    def failure(
        self, code: str, message: str, resolution: str = "", schema: str = "3.0/was/finding"
    ) -> Response:
        """Return an error of the qps side: HTTP 200, as recorded."""
        extra = {} if code in STRANGER else self.identity()
        return self.xml(markup.failure(schema, code, message, resolution), extra=extra)

    def simple_return(
        self,
        status: int,
        code: int | None,
        text: str,
        items: Iterable[tuple[str, str]] = (),
        extra: Mapping[str, str] | None = None,
    ) -> Response:
        """Return a short answer of the fo side; a code names an error."""
        return self.xml(markup.simple_return(self.world.moment(), code, text, items), status, extra)


def spelled(answer: Response, request: Request) -> Response:
    """Return an answer in JSON if the request accepts that first, else unchanged."""
    accepted = request.headers.get("accept", "")
    wants_json = "json" in accepted and "xml" not in accepted.partition("json")[0]
    content = in_json(bytes(answer.body)) if wants_json and answer.body else None
    return answer if content is None else rewritten(answer, content, media_type="application/json")


def rewritten(
    answer: Response,
    content: bytes,
    extra: Mapping[str, str] | None = None,
    *,
    media_type: str | None = None,
    kind: type[Response] = Response,
) -> Response:
    """Return an answer with new content and its other headers."""
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"content-length", "content-type"}
    }
    return kind(
        content, answer.status_code, {**kept, **(extra or {})}, media_type or answer.media_type
    )

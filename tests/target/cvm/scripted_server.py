"""A loopback server that answers a written sequence, where the sandbox would be too free.

Replies are taken in order for each method and path; the last one is kept for all further requests.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.support.loopback import LoopbackServer, Request, Response

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import ssl

MISSING = {"success": "false", "error": "not_found", "message": "Not found"}


@dataclass(frozen=True)
class Reply:
    """One answer, or the way in which there is none.

    Attributes:
        json: the body as JSON, when `text` is None.
        failure: `reset` closes hard instead of answering, `hang` stays silent until the client has
            gone, `cut` breaks off in the middle of the body.
        delay: seconds before the answer.
        charset: of the text; each byte is a letter of latin-1.
    """

    status: int = 200
    json: object = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    failure: Literal["", "reset", "hang", "cut"] = ""
    delay: float = 0.0
    charset: str = "utf-8"

    def response(self) -> Response:
        """Give the answer as it is sent."""
        content = (json.dumps(self.json) if self.text is None else self.text).encode(self.charset)
        return Response(
            status=self.status,
            headers={"Content-Type": "application/json"} | self.headers,
            content=content,
            delay=self.delay,
            cut=len(content) // 2 if self.failure == "cut" else None,
            lost="" if self.failure == "cut" else self.failure,
        )


class ScriptedServer(LoopbackServer):
    """Answer by method and path."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)

    def script(self, method: str, path: str, *replies: Reply) -> None:
        """Add answers for one method and path."""
        self._replies[method, path] += replies

    def asked(self, method: str, path: str) -> list[Request]:
        """Give the requests of one method and path."""
        return [item for item in self.requests if (item.method, item.path) == (method, path)]

    @override
    def answer(self, request: Request) -> Response:
        replies = self._replies.get((request.method, request.path)) or [Reply(404, MISSING)]
        return (replies.pop(0) if len(replies) > 1 else replies[0]).response()

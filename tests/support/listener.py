"""A web server on loopback that keeps what is posted to it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.support.loopback import LoopbackServer, Request, Response

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping


class Listener(LoopbackServer):
    """What was posted, and how the server answers.

    Attributes:
        statuses: of the answers to come; 200 when there are no more.
        seconds: before it answers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.seconds = 0.0

    @property
    def hook(self) -> str:
        """Give its address, with a path that stands for the secret of a webhook."""
        return f"{self.url}/hook/WEBHOOKSECRET"

    @property
    def posted(self) -> list[dict[str, Any]]:
        """Give the bodies, as JSON."""
        return [json.loads(one.body) for one in self.requests if one.method == "POST"]

    @property
    def texts(self) -> list[str]:
        """Give the texts for people."""
        return [one["text"] for one in self.posted]

    @property
    def headers(self) -> Mapping[str, str]:
        """Give those of the last request."""
        return self.requests[-1].headers

    @override
    def answer(self, request: Request) -> Response:
        status = self.statuses.pop(0) if self.statuses else 200
        headers = {"Location": "http://127.0.0.1:9/elsewhere"}
        return Response(status, headers, b"", delay=self.seconds)

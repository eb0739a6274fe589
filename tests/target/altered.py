"""A CVM whose answers are changed on their way back, where no switch of the sandbox does so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Change = Callable[[str, Any], Any]


class Altered:
    """An application whose JSON answers pass through `change` with their paths.

    Args:
        app: gives the answers.
        change: is given path and content, and gives the content to send.
    """

    def __init__(self, app: ASGIApp, change: Change) -> None:
        self._app = app
        self._change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self._app(scope, receive, hold)
        start, *bodies = held
        body = b"".join(one.get("body", b"") for one in bodies)
        told = self._change(scope["path"], json.loads(body))
        body = json.dumps(told).encode()
        start["headers"] = [
            (name, str(len(body)).encode() if name == b"content-length" else value)
            for name, value in start["headers"]
        ]
        await send(start)
        await send({"type": "http.response.body", "body": body})


def of_runs(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Change each connector run of an answer that ends in time."""

    def changed(path: str, told: Any) -> Any:  # noqa: ANN401 - JSON
        if "connector_runs" not in path:
            return told
        return [change(run) for run in told] if isinstance(told, list) else change(told)

    return changed

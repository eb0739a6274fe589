"""What CVM answered, in all forms that its answers were seen in."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import msgspec

from qualyswas_ciscovm.dates import from_header
from target_ciscovm.errors import BrokenAnswer


class Answer(msgspec.Struct, frozen=True):
    """What CVM answered.

    Attributes:
        status: the HTTP status.
        body: its bytes.
        html: whether it is a web page.
        retry_after: the wait that the server names, in seconds, None when it names none.
    """

    status: int
    body: bytes
    html: bool
    retry_after: float | None

    def document(self) -> dict[str, object] | list[object]:
        """Read the JSON of the body.

        Raises:
            BrokenAnswer: when it is empty, cut, or something else.
        """
        try:
            document = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = "an empty body" if not self.body.strip() else "something that is not JSON"
            msg = f"CVM answered with {what} (HTTP {self.status})."
            raise BrokenAnswer(msg) from error
        if isinstance(document, (dict, list)):
            return document
        msg = f"CVM answered with JSON that is not an object (HTTP {self.status})."
        raise BrokenAnswer(msg)

    def is_json(self) -> bool:
        """Tell whether the body is JSON."""
        try:
            self.document()
        except BrokenAnswer:
            return False
        return True

    def fields(self) -> dict[str, object]:
        """Read the JSON object of the body; an empty one if there is none."""
        try:
            document = self.document()
        except BrokenAnswer:
            return {}
        return document if isinstance(document, dict) else {}

    def rows(self, name: str) -> list[dict[str, object]] | None:
        """Read a list of objects, the whole body or its field `name`; None if there is none."""
        try:
            document = self.document()
        except BrokenAnswer:
            return None
        rows = document.get(name) if isinstance(document, dict) else document
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def read_retry_after(text: str | None, server_now: datetime | None) -> float | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3); None for no wait to keep.

    That is one that is unreadable, 0, or over: whoever is busy says nothing by it.
    """
    if text is None:
        return None
    stripped = text.strip()
    if stripped.isascii() and stripped.replace(".", "", 1).isdigit():
        seconds = float(stripped)
        return seconds if 0 < seconds < math.inf else None
    date = from_header(stripped)
    if date is None:
        return None
    now = server_now or datetime.now(timezone.utc)
    seconds = (date - now).total_seconds()
    return seconds if seconds > 0 else None

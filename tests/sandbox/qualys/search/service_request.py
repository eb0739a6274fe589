"""`ServiceRequest` bodies, in XML or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from tests.sandbox.qualys.search import json_request, xml_request
from tests.sandbox.qualys.search.refusals import refuse

if TYPE_CHECKING:
    from tests.sandbox.qualys.search.criteria import Criterion

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 1000
LARGEST_ID: Final = 2**63 - 1
_PREFERENCES: Final = frozenset({"limitResults", "startFromOffset", "startFromId", "verbose"})


@dataclass(frozen=True)
class ServiceRequest:
    """What a search or count asks for.

    Attributes:
        limit: rows of a page, 1 to 1000.
        offset: 1-based place of the first row; not stable while rows come and go.
        from_id: rows from this id on, inclusive.
    """

    criteria: tuple[Criterion, ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 1
    from_id: int | None = None
    verbose: bool = False


def parse(body: bytes, content_type: str = "text/xml") -> ServiceRequest:
    """Read a body; an empty one asks for everything.

    Raises:
        RefusalError: for malformed XML or JSON, unknown parts or preferences out of bounds.
    """
    if not body.strip():
        return ServiceRequest()
    read = json_request.read if "json" in content_type else xml_request.read
    asked, criteria = read(body)
    for name, text in asked.items():
        if name not in _PREFERENCES:
            _refuse_preference(name, text, "Remove the preference.")
    from_id = asked.get("startFromId")
    return ServiceRequest(
        criteria=criteria,
        limit=_number("limitResults", asked.get("limitResults", "100"), LARGEST_LIMIT),
        offset=_number("startFromOffset", asked.get("startFromOffset", "1"), LARGEST_ID),
        from_id=None if from_id is None else _number("startFromId", from_id, LARGEST_ID),
        verbose=_flag("verbose", asked.get("verbose", "false")),
    )


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        _refuse_preference(name, text, "Values expected: true, false.")
    return text == "true"


def _number(name: str, text: str, largest: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= largest:
        _refuse_preference(name, text, f"Specify a value from 1 to {largest}.")
    return number


def _refuse_preference(name: str, text: str, resolution: str) -> NoReturn:
    refuse(f"Preferences: Invalid value for '{name}' ({text}).", resolution)

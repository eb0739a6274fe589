"""What a record is known by, as far as that can be read of one that has no type."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

from target_ciscovm.intake.counts import FINDINGS, WEBAPPS
from target_ciscovm.intake.loose_json import read_loosely, read_shallow
from target_ciscovm.intake.loose_types import tidy
from target_ciscovm.mapping.finding import identifier_of
from target_ciscovm.mapping.records import LETTERS, Finding, Record, WebAppRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.intake.loose_json import JSON

LARGEST_ID: Final = 2**63 - 1
LONGEST_ID: Final = len(str(LARGEST_ID))
R = TypeVar("R", bound=Record)


def read_any(raw: bytes) -> JSON:
    """Read a record whatever it is, as far as it goes; None when it cannot be read at all."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found: JSON = msgspec.json.decode(raw)
        return found
    with suppress(ValueError):
        try:
            return read_loosely(raw, Counter())
        except RecursionError:
            return read_shallow(raw)
    return None


def identity_of(stream: str, raw: bytes) -> str | int | None:
    """Give by what a finding or a web application is known; None where nothing tells it."""
    if stream == WEBAPPS:
        return webapp_of(read_any(raw))
    known = finding_of(read_any(raw)) if stream == FINDINGS else None
    is_told = known is not None and known.key is not None and known.type in LETTERS
    return identifier_of(known) if known is not None and is_told else None


def finding_of(record: JSON) -> Finding | None:
    """Read of a finding what its identifier is made of, None when it tells nothing."""
    if not isinstance(record, dict):
        return None
    app = record.get("webApp")
    webapp = _read(app, WebAppRef, "id") if isinstance(app, dict) else None
    if app is not None and webapp is None:
        return None
    found = _read(record, Finding, "uniqueId", "type", "id") or Finding()
    found.spell_words()
    found.web_app = webapp
    return found


def webapp_of(record: JSON) -> int | None:
    """Give the number of a web application, None where nothing tells it."""
    return number_of(key_of(WEBAPPS, record))


def number_of(text: str | None) -> int | None:
    """Read the id of a record, None where it is none."""
    if text is None or len(text) > LONGEST_ID or not (text.isascii() and text.isdigit()):
        return None
    return int(text) if int(text) <= LARGEST_ID else None


def key_of(stream: str, record: JSON) -> str | None:
    """Give the key of a record as it is written, None where it has none."""
    if not isinstance(record, dict):
        return None
    names = ("uniqueId", "id") if stream == FINDINGS else (wire_name(stream),)
    values = (record.get(name) for name in names)
    told = (str(value).strip() for value in values if isinstance(value, str | int))
    return next((value for value in told if value), None)


def wire_name(stream: str) -> Literal["id", "qid", "syncId"]:
    """Give the name of a stream's key in its records."""
    return {"knowledge_base": "qid", "syncs": "syncId"}.get(stream, "id")  # type: ignore[return-value]


def _read(record: Mapping[str, JSON], kind: type[R], *names: str) -> R | None:
    """Read some values of a record, None when they are not certain."""
    values = {name: record.get(name) for name in names}
    if any(isinstance(value, (list, dict)) for value in values.values()):
        return None
    try:
        return msgspec.convert(tidy(values), kind)
    except msgspec.ValidationError:
        return None

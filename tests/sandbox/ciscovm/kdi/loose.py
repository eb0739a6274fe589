"""The looser KDI of released loaders, converted to the strict form.

KDI 1 has no version and names definitions by their identifier. Loaders were also seen to send
dates in other forms, numbers as identifiers, null for what is not there, and fields that no
description has; CVM took them, though nobody says what it made of each.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm.kdi.fields import ASSET, DOCUMENT, FINDING, VULN, VULN_DEF

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.ciscovm.kdi.fields import Table

    Record = dict[str, Any]

_DATES: Final = frozenset({"created_at", "last_seen_at", "closed_at", "last_fixed_on", "due_date"})
_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%d-%H:%M:%S", "%Y-%m-%d %H:%M:%S UTC")
_IDENTIFIER: Final = "scanner_identifier"


def strict_form(document: bytes) -> bytes:
    """Return a document as strict KDI 2, as far as it can be converted.

    What cannot is left as it is, for the strict reader to refuse.
    """
    try:
        whole = json.loads(document)
    except ValueError:
        return document
    if not isinstance(whole, dict):
        return document
    first = whole.get("version", 1) == 1
    names = _definition_names(whole) if first else {}
    parts = {
        "assets": _each(whole.get("assets"), lambda one: _asset(one, names)),
        "vuln_defs": _each(whole.get("vuln_defs"), lambda one: _definition(one, names)),
        "version": 2 if first else whole["version"],
    }
    return json.dumps(_known({**whole, **parts}, DOCUMENT)).encode()


def _each(value: object, made: Callable[[Record], Record]) -> object:
    """Return a list with its objects converted; anything else stays as it is."""
    if not isinstance(value, list):
        return value
    return [made(one) if isinstance(one, dict) else one for one in value]


def _definition_names(whole: Record) -> dict[tuple[str, str], str]:
    """Return a name of its own for each definition of KDI 1, by scanner type and identifier."""
    found: dict[tuple[str, str], str] = {}
    definitions = whole.get("vuln_defs")
    for one in definitions if isinstance(definitions, list) else ():
        if not isinstance(one, dict):
            continue
        key = _key(one)
        name = str(one.get("name") or key[1])
        found[key] = f"{name} ({key[1]})" if name in found.values() else name
    return found


def _asset(asset: Record, names: dict[tuple[str, str], str]) -> Record:
    found = _known(asset, ASSET)
    for name, table in (("vulns", VULN), ("findings", FINDING)):
        if name in found:
            found[name] = _each(found[name], partial(_entry, table, names))
    return found


def _entry(table: Table, names: dict[tuple[str, str], str], entry: Record) -> Record:
    named = {"vuln_def_name": names[_key(entry)]} if _key(entry) in names else {}
    found = _known({**entry, **named}, table)
    if isinstance(found.get(_IDENTIFIER), int):
        found[_IDENTIFIER] = str(found[_IDENTIFIER])
    return found


def _definition(definition: Record, names: dict[tuple[str, str], str]) -> Record:
    named = {"name": names[_key(definition)]} if _key(definition) in names else {}
    return _known({**definition, **named}, VULN_DEF)


def _known(record: Record, table: Table) -> Record:
    """Return the fields that the table knows and that are not null, dates in the strict form."""
    return {
        name: _date(value) if name in _DATES else value
        for name, value in record.items()
        if value is not None and (name in table.required or name in table.optional)
    }


def _date(value: object) -> object:
    """Return a date in the strict form; anything else stays as it is."""
    if not isinstance(value, str):
        return value
    moment: datetime | None = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    for form in _FORMS:
        with suppress(ValueError):
            moment = datetime.strptime(value, form).replace(tzinfo=timezone.utc)
    if moment is None:
        return value
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(record: Record) -> tuple[str, str]:
    return str(record.get("scanner_type")), str(record.get(_IDENTIFIER))

"""`ServiceRequest` bodies in JSON, as public clients write them.

Values are text or numbers, and a single criterion may stand for a list of one.
"""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.qualys.search.criteria import Criterion
from tests.sandbox.qualys.search.refusals import refuse


def read(body: bytes) -> tuple[dict[str, str], tuple[Criterion, ...]]:
    """Return preferences and criteria.

    Raises:
        RefusalError: for malformed JSON, or a key at a place where there is none.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        refuse(f"Invalid JSON: {error}", "Send valid JSON.", "INVALID_XML")
    whole = _parts(document, "ServiceRequest").get("ServiceRequest", {})
    request = _parts(whole, "preferences", "filters")
    preferences = _parts(request.get("preferences", {}))
    criteria = _parts(request.get("filters", {}), "Criteria").get("Criteria", [])
    listed = criteria if isinstance(criteria, list) else [criteria]
    return (
        {name: _text(value) for name, value in preferences.items()},
        tuple(map(_criterion, listed)),
    )


def _parts(value: object, *known: str) -> dict[str, Any]:
    """Return an object; if keys are given, it may have no others."""
    if not isinstance(value, dict):
        refuse(f"Unexpected value '{value}'.", "Send an object.")
    for name in value:
        if known and name not in known:
            refuse(f"Unexpected element '{name}'.", f"Elements expected: {', '.join(known)}.")
    return value


def _criterion(value: object) -> Criterion:
    given = _parts(value, "field", "operator", "value", "name")
    if "field" not in given or "operator" not in given:
        refuse("Invalid filter element 'Criteria'.", "Send Criteria with field and operator.")
    name = given.get("name")
    return Criterion(
        _text(given["field"]),
        _text(given["operator"]),
        _text(given.get("value", "")),
        None if name is None else _text(name),
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        refuse(f"Unexpected value '{value}'.", "Send text or a number.")
    return str(value)

"""JSON schemas as they mean, not as a version of msgspec writes them."""

from __future__ import annotations

import json


def in_order(schema: object) -> object:
    """Give a schema with the choices of each `anyOf` in one order, in which releases differ."""
    if isinstance(schema, list):
        return [in_order(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    ordered = {name: in_order(part) for name, part in schema.items()}
    if isinstance(choices := ordered.get("anyOf"), list):
        ordered["anyOf"] = sorted(choices, key=json.dumps)
    return ordered

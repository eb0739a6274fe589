"""JSON schemas: those of the target's files, and as they mean, however msgspec writes them."""

from __future__ import annotations

import json
from importlib.resources import files

from jsonschema_rs import Draft202012Validator


def shipped(name: str) -> dict[str, object]:
    """Give the schema of a JSON file of the target, `report` or `audit`, as the package has it."""
    text = (files("target_ciscovm") / "schemas" / f"{name}.json").read_text("utf-8")
    schema: dict[str, object] = json.loads(text)
    return schema


def validator_of(name: str) -> Draft202012Validator:
    """Give what holds such a file against its schema."""
    return Draft202012Validator(shipped(name))


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

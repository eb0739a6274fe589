"""Settings from files, `.env` and the environment, each as the type that its schema names.

The SDK's own reading of the environment crashes on a number that is none and takes any word for
`false`; so it is done here. Errors name the setting, and never show the value of a secret.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

from dotenv import dotenv_values, find_dotenv

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUE: Final = frozenset({"true", "1", "yes", "on"})
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
FALSE: Final = frozenset({"false", "0", "no", "off"})


class WrongValue(ValueError):  # noqa: N818 - it says what was expected, for a message made of it
    """What a value should have been."""


def from_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Read the settings that environment variables or the nearest `.env` give.

    Args:
        schema: config schema with `properties`.
        prefix: of the variables, such as `TARGET_CISCOVM_`.

    Returns:
        Texts by setting; empty variables are left out, as if they were not set.
    """
    path = find_dotenv(usecwd=True)
    values = {**(dotenv_values(path) if path else {}), **os.environ}
    found = {name: values.get(f"{prefix}{name.upper()}") for name in schema["properties"]}
    return {name: value for name, value in found.items() if value}


def coerce(
    config: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Give a config in the types of its schema.

    Args:
        config: values as they came: texts where they are from the environment.
        schema: config schema with `properties`; settings unknown to it are kept as they are.

    Returns:
        The config, without empty values and with defaults filled in; and one sentence for each
        value that is wrong.
    """
    properties: Mapping[str, Any] = schema["properties"]
    result: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in config.items():
        if value is None or value == "":
            continue
        try:
            result[name] = _value(value, properties[name]) if name in properties else value
        except WrongValue as error:
            shown = "" if properties[name].get("secret") else f" (got {_shown(value)})"
            problems.append(f"{name} must be {error}{shown}.")
    for name, declared in properties.items():
        if "default" in declared:
            result.setdefault(name, declared["default"])
    return (result, problems)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line of a log


def _types(declared: Mapping[str, Any]) -> set[str]:
    kind = declared.get("type", ())
    return {kind} if isinstance(kind, str) else set(kind)


def _value(value: Any, declared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    kinds = _types(declared)
    if "array" in kinds:
        items = [item for item in _list(value) if item is not None and item != ""]
        return [_value(item, declared["items"]) for item in items]
    if "boolean" in kinds:
        return _boolean(value)
    if "integer" in kinds:
        return _integer(value, declared)
    if "object" in kinds:
        return _object(value)
    return _text(value, declared) if "string" in kinds else value


def _list(value: object) -> list[Any]:
    if isinstance(value, str):
        value = _list_of(value.strip())
    if not isinstance(value, list):
        msg = 'a list, such as ["a", "b"] or a,b'
        raise WrongValue(msg)
    return value


def _list_of(text: str) -> object:
    """Read a list that is written as JSON, or as words with commas between them."""
    if text[:1] in {"[", "{", '"'}:
        try:
            found = json.loads(text)
        except ValueError:
            return None
        return [found] if isinstance(found, str) else found
    return [part.strip() for part in text.split(",") if part.strip()]


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in TRUE | FALSE:
        return word in TRUE
    msg = "true or false"
    raise WrongValue(msg)


def _integer(value: object, declared: Mapping[str, Any]) -> int:
    low, high = declared.get("minimum"), declared.get("maximum")
    bounds = "" if low is None else f" from {low}" + ("" if high is None else f" to {high}")
    msg = f"a whole number{bounds}"
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,30}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValue(msg)
    if (low is not None and value < low) or (high is not None and value > high):
        raise WrongValue(msg)
    return value


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, dict):
        msg = "a JSON object"
        raise WrongValue(msg)
    return value


def _text(value: object, declared: Mapping[str, Any]) -> str:
    if "number" in _types(declared) and isinstance(value, (int, float)):
        value = None if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        msg = "text"
        raise WrongValue(msg)
    options = declared.get("enum")
    if options and value.strip() not in options:
        msg = "one of " + ", ".join(options)
        raise WrongValue(msg)
    if CONTROL.search(value):
        msg = "text without control characters"
        raise WrongValue(msg)
    if len(value) > declared.get("maxLength", len(value)):
        msg = f"text of at most {declared['maxLength']} characters"
        raise WrongValue(msg)
    pattern = declared.get("pattern")
    if pattern and not re.fullmatch(pattern, value.strip()):
        msg = declared.get("patternSays", "text of another form")
        raise WrongValue(msg)
    return value.strip() if options or pattern else value

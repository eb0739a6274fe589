"""Settings from files, `.env` and the environment, each as the type that its schema names.

The SDK's own reading of the environment crashes on a number that is not one, and takes any word
for `false`. Types built from the schema for `msgspec.convert` would know neither `yes` nor `a,b`,
nor say in our words what a setting must be. Errors name the setting and never show a secret.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

from dotenv import dotenv_values, find_dotenv

from qualyswas_ciscovm.dates import to_utc_strict
from qualyswas_ciscovm.wording import without_logins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TRUE: Final = frozenset({"true", "1", "yes", "on"})
FALSE: Final = frozenset({"false", "0", "no", "off"})
QUOTES: Final = frozenset("'\"")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
NO_CHARACTER: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""What has no form in UTF-8 or XML, such as the bytes of a variable in another encoding."""
WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}")
STREAM_MAPS: Final = "stream_maps"
"""In a variable, Meltano writes `webapps.name` for the map of a property, as it keeps settings."""
LOG_LEVEL: Final = "loglevel"
"""What the SDK reads from the same variables, though it is no setting."""
SHOWN_CHARACTERS: Final = 80
"""Most characters of a wrong value that a message quotes."""


class InvalidValue(ValueError):  # noqa: N818 - its text is what was expected, a part of a message
    """A value that a setting cannot have; the text says what it must be."""


def from_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Read the settings that environment variables or the nearest `.env` give.

    Args:
        schema: config schema with `properties`.
        prefix: of the variables, such as `TAP_QUALYSWAS_`.

    Returns:
        Texts by setting; empty variables are left out, as if they were not set.
    """
    given = _variables(prefix)
    return {name: given[name.upper()] for name in schema["properties"] if name.upper() in given}


def unknown_variables(schema: Mapping[str, Any], prefix: str) -> set[str]:
    """Name the settings that these variables stand for, and that the schema does not know.

    Meltano sets a variable for each setting of a project, misspelt ones too. Those that it and the
    SDK add are left out: each value in an object, Meltano's own settings of a plugin, the log
    level, and the settings of a plugin that inherits from this one (`TAP_QUALYSWAS_EU_USERNAME`).

    Args:
        schema: config schema with `properties`.
        prefix: of the variables.
    """
    properties: Mapping[str, Any] = schema["properties"]
    names = "|".join([*properties, LOG_LEVEL])
    objects = "|".join(name for name, part in properties.items() if "object" in _types(part))
    known = re.compile(rf"_.*|.*__.*|(.*_)?({names}|({objects})_.*)")
    given = {name.lower() for name in _variables(prefix)}
    return {name for name in given if not known.fullmatch(name)}


def _variables(prefix: str) -> dict[str, str]:
    path = find_dotenv(usecwd=True)
    # Not interpolated: a password may hold ${…}.
    in_file = dotenv_values(path, interpolate=False) if path else {}
    values = {**in_file, **os.environ}
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if value and name.startswith(prefix)
    }


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
            if name == STREAM_MAPS and isinstance(value, str):
                result[name] = _nested(result[name])
        except InvalidValue as error:
            shown = "" if properties[name].get("secret") else f" (got {_shown(value)})"
            problems.append(f"{name} must be {error}{shown}.")
    for name, declared in properties.items():
        if "default" in declared:
            result.setdefault(name, declared["default"])
    return (result, problems)


def wrapped(config: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Give a sentence for each of these settings that has quotes or blanks around its text."""
    return [
        f"{name} has quotes or blanks around it. Remove them if they are not a part of it: "
        "Docker's --env-file keeps them."
        for name in names
        if isinstance(value := config.get(name), str)
        and (
            value != value.strip()
            or (len(value) > 1 and value[0] == value[-1] and value[0] in QUOTES)
        )
    ]


def _shown(value: object) -> str:
    text = without_logins(json.dumps(value, ensure_ascii=True, default=str))
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def _types(declared: Mapping[str, Any]) -> set[str]:
    kind = declared.get("type", ())
    return {kind} if isinstance(kind, str) else set(kind)


def _value(value: Any, declared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    kinds = _types(declared)
    if "array" in kinds and not ("object" in kinds and _is_object(value)):
        items = [item for item in _list(value) if item is not None and item != ""]
        return [_item(item, declared["items"]) for item in items]
    if "boolean" in kinds:
        return _boolean(value)
    if "integer" in kinds:
        return _integer(value, declared)
    if "object" in kinds:
        return _object(value)
    return _text(value, declared) if "string" in kinds else value


def _item(item: object, declared: Mapping[str, Any]) -> object:
    try:
        return _value(item, declared)
    except InvalidValue as error:
        msg = f"a list, each item {error}"
        raise InvalidValue(msg) from None


def _is_object(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and value.lstrip()[:1] == "{")


def _list(value: object) -> list[Any]:
    if isinstance(value, str):
        value = _list_of(value.strip())
    if not isinstance(value, list):
        msg = 'a list, such as ["a", "b"]'
        raise InvalidValue(msg)
    return value


def _list_of(text: str) -> object:
    """Read a list that is written as JSON, or as words with commas between them."""
    if text[:1] in {"[", "{", '"'}:
        found = _json(text)
        return [found] if isinstance(found, str) else found
    return [part.strip() for part in text.split(",") if part.strip()]


def _json(text: str) -> object:
    """Read JSON; None for what is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in TRUE | FALSE:
        return word in TRUE
    msg = "true or false"
    raise InvalidValue(msg)


def _integer(value: object, declared: Mapping[str, Any]) -> int:
    low, high = declared.get("minimum"), declared.get("maximum")
    bounds = "" if low is None else f" from {low}" + ("" if high is None else f" to {high}")
    msg = f"a whole number{bounds}"
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(msg)
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidValue(msg)
    return value


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, dict):
        msg = "a JSON object"
        raise InvalidValue(msg)
    return value


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        stream, dot, part = name.partition(".")
        if dot and isinstance(maps := found.setdefault(stream, {}), dict):
            maps[part] = value
        else:
            found[name] = value
    return found


def _text(value: object, declared: Mapping[str, Any]) -> str:
    options = declared.get("enum")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and (options or "number" in _types(declared)):  # YAML takes 2.0 for one
        value = str(value)
    if not isinstance(value, str):
        msg = "text: write a number in quotes" if is_number else "text"
        raise InvalidValue(msg)
    if options and value.strip() not in options:
        msg = "one of " + ", ".join(options)
        raise InvalidValue(msg)
    require_writable(value)
    if len(value) > declared.get("maxLength", len(value)):
        msg = f"text of at most {declared['maxLength']} characters"
        raise InvalidValue(msg)
    pattern = declared.get("pattern")
    if pattern and not re.fullmatch(pattern, value.strip()):
        msg = declared.get("patternSays", "text of another form")
        raise InvalidValue(msg)
    if declared.get("format") == "date-time":
        return _date(value)
    return value.strip() if options or pattern else value


def require_writable(value: str) -> None:
    """Refuse a text that cannot be sent.

    Raises:
        InvalidValue: which tells what it must be.
    """
    if CONTROL.search(value):
        msg = "text without control characters"
        raise InvalidValue(msg)
    if NO_CHARACTER.search(value):
        msg = "text in UTF-8"
        raise InvalidValue(msg)


def _date(value: str) -> str:
    try:
        text = to_utc_strict(value)
    except ValueError:
        text = None
    if text is None:
        msg = "a date, such as 2026-01-31T00:00:00Z"
        raise InvalidValue(msg)
    return text

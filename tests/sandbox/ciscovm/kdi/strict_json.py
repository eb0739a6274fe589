"""A strict JSON reader by RFC 8259, which refuses what lenient readers let pass."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJSONError(ValueError):
    """The document is not strict JSON; the text says why."""


def read(document: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a UTF-8 JSON document.

    Raises:
        StrictJSONError: for other encodings, a byte order mark, NaN and Infinity, numbers that no
            double holds, a key twice in one object, half of a surrogate pair, nesting that is too
            deep, and all that `json` refuses by itself.
    """
    try:
        text = document.decode("utf-8")
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_distinct,
        )
    except UnicodeDecodeError as error:
        msg = f"not UTF-8: byte {error.start}"
        raise StrictJSONError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"not JSON: {error}"
        raise StrictJSONError(msg) from error
    except RecursionError as error:
        msg = "nested too deeply"
        raise StrictJSONError(msg) from error
    # Only an escape can bring half a pair into decoded UTF-8: most documents are not walked.
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    msg = f"not JSON: {name}"
    raise StrictJSONError(msg)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        msg = f"number out of range: {digits}"
        raise StrictJSONError(msg)
    return number


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        msg = f"key twice in one object: {twice!r}"
        raise StrictJSONError(msg)
    return found


def _refuse_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        msg = "half of a surrogate pair in a text"
        raise StrictJSONError(msg) from error

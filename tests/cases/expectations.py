"""What a case expects of a run of the tap, held against what the run came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cases.case import Asked, Expected
    from tests.cases.conversations import Played

KEYS: Final = {"knowledge_base": "qid"}
"""Of the streams whose records do not go by their id."""


def written(expected: Expected) -> dict[str, Any]:
    """Give what is expected, by name."""
    whole = msgspec.structs.asdict(expected)
    return {name: value for name, value in whole.items() if value is not msgspec.UNSET}


def found(played: Played, expected: Expected) -> dict[str, object]:
    """Give what the run came to, in the words of what is expected."""
    return {name: FOUND[name](played, value) for name, value in written(expected).items()}


def _ids(played: Played, stream: str = "findings") -> list[Any]:
    return [row[KEYS.get(stream, "id")] for row in played.outcome.records(stream)]


def _unique(played: Played, _: int) -> int:
    return len({row["uniqueId"] for row in played.outcome.records("findings")})


def _rows(played: Played, expected: dict[str, dict[int, Any]]) -> object:
    rows = {
        stream: dict(zip(_ids(played, stream), played.outcome.records(stream), strict=True))
        for stream in expected
    }
    return _part(rows, expected)


def _part(whole: object, like: object) -> object:
    """Cut a value down to the names that another one has."""
    if isinstance(whole, dict) and isinstance(like, dict):
        return {name: _part(whole[name], like[name]) for name in like if name in whole}
    return whole


def _tags(played: Played, _: dict[int, list[str]]) -> dict[int, list[str]]:
    apps = [row["webApp"] for row in played.outcome.records("findings")]
    return {app["id"]: [tag["name"] for tag in app["tags"] or []] for app in apps}


def _page_sizes(played: Played, first: list[int]) -> list[int]:
    bodies = [one.body for one in played.walked][: len(first)]
    return [int(body.split("<limitResults>")[1].partition("<")[0]) for body in bodies]


def _asked(played: Played, expected: dict[str, list[Asked]]) -> dict[str, object]:
    """Give what was asked: as expected where each call holds what it should."""
    return {name: _calls(played, name, calls) for name, calls in expected.items()}


def _calls(played: Played, name: str, expected: list[Asked]) -> object:
    calls = played.walked if name == "finding" else played.asked_at(name)
    bodies = [one.body for one in calls]
    right = len(bodies) == len(expected) and all(map(_holds, bodies, expected))
    return expected if right else bodies


def _holds(body: str, asked: Asked) -> bool:
    return (
        all(text in body for text in asked.has)
        and not any(text in body for text in asked.lacks)
        and asked.criteria in {None, body.count("<Criteria ")}
    )


def _waits(played: Played, bounds: tuple[float, float]) -> tuple[float, float]:
    first, second = (one.at for one in played.walked[:2])
    least, most = bounds
    return bounds if least <= second - first <= most else (second - first, second - first)


def _text(played: Played) -> str:
    return f"{played.outcome.log}\n{played.error or ''}"


def _complete(played: Played, _: object) -> bool | None:
    rows = played.outcome.records("syncs")
    return rows[0]["complete"] if rows else None


def _duplicates(played: Played, _: int) -> object:
    streams = played.outcome.proof["streams"]
    return next(row["duplicates"] for row in streams if row["stream"] == "findings")


def _bookmark(played: Played, _: object) -> object:
    return played.state["bookmarks"]["findings"].get("replication_key_value")


FOUND: Final[dict[str, Callable[[Played, Any], object]]] = {
    "ids": lambda played, _: _ids(played),
    "unique": _unique,
    "rows": _rows,
    "tags": _tags,
    "entries": lambda played, _: _ids(played, "knowledge_base"),
    "calls": lambda played, _: len(played.walked),
    "page_sizes": _page_sizes,
    "asked": _asked,
    "waits": _waits,
    "exit": lambda played, _: (played.error or played.outcome).exit_code,
    "error": lambda played, _: type(played.error).__name__,
    "says": lambda played, texts: [text for text in texts if text in _text(played)],
    "says_once": lambda played, texts: [text for text in texts if _text(played).count(text) == 1],
    "never_says": lambda played, texts: [text for text in texts if text not in _text(played)],
    "complete": _complete,
    "duplicates": _duplicates,
    "bookmark": _bookmark,
    "state": lambda played, expected: _part(played.state, expected),
}
"""What is found under each word: equal to what is expected where that is right."""

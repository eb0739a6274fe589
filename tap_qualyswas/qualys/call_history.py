"""Which parts of the API have answered well: in this run, and in earlier syncs of the same login.

A good answer shows that all of its part is there and allowed, whatever a gateway says later.
"""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.qualys.reply import Reply

WAS: Final = "/qps/rest/3.0"
KB: Final = "/fo/knowledge_base/"


class CallHistory:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._now: set[str] = set()
        self._calls: set[str] = set()
        self._before: frozenset[str] = frozenset()

    @property
    def parts(self) -> list[str]:
        """All parts that have answered well."""
        return sorted(self._now | self._before)

    def remember(self, parts: Iterable[str]) -> None:
        """Take over what earlier syncs have shown."""
        self._before = frozenset(parts)

    def note(self, path: str) -> None:
        """Note a call that was answered well."""
        self._calls.add(_without_id(path))
        part = _part_of(path)
        if part is not None:
            self._now.add(part)

    def of(self, reply: Reply, path: str, *, answered: bool) -> Reply:
        """Give an answer with what is known of its call.

        Args:
            reply: the answer.
            path: of the call.
            answered: whether any call has worked in this run: then this is the platform, and no
                redirect leads to another one.
        """
        part = _part_of(path)
        return replace(
            reply,
            has_worked=part in self._now or (reply.is_redirect and answered),
            has_worked_before=part in self._before or (reply.is_redirect and bool(self._before)),
            is_repeated=_without_id(path) in self._calls,
        )


def _without_id(path: str) -> str:
    return path.rstrip(string.digits)


def _part_of(path: str) -> str | None:
    """Give the part that a call belongs to; None where one call says nothing about another."""
    if path.startswith((f"{WAS}/search/", f"{WAS}/count/")):
        return WAS
    return path if KB in path else None

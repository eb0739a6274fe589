"""Calls that are made side by side, or before their turn.

How many of them are on the way at a time is the client's concern, not that of these threads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Ahead(Generic[T]):
    """Something that is made from now on, in a thread of its own."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system allows no further one
            self._run()

    def result(self) -> T:
        """Wait for it and give it.

        Raises:
            BaseException: what making it has raised.
        """
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._made

    def _run(self) -> None:
        try:
            self._made = self._make()
        except BaseException as error:  # noqa: BLE001 - it is raised again by `result`
            self._error = error


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls side by side, and give what they bring in their order.

    Raises:
        BaseException: the error of the first that failed, once those before it have ended.
    """
    return [begun.result() for begun in [Ahead(call) for call in calls]]

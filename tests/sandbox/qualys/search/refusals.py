"""Refusals of the Qualys face, as `responseErrorDetails` tells them."""

from __future__ import annotations

from typing import NoReturn


class RefusalError(Exception):
    """A request that Qualys refuses: the response code and the two sentences of its answer."""

    def __init__(self, code: str, message: str, resolution: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.resolution = resolution


def refuse(message: str, resolution: str, code: str = "INVALID_REQUEST") -> NoReturn:
    """End the handling of a request with a refusal.

    Raises:
        RefusalError: always.
    """
    raise RefusalError(code, message, resolution)

"""Questions and their answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a real account answers to one question.

    Attributes:
        question: for a person.
        told: the answer; the position of the sandbox's switch where there is one.
        switch: of the sandbox, which a real answer settles.
    """

    question: str
    told: object
    switch: str | None = None

    def __str__(self) -> str:
        named = "" if self.switch is None else f" [{self.switch}]"
        return f"{self.question} {self.told}{named}"


class RefusedError(Exception):
    """The other side refused a call; the text says which, and why."""

"""The text of one element, read as a value of the type that the schema promises.

A reader takes an element and gives a value, or raises ValueError; the property is then null, and
counted. The forms are those seen in answers: `3`, `3.0`, `50.0`, `7.5 (AV:N/AC:L)`, empty, dates
with and without offset (see `qualyswas_ciscovm.dates`). What is empty is null.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from qualyswas_ciscovm.dates import to_utc_strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

    Reader = Callable[[Element, Notes], "Json"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Record = dict[str, Json]
T = TypeVar("T")

MAX_TEXT: Final = 131_072
"""Characters of one text, of at most four bytes each: a record stays far below 8 MiB."""
CUT: Final = " [cut]"
"""The end of a text that was longer."""
LARGEST: Final = 2**63 - 1
"""Of whole numbers: what the targets of taps can hold."""
SAFE_DIGITS: Final = 18
"""A number of so many digits is smaller."""
WHOLE: Final = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?", re.ASCII)
NUMBER: Final = re.compile(r"([+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?)(?![0-9]|[.,][0-9])", re.ASCII)
"""With a point or, in reports of other languages, a comma."""
TRUE: Final = frozenset({"true", "1", "yes"})
FALSE: Final = frozenset({"false", "0", "no"})
SHORT: Final = 200
"""Characters of the texts whose values are kept."""
MOST_KEPT: Final = 4096
"""Values that are kept of one kind."""


class TooLong(ValueError):  # noqa: N818 - it is an outcome of a text, not a failure of the sync
    """A text of more characters than are read.

    Attributes:
        kept: what is read of it.
    """

    def __init__(self, kept: str) -> None:
        super().__init__(f"longer than {MAX_TEXT:,} characters")
        self.kept = kept


class Kept(dict[str, T]):
    """Values by the texts that they were made of.

    A few types, dates and small numbers come in row after row. So what has been made of a short
    text is kept, until there is too much of it.

    Args:
        read: makes a value of a text.
        longest: characters of the texts whose values are kept.
        most: values that are kept.
    """

    def __init__(
        self, read: Callable[[str], T], longest: int = SHORT, most: int = MOST_KEPT
    ) -> None:
        super().__init__()
        self._read = read
        self._longest = longest
        self._most = most

    def __missing__(self, text: str) -> T:
        """Read a text.

        Raises:
            TooLong: when it is to be cut.
            ValueError: when it cannot be read.
        """
        value = self._read(text)
        if len(text) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[text] = value
        return value


class Leaf:
    """A reader of elements that hold a text only.

    Attributes:
        value: makes a value of a text. Raises TooLong when it is to be cut, and ValueError when it
            cannot be read.
        together: whether its value mostly comes with those beside it.

    Args:
        read: makes a value of a text.
        repeats: whether a few texts come in row after row.
        together: None for whatever repeats.
    """

    def __init__(
        self, read: Callable[[str], Json], *, repeats: bool = True, together: bool | None = None
    ) -> None:
        self.value: Final[Callable[[str], Json]] = Kept(read).__getitem__ if repeats else read
        self.together: Final = repeats if together is None else together

    def __call__(self, element: Element, notes: Notes) -> Json:
        """Read the text of an element.

        Raises:
            ValueError: when it cannot be read.
        """
        try:
            return self.value(element.text or "")
        except TooLong as text:
            notes.cut[element.tag] += 1
            return text.kept


def to_whole(text: str) -> int | None:
    """Read a whole number from text: `3`, ` 3 `, `50.0`; None for an empty text.

    Raises:
        ValueError: for anything else.
    """
    if len(text) <= SAFE_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    stripped = text.strip()
    if not stripped:
        return None
    match = WHOLE.fullmatch(stripped)
    if match is None or abs(int(match[1])) > LARGEST:
        msg = f"not a whole number: {stripped[:40]!r}"
        raise ValueError(msg)
    return int(match[1])


def loose_whole(text: str) -> int | None:
    """Read a whole number from text; None for anything else."""
    try:
        return to_whole(text)
    except ValueError:
        return None


def to_number(text: str) -> float | None:
    """Read the number at the beginning of a text, such as a score that its vector follows.

    Raises:
        ValueError: when the text does not begin with a number.
    """
    stripped = text.strip()
    if not stripped:
        return None
    match = NUMBER.match(stripped)
    if match is None:
        msg = f"not a number: {stripped[:40]!r}"
        raise ValueError(msg)
    return float(match[1].replace(",", "."))


def to_truth(text: str) -> bool | None:
    """Read true or false, also as 1, 0, yes, no.

    Raises:
        ValueError: for anything else.
    """
    word = text.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    if not word:
        return None
    msg = f"neither true nor false: {word[:40]!r}"
    raise ValueError(msg)


def to_text(text: str) -> str | None:
    """Read a text as it is.

    Raises:
        TooLong: when it has more than 131,072 characters.
    """
    if len(text) <= MAX_TEXT:
        return text or None
    raise TooLong(text[:MAX_TEXT] + CUT)


def to_word(text: str) -> str | None:
    """Read a keyword: a text without surrounding blanks.

    Raises:
        TooLong: when it has more than 131,072 characters.
    """
    if len(text) <= MAX_TEXT:
        return text.strip() or None
    raise TooLong((text[:MAX_TEXT] + CUT).strip())


whole: Final = Leaf(to_whole)
number: Final = Leaf(to_number)
truth: Final = Leaf(to_truth)
text: Final = Leaf(to_text, repeats=False)
title: Final = Leaf(to_text)
"""A text that many rows share."""
word: Final = Leaf(to_word)
date: Final = Leaf(to_utc_strict, together=False)
"""A date of any known form as `YYYY-MM-DDTHH:MM:SSZ`; null for zero dates."""
own_id: Final = Leaf(to_whole, repeats=False)
"""A whole number that no other row has."""
own_word: Final = Leaf(to_word, repeats=False)
"""A keyword that no other row has."""

"""Numbers with their nouns, as people read them."""

from __future__ import annotations


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """Give a count with its noun: `1 finding`, `2,000 findings`.

    Args:
        value: the count.
        noun: in the singular.
        plural: of the noun, where it is not formed with an s.
    """
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"

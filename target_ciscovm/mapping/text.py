"""Texts for CVM: clean line ends, no control characters, names of a length that it takes. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from qualyswas_ciscovm.wording import without_logins
from target_ciscovm.kdi.types import MAX_NAME

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
HASH_LENGTH: Final = 12


def plain(text: str) -> str:
    """Give the text with LF line ends, without logins, control characters or lone surrogates."""
    text = without_logins(text)
    if text.isprintable():
        return text
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str | None) -> str:
    """Give the text on one line with single blanks; empty for None."""
    return " ".join(plain(text or "").split())


def shorten(name: str, longest: int = MAX_NAME) -> str:
    """Give a name that fits into CVM's key. A name that has to be changed for it ends in a hash.

    So names that differ only at the end or in control characters stay different, and the same name
    is changed in the same way in every run.
    """
    if len(name) <= longest and (name.isprintable() or one_line(name) == name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    return f"{one_line(name)[: longest - HASH_LENGTH - 1].rstrip()} {digest}".lstrip()

"""Answers full of openings that nothing closes take time in proportion to their length."""

from __future__ import annotations

import time
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.evidence import decode_base64
from tap_qualyswas.records.parsing import parse, read_large

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH: Final = 1 << 17
SECONDS: Final = 0.25
"""Of CPU. In proportion it takes a tenth of it; a square of the length would take minutes."""
OPENINGS: Final = (
    *("<!--", "<!-- -->", "<?", "<?xml ", "<!DOCTYPE ", "<![CDATA[", "]]>", "-->"),
    *("&", "&#", "&#1", "&#x", "&eacute", "&a;", "<", "<a", "<a ", "<a b='", "</", "\n", " "),
    *("encoding=", "evaluation version", "\x00", "\x7f"),
)
AROUND: Final = (
    ("", ""),
    ("", "<a/>"),
    ("<a/>", ""),
    ("<a>", "\x01</a>"),
    ("<a>", "\x01]]></a>"),
    ("<!--", "--><a/>"),
    ("<?xml ", "?><a>\x01</a>"),
    ("<!DOCTYPE ", "><a>\x01</a>"),
)


def cpu_seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    with suppress(BrokenAnswer):
        act()
    return time.process_time() - began


def repeated(opening: str) -> str:
    return opening * (LENGTH // len(opening))


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize(("before", "behind"), AROUND)
def test_a_document_is_read_or_refused_at_once(opening: str, before: str, behind: str) -> None:
    body = f"{before}{repeated(opening)}{behind}".encode()

    assert cpu_seconds(lambda: parse(body)) < SECONDS
    assert cpu_seconds(lambda: read_large(BytesIO(body), ("row",), lambda: str)) < SECONDS


@pytest.mark.parametrize("opening", ["a", "=", "-", " ", "\n", "aGVs", "\x00", "ü"])
def test_evidence_is_decoded_at_once(opening: str) -> None:
    assert cpu_seconds(lambda: decode_base64(repeated(opening))) < SECONDS

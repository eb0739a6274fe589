"""Answers full of openings that nothing closes take time in proportion to their length."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.evidence import decode_base64, decode_unmarked
from tap_qualyswas.records.parsing import parse, read_large
from tap_qualyswas.records.portal.webapps import webapp_of

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
@pytest.mark.parametrize("behind", ["", "<"])
def test_evidence_is_decoded_at_once(opening: str, behind: str) -> None:
    text = repeated(opening) + behind

    assert cpu_seconds(lambda: decode_base64(text)) < SECONDS
    assert cpu_seconds(lambda: decode_unmarked(text, whole=True)) < SECONDS


@pytest.mark.parametrize("opening", ["a", " ", "a ", "(", "()", ")", "(a) "])
def test_the_owner_in_a_report_is_read_at_once(opening: str) -> None:
    for name in (repeated(opening), f"{repeated(opening)} {repeated(opening)}(("):
        assert cpu_seconds(partial(webapp_of, {"OWNER": name})) < SECONDS


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("Alex Doe (user_ab1)", ("Alex", "Doe", "user_ab1")),
        ("Alex van  Doe(user_ab1)", ("Alex", "van Doe", "user_ab1")),
        ("Alex Doe", ("Alex", "Doe", None)),
        ("Alex (user_ab1)", ("Alex", None, "user_ab1")),
        ("(user_ab1)", (None, None, "user_ab1")),
        ("Alex)", ("Alex)", None, None)),
        (" ", (None, None, None)),
    ],
)
def test_the_owner_in_a_report_has_two_names_and_a_login(
    told: str, names: tuple[str | None, ...]
) -> None:
    owner = webapp_of({"OWNER": told})["owner"]

    assert isinstance(owner, dict)
    assert (owner["firstName"], owner["lastName"], owner["username"]) == names

"""Counts are read aloud as a person would say them, and texts hold nothing that does harm."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest

from qualyswas_ciscovm.wording import clean, counted, shown_address


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 findings"), (1, "1 finding"), (2, "2 findings"), (48_311, "48,311 findings")],
)
def test_a_noun_agrees_with_its_count(value: int, said: str) -> None:
    assert counted(value, "finding") == said


@pytest.mark.parametrize(("value", "said"), [(1, "1 entry"), (2, "2 entries")])
def test_a_plural_of_its_own_is_used(value: int, said: str) -> None:
    assert counted(value, "entry", "entries") == said


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://api.example.test:port", "https://api.example.test:port"),
        ("api example.test", "api example.test"),
        ("https://user:MARKER@host.test:port/path", "https://host.test:port/path"),
        ("https://user:MAR/KER@host.test", "https://host.test"),
        ("https://user:MAR KER@host.test", "https://host.test"),
        ("https://https://user:MAR#KER@host.test", "https://https://host.test"),
        ("user:MARKER@a b", "a b"),
        ("https://user:MAR%40KER%40host.test", "https://host.test"),
        ("user:MARKER%2540host.test", "host.test"),
        ("ftp://host.test/path?token=MARKER#MARKER", "ftp://host.test/path"),
        ("https://host.test\n\x1b[31m", "https://host.test \ufffd[31m"),
        ("https://", "https://"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_an_address_is_shown_short_and_without_what_is_secret(address: str, shown: str) -> None:
    assert shown_address(address) == shown


TURNING: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_what_controls_a_terminal_or_cannot_be_written_is_replaced_and_nothing_else() -> None:
    for letter in map(chr, range(0x10000)):  # no other plane has any
        harmful = unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\n\t"
        expected = "\ufffd" if harmful or letter in TURNING else letter
        assert clean(f"a{letter}é") == f"a{expected}é"

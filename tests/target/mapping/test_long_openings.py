"""Texts full of openings that nothing closes take time in proportion to their length."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from qualyswas_ciscovm.dates import to_utc
from qualyswas_ciscovm.wording import one_line, without_logins
from target_ciscovm.intake.loose_types import tidy
from target_ciscovm.mapping.html import from_html
from target_ciscovm.mapping.text import plain, shorten
from target_ciscovm.mapping.urls import host_of, resolved, tidy_url

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH: Final = 1 << 17
SECONDS: Final = 0.35
"""Of CPU. In proportion it takes a tenth of it; a square of the length would take minutes."""
OPENINGS: Final = (
    *("<!--", "<!", "<?", "</", "<a", "<a href='", "<p>", "<li>", "<pre>", "<script>", "<![CDATA["),
    *("&", "&#", "&#x", "&amp", "&amp;", " ", "\n", " \n", "\t", "\xa0", "\x00", "\u202e"),
    *("://", "http://", "http://[", "://a@", "//", "\\", ":\\/", "a.", "a:", "@", "[", ":", "%"),
    *("?", "#", "-", "9", "1.", "2024-05-01 ", "+0", "Mon, ", "T00:"),
)
READERS: Final[dict[str, Callable[[str], object]]] = {
    "HTML": from_html,
    "text": plain,
    "name": shorten,
    "log line": one_line,
    "logins": without_logins,
    "URL": tidy_url,
    "host": host_of,
    "URL of a finding": lambda text: resolved(text, "https://app1.example.test/"),
    "date": to_utc,
    "number": lambda text: tidy({"severity": text, "timesDetected": text, "cwe": text}),
}


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("before", ["", "https://", "<b>"])
def test_each_text_is_read_at_once(before: str, opening: str) -> None:
    text = before + opening * (LENGTH // len(opening))
    taken = {name: cpu_seconds(partial(read, text)) for name, read in READERS.items()}

    assert {name: seconds for name, seconds in taken.items() if seconds > SECONDS} == {}


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_blanks_that_are_kept_are_read_at_once(blank: str) -> None:
    text = f"<pre>{blank * LENGTH}x"

    assert cpu_seconds(partial(from_html, text)) < SECONDS


def cpu_seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began

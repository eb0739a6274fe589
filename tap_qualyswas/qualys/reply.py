"""One HTTP answer, and what can be told of it without giving secrets away."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from lxml import etree

from qualyswas_ciscovm.wording import cut, one_line
from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.parsing import root_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEAD_BYTES: Final = 4096
"""Of a page that is no data: enough for its first words."""
WORDS: Final = 80
"""Characters of a foreign page that a message repeats."""
PAGE_TAGS: Final = frozenset(
    {"html", "head", "body", "title", "meta", "script", "style", "center", "div", "p", "h1", "h2"}
)
"""With what a page for people begins, or a piece of one."""
SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    escape,
    quote_plus,
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: json.dumps(secret)[1:-1],
)
"""How servers repeat a login: as it is, in HTML, in a URL, in JSON."""
NOT_ASCII: Final = (
    " The password has characters outside ASCII, which were sent in UTF-8. If it is right, set one "
    "without them."
)
_TEXTS: Final = etree.XPath("//text()[not(ancestor::script or ancestor::style)]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, read to its end.

    Attributes:
        place: host and region, for messages.
        status: HTTP status.
        headers: by any spelling of their names.
        body: the bytes, unpacked.
        secrets: the login that was sent, which messages must not repeat.
        has_worked: whether this run has shown that the call is there and allowed.
        has_worked_before: whether an earlier sync has.
        is_repeated: whether the same call, but for its id and its conditions, has been answered in
            this run.
    """

    place: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = ()
    has_worked: bool = False
    has_worked_before: bool = False
    is_repeated: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the call is known to be there and allowed."""
        return self.has_worked or self.has_worked_before

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people: by its content type, or by how it begins."""
        if "html" in self.headers.get("Content-Type", "").lower():
            return True
        head = self.body[:HEAD_BYTES]
        if head.lstrip()[:14].lower() == b"<!doctype html":
            return True
        with suppress(BrokenAnswer):
            return root_name(head).lower() in PAGE_TAGS
        return False

    @property
    def is_redirect(self) -> bool:
        """Whether it sends the client elsewhere."""
        return 300 <= self.status < 400  # noqa: PLR2004 - the statuses of redirects

    @property
    def login_note(self) -> str:
        """What else to tell of a login that is refused: nothing, if it is in ASCII."""
        return "" if all(map(str.isascii, self.secrets)) else NOT_ASCII

    def quote(self, text: str) -> str:
        """Give a text of the answer without the login, which some servers echo."""
        for spelled in sorted(self._spelled_secrets(), key=len, reverse=True):
            text = text.replace(spelled, "***")
        return text

    def described(self) -> str:
        """Tell what came in place of data: status, content type and the first words."""
        told = f"HTTP {self.status}"
        words = cut(self.quote(self.words), WORDS)
        if not words:
            return told
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        return f'{told}, {cut(self.quote(kind), WORDS) or "no content type"}: "{words}"'

    @property
    def words(self) -> str:
        """The text at the beginning of a page, without its markup."""
        head = self.body[:HEAD_BYTES]
        text = _text_of(head) if b"<" in head else head.decode("utf-8", "replace")
        if len(self.body) > HEAD_BYTES:
            # The head may end in the middle of a secret, which would not be recognized.
            text = text[: -max(map(len, self._spelled_secrets()), default=0) or None]
        return one_line(text)

    def _spelled_secrets(self) -> set[str]:
        return {spell(secret) for secret in filter(str.strip, self.secrets) for spell in SPELLINGS}


def _text_of(page: bytes) -> str:
    parser = etree.HTMLParser(no_network=True, encoding="utf-8")
    # Bytes of another encoding would be left in the tree by lxml 5, which then cannot give them.
    text = page.decode("utf-8", "replace")
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return ""
    texts = [] if root is None else _TEXTS(root)
    return " ".join(map(str, texts)) if isinstance(texts, list) else ""

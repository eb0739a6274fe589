"""The evidence of findings: what was sent and what came back, without secrets, each text capped.

Qualys sets no limit to payloads (texts above 10 MB were seen), request headers hold cookies and
authorization, request bodies hold logins. So headers and bodies of requests are replaced unless
`redact_evidence` is off. Each text is cut at `evidence_max_bytes` and then ends with a mark. One
finding carries at most 1 MiB of evidence: far below the 8 MiB of a line, whatever JSON escapes.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import TYPE_CHECKING, Final

from lxml import etree

from tap_qualyswas.records.characters import ILLEGAL, REPLACEMENT
from tap_qualyswas.records.fields import CUT, Json, number, text, truth, whole, word
from tap_qualyswas.records.shapes import Shape, list_of

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Reader
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

CIPHER: Final = ("protocol", "name", "keyExchange", "auth", "mac", "encryption", "grade")
KEX: Final = ("protocol", "kex", "keysize", "fwdsec", "classical", "quantum")
PROP: Final = ("protocol", "name", "value")
REDACTED: Final = "[redacted]"
MAX_FINDING_BYTES: Final = 1_048_576
PACKED: Final = re.compile(r"[0-9A-Za-z+/\r\n]*={0,2}", re.ASCII)
"""Nothing but base64, on one line or several, without blanks at its end."""

_BEGINNING: Final = etree.XPath("substring(string(.), 1, $length)")
"""Gives the beginning of a text without making a Python string of all of it."""


def beginning(element: Element, characters: int) -> str:
    """Give at most `characters` characters of the element's text."""
    return str(_BEGINNING(element, length=characters))


def decode_base64(value: str) -> tuple[str, int]:
    """Decode a text that is marked as base64, with or without padding, even if it was cut.

    Old scans hold such texts without padding, cut in the middle, or in other encodings. What is not
    base64 at all stays as it is.

    Returns:
        The text, and how many wrong bytes and control characters became U+FFFD in it.
    """
    raw = _unpacked(value)
    if raw is None:
        return (value, 0)
    text = raw.decode("utf-8", "replace")
    replaced = text.count(REPLACEMENT) - raw.count(REPLACEMENT.encode())
    text, illegal = ILLEGAL.subn(REPLACEMENT, text)
    return (text, replaced + illegal)


def decode_unmarked(value: str, *, whole: bool) -> str:
    """Decode a text that may be base64 without a mark; it is when it decodes to clean UTF-8.

    Args:
        value: the text, or its beginning.
        whole: whether it is not just the beginning.
    """
    raw = _unpacked(value) if PACKED.fullmatch(value.rstrip()) else None
    if not raw:
        return value
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(raw, final=whole)
    except UnicodeDecodeError:
        return value
    return value if ILLEGAL.search(text) else text


def _unpacked(value: str) -> bytes | None:
    packed = "".join(value.split()).replace("-", "+").replace("_", "/").rstrip("=")
    if len(packed) % 4 == 1:
        packed = packed[:-1]
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def cap_bytes(value: str, limit: int) -> str:
    """Cut a text to `limit` bytes of UTF-8, between characters."""
    if len(value) * 4 <= limit:
        return value
    raw = value.encode()
    return value if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")


def _cut(value: str, limit: int) -> str:
    """Cut a text so that it fits into `limit` bytes together with the mark, or as much as does."""
    kept = cap_bytes(value, max(limit - len(CUT), 0))
    return (f"{kept}{CUT}" if kept else CUT.strip())[:limit]


class Evidence:
    """Readers for `resultList` and `sslData`, and for single texts of them.

    Args:
        redact: whether request headers and bodies are replaced by `[redacted]`.
        max_bytes: the most bytes of UTF-8 of each text.

    Attributes:
        sent: reads headers or a body of a request.
    """

    def __init__(self, *, redact: bool = True, max_bytes: int = 10_000) -> None:
        self._max_bytes = max_bytes
        self.sent: Reader = self._secret if redact else self.response
        self._results = list_of(_result_shape(self.capped, self.sent))
        self._ssl = _ssl_shape(self.capped)

    def result_list(self, element: Element, notes: Notes) -> Json:
        """Read `resultList`."""
        notes.evidence_left = MAX_FINDING_BYTES
        return self._results(element, notes)

    def ssl_data(self, element: Element, notes: Notes) -> Json:
        """Read `sslData`."""
        notes.evidence_left = MAX_FINDING_BYTES
        return self._ssl(element, notes)

    def capped(self, element: Element, notes: Notes) -> str | None:
        """Read a text that says whether it is base64."""
        return self._read(element, notes, may_be_base64=False)

    def response(self, element: Element, notes: Notes) -> str | None:
        """Read a text that may be base64, with or without a mark."""
        return self._read(element, notes, may_be_base64=True)

    def _read(self, element: Element, notes: Notes, *, may_be_base64: bool) -> str | None:
        if notes.evidence_left <= 0:
            notes.cut["resultList"] += 1
            return _cut("", self._max_bytes) if beginning(element, 1) else None
        mark = (element.get("base64") or "").strip().lower()
        # Four characters of base64 make three bytes; one more group shows whether there is more.
        longest = (self._max_bytes // 3 + 2) * 4
        found = beginning(element, longest)
        if mark == "true":
            text, replaced = decode_base64(found)
            notes.replaced += replaced
        elif may_be_base64 and not mark:
            text = decode_unmarked(found, whole=len(found) < longest)
        else:
            text = found
        # Blanks in base64 are no bytes of the text, so what is too long may look as if it fitted.
        is_whole = len(found) < longest and cap_bytes(text, self._max_bytes) == text
        value = text if is_whole else _cut(text, self._max_bytes)
        notes.evidence_left -= len(value.encode())
        if not is_whole:
            notes.cut[element.tag] += 1
        return value or None

    def _secret(self, element: Element, _notes: Notes) -> str | None:
        return REDACTED if beginning(element, 1) else None


def no_evidence(_element: Element, _notes: Notes) -> Json:
    """Read nothing: evidence is not wanted."""
    return None


def _result_shape(capped: Reader, secret: Reader) -> Shape:
    payload = Shape(
        "PayloadInstance",
        {
            "payload": capped,
            "payloadResult": capped,
            "payloadResponce": Shape("payloadResponce", {"offset": whole, "length": whole}),
            "request": Shape(
                "request", {"method": word, "link": capped, "headers": secret, "body": secret}
            ),
            "response": capped,
        },
        # Should Qualys ever correct its spelling.
        renamed={"payloadResponse": "payloadResponce"},
    )

    def url(element: Element, notes: Notes) -> Json:
        value = element.find("value")
        return capped(element if value is None else value, notes)

    return Shape(
        "Result",
        {
            "authentication": truth,
            "ajax": truth,
            "ajaxRequestId": word,
            "formLocation": capped,
            "accessPath": list_of(url),
            "payloads": list_of(payload),
        },
    )


def _ssl_shape(capped: Reader) -> Shape:
    info = Shape(
        "SSLDataInfo",
        {
            "sslDataCipherList": list_of(Shape("SSLDataCipher", dict.fromkeys(CIPHER, text))),
            "sslDataKexList": list_of(Shape("SSLDataKex", dict.fromkeys(KEX, text))),
            "sslDataPropList": list_of(Shape("SSLDataProp", dict.fromkeys(PROP, text))),
        },
    )
    return Shape(
        "sslData",
        {
            "protocol": text,
            "virtualhost": text,
            "ip": word,
            "port": number,
            "result": capped,
            "flags": text,
            "certificateFingerprint": text,
            "sslDataInfoList": list_of(info),
        },
    )

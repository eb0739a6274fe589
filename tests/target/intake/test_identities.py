"""A record that cannot be read as its type still tells what it is known by, where that is sure."""

from __future__ import annotations

import pytest

from target_ciscovm.intake.identities import identity_of

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("raw", "known"),
    [
        (b'{"uniqueId":"a","type":"VULNERABILITY","webApp":{"id":7}}', "V-7-a"),
        (b'{"uniqueId":"a","type":"sensitive_content","webApp":{"id":"7"}}', "S-7-a"),
        (b'{"uniqueId":"a","type":"VULNERABILITY","param":NaN}', "V-0-a"),
        (b'{"uniqueId":"a","type":"VULNERABILITY","param":' + DEEP + b"}", "V-0-a"),
        (b'{"uniqueId":"a","type":"VULNERABILITY","webApp":' + DEEP + b"}", None),
        (b'{"uniqueId":' + DEEP + b',"type":"VULNERABILITY"}', None),
        (b'{"uniqueId":"a","webApp":{"id":7}}', None),
        (DEEP, None),
        (b"[1]", None),
        (b"{", None),
    ],
    ids=lambda value: str(value)[:60] + str(len(str(value))),
)
def test_a_finding(raw: bytes, known: str | None) -> None:
    assert identity_of("findings", raw) == known


@pytest.mark.parametrize(
    ("raw", "known"),
    [
        (b'{"id":7}', 7),
        (b'{"id":" 7 "}', 7),
        (b'{"id":%d}' % (2**63 - 1), 2**63 - 1),
        (b'{"id":%d}' % 2**63, None),
        (b'{"id":"' + b"9" * 5000 + b'"}', None),
        (b'{"id":' + b"9" * 5000 + b"}", None),
        (b'{"id":-7}', None),
        (b'{"id":"\xc2\xb2"}', None),
        (b"{}", None),
    ],
    ids=lambda value: str(value)[:30] + str(len(str(value))),
)
def test_a_web_application(raw: bytes, known: int | None) -> None:
    assert identity_of("webapps", raw) == known


def test_other_streams_have_none() -> None:
    assert identity_of("scans", b'{"id":7}') is None

"""The tap's state, where the target asks for a full sync."""

from __future__ import annotations

import json

import pytest

from target_ciscovm.output.state import asking_full_sync


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"null",
        b"[1]",
        b'{"bookmarks": null}',
        b'{"bookmarks": {"syncs": "x", "other": {"at": NaN}}}',
        b'{"bookmarks": {"other": {"name": "half \\ud800"}}}',
        b'{"bookmarks": {"other": {"name": "Latin \xe9"}}}',
        b'{"bookmarks": {"other": {"at": ' + b"1" * 5000 + b"}}}",
        b'{"bookmarks": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_state_of_any_form_asks(value: bytes | None) -> None:
    asked = json.loads(asking_full_sync(value))

    assert asked["bookmarks"]["syncs"] == {"fullSyncAsked": True}


def test_what_the_tap_has_kept_stays() -> None:
    value = b'{"bookmarks": {"findings": {"at": "x"}, "syncs": {"lastSyncAt": "y"}}, "more": 1}'

    assert json.loads(asking_full_sync(value)) == {
        "bookmarks": {
            "findings": {"at": "x"},
            "syncs": {"lastSyncAt": "y", "fullSyncAsked": True},
        },
        "more": 1,
    }

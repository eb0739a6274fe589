"""A good answer shows that its part of the API is there: in its run, and in the syncs after it."""

from __future__ import annotations

from typing import Final

import pytest

from tap_qualyswas.qualys.call_history import CallHistory
from tap_qualyswas.qualys.reply import Reply
from tests.tap.scripted import COUNT, FINDINGS, KB, SEARCH

VERSION: Final = "/qps/rest/portal/version"
REPORT: Final = "/qps/rest/3.0/download/was/wasscan/5001"
MISSING: Final = Reply("server", 404, {}, b"")
MOVED: Final = Reply("server", 302, {}, b"")


@pytest.mark.parametrize(
    ("answered", "asked", "known"),
    [
        (FINDINGS, FINDINGS, True),
        (f"{COUNT}webapp", FINDINGS, True),
        (f"{SEARCH}webapp", f"{COUNT}finding", True),
        (FINDINGS, KB, False),
        (KB, KB, True),
        (KB, KB.replace("2.0", "3.0"), False),
        (KB, FINDINGS, False),
        (VERSION, VERSION, False),  # where it is closed, counts do
        (REPORT, REPORT.replace("5001", "5002"), False),  # each is there or not by itself
        (FINDINGS, REPORT, False),
    ],
)
def test_one_call_of_a_part_shows_that_the_others_are_there(
    answered: str, asked: str, known: bool
) -> None:
    history, next_run = CallHistory(), CallHistory()
    history.note(answered)
    next_run.remember(history.parts)

    now = history.of(MISSING, asked, answered=True)
    later = next_run.of(MISSING, asked, answered=False)

    assert (now.has_worked, now.has_worked_before) == (known, False)
    assert (later.has_worked, later.has_worked_before) == (False, known)


def test_any_good_answer_shows_that_no_redirect_leads_to_the_platform() -> None:
    history = CallHistory()

    assert not history.of(MOVED, REPORT, answered=False).is_known
    assert history.of(MOVED, REPORT, answered=True).is_known

    history.remember([KB])

    assert history.of(MOVED, REPORT, answered=False).is_known

"""The bugs that `python -m tests.planted` plants still have their places in the code."""

from __future__ import annotations

import pytest

from tests.planted import BUGS, ROOT


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_can_be_planted(name: str) -> None:
    bug = BUGS[name]

    assert (ROOT / bug.file).read_text(encoding="utf-8").count(bug.right) == 1

"""Each conversation that went wrong elsewhere comes to what is right here."""

from __future__ import annotations

import pytest

from tests.cases.case import Conversation, names, read
from tests.cases.conversations import play
from tests.cases.expectations import found, written

TALKS = [(name, at) for name in names() for at in range(len(read(name).conversations))]


@pytest.mark.parametrize(("name", "at"), TALKS)
def test_a_conversation_comes_to_what_is_right(name: str, at: int) -> None:
    case = read(name)
    talk: Conversation | None = case.conversations[at]
    state = None
    while talk is not None:
        played = play(case, talk, state)
        assert found(played, talk.expect) == written(talk.expect), (case.right, played.error)
        talk, state = talk.then, played.state

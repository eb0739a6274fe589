"""Conversations of the cases, played to the tap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from tap_qualyswas.errors import QualysError
from tests.cases.rows import as_xml
from tests.tap import scripted
from tests.tap.catalogs import only, with_metadata
from tests.tap.scripted import COUNT, FINDINGS, KB, SEARCH, ScriptedServer
from tests.tap.syncs import Outcome, run_tap, sync_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cases.case import Answer, Case, Conversation
    from tests.cases.rows import Row
    from tests.support.loopback import Request

ONE_WALK: Final = {"finding_types": ["VULNERABILITY"], "max_concurrency": 1}
"""So that the answers come in the order in which they are written."""

STREAMS: Final = ("webapps", "scans", "findings", "knowledge_base")


@dataclass(frozen=True)
class Played:
    """What a run came to.

    Attributes:
        asked: the calls, in their order.
        error: what it ended with, None when it ended well.
        state: what it left, or what it began with when it wrote none.
    """

    outcome: Outcome
    asked: list[Request]
    error: QualysError | None
    state: dict[str, Any]

    @property
    def walked(self) -> list[Request]:
        """The calls for pages.

        Those for one finding of each QID come with details; those for what was ignored lately come
        besides.
        """
        calls = self.asked_at("finding")
        return [one for one in calls if not re.search("verbose|ignoredDate", one.body)]

    def asked_at(self, name: str) -> list[Request]:
        """Give the calls of a path by its short name."""
        return [one for one in self.asked if one.path == path(name)]


def path(name: str) -> str:
    """Give the path that a short name stands for."""
    match name.partition("/"):
        case ("count", _, what):
            return f"{COUNT}{what}"
        case ("download", _, scan):
            return f"/qps/rest/3.0/download/was/wasscan/{scan}"
        case ("", _, _):
            return name
        case ("kb", "", ""):
            return KB
        case ("version", "", ""):
            return "/qps/rest/portal/version"
    return f"{SEARCH}{name}"


def answer(told: Answer) -> scripted.Answer:
    """Give an answer as the server takes it."""
    return scripted.Answer(_body(told), told.status, told.headers, delay=told.delay)


def _body(told: Answer) -> str:
    if told.page is not None:
        shown = map(as_xml, told.page)
        return scripted.page(*shown, more=told.more, last_id=told.last_id, data=told.data)
    if told.count is not None:
        return scripted.count_xml(told.count)
    if told.failure:
        return scripted.failure(*told.failure)
    if told.simple_return:
        code, text, items = msgspec.structs.astuple(told.simple_return)
        return scripted.simple_return(code, text, items)
    return told.body


def synced(bookmark: str) -> dict[str, Any]:
    """Give the state that a complete sync some hours ago has left."""
    past = "2024-05-31T00:00:00Z"
    return {
        "bookmarks": {
            "findings": {"replication_key": "lastDetectedDate", "replication_key_value": bookmark},
            "scans": {"replication_key": "launchedDate", "replication_key_value": bookmark},
            "syncs": {"lastSyncAt": past, "lastFullSyncAt": past, "streams": [*STREAMS]},
        }
    }


def play(case: Case, talk: Conversation, state: dict[str, Any] | None = None) -> Played:
    """Run the tap once, from a state where there is one."""
    scripts = {path(name): [*map(answer, told)] for name, told in talk.scripts.items()}
    scripts.setdefault(FINDINGS, [page_of(case.findings)] if case.findings else [])
    always = {path(name): answer(told) for name, told in talk.always.items()}
    state = state or talk.state or (synced(talk.bookmark) if talk.bookmark else None)
    catalog = only(*talk.streams) if talk.streams else None
    if talk.metadata:
        catalog = with_metadata(talk.metadata)
    with (
        ScriptedServer(scripts, always, talk.date) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in talk.environment.items():
            patch.setenv(name, value)
        settings = {**server.config, **ONE_WALK, **talk.settings}
        if talk.options:
            outcome, error = run_tap(settings, state, options=talk.options), None
        else:
            outcome, error = _run(settings, state, catalog)
        return Played(outcome, server.requests, error, outcome.state or state or {})


def page_of(rows: Sequence[Row]) -> scripted.Answer:
    """Give the only page with these rows."""
    return scripted.Answer(scripted.page(*map(as_xml, rows)))


def _run(
    settings: dict[str, Any], state: dict[str, Any] | None, catalog: dict[str, Any] | None
) -> tuple[Outcome, QualysError | None]:
    try:
        return (sync_here(settings, state, catalog), None)
    except QualysError as error:
        outcome: Outcome = error.outcome  # type: ignore[attr-defined] # set by sync_here
        return (outcome, error)

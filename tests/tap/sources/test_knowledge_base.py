"""What entries of the knowledge base tell beside their texts."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import pytest

from tap_qualyswas.qualys.knowledge_base import KB_IDS
from tap_qualyswas.sync.qids import CLASSES, Qids
from tap_qualyswas.sync.state import State
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import (
    COUNT,
    DATE,
    FINDINGS,
    KB,
    Answer,
    ScriptedServer,
    count_xml,
    element,
    finding,
    page,
)
from tests.tap.syncs import Platform, sync_here

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from tests.sandbox.world.model import Entry
    from tests.support.loopback import Request, Response
    from tests.tap.syncs import Outcome

QID: Final = 150_000
ROWS: Final = KB_IDS + 10
LONG: Final = 10
"""Seconds; nobody waits for so long but for what does not come."""
SIZE: Final = WorldSize(apps=4, findings=150, qids=40, scans=4)


def entries(platform: Platform, outcome: Outcome) -> list[tuple[dict[str, object], Entry]]:
    known = {one.qid: one.entry for one in platform.world.qids}
    pairs = ((row, known[row["qid"]]) for row in outcome.records("knowledge_base"))
    return [(row, entry) for row, entry in pairs if entry is not None]


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_entries_tell_what_they_refer_to(version: str) -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here({"knowledge_base_version": version})
        found = entries(platform, outcome)

    assert "left out fields" not in outcome.log
    assert any(entry.cves for _, entry in found)
    for row, entry in found:
        references = [{"id": name, "url": url} for name, url in entry.references]
        assert row["vendorReferences"] == references
        threats = [{"id": number, "name": name} for number, name in entry.threats]
        assert row["threatIntelligence"] == threats
        exploits, malware = row["exploits"], row["malware"]
        assert isinstance(exploits, list)
        assert isinstance(malware, list)
        later = version != "2.0"
        assert [one["reference"] for one in exploits] == (list(entry.cves) if later else [])
        assert len(malware) == (later and bool(entry.cves))
        assert row["patchable"] is entry.patchable
        assert (row["patchPublishedDate"] is not None) is (later and entry.patchable)
        has_v4 = version == "4.0" and entry.cvss_v3 is not None
        assert (row["cvssV4"] is not None) is has_v4


def row_of(outcome: Outcome, qid: int) -> dict[str, object] | None:
    rows = [row for row in outcome.records("knowledge_base") if row["qid"] == qid]
    return rows[0] if rows else None


def test_entries_that_were_not_published_yet_are_asked_for_until_they_are() -> None:
    with Platform(SIZE) as platform:
        usual, calls = next_sync(platform, platform.sync_here())
        came = {row["qid"] for row in usual.records("findings")}
        rows = platform.world.findings["VULNERABILITY"]
        late = next(row.qid for row in rows if row.qid.qid not in came and row.qid.entry)
        entry, late.entry = late.entry, None
        first = platform.sync_here()
        second, calls_without_it = next_sync(platform, first)
        late.entry = entry
        third, calls_for_it = next_sync(platform, second)
        last, _ = next_sync(platform, third)

    before, after = row_of(first, late.qid), row_of(third, late.qid)
    assert before is not None
    assert after is not None
    assert (before["title"], after["title"]) == (None, late.title)
    assert {name: after[name] for name in CLASSES} == {name: before[name] for name in CLASSES}
    assert any(after[name] for name in CLASSES)
    assert [row_of(one, late.qid) for one in (usual, second, last)] == [None, None, None]
    assert str(late.qid) in second.state["bookmarks"]["knowledge_base"]["unpublished"][0]
    assert str(late.qid) not in str(last.state["bookmarks"]["knowledge_base"])
    assert calls_for_it == calls_without_it == calls


def test_without_other_qids_those_without_an_entry_are_one_call() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        bookmarks = first.state["bookmarks"]
        bookmarks["findings"]["replication_key_value"] = first.proof["startedAt"]
        bookmarks["knowledge_base"]["unpublished"] = None
        platform.clock.advance(timedelta(days=3))
        quiet, calls = next_sync(platform, first, overlap_hours=0)
        bookmarks["knowledge_base"]["unpublished"] = [{"1": None}]
        _, calls_for_one = next_sync(platform, first, overlap_hours=0)

    assert quiet.records("findings") == []
    assert calls_for_one - calls == {"knowledge_base": 1}
    assert calls["knowledge_base"] == 0


def next_sync(platform: Platform, last: Outcome, **settings: int) -> tuple[Outcome, Counter[str]]:
    before = platform.requests.copy()
    outcome = platform.sync_here(settings, last.state)
    assert outcome.proof["mode"] == "incremental"
    return (outcome, platform.requests - before)


ONE_TYPE: Final = {"finding_types": ["VULNERABILITY"]}


class OddKnowledgeBase(ScriptedServer):
    """Has an entry of each QID, and answers no more than some of them at a time.

    Args:
        most: entries of an answer; one that lacks some says so.
        strays: QIDs whose entries come with the first answers, for each of these.
    """

    def __init__(self, most: int = 250, strays: Sequence[Sequence[int]] = ()) -> None:
        found = page(*(finding(number) for number in range(1, 8)))
        super().__init__(always={FINDINGS: Answer(found), f"{COUNT}finding": Answer(count_xml(7))})
        self._most = most
        self._strays = [*strays]

    @override
    def answer(self, request: Request) -> Response:
        if request.path != KB:
            return super().answer(request)
        (asked,) = parse_qs(request.body)["ids"]
        qids = [int(qid) for qid in asked.split(",")]
        strays = self._strays.pop(0) if self._strays else ()
        entries = "".join(
            element("VULN", {"QID": str(qid), "TITLE": f"Title {qid}"})
            for qid in (*strays, *qids[: self._most])
        )
        warning = "<WARNING><CODE>1980</CODE></WARNING>" if len(qids) > self._most else ""
        body = f"<RESPONSE><VULN_LIST>{entries}</VULN_LIST>{warning}</RESPONSE>"
        root = "KNOWLEDGE_BASE_VULN_LIST_OUTPUT"
        return Answer(f"<{root}>{body}</{root}>").response(DATE)


QIDS: Final = [*range(150_000, 150_007)]


def qids_of(outcome: Outcome) -> list[object]:
    return sorted(row["qid"] for row in outcome.records("knowledge_base") if row["title"])


def test_the_answer_to_another_call_is_asked_for_again() -> None:
    with OddKnowledgeBase(strays=[[1, 2]]) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert qids_of(outcome) == QIDS
    assert len(server.asked_at(KB)) == 2
    assert "sent entries that were not asked for (1, 2). Trying again" in outcome.log


@pytest.mark.parametrize("max_attempts", [1, 8])
def test_entries_that_come_with_each_answer_are_left_out_and_told_once(max_attempts: int) -> None:
    with OddKnowledgeBase(strays=[[1, 2], [1], [1]]) as server:
        outcome = sync_here({**server.config, **ONE_TYPE, "max_attempts": max_attempts})

    assert qids_of(outcome) == QIDS
    assert outcome.log.count("were not asked for, such as 1. They are left out.") == 1


def test_an_answer_that_was_cut_short_is_asked_for_in_parts() -> None:
    with OddKnowledgeBase(most=3) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert qids_of(outcome) == QIDS
    assert "cut an answer about 7 QIDs short (1980)" in outcome.log
    assert len(server.asked_at(KB)) < len(QIDS)


UNTOLD: Final = dict.fromkeys(CLASSES)


def restored(kept: object) -> Qids:
    state = State({"bookmarks": {"knowledge_base": {"unpublished": kept}}}, lambda: None)
    qids = Qids(state, wanted=True)
    qids.restore_unpublished()
    return qids


@pytest.mark.parametrize(
    "odd",
    [
        *("odd", [5], {"odd": None}, {"-7": None}, {"0": None}, {"7": "odd"}, {"7": {"cwe": [1]}}),
        *({"7": {**UNTOLD, "cwe": 79}}, {"7": {**UNTOLD, "group": ["XSS"]}}),
    ],
)
def test_a_list_of_another_form_is_passed_over(odd: object) -> None:
    assert restored(odd).unpublished(9) == []


def test_the_list_is_bounded_and_asked_for_as_far_as_there_is_room() -> None:
    raw: dict[str, Any] = {}
    qids = Qids(State(raw, lambda: None), wanted=True)
    qids.keep_unpublished(range(1, 1000), [2])

    (kept,) = raw["bookmarks"]["knowledge_base"]["unpublished"]
    assert len(kept) == 250
    again = restored(kept)
    assert again.unpublished(3) == [1, 3, 4]
    again.keep_unpublished([1, 3], [1])
    assert again.unpublished(2) == [3, 4]


class HeldBack(OddKnowledgeBase):
    """Gives the last page of findings only when the knowledge base has been asked, or after long.

    Attributes:
        asked: whether the knowledge base has been asked by then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: bool | None = None
        self._is_asked = threading.Event()
        self._pages = [
            page(*(finding(n, qid=str(QID + n)) for n in range(1, ROWS + 1)), more="true"),
            page(finding(ROWS + 1, qid=str(QID + ROWS + 1))),
        ]

    @override
    def answer(self, request: Request) -> Response:
        if request.path == KB:
            self._is_asked.set()
        if request.path == f"{COUNT}finding":
            return Answer(count_xml(ROWS + 1)).response(DATE)
        if request.path != FINDINGS or not self._pages:
            return super().answer(request)
        return Answer(self._pages.pop(0)).response(DATE)

    @override
    def take(self, request: Request) -> Response:
        response = super().take(request)
        if request.path == FINDINGS and not self._pages and self.asked is None:
            self.asked = self._is_asked.wait(LONG)
        return response


def test_the_first_call_of_a_full_sync_is_made_while_findings_still_come() -> None:
    with HeldBack() as server:
        settings = {"finding_types": ["VULNERABILITY"], "page_size": ROWS}
        full = sync_here({**server.config, **settings})

    assert server.asked
    assert len(server.asked_at(KB)) == 2
    found = [row["qid"] for row in full.records("knowledge_base")]
    assert sorted(found) == [QID + number for number in range(1, ROWS + 2)]

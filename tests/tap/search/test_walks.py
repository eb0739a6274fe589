"""The tap walks the sandbox's pages to their end, whatever form pages and endings have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import (
    FINDINGS,
    SEARCH,
    Answer,
    ScriptedServer,
    finding,
    page,
    scan,
    webapp,
)
from tests.tap.syncs import Outcome, Platform, sync_here

if TYPE_CHECKING:
    from tests.sandbox.world.world import World

SIZE: Final = WorldSize(apps=5, findings=60, qids=12, scans=8)
SEVERAL_PAGES: Final = {"page_size": 7}
NUMBERS: Final = {"VULNERABILITY": 0, "SENSITIVE_CONTENT": 1, "INFORMATION_GATHERED": 2}
BARE: Final = "<ServiceResponse><responseCode>SUCCESS</responseCode></ServiceResponse>"


def keys_in(world: World) -> list[str]:
    return sorted(world.unique_id(row) for row in world.all_findings())


def keys_of(outcome: Outcome) -> list[str]:
    return sorted(row["uniqueId"] for row in outcome.records("findings"))


def told(outcome: Outcome, stream: str) -> dict[str, Any]:
    (row,) = [row for row in outcome.proof["streams"] if row["stream"] == stream]
    return dict(row)


@pytest.mark.parametrize("page_size", [1, 7, 60, 1000])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_each_row_comes_once(page_size: int, order: Literal["ascending", "descending"]) -> None:
    with Platform(SIZE, switches=Switches(id_order=order)) as platform:
        outcome = platform.sync_here({"page_size": page_size})

    assert keys_of(outcome) == keys_in(platform.world)
    assert sorted(row["id"] for row in outcome.records("webapps")) == sorted(platform.world.apps)
    assert len(outcome.records("scans")) == len(platform.world.scans) == 8
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize("fault", ["page-empty-last", "page-no-last-id", "page-duplicates"])
def test_each_ending_and_each_oddity_of_a_page_leaves_the_rows_whole(fault: str) -> None:
    with Platform(SIZE, faults=[fault]) as platform:
        outcome = platform.sync_here(SEVERAL_PAGES)
        assert platform.face.faults.struck[fault]

    assert keys_of(outcome) == keys_in(platform.world)
    assert outcome.proof["complete"] is True
    assert (told(outcome, "findings")["duplicates"] > 0) is (fault == "page-duplicates")


@pytest.mark.parametrize("form", ["count", "more", "data"])
def test_a_subscription_with_nothing_in_it_is_read_to_its_end(
    form: Literal["count", "more", "data"],
) -> None:
    size = WorldSize(apps=3, findings=0, qids=3, scans=0)
    with Platform(size, switches=Switches(empty_result_form=form)) as platform:
        outcome = platform.sync_here()

    assert len(outcome.records("webapps")) == 3
    assert (outcome.records("findings"), outcome.records("scans")) == ([], [])
    assert outcome.proof["complete"] is True
    assert platform.requests["count/was/finding"] == 3


def test_the_last_page_may_be_full() -> None:
    with Platform(SIZE) as platform:
        sizes = [len(rows) for rows in platform.world.findings.values()]
        outcome = platform.sync_here({"page_size": max(sizes)})

    assert keys_of(outcome) == keys_in(platform.world)
    assert platform.requests["search/was/finding"] == 3 + 3


def test_ids_of_64_bits_keep_every_digit() -> None:
    size = WorldSize(apps=5, findings=400, qids=12, scans=8, huge_ids=True)
    with Platform(size) as platform:
        outcome = platform.sync_here()

    ids = {row["id"] for row in outcome.records("findings")}
    assert ids == {row.id for row in platform.world.all_findings()}
    assert max(ids) > 2**53


def test_types_may_share_their_ids() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(SEVERAL_PAGES)

    rows = outcome.records("findings")
    by_type = [{row["id"] for row in rows if row["type"] == name} for name in NUMBERS]
    assert by_type[0] & by_type[2]
    assert len({row["uniqueId"] for row in rows}) == len(rows) == 60


def test_what_vanishes_while_it_is_walked_costs_nothing_else() -> None:
    with Platform(SIZE, faults=["rows-vanish"]) as platform:
        before = set(keys_in(platform.world))
        outcome = platform.sync_here(SEVERAL_PAGES)
        after = set(keys_in(platform.world))

    assert after < before
    assert after <= set(keys_of(outcome)) <= before
    assert told(outcome, "findings")["duplicates"] == 0


def test_what_appears_while_it_is_walked_costs_nothing_else() -> None:
    with Platform(SIZE, faults=["rows-appear"]) as platform:
        before = set(keys_in(platform.world))
        outcome = platform.sync_here(SEVERAL_PAGES)
        after = set(keys_in(platform.world))

    assert before < after
    assert before <= set(keys_of(outcome)) <= after
    assert outcome.proof["complete"] is True


def test_a_web_application_that_vanishes_meanwhile_is_told_as_changed() -> None:
    with Platform(SIZE) as platform:
        face, world = platform.face, platform.world
        gone: list[int] = []

        def delete(_name: str) -> None:
            app = next(iter(world.apps.values()))
            world.delete_app(app)
            gone.append(app.id)

        face.faults.arm("tap-killed+0")  # a hook at the first page of findings, harmless here
        face.faults.carry_out = delete
        proof = platform.sync_here(SEVERAL_PAGES).proof

    assert proof["complete"] is True
    assert proof["coverage"]["webApps"]["changed"] == gone


@pytest.mark.parametrize("max_attempts", [1, 8])
@pytest.mark.parametrize("verbose_limit", [3, 1000])
def test_pages_may_hold_fewer_rows_than_were_asked_for(
    verbose_limit: int, max_attempts: int
) -> None:
    with Platform(SIZE, switches=Switches(verbose_limit=verbose_limit)) as platform:
        outcome = platform.sync_here({"include_evidence": True, "max_attempts": max_attempts})

    assert keys_of(outcome) == keys_in(platform.world)
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize(
    "odd",
    [
        page(finding(7001), finding(7002)),
        page(finding(7010), finding(7011)),
        page(finding(7010), finding(7011), more="true", last_id=7011),
        BARE,
    ],
)
def test_a_page_from_elsewhere_does_not_end_a_walk(odd: str) -> None:
    """A proxy may send an answer once more, or nothing; without a count nothing else shows it."""
    script = [
        Answer(page(finding(7010), finding(7011), more="true", last_id=7011)),
        Answer(odd),
        Answer(page(finding(7012))),
    ]
    state = {"findings": {"replication_key_value": "2024-05-20T00:00:00Z"}}
    settings = {"finding_types": ["VULNERABILITY"], "page_size": 2, "full_sync_every_days": 0}
    with ScriptedServer({FINDINGS: script}) as server:
        outcome = sync_here({**server.config, **settings}, {"bookmarks": state})
        asked = [request.body for request in server.asked_at(FINDINGS)[:3]]

    assert [row["id"] for row in outcome.records("findings")] == [7010, 7011, 7012]
    assert asked[1] == asked[2] != asked[0]


@pytest.mark.parametrize(
    ("stream", "kind", "right"),
    [("webapps", "webapp", webapp(5)), ("scans", "wasscan", scan(5))],
    ids=["webapps", "scans"],
)
@pytest.mark.parametrize(
    "wrong", [finding(7001), "<Other><id>7001</id></Other>"], ids=["findings", "others"]
)
def test_the_answer_of_another_search_is_none(
    stream: str, kind: str, right: str, wrong: str
) -> None:
    """A proxy may mix answers up; without a count nothing else shows it."""
    state = {"findings": {"replication_key_value": "2024-05-20T00:00:00Z"}}
    script = {f"{SEARCH}{kind}": [Answer(page(wrong)), Answer(page(right))]}
    with ScriptedServer(script) as server:
        outcome = sync_here({**server.config, "full_sync_every_days": 0}, {"bookmarks": state})

    assert [row["id"] for row in outcome.records(stream)] == [5]
    assert "in a search for" in outcome.log


@pytest.mark.parametrize("max_attempts", [1, 8])
def test_a_server_whose_empty_pages_hold_nothing_is_believed_in_the_end(max_attempts: int) -> None:
    settings = {"finding_types": ["VULNERABILITY"], "max_attempts": max_attempts}
    with ScriptedServer(always={FINDINGS: Answer(BARE)}) as server:
        outcome = sync_here({**server.config, **settings})

    assert outcome.proof["complete"] is True
    assert len(server.asked_at(FINDINGS)) == 2

"""Details of single web applications: asked for only on demand, and never needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import (
    COUNT,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    page,
    webapp,
)
from tests.tap.syncs import Platform, sync_here

if TYPE_CHECKING:
    from tests.tap.syncs import Outcome

SIZE: Final = WorldSize(apps=7, findings=20, qids=6, scans=7)
BARE: Final = Switches(search_app_details=False)
COST: Final = "which takes 7 calls to Qualys: one for each web application"


def attributes(outcome: Outcome) -> dict[int, dict[str, str] | None]:
    return {
        row["id"]: None
        if row["attributes"] is None
        else {one["name"]: one["value"] for one in row["attributes"]}
        for row in outcome.records("webapps")
    }


def test_what_the_search_does_not_tell_is_null_and_costs_no_call() -> None:
    with Platform(SIZE, switches=BARE) as platform:
        outcome = platform.sync_here()
        asked = [name for name in platform.requests if name.startswith("get/")]

    assert set(attributes(outcome).values()) == {None}
    assert asked == []


def test_details_complete_the_rows_and_their_calls_are_told() -> None:
    with Platform(SIZE, switches=BARE) as platform:
        outcome = platform.sync_here({"webapp_details": True, "page_size": 3})
        again = platform.sync_here({"webapp_details": True}, state=outcome.state)
        apps = platform.world.apps

    for synced in (outcome, again):
        assert attributes(synced) == {app.id: app.attributes for app in apps.values()}
        assert synced.log.count(COST) == 1
    assert platform.requests["get/was/webapp"] == 14
    assert {row["os"] for row in outcome.records("webapps")} == {app.os for app in apps.values()}
    assert outcome.proof["complete"] is True
    assert again.proof["mode"] == "incremental"


def test_where_there_is_no_web_application_no_calls_are_told() -> None:
    with Platform(WorldSize(apps=0, findings=0, scans=0)) as platform:
        outcome = platform.sync_here({"webapp_details": True})

    assert "webapp_details" not in outcome.log


def test_a_sync_goes_on_without_details_that_cannot_be_had() -> None:
    closed = Switches(search_app_details=False, single_apps=False)
    with Platform(SIZE, switches=closed) as platform:
        outcome = platform.sync_here({"webapp_details": True, "page_size": 3})

    assert set(attributes(outcome).values()) == {None}
    assert "Going on without their details" in outcome.log
    assert platform.requests["get/was/webapp"] <= 6
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize("number", ["9002", "unreadable"])
def test_details_of_another_web_application_are_asked_for_again(number: str) -> None:
    """A proxy may send what somebody else has asked for."""
    path = "/qps/rest/3.0/get/was/webapp/9001"
    apps = {f"{SEARCH}webapp": Answer(page(webapp(9001))), f"{COUNT}webapp": Answer(count_xml(1))}
    right, wrong = page(webapp(9001, os="Linux")), page(webapp(9001, id=number, os="Other"))
    with ScriptedServer({path: [Answer(wrong)]}, {**apps, path: Answer(right)}) as server:
        outcome = sync_here({**server.config, "webapp_details": True})

    assert [(row["id"], row["os"]) for row in outcome.records("webapps")] == [(9001, "Linux")]

"""Logins and filters: who asks, and for which web applications."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from tap_qualyswas import errors
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import Answer, ScriptedServer
from tests.tap.syncs import Outcome, Platform, sync_here

SIZE: Final = WorldSize(apps=8, findings=120, qids=15, scans=12)
PAGES: Final = {"page_size": 10}


def token_config(platform: Platform, **settings: Any) -> dict[str, Any]:  # noqa: ANN401
    face = platform.face
    return {
        "auth_method": "oidc",
        "gateway_url": platform.url,
        "client_id": face.client_id,
        "client_secret": face.client_secret,
        "username": "",
        "password": "",
        **settings,
    }


def keys_of(outcome: Outcome) -> set[str]:
    return {row["uniqueId"] for row in outcome.records("findings")}


def all_keys(platform: Platform) -> set[str]:
    return set(map(platform.world.unique_id, platform.world.all_findings()))


def test_one_token_is_fetched_for_a_sync() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(token_config(platform, **PAGES))

    assert keys_of(outcome) == all_keys(platform)
    assert platform.requests["auth/oidc"] == 1


def test_findings_are_proven_without_the_knowledge_base_which_takes_no_token() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(token_config(platform))
        qids = {row.qid.qid for row in platform.world.all_findings()}

    assert outcome.records("knowledge_base") == []
    assert (outcome.proof["complete"], outcome.proof["incompleteReasons"]) == (True, [])
    (pending,) = outcome.state["bookmarks"]["knowledge_base"]["pending"]
    assert {*map(int, pending)} == qids
    assert not any(each.verbose for each in platform.face.log if "finding" in each.endpoint)


@pytest.mark.parametrize("has_user", [False, True])
def test_a_qid_that_was_left_open_and_has_no_finding_any_more_leaves_no_gap(
    *, has_user: bool
) -> None:
    gone = {"150999": ["VULNERABILITY", 5]}
    state = {"bookmarks": {"knowledge_base": {"pending": [gone]}}}
    with Platform(SIZE) as platform:
        settings = {} if has_user else token_config(platform)
        outcome = platform.sync_here(settings, state)

    assert (outcome.proof["complete"], outcome.proof["incompleteReasons"]) == (True, [])
    (left,) = outcome.state["bookmarks"]["knowledge_base"]["pending"] or [{}]
    assert ("150999" in left) is not has_user


def test_with_a_user_too_the_knowledge_base_is_read() -> None:
    with Platform(SIZE) as platform:
        login = {"username": platform.face.username, "password": platform.face.password}
        outcome = platform.sync_here(token_config(platform, **login))

    assert outcome.records("knowledge_base")
    assert outcome.proof["complete"] is True


def test_a_token_that_ends_early_is_renewed_once_for_all_workers() -> None:
    with Platform(SIZE) as platform:
        face, clock = platform.face, platform.clock
        face.faults.arm("tap-killed+3")  # a hook at the fourth page of findings, harmless here
        face.faults.carry_out = lambda _: clock.advance(timedelta(hours=5))
        outcome = platform.sync_here(token_config(platform, **PAGES, max_concurrency=4))

    assert keys_of(outcome) == all_keys(platform)
    assert platform.requests["auth/oidc"] == 2


@pytest.mark.parametrize("wrong", [{"client_secret": "another"}, {"client_id": "another"}])
def test_a_client_that_the_gateway_does_not_know_is_refused(wrong: dict[str, str]) -> None:
    with Platform(SIZE) as platform:
        with pytest.raises(errors.BadCredentials, match="Auth ID client") as raised:
            platform.sync_here(token_config(platform, **wrong))
        assert platform.requests["auth/oidc"] == 1

    assert "another" not in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"password": "p&ss"}])
def test_a_wrong_login_is_refused_at_once(wrong: dict[str, str]) -> None:
    with Platform(SIZE) as platform:
        with pytest.raises(errors.BadCredentials):
            platform.sync_here(wrong)
        assert platform.requests.total() == 1


def apps_of(outcome: Outcome) -> set[int]:
    apps = {row["id"] for row in outcome.records("webapps")}
    assert {row["webApp"]["id"] for row in outcome.records("findings")} <= apps
    assert {row["webApp"]["id"] for row in outcome.records("scans")} <= apps
    return apps


def test_a_filter_by_id_holds_for_every_stream() -> None:
    with Platform(SIZE) as platform:
        first, *_, last = platform.world.apps
        outcome = platform.sync_here({"webapp_ids": [first, last]})
        findings = {
            platform.world.unique_id(row)
            for row in platform.world.all_findings()
            if row.app.id in {first, last}
        }

    assert apps_of(outcome) == {first, last}
    assert keys_of(outcome) == findings
    assert outcome.proof["complete"] is True
    assert outcome.proof["filters"]["webapp_ids"] == [first, last]


def test_filters_by_tag_and_name_hold_together() -> None:
    with Platform(SIZE) as platform:
        world = platform.world
        tag = next(iter(world.apps.values())).tags[0] if world.apps else None
        tag = tag or world.tags[0]
        tagged = {app.id for app in world.apps.values() if tag in app.tags}
        named = {app.id for app in world.apps.values() if "a" in app.name.lower()}
        by_tag = platform.sync_here({"webapp_tag_ids": [tag.id]})
        both = platform.sync_here({"webapp_tag_ids": [tag.id], "webapp_name_contains": "a"})

    assert apps_of(by_tag) == tagged
    assert apps_of(both) == tagged & named


def test_a_filter_is_resolved_once() -> None:
    with Platform(SIZE) as platform:
        plain = platform.sync_here()
        without = platform.requests.copy()
        platform.sync_here({"webapp_name_contains": "a"})
        asked = platform.requests - without

    assert asked["search/was/webapp"] == without["search/was/webapp"] + 1
    assert plain.proof["complete"] is True


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"webapp_ids": [5, 6]}, "webapp_ids 5, 6"),
        ({"webapp_tag_ids": [1]}, "webapp_tag_ids 1"),
        ({"webapp_name_contains": "no such"}, "webapp_name_contains 'no such'"),
        (
            {"webapp_ids": [5], "webapp_name_contains": "x"},
            "webapp_ids 5 together with webapp_name_contains 'x'",
        ),
    ],
)
def test_a_filter_that_nothing_passes_is_refused_by_name(
    settings: dict[str, Any], told: str
) -> None:
    with Platform(SIZE) as platform, pytest.raises(errors.NothingMatches) as raised:
        platform.sync_here(settings)

    assert told in str(raised.value)
    assert raised.value.exit_code == 2


def test_ids_that_are_not_there_beside_others_are_named() -> None:
    with Platform(SIZE) as platform:
        first = next(iter(platform.world.apps))
        outcome = platform.sync_here({"webapp_ids": [first, 5]})

    assert apps_of(outcome) == {first}
    assert "No web application matches these webapp_ids: 5. Check the ids." in outcome.log


def test_a_filter_that_very_many_pass_is_asked_in_chunks() -> None:
    size = WorldSize(apps=1100, findings=1500, qids=15, scans=100)
    with Platform(size) as platform:
        apps = sorted(platform.world.apps)
        outcome = platform.sync_here({"webapp_ids": apps[:1050]})
        kept = {row.app.id for row in platform.world.all_findings()} & set(apps[:1050])

    assert apps_of(outcome) == set(apps[:1050])
    assert {row["webApp"]["id"] for row in outcome.records("findings")} == kept
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize(
    "kinds", [["VULNERABILITY"], ["INFORMATION_GATHERED", "SENSITIVE_CONTENT"]]
)
def test_only_the_wanted_types_are_asked_for(kinds: list[str]) -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here({"finding_types": kinds})
        asked = {
            each.value
            for logged in platform.face.log
            for each in logged.criteria
            if each.field == "type"
        }

    assert {row["type"] for row in outcome.records("findings")} == set(kinds) == asked
    assert outcome.proof["filters"]["finding_types"] == sorted(kinds, reverse=True)


@pytest.mark.parametrize("name", ["R&D <portal>", '"North"', "Größe & Café", "ポータル", "O'Neill"])
def test_any_text_is_found_as_it_is(name: str) -> None:
    with Platform(SIZE) as platform:
        platform.world.add_app(f"An {name} of ours")
        outcome = platform.sync_here({"webapp_name_contains": name})

    assert {name in row["name"] for row in outcome.records("webapps")} == {True}


def test_the_subscription_is_told_in_the_proof() -> None:
    with Platform(SIZE) as platform:
        told = platform.sync_here().proof["subscription"]
        expected = platform.world.subscription
    with Platform(SIZE, switches=Switches(subscription_header=False)) as platform:
        silent = platform.sync_here().proof["subscription"]

    assert (told, silent) == (expected, None)


def test_a_redirect_is_not_followed_with_the_login() -> None:
    with ScriptedServer() as other:
        moved = Answer("", 302, {"Location": f"{other.url}/elsewhere"})
        count = "/qps/rest/3.0/count/was/webapp"
        with (
            ScriptedServer(always={count: moved}) as server,
            pytest.raises(errors.WrongPlatform, match="redirect"),
        ):
            sync_here(server.config)

        assert other.requests == []

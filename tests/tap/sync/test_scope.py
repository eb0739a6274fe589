"""Filters by words: tags by their names, and custom attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from tap_qualyswas import errors
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import (
    COUNT,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    failure,
    finding,
    page,
    scan,
    webapp,
)
from tests.tap.syncs import Platform, sync_here

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = WorldSize(apps=8, findings=60, qids=8, scans=8)
BLUE, PCI, TEAM, CAFE = "Blue, North", "PCI & SOX", 'Team "A"', "Café"
TAGS: Final = ((BLUE,), (BLUE, PCI), (PCI,), (CAFE,), (CAFE, BLUE), (TEAM,), (), ())


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(SIZE) as made:
        _tag(made)
        yield made


def _tag(made: Platform) -> None:
    known = {tag.name: tag for tag in made.world.tags}
    for app, names in zip(made.world.apps.values(), TAGS, strict=True):
        made.world.tag_app(app, [known[name] for name in names])


def read(platform: Platform, **settings: object) -> tuple[list[int], dict[str, Any]]:
    """Give the places of the web applications that a sync reads, and its proof."""
    outcome = platform.sync_here(settings)
    ids = [row["id"] for row in outcome.records("webapps")]
    rows = [*outcome.records("findings"), *outcome.records("scans")]
    assert {row["webApp"]["id"] for row in rows} <= set(ids)
    assert outcome.proof["complete"] is True
    return sorted(list(platform.world.apps).index(one) for one in ids), outcome.proof


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"webapp_tags": [BLUE]}, [0, 1, 4]),
        ({"webapp_tags": [PCI, CAFE]}, [1, 2, 3, 4]),
        ({"webapp_tags": [BLUE, PCI], "webapp_tags_match": "all"}, [1]),
        ({"webapp_tags": [f" {TEAM} ", TEAM]}, [5]),
        ({"webapp_tags_exclude": [BLUE, TEAM]}, [2, 3, 6, 7]),
        ({"webapp_tags": [BLUE], "webapp_tags_exclude": [CAFE]}, [0, 1]),
        ({"webapp_tags_exclude": ["<web>"]}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"webapp_tags": [BLUE, "<web>"]}, [0, 1, 4]),
        ({"webapp_attributes": {"Owner": "Team <1> & friends"}}, [1, 7]),
        ({"webapp_attributes": {"Owner": "Team <1> & friends", "Tier": 3}}, [7]),
        ({"webapp_tags": [PCI], "webapp_attributes": {"Tier": "2"}}, [2]),
    ],
)
def test_words_choose_web_applications_for_every_stream(
    settings: dict[str, Any], places: list[int], platform: Platform
) -> None:
    found, proof = read(platform, **settings)

    assert found == places
    assert proof["coverage"]["wholeAccount"] is False
    told = {name: value for name, value in proof["filters"].items() if name in settings}
    assert told.keys() == settings.keys()


def test_words_hold_together_with_ids(platform: Platform) -> None:
    first, second, *_ = platform.world.apps

    found, proof = read(platform, webapp_ids=[first, second], webapp_tags=[PCI])

    assert found == [1]
    assert proof["filters"]["webapp_tags"] == [PCI]
    assert proof["filters"]["webapp_tags_match"] == "any"


def test_a_filter_that_is_not_set_is_not_told(platform: Platform) -> None:
    _, proof = read(platform)

    assert not {name for name in proof["filters"] if "attributes" in name or "tags" in name}
    assert proof["coverage"]["wholeAccount"] is True


def test_each_name_costs_one_call(platform: Platform) -> None:
    before = platform.requests.copy()
    read(platform)
    plain = platform.requests - before
    before = platform.requests.copy()
    read(platform, webapp_tags=[BLUE, PCI], webapp_tags_exclude=[TEAM])
    filtered = platform.requests - before

    assert filtered["search/was/webapp"] == plain["search/was/webapp"] + 3
    assert filtered["count/am/tag"] == filtered["search/am/tag"] == 0


@pytest.mark.parametrize("setting", ["webapp_tags", "webapp_tags_exclude"])
def test_a_name_that_no_tag_has_is_refused_by_it(setting: str, platform: Platform) -> None:
    with pytest.raises(errors.NoSuchTag) as raised:
        platform.sync_here({setting: [BLUE, "Bleu, North"]})

    assert f"{setting} names the tag 'Bleu, North', which Qualys does not have" in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("closed", ["unauthorized", "401", "404"])
def test_without_the_right_to_tags_names_work_and_unknown_ones_are_refused(
    closed: Literal["unauthorized", "401", "404"],
) -> None:
    with Platform(SIZE, switches=Switches(tag_search=closed)) as platform:
        _tag(platform)
        assert read(platform, webapp_tags=[BLUE])[0] == [0, 1, 4]
        with pytest.raises(errors.NoSuchTag, match="may not read tags to tell") as raised:
            platform.sync_here({"webapp_tags": ["Bleu"]})

    assert "'Bleu'" in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"webapp_tags": [PCI, TEAM], "webapp_tags_match": "all"},
            "matches all of webapp_tags 'PCI & SOX', 'Team \"A\"'.",
        ),
        ({"webapp_attributes": {"Tier": "9"}}, "matches webapp_attributes Tier='9'."),
        (
            {"webapp_tags": [TEAM], "webapp_tags_exclude": [TEAM]},
            "any of webapp_tags 'Team \"A\"' together with webapp_tags_exclude 'Team \"A\"'.",
        ),
    ],
)
def test_words_that_nothing_passes_are_told(
    settings: dict[str, Any], told: str, platform: Platform
) -> None:
    with pytest.raises(errors.NothingMatches) as raised:
        platform.sync_here(settings)

    assert told in str(raised.value)


def test_an_attribute_that_is_no_text_is_refused(platform: Platform) -> None:
    with pytest.raises(errors.SettingsError, match="webapp_attributes must have a text for 'Tier'"):
        platform.sync_here({"webapp_attributes": {"Tier": ["1", "2"]}})


ONE: Final = Answer(page(webapp(1)))
BOTH: Final = Answer(page(webapp(1), webapp(2)))


@pytest.mark.parametrize(
    ("found", "criterion", "is_complete"),
    [([ONE, BOTH, BOTH], "1,2", True), ([ONE, ONE, ONE, ONE], "1", False)],
)
def test_what_a_filter_finds_is_held_against_its_count(
    found: list[Answer], criterion: str, *, is_complete: bool
) -> None:
    """A search that loses the end of its page would leave web applications out without a word."""
    read = found[-1]
    counts = [Answer(count_xml(2))] * (len(found) - 1)
    always = {
        f"{SEARCH}webapp": read,
        f"{COUNT}webapp": Answer(count_xml(2 if is_complete else 1)),
    }
    scripts = {f"{SEARCH}webapp": found, f"{COUNT}webapp": counts}
    with ScriptedServer(scripts, always) as server:
        outcome = sync_here({**server.config, "webapp_name_contains": "App"})
        *_, last = server.asked_at(f"{SEARCH}webapp")

    assert f">{criterion}</Criteria>" in last.body
    assert outcome.proof["complete"] is is_complete
    assert ("filters: 1 found, 2 counted" in outcome.proof["incompleteReasons"]) is not is_complete


def test_a_filter_whose_count_is_refused_proves_nothing() -> None:
    always = {f"{SEARCH}webapp": ONE, f"{COUNT}webapp": Answer(failure("INVALID_XML", "no"))}
    with ScriptedServer(always=always) as server:
        outcome = sync_here({**server.config, "webapp_name_contains": "App"})

    assert "filters could not be counted" in outcome.proof["incompleteReasons"]


def test_a_filter_whose_count_never_comes_is_a_trial_and_no_wrong_filter() -> None:
    with (
        ScriptedServer(always={f"{COUNT}webapp": Answer(count_xml(12))}) as server,
        pytest.raises(
            errors.TrialLicence, match="counts 12 web applications that pass the filters"
        ),
    ):
        sync_here({**server.config, "webapp_name_contains": "Shop"})


OF_1, OF_2 = (f"<id>{number}</id><name>App {number}</name>" for number in (9001, 9002))


@pytest.mark.parametrize(
    ("stream", "kind", "foreign", "right"),
    [
        ("webapps", "webapp", webapp(9002), webapp(9001)),
        ("scans", "wasscan", scan(6, app=9002), scan(6, app=9001)),
        ("findings", "finding", finding(8, webApp=OF_2), finding(8, webApp=OF_1)),
    ],
)
def test_rows_of_another_web_application_are_no_answer(
    stream: str, kind: str, foreign: str, right: str
) -> None:
    """A server that leaves a criterion out would give what the filter keeps away."""
    path = f"{SEARCH}{kind}"
    script = {path: [Answer(page(foreign)), Answer(page(right))]}
    always = {
        path: Answer(page(right)),
        **{
            f"{COUNT}{name}": Answer(count_xml(int(name == kind)))
            for name in ("wasscan", "finding")
        },
        f"{SEARCH}webapp": Answer(page(webapp(9001))),
        f"{COUNT}webapp": Answer(count_xml(1)),
    }
    with ScriptedServer(script, always) as server:
        settings = {"webapp_ids": [9001], "finding_types": ["VULNERABILITY"]}
        outcome = sync_here({**server.config, **settings})

    assert len(outcome.records(stream)) == 1
    assert "of web application 9002, which was not asked for" in outcome.log
    assert outcome.proof["complete"] is True


def test_a_server_that_knows_no_filter_is_refused() -> None:
    always = {
        f"{SEARCH}webapp": Answer(page(webapp(9001))),
        f"{COUNT}webapp": Answer(count_xml(1)),
        f"{SEARCH}finding": Answer(page(finding(8, webApp=OF_1), finding(10, webApp=OF_2))),
    }
    refused = pytest.raises(errors.BrokenAnswer, match="9002")
    with ScriptedServer(always=always) as server, refused:
        settings = {"webapp_ids": [9001], "finding_types": ["VULNERABILITY"], "max_attempts": 2}
        sync_here({**server.config, **settings})


def test_a_scan_of_several_web_applications_may_name_another_one() -> None:
    always = {
        f"{SEARCH}webapp": Answer(page(webapp(9001))),
        f"{COUNT}webapp": Answer(count_xml(1)),
        f"{SEARCH}wasscan": Answer(page(scan(6, app=9002, multi="true"))),
        f"{COUNT}wasscan": Answer(count_xml(1)),
    }
    with ScriptedServer(always=always) as server:
        outcome = sync_here({**server.config, "webapp_ids": [9001]})

    assert [row["id"] for row in outcome.records("scans")] == [6]

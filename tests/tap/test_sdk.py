"""The Singer SDK's own suite, run over the tap with all streams, against the sandbox."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from singer_sdk import Tap
from singer_sdk.testing import get_tap_test_class

from tap_qualyswas import streams
from tests.sandbox.world.clock import START
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only, without
from tests.tap.syncs import PatientTap, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_sdk import Stream

# The suite wants its settings when it is made, so the server is there from then on.
PLATFORM = Platform(WorldSize(apps=6, findings=60, qids=12, scans=10)).__enter__()


class ScanResults(streams.ScanResults):
    """Selected from the start, as a catalog would have it: the suite passes none on."""

    selected_by_default = True


class Tags(streams.Tags):
    """The same."""

    selected_by_default = True


WANTED: Final = {stream.name: stream for stream in (ScanResults, Tags)}


class WholeTap(PatientTap):
    """The tap with each stream selected."""

    def discover_streams(self) -> Sequence[Stream]:
        """Give the tap's own streams."""
        own = super().discover_streams()
        return [WANTED[one.name](self) if one.name in WANTED else one for one in own]


@pytest.fixture(scope="module", autouse=True)
def _stopped() -> Iterator[None]:
    yield
    PLATFORM.__exit__(None, None, None)


TestTapQualysWAS = get_tap_test_class(WholeTap, config=PLATFORM.config)


def test_no_stream_is_left_out() -> None:
    tap = WholeTap(config=PLATFORM.config)

    assert list(tap.streams) == list(streams.ORDER)
    assert all(stream.selected for stream in tap.streams.values())


def test_without_a_catalog_the_same_is_selected_as_by_the_sdk() -> None:
    for stream in PatientTap(config=PLATFORM.config).streams.values():
        its = stream.metadata.resolve_selection()
        assert len(its) > 1
        assert {path: stream.mask[path] for path in its} == its


CATALOGS: Final[dict[str, Callable[[], dict[str, Any] | None]]] = {
    "no catalog": lambda: None,
    "all of all streams": lambda: only(*streams.ORDER),
    "all of some streams": lambda: only("webapps", "syncs"),
    "a part of a stream": lambda: without("findings", "name", "webApp.url"),
}


@pytest.mark.parametrize("name", CATALOGS)
@pytest.mark.parametrize("settings", [{}, {"stream_maps": {"webapps": {"name": "name + '!'"}}}])
def test_schemas_are_those_that_the_sdk_makes_of_a_catalog(
    name: str, settings: dict[str, Any]
) -> None:
    class Plain(PatientTap):
        setup_mapper = Tap.setup_mapper

    catalog = CATALOGS[name]()
    ours, theirs = (
        made(config={**PLATFORM.config, **settings}, catalog=catalog)
        for made in (PatientTap, Plain)
    )

    for stream in (one for one in ours.streams.values() if one.selected):
        (mine,), (its,) = stream.stream_maps, theirs.streams[stream.name].stream_maps
        assert type(mine) is type(its)
        assert mine.transformed_schema == its.transformed_schema
        assert mine.transformed_key_properties == its.transformed_key_properties


MAPS: Final = {"stream_maps": {"webapps": {"__filter__": "id % 2", "name": "name + '!'"}}}
OF_THE_RUN: Final = re.compile(r'"20[0-9T:.-]+Z"|"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')
"""Moments, and the ids of syncs."""


@pytest.mark.parametrize("settings", [{}, MAPS])
def test_our_loop_over_the_records_writes_what_that_of_the_sdk_does(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(state: dict[str, Any] | None) -> list[str]:
        PLATFORM.clock.set(START)
        outcome = PLATFORM.sync_here({"max_concurrency": 1, **settings}, state)
        return [OF_THE_RUN.sub("", json.dumps(message)) for message in outcome.messages]

    state = PLATFORM.sync_here(settings).state
    ours = [written(before) for before in (None, state)]

    monkeypatch.delattr(streams.QualysStream, "_sync_records")

    assert [written(before) for before in (None, state)] == ours

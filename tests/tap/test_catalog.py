"""The catalog is a contract: it changes on purpose only, and every record keeps to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft7Validator

from tap_qualyswas.tap import TapQualysWAS
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

SNAPSHOT: Final = Path(__file__).with_name("catalog.json")
SIZE: Final = WorldSize(apps=8, findings=200, qids=30, scans=12, turbulent=True)
KEYS: Final = {
    "webapps": ["id"],
    "scans": ["id"],
    "findings": ["uniqueId"],
    "knowledge_base": ["qid"],
    "scan_results": ["resultId"],
    "tags": ["id"],
    "syncs": ["syncId"],
}
BOOKMARKS: Final = {"scans": "launchedDate", "findings": "lastDetectedDate"}
SECRETS: Final = ("header", "authrecord", "password", "cookie", "script", "login")


def catalog() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TapQualysWAS(validate_config=False).catalog_json_text)
    return found


STREAMS: Final = {stream["tap_stream_id"]: stream for stream in catalog()["streams"]}


def test_the_catalog_is_the_one_that_was_promised() -> None:
    """After a change on purpose: `tap-qualyswas --discover > tests/tap/catalog.json`."""
    assert catalog() == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("name", list(KEYS))
def test_each_stream_has_its_key_and_its_bookmark(name: str) -> None:
    stream = STREAMS[name]

    assert stream["key_properties"] == KEYS[name]
    assert stream.get("replication_key") == BOOKMARKS.get(name)
    assert stream["replication_method"] == ("INCREMENTAL" if name in BOOKMARKS else "FULL_TABLE")


def selected(name: str) -> bool:
    (whole,) = [part for part in STREAMS[name]["metadata"] if not part["breadcrumb"]]
    return bool(whole["metadata"].get("selected", True))


def test_all_but_downloads_and_the_tree_of_tags_are_selected_from_the_start() -> None:
    assert [name for name in STREAMS if not selected(name)] == ["scan_results", "tags"]


def properties(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, declared in schema.get("properties", {}).items():
        yield (f"{path}.{name}", declared)
        yield from properties(declared, f"{path}.{name}")
        yield from properties(declared.get("items", {}), f"{path}.{name}[]")


@pytest.mark.parametrize("name", list(KEYS))
def test_each_property_is_described_and_typed(name: str) -> None:
    for path, declared in properties(STREAMS[name]["schema"], name):
        assert declared.get("description"), path
        assert declared.get("type") or declared.get("anyOf"), path


def test_secrets_of_web_applications_have_no_place() -> None:
    names = {path.lower() for path, _ in properties(STREAMS["webapps"]["schema"], "")}

    assert not [name for name in names for word in SECRETS if word in name]


@pytest.mark.parametrize("settings", [{}, {"include_evidence": True}, {"source": "scan_reports"}])
def test_each_record_keeps_to_its_schema(settings: dict[str, Any]) -> None:
    with Platform(SIZE, faults=["rows-without-dates"]) as platform:
        outcome = platform.sync_here(settings, catalog=only(*KEYS))

    for name, stream in STREAMS.items():
        rows = outcome.records(name)
        validator = Draft7Validator(stream["schema"])
        assert rows, name
        for row in rows:
            assert set(row) == set(stream["schema"]["properties"]), name
            assert [error.message for error in validator.iter_errors(row)] == []


def test_records_are_written_after_their_schema_and_the_proof_comes_last() -> None:
    with Platform(SIZE) as platform:
        messages = platform.sync_here().messages

    described: set[str] = set()
    for message in messages:
        if message["type"] == "SCHEMA":
            described.add(message["stream"])
        if message["type"] == "RECORD":
            assert message["stream"] in described
    records = [message["stream"] for message in messages if message["type"] == "RECORD"]
    assert records[-1] == "syncs"
    assert records.count("syncs") == 1
    assert messages[-1]["type"] == "STATE"


def test_a_catalog_of_before_is_told_by_the_properties_that_it_lacks() -> None:
    with Platform(SIZE) as platform:
        old = only("webapps", "findings")
        for stream in old["streams"]:
            if stream["tap_stream_id"] in {"findings", "scans"}:
                for name in ("url", "group"):
                    stream["schema"]["properties"].pop(name, None)
        outcome = platform.sync_here(catalog=old)
        current = platform.sync_here(catalog=only("webapps", "findings"))

    (line,) = [line for line in outcome.log.splitlines() if "catalog" in line]
    assert line.startswith("WARNING: findings: the catalog does not know group, url, so a target")
    assert "the catalog" not in current.log


@pytest.mark.parametrize(
    ("maps", "told"),
    [
        ({"finding": {"url": None}}, ["finding"]),
        ({"urls": {"__source__": "finding"}, "webapps": {"url": None}}, ["finding"]),
        ({"find*": {}, "urls": {"__source__": "webapps"}}, []),
    ],
)
def test_a_stream_map_of_no_stream_is_told(maps: dict[str, Any], told: list[str]) -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here({"stream_maps": maps}, catalog=only("webapps"))

    found = [line for line in outcome.log.splitlines() if "no stream of this tap" in line]
    assert len(found) == len(told)
    assert all(name in line for name, line in zip(told, found, strict=True))

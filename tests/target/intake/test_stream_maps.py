"""Stream maps of the settings are applied to whatever comes, and fail in one line if not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.target.loads import load
from tests.target.rows import Row, finding
from tests.target.streams import joined, record, schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import Loaded

PROPERTIES: Row = {name: {} for name in finding()} | {"param": {"type": ["string", "null"]}}
SCHEMA = schema("findings", schema={"properties": PROPERTIES}, key_properties=["uniqueId"])


@dataclass
class Mapped:
    """Loads lines into files, through maps."""

    folder: Path

    def load(self, *lines: str | bytes, param: str = "param") -> Loaded:
        given = b"".join(one if isinstance(one, bytes) else joined(one) for one in lines)
        maps = {"findings": {"param": param}}
        return load(given, {"output_path": str(self.folder), "stream_maps": maps})


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    return Mapped(tmp_path)


def with_param(raw: bytes) -> bytes:
    row = json.dumps(finding()).encode()[:-1] + b',"param":' + raw + b"}"
    return b'{"type":"RECORD","stream":"findings","record":' + row + b"}\n"


def details(loaded: Loaded) -> str:
    (item,) = loaded.items().values()
    return str(item["details"])


def test_a_map_changes_what_is_loaded(mapped: Mapped) -> None:
    loaded = mapped.load(SCHEMA, with_param(b'"secret"'), param="'***'")

    assert (loaded.exit_code, "Parameter: ***\n" in details(loaded)) == (0, True)


@pytest.mark.parametrize(
    ("raw", "note"),
    [(b"NaN", "NaN"), (b'"\\ud800"', "lone surrogate"), (b'"\xff"', "not UTF-8")],
)
def test_what_json_cannot_say_is_mended_counted_and_mapped(
    raw: bytes, note: str, mapped: Mapped
) -> None:
    loaded = mapped.load(SCHEMA, with_param(raw), param="'***'")

    assert "Parameter: ***\n" in details(loaded)
    assert [note in text["text"] for text in loaded.report["notes"]] == [True]


@pytest.mark.parametrize("row", [None, [1], "text", 7])
def test_a_record_that_is_no_object_is_rejected_and_not_mapped(row: object, mapped: Mapped) -> None:
    loaded = mapped.load(SCHEMA, record("findings", row))

    assert [one["reason"] for one in loaded.rejected] == ["the record is not a JSON object"]
    assert loaded.exit_code == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": None},
        {"schema": []},
        {"schema": {}},
        {"schema": {"properties": []}},
        {"schema": "text"},
        {"key_properties": None},
        {"key_properties": ["not there"]},
        {"key_properties": "uniqueId"},
    ],
    ids=str,
)
def test_a_schema_that_is_none_is_not_believed(changes: Row, mapped: Mapped) -> None:
    given = {"schema": {"properties": PROPERTIES}, "key_properties": ["uniqueId"]} | changes

    assert mapped.load(schema("findings", **given), with_param(b'"x"')).exit_code == 0


def test_a_schema_with_nan_is_read(mapped: Mapped) -> None:
    odd = SCHEMA.replace('"param": {', '"param": {"default": NaN, ').encode() + b"\n"

    assert mapped.load(odd, with_param(b'"x"')).exit_code == 0


@pytest.mark.parametrize("expression", ["1 +", "nothing_of_this_name", "no_function(param)"])
def test_an_expression_that_is_wrong_is_refused_by_the_name_of_the_setting(
    expression: str, mapped: Mapped
) -> None:
    loaded = mapped.load(SCHEMA, with_param(b'"x"'), param=expression)

    assert (loaded.outcome, loaded.exit_code) == ("refused", 2)
    assert "stream_maps cannot be applied to the stream findings" in loaded.message


@pytest.mark.parametrize("raw", [b'"x"', b"null", b"{}", b"[]"])
def test_an_expression_that_fails_on_a_value_names_its_line(raw: bytes, mapped: Mapped) -> None:
    loaded = mapped.load(SCHEMA, with_param(b'"7"'), with_param(raw), param="int(param)")

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert loaded.message.startswith("Line 3 of the input cannot be mapped")

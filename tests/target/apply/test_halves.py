"""What CVM finds too large goes in halves, down to one asset, then without its evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from target_ciscovm.apply.halves import halve, read_assets, strip_evidence, without_evidence
from target_ciscovm.kdi.files import EncodedAsset, Files, Group, Part
from target_ciscovm.kdi.types import Asset, DataModel
from target_ciscovm.mapping.details import EVIDENCE
from target_ciscovm.mapping.finding import MappingRules
from tests.target.kdi.kdi_files import asset, definition, held, urls
from tests.target.mapping.documents import as_json
from tests.target.rows import Row, map_row

if TYPE_CHECKING:
    from pathlib import Path

GROUP = Group(reset_tags=True)
NAMES = ("QID 1 T", "QID 2 T", "QID 3 T")
MODELS: tuple[DataModel, ...] = ("vulnerabilities", "findings")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, 10**6, definition)


def part_of(files: Files, *assets: EncodedAsset) -> Part:
    for one in assets:
        files.add(one, GROUP)
    (part,) = files.close()
    return part


def with_evidence(model: DataModel, **row: object) -> EncodedAsset:
    changes: Row = {"resultList": [{"request": "GET /"}], **row}
    items = [as_json(map_row(MappingRules(model), "QID 1 T", **changes))]
    made = Asset(url="https://a.example.test/")
    if model == MODELS[0]:
        made.vulns = items
    else:
        made.findings = items
    return EncodedAsset("a", msgspec.json.encode(made))


def only_item(path: Path) -> dict[str, Any]:
    (found,) = held(path)["assets"]
    (item,) = found.get("vulns") or found["findings"]
    return dict(item)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_half_has_its_own_definitions_and_the_same_group(files: Files, count: int) -> None:
    keys = [f"app{number}" for number in range(count)]
    part = part_of(files, *(asset(number, NAMES[: 1 + number % 3]) for number in range(count)))
    before = held(part.path)

    halves = halve(files, part, keys)

    assert not part.path.exists()
    assert [half.assets for half in halves] == [count // 2, count - count // 2]
    assert [key for half in halves for key in half.keys] == keys
    after = [held(half.path) for half in halves]
    assert [row for half in after for row in half["assets"]] == before["assets"]
    assert sum(half.findings for half in halves) == part.findings
    for half in after:
        assert (half["skip_autoclose"], half["reset_tags"]) == (True, True)


def test_halving_ends_at_single_assets_with_nothing_lost_or_doubled(files: Files) -> None:
    count = 13
    waiting = [part_of(files, *(asset(number) for number in range(count)))]
    waiting[0].keys = [f"app{number}" for number in range(count)]
    single = []
    while waiting:
        part = waiting.pop(0)
        if part.assets == 1:
            single.append(part)
        else:
            waiting += halve(files, part, part.keys)

    assert sorted(url for part in single for url in urls(part.path)) == sorted(
        f"https://app{number}.example.test/" for number in range(count)
    )
    assert len({part.path for part in single}) == count


@pytest.mark.parametrize("model", MODELS)
def test_one_asset_goes_without_its_evidence(files: Files, model: DataModel) -> None:
    part = part_of(files, with_evidence(model))
    before = only_item(part.path)

    leaner = without_evidence(files, part, ["a"])

    assert leaner is not None
    assert leaner.bytes < part.bytes
    assert not part.path.exists()
    after = only_item(leaner.path)
    bare = json.loads(msgspec.json.encode(map_row(MappingRules(model), "QID 1 T")))
    assert EVIDENCE in str(before)
    assert after == bare


@pytest.mark.parametrize("model", MODELS)
def test_one_asset_without_evidence_cannot_get_leaner(files: Files, model: DataModel) -> None:
    lean = with_evidence(model)
    lean = lean._replace(json=strip_evidence(lean.json))
    part = part_of(files, lean)

    assert without_evidence(files, part, ["a"]) is None
    assert part.path.exists()


@pytest.mark.parametrize("model", MODELS)
def test_a_comment_that_looks_like_evidence_is_kept(model: DataModel) -> None:
    lean = strip_evidence(with_evidence(model, ignoredComment=f"x\n{EVIDENCE}: mine").json)

    assert f"{EVIDENCE}: mine" in lean.decode()
    assert "GET /" not in lean.decode()


def test_an_asset_without_entries_is_left_as_it_is() -> None:
    clean = msgspec.json.encode(Asset(url="https://a.example.test/", vulns=[], tags=["Blue"]))

    assert strip_evidence(clean) == clean


def test_assets_are_read_back_to_the_byte(files: Files) -> None:
    assets = [asset(number, NAMES[: number % 4], "é\n" * number) for number in range(6)]
    part = part_of(files, *assets)

    assert list(read_assets(part, [one.key for one in assets])) == assets

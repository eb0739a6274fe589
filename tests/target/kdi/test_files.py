"""Files: each asset once and whole, capped in bytes, with the definitions that they use."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.kdi.files import EncodedAsset, Files, Group
from tests.target.kdi.kdi_files import asset, definition, encoded, held, urls, vuln
from tests.target.private import mode_of

if TYPE_CHECKING:
    from target_ciscovm.kdi.files import Part

PLAIN, RESET = Group(), Group(reset_tags=True)
CAP = 2000


def write(folder: Path, assets: list[EncodedAsset], cap: int = CAP) -> list[Part]:
    files = Files(folder, cap, definition)
    for one in assets:
        files.add(one, PLAIN)
    return files.close()


def test_a_file_holds_its_assets_and_each_definition_once(tmp_path: Path) -> None:
    names = ("QID 1 T", "QID 2 T")

    (part,) = write(tmp_path, [asset(1, names), asset(2), asset(3, names)])

    found = held(part.path)
    assert (found["version"], found["skip_autoclose"], found["reset_tags"]) == (2, True, False)
    assert urls(part.path) == [f"https://app{number}.example.test/" for number in (1, 2, 3)]
    assert [row["name"] for row in found["vuln_defs"]] == list(names)
    assert (part.assets, part.findings, part.bytes) == (3, 5, part.path.stat().st_size)


def test_each_file_defines_what_it_uses_itself(tmp_path: Path) -> None:
    names = ("QID 1 T", "QID 2 T", "QID 3 T")

    parts = write(tmp_path, [asset(number, names) for number in range(9)])

    assert len(parts) > 2
    for part in parts:
        assert [row["name"] for row in held(part.path)["vuln_defs"]] == list(names)


def test_no_file_without_an_asset(tmp_path: Path) -> None:
    assert write(tmp_path, []) == []
    assert list(tmp_path.iterdir()) == []


def test_an_asset_without_findings_stands_in_a_file_all_the_same(tmp_path: Path) -> None:
    (part,) = write(tmp_path, [encoded("clean", [])])

    assert held(part.path)["assets"] == [{"url": "https://clean.example.test/", "vulns": []}]
    assert held(part.path)["vuln_defs"] == []


def test_the_cap_is_in_bytes_of_utf_8_and_not_in_characters(tmp_path: Path) -> None:
    text = "\U0001f600" * 100

    parts = write(tmp_path, [asset(number, text=text) for number in range(8)])

    assert len(parts) > 1
    for part in parts:
        assert part.bytes <= CAP
        assert len(part.path.read_text(encoding="utf-8")) < part.bytes


def test_an_asset_over_the_cap_is_a_file_of_its_own(tmp_path: Path) -> None:
    parts = write(tmp_path, [asset(1), asset(2, text="x" * CAP), asset(3), asset(4)])

    assert [urls(part.path) for part in parts] == [
        ["https://app1.example.test/"],
        ["https://app2.example.test/"],
        ["https://app3.example.test/", "https://app4.example.test/"],
    ]
    assert [part.bytes > CAP for part in parts] == [False, True, False]


def test_a_file_takes_what_just_fits_and_no_byte_more(tmp_path: Path) -> None:
    assets = [asset(1), asset(2)]
    (whole,) = write(tmp_path, assets)

    # The comma after a definition is counted also behind the last.
    assert len(write(tmp_path, assets, whole.bytes + 1)) == 1
    assert len(write(tmp_path, assets, whole.bytes - 1)) == 2


def test_assets_of_another_group_are_in_another_file(tmp_path: Path) -> None:
    files = Files(tmp_path, CAP, definition)
    groups = [Group(reset, first) for first in (True, False) for reset in (False, True)]
    places = [files.add(asset(number), groups[number % 4]) for number in range(8)]

    parts = files.close()

    assert [part.group for part in parts] == groups
    for number, part in enumerate(parts):
        assert held(part.path)["reset_tags"] is groups[number].reset_tags
        assert places[number] == (part.path.name, 0)
        assert places[number + 4] == (part.path.name, 1)


@pytest.mark.parametrize("reset_tags", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_no_file_leaves_anything_to_be_closed_by_cvm(
    tmp_path: Path, reset_tags: bool, first: bool
) -> None:
    files = Files(tmp_path, CAP, definition)
    files.add(asset(1), Group(reset_tags, first))

    (part,) = files.close()

    assert held(part.path)["skip_autoclose"] is True


def test_files_that_only_close_come_first(tmp_path: Path) -> None:
    files = Files(tmp_path, CAP, definition)
    files.add(asset(1), RESET)
    files.add(asset(2), RESET._replace(first=True))

    first, second = files.close()

    assert urls(first.path) == ["https://app2.example.test/"]
    assert urls(second.path) == ["https://app1.example.test/"]


def test_a_place_is_where_the_asset_stands(tmp_path: Path) -> None:
    files = Files(tmp_path, CAP, definition)
    places = [files.add(asset(number), PLAIN) for number in range(30)]
    files.close()

    for number, (name, position) in enumerate(places):
        assert urls(tmp_path / name)[position] == f"https://app{number}.example.test/"


def test_spans_tell_where_each_asset_begins_and_ends(tmp_path: Path) -> None:
    assets = [asset(number, text="é" * number) for number in range(5)]

    (part,) = write(tmp_path, assets)

    document = part.path.read_bytes()
    assert [document[begin:end] for begin, end in part.spans()] == [one.json for one in assets]


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    (part,) = write(tmp_path, [asset(1)])

    assert mode_of(part.path) == 0o600


def test_files_are_numbered_in_the_order_of_their_making(tmp_path: Path) -> None:
    parts = write(tmp_path, [asset(number) for number in range(30)])

    assert [part.path.name for part in parts] == [
        f"kdi-{number:04d}.json" for number in range(1, len(parts) + 1)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        EncodedAsset("bad", b'{"url":null}'),
        encoded("bad", [vuln("1"), vuln("1")]),
        encoded("bad", [vuln("1", name="x" * 255)]),
    ],
    ids=["null", "twice", "long"],
)
def test_what_cvm_would_not_take_ends_the_load_and_leaves_no_file_open(
    tmp_path: Path, bad: EncodedAsset
) -> None:
    files = Files(tmp_path, CAP, definition)
    files.add(asset(1), PLAIN)
    files.add(asset(1), RESET)

    with pytest.raises(CiscoVMError, match="report it"):
        files.add(bad, PLAIN)

    assert len(files.parts) == 2


@pytest.mark.parametrize("name", ["", " ", "x" * 256])
def test_a_name_that_no_definition_can_have_ends_the_load(tmp_path: Path, name: str) -> None:
    files = Files(tmp_path, CAP, definition)

    with pytest.raises(CiscoVMError, match="report it"):
        files.add(encoded("bad", [vuln("1", name=name)]), PLAIN)


def test_a_definition_that_cvm_would_not_take_ends_the_load(tmp_path: Path) -> None:
    files = Files(tmp_path, CAP, lambda _: b'{"scanner_type":"QualysWAS","name":""}')

    with pytest.raises(CiscoVMError, match="definition QID 1 T"):
        files.add(asset(1), PLAIN)


ASSETS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["QID 1 T", "QID 2 é", "QID 3 " + "x" * 200]), max_size=3),
        st.text('aé😀\n"\\', max_size=40),
        st.builds(Group, st.booleans(), st.booleans()),
    ),
    max_size=25,
)


@given(ASSETS, st.integers(1000, 5000))
def test_each_asset_is_once_and_whole_in_a_file_of_its_group_within_the_cap(
    rows: list[tuple[list[str], str, Group]], cap: int
) -> None:
    assets = [asset(number, tuple(names), text) for number, (names, text, _) in enumerate(rows)]
    groups = {one.json: group for one, (_, _, group) in zip(assets, rows, strict=True)}
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder), cap, definition)
        for one in assets:
            files.add(one, groups[one.json])
        parts = files.close()

        stand = []
        for part in parts:
            assert held(part.path)
            document = part.path.read_bytes()
            assert len(document) == part.bytes
            assert part.bytes <= cap or part.assets == 1
            inside = [document[begin:end] for begin, end in part.spans()]
            assert {groups[json] for json in inside} == {part.group}
            stand += inside
        assert sorted(stand) == sorted(groups)

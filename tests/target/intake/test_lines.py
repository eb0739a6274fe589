"""Lines are told apart and handed on as they came; what cannot be trusted fails by its line."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_ciscovm.errors import InputBroken
from target_ciscovm.intake.drain import drain
from target_ciscovm.intake.singer_lines import READ_BYTES, SingerLines
from tests.support.processes import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import msgspec

    from target_ciscovm.mapping.records import Finding

SCHEMA = (
    b'{"type":"SCHEMA","stream":"findings","schema":{"properties":{}},"key_properties":["id"]}\n'
)


@dataclass
class Taken:
    """A handler that keeps what it is given."""

    records: list[tuple[int, str, bytes]] = field(default_factory=list)
    schemas: list[tuple[str, bytes, object]] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    on_findings: Callable[[int, list[Finding]], None] | None = None

    def load(self, read: Callable[[], None]) -> None:
        read()

    def on_record(self, line: int, stream: str, record: msgspec.Raw) -> None:
        self.records.append((line, stream, bytes(record)))

    def on_schema(self, stream: str, schema: bytes, key_properties: object) -> None:
        self.schemas.append((stream, schema, key_properties))

    def on_state(self, value: bytes) -> None:
        self.states.append(value)

    def on_unknown(self, kind: str) -> None:
        self.unknown.append(kind)


def read(*lines: bytes, file: Any = None) -> Taken:  # noqa: ANN401 - any file
    reader = SingerLines()
    taken = reader.handler = Taken()
    reader.process_lines(file or io.BytesIO(b"".join(lines)), {})
    assert reader.ended
    return taken


def broken(*lines: bytes) -> str:
    """Give why an input is broken: a sentence that names the line."""
    reader = SingerLines()
    reader.handler = Taken()
    with pytest.raises(InputBroken) as caught:
        reader.process_lines(io.BytesIO(b"".join(lines)), {})
    assert not reader.ended
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith(f"Line {len(lines)} of the input ")
    return text


def record(value: bytes, stream: bytes = b"findings") -> bytes:
    return b'{"type":"RECORD","stream":"' + stream + b'","record":' + value + b"}\n"


def test_a_record_is_handed_on_to_the_byte_with_its_line() -> None:
    value = b'{"id": 1 ,"a":"\\u00e9 \xc3\xa9","big":123456789012345678901234567890,"n":1.0}'

    assert read(SCHEMA, record(value)).records == [(2, "findings", value)]


def test_a_schema_is_handed_on_each_time_it_comes() -> None:
    other = SCHEMA.replace(b'["id"]', b"null").replace(b'{"properties":{}}', b'{"x":1}')

    assert read(SCHEMA, SCHEMA, other).schemas == [
        ("findings", b'{"properties":{}}', ["id"]),
        ("findings", b'{"properties":{}}', ["id"]),
        ("findings", b'{"x":1}', None),
    ]


def test_a_schema_without_a_schema_says_nothing_of_the_records() -> None:
    taken = read(b'{"type":"SCHEMA","stream":"findings"}\n', record(b"{}"))

    assert taken.schemas == [("findings", b"{}", None)]
    assert len(taken.records) == 1


def test_a_state_is_handed_on_as_it_came() -> None:
    value = b'{"bookmarks": {"findings": {"x": "\\u00e9"}}}'

    assert read(b'{"type":"STATE","value":' + value + b"}\n").states == [value]
    assert read(b'{"type":"STATE"}\n').states == []


@pytest.mark.parametrize("blank", [b"\n", b"   \n", b"\r\n", b"\t\n", b""])
def test_blank_lines_mean_nothing_but_are_counted_as_lines(blank: bytes) -> None:
    lines = (blank, SCHEMA, blank, record(b"{}"), blank)

    assert read(*lines).records == [(4 if blank else 2, "findings", b"{}")]


def test_a_byte_order_mark_at_the_beginning_means_nothing() -> None:
    assert len(read(b"\xef\xbb\xbf" + SCHEMA, record(b"{}")).records) == 1
    assert read(b"\xef\xbb\xbf\n").records == []


def test_a_byte_order_mark_elsewhere_is_no_json() -> None:
    assert "is not JSON" in broken(SCHEMA, b"\xef\xbb\xbf" + record(b"{}"))


def test_windows_line_ends_mean_nothing() -> None:
    lines = (SCHEMA.replace(b"\n", b"\r\n"), record(b"{}").replace(b"\n", b"\r\n"))

    assert read(*lines).records == [(2, "findings", b"{}")]


def test_an_input_of_nothing_is_read_to_its_end() -> None:
    assert read() == Taken()


@pytest.mark.parametrize("kind", ["WHATEVER", "record", "", "x" * 100_000], ids=range(4))
def test_unknown_messages_are_told_and_passed_over(kind: str) -> None:
    line = json.dumps({"type": kind, "stream": "findings"}).encode() + b"\n"

    assert read(SCHEMA, line, record(b"{}")).unknown == [kind]


def test_a_version_means_nothing() -> None:
    line = b'{"type":"ACTIVATE_VERSION","stream":"findings","version":5}\n'

    taken = read(SCHEMA, record(b"{}"), line)

    assert (len(taken.records), taken.unknown) == (1, [])


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"{\n",
        b"{}{}\n",
        b'{"type":"RECORD",}\n',
        b"{'type':'RECORD'}\n",
        b"\x00\x00\x00\n",
        b"\xff\xfe{\x00}\x00\n",
        b'{"type":"RECORD","stream":"findings","record":{"id":01}}\n',
        record(b"{}").rstrip() + b" trailing\n",
        b"<html>Service unavailable</html>\n",
    ],
)
def test_a_line_that_is_no_json_fails(line: bytes) -> None:
    assert "is not JSON" in broken(SCHEMA, line)


@pytest.mark.parametrize(
    "line",
    [b"[]\n", b"1\n", b"null\n", b'"RECORD"\n', b"{}\n", b'{"type":null}\n', b'{"type":1}\n'],
)
def test_json_that_is_no_message_fails(line: bytes) -> None:
    assert "not a Singer message" in broken(SCHEMA, line)


@pytest.mark.parametrize("length", [1, 10, 30, -2])
def test_half_a_line_at_the_end_is_told_to_be_cut_off(length: int) -> None:
    assert "cut off" in broken(SCHEMA, record(b'{"id":1}')[:length])


def test_a_last_line_without_its_end_is_a_line_all_the_same() -> None:
    assert len(read(SCHEMA, record(b"{}").rstrip()).records) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"type":"RECORD","record":{}}\n', "without a stream"),
        (b'{"type":"RECORD","stream":"findings"}\n', "without a stream or a record"),
        (b'{"type":"SCHEMA","schema":{}}\n', "without a stream"),
        (b'{"type":"BATCH","stream":"findings","manifest":[]}\n', "batch_config"),
        (record(b"{}", b"webapps"), "'webapps' before its SCHEMA"),
        (record(b"{}", b"x" * 100_000), "before its SCHEMA"),
        (record(b"{}", b""), "before its SCHEMA"),
    ],
    ids=range(7),
)
def test_a_message_that_breaks_the_rules_of_singer_fails(line: bytes, says: str) -> None:
    assert says in broken(SCHEMA, line)


def test_a_record_before_any_schema_fails_at_the_first_line() -> None:
    assert "'findings' before its SCHEMA" in broken(record(b"{}"))


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":NaN,"b":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udfffx\\ud800"}',
        b'{"a":"\xff\xfe"}',
        b'{"a":"\xed\xa0\x80"}',
        b"null",
        b"[]",
        b'"x"',
        b"9" * 5000,
    ],
    ids=range(9),
)
def test_a_record_of_odd_values_is_left_to_the_check_of_records(value: bytes) -> None:
    ((line, stream, _),) = read(SCHEMA, record(value)).records

    assert (line, stream) == (2, "findings")


def test_a_number_too_long_to_be_read_does_not_break_a_line_that_is_read_loosely() -> None:
    value = b'{"id":NaN,"qid":' + b"9" * 5000 + b"}"

    assert len(read(SCHEMA, record(value)).records) == 1


def test_names_of_streams_and_messages_can_always_be_written_down() -> None:
    taken = read(
        b'{"type":"SCHEMA","stream":"odd \\ud800","schema":{}}\n',
        b'{"type":"RECORD","stream":"odd \\ud800","record":{}}\n',
        b'{"type":"ODD \\udfff"}\n',
    )

    assert [stream for _, stream, _ in taken.records] == ["odd ?"]
    assert taken.unknown == ["ODD ?"]


DEEP: Final = b'{"a":[' * 50_000 + b"]}" * 50_000


def test_what_is_nested_too_deeply_is_handed_on_as_it_is_written() -> None:
    state = b'{"type":"STATE","value":' + DEEP + b"}\n"

    aside = record(b"{}").replace(b'{"type"', b'{"other":' + DEEP + b',"type"')

    taken = read(SCHEMA.replace(b"{}", DEEP), record(DEEP), aside, state)

    assert [schema for _, schema, _ in taken.schemas] == [b'{"properties":' + DEEP + b"}"]
    assert [row for *_, row in taken.records] == [DEEP, b"{}"]
    assert taken.states == [DEEP]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (DEEP[:-9], "is cut off"),
        (DEEP[:-9] + b"\n", "is not JSON"),
        (DEEP[:-1] + b"]\n", "is not JSON"),
        (b"[" + DEEP + b"]\n", "is not JSON"),
        (b'{"type":' + DEEP + b"}\n", "is not a Singer message"),
        (DEEP + b"\n", "is not a Singer message"),
        (record(DEEP)[:-1] + record(b"{}"), "is not JSON"),
        (record(DEEP)[:-2] + b',"record":"x}\n', "is not JSON"),
        (DEEP[:-9] + b'"' + b'\\"' * 100_000, "is cut off"),
    ],
    ids=["cut", "ended", "brackets", "list", "type", "no type", "two", "text", "escapes"],
)
def test_but_fails_by_its_line_where_it_is_no_message(line: bytes, why: str) -> None:
    assert why in broken(SCHEMA, line)


LONG: Final = """
from tests.target.intake.test_lines import SCHEMA, broken, read, record
value = b'{"a":"' + b"x" * 50_000_000 + b'"}'
((_, _, taken),) = read(SCHEMA, record(value)).records
assert taken == value
assert "is not JSON" in broken(SCHEMA, value[:-2] + b"\\n")
"""


def test_a_line_of_50_mb_is_read_and_fails_by_its_line_if_it_is_no_json() -> None:
    # In a process of its own, as what it takes would count as that of all tests that follow.
    done = run([sys.executable, "-c", LONG], timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_a_file_opened_as_text_is_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(SCHEMA + record('{"a":"é"}'.encode()))

    with path.open(encoding="utf-8") as file:
        taken = read(file=file)

    assert taken.records == [(2, "findings", '{"a":"é"}'.encode())]


def test_a_text_in_memory_is_read_the_same() -> None:
    text = (SCHEMA + record(b'{"a":"x"}')).decode()

    assert read(file=io.StringIO(text)).records == [(2, "findings", b'{"a":"x"}')]


LINES = st.binary(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "stream", "record", "schema", "value", "key_properties"]),
            inner,
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
KINDS = st.sampled_from([b"RECORD", b"SCHEMA", b"STATE", b"BATCH", b"ACTIVATE_VERSION", b"ODD"])
MESSAGES = st.tuples(KINDS, LINES).map(
    lambda pair: b'{"type":"' + pair[0] + b'","stream":"findings","record":' + pair[1] + b"}"
)


@given(st.lists(LINES | MESSAGES, max_size=4))
def test_any_input_is_read_or_fails_by_a_line_that_it_has(lines: list[bytes]) -> None:
    document = SCHEMA + b"\n".join(lines)
    reader = SingerLines()
    reader.handler = Taken()
    try:
        reader.process_lines(io.BytesIO(document), {})
    except InputBroken as error:
        number = int(str(error).split()[1].replace(",", ""))
        assert 2 <= number <= document.count(b"\n") + 1


def test_draining_ends_when_the_writer_has_ended() -> None:
    descriptor, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(b"x" * 300_000)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(descriptor, "rb") as file:
        drain(file, seconds=60)
        thread.join(timeout=60)
        assert not thread.is_alive()
        assert file.read() == b""


def test_draining_waits_no_longer_than_it_may() -> None:
    descriptor, writer = os.pipe()
    with os.fdopen(descriptor, "rb") as file, os.fdopen(writer, "wb"):
        begun = time.monotonic()
        drain(file, seconds=0.05)
        assert time.monotonic() - begun < 30


def test_draining_what_is_no_stream_does_nothing() -> None:
    drain(io.BytesIO(b"x"))
    closed = io.StringIO("x")
    closed.close()
    drain(closed)


FINDING = b'{"type":"RECORD","stream":"findings","record":{"id":1,"webApp":{"id":2}%b}%b}\n'


def typed(
    *lines: bytes, file: IO[bytes] | None = None
) -> tuple[list[tuple[int, int | None]], Taken]:
    """Read with a handler that takes findings as such; give those, and the handler."""
    findings: list[tuple[int, int | None]] = []
    reader = SingerLines()
    taken = reader.handler = Taken()
    taken.on_findings = lambda line, found: findings.extend(
        (number, finding.id) for number, finding in enumerate(found, line)
    )
    assert reader.process_lines(file or io.BytesIO(b"".join(lines)), {})["RECORD"]
    return findings, taken


def test_a_usual_finding_is_read_with_its_line() -> None:
    findings, taken = typed(SCHEMA, FINDING % (b"", b""))

    assert findings == [(2, 1)]
    assert not taken.records


@pytest.mark.parametrize(
    "line",
    [
        FINDING % (b',"severity":"3"', b""),
        FINDING % (b',"webApp":null,"webApp__id":2', b""),
        FINDING % (b"", b',"stream":"scans"'),
        FINDING % (b',"url":"\\ud800"', b""),
    ],
    ids=["other type", "flattened", "two streams", "lone surrogate"],
)
def test_an_unusual_finding_is_handed_over_as_it_came(line: bytes) -> None:
    schemas = (SCHEMA, SCHEMA.replace(b"findings", b"scans"))

    findings, taken = typed(*schemas, line)

    assert not findings
    assert taken.records == read(*schemas, line).records


USUAL = FINDING % (b"", b"")
SPLIT = USUAL.index(b'{"id"')
"""Where a line may end within its message."""
ALONE = SCHEMA.replace(b"\n", b" " * READ_BYTES + b"\n")
"""A schema so long that the lines after it come without it."""
NAMED = {
    **{f"finding {n}": USUAL.replace(b'"id":1', b'"id":%d' % n) for n in range(1, 9)},
    "schema": SCHEMA,
    "nothing": b"\n",
    "blanks": b"  \r\n",
    "other end": USUAL.replace(b"\n", b"\r\n"),
    "indented": b" " + USUAL,
    "other type": FINDING % (b',"severity":"3"', b""),
    "long": FINDING % (b',"url":"%b"' % (b"x" * 70_000), b""),
    "state": b'{"type":"STATE","value":{"a":1}}\n',
}


@given(names=st.lists(st.sampled_from(list(NAMED)), max_size=40))
@settings(max_examples=60)
def test_lines_that_come_together_are_read_as_one_by_one(names: list[str]) -> None:
    lines = [ALONE, *(NAMED[name] for name in names), USUAL]
    with TemporaryFile() as file:
        file.write(b"".join(lines))
        file.seek(0)
        with open(file.fileno(), "rb", closefd=False) as together:
            found, taken = typed(file=together)

    alone, one_by_one = typed(*lines)
    assert all_of(found, taken) == all_of(alone, one_by_one)
    assert taken.states == one_by_one.states


def all_of(findings: list[tuple[int, int | None]], taken: Taken) -> list[tuple[int, int | None]]:
    """Give line and id of each record; one with blanks before it may be read either way."""
    others = [(line, json.loads(record)["id"]) for line, _, record in taken.records]
    return sorted([*findings, *others])


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "odd",
    [
        USUAL.rstrip() + USUAL,
        USUAL[:SPLIT] + b"\n" + USUAL[SPLIT:],
        USUAL[:20] + b"\n",
        USUAL.rstrip() + USUAL + b"\n",
        USUAL.rstrip() + USUAL + USUAL[:SPLIT] + b"\n" + USUAL[SPLIT:],
    ],
    ids=["two messages", "over two lines", "cut", "two, then none", "two, then half of one"],
)
def test_a_broken_line_among_others_breaks_the_input_at_its_number(
    odd: bytes, place: int, tmp_path: Path
) -> None:
    lines = [ALONE] + [USUAL] * 3
    lines.insert(1 + place, odd)
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"".join(lines))

    with path.open("rb") as file, pytest.raises(InputBroken, match=f"[Ll]ine {2 + place}"):
        typed(file=file)


def test_a_finding_before_its_schema_breaks_the_input() -> None:
    with pytest.raises(InputBroken, match="before its SCHEMA"):
        typed(FINDING % (b"", b""))

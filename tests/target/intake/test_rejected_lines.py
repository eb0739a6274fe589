"""A rejected record is told by its line, however many lines were read together."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_ciscovm.intake.singer_lines import READ_BYTES
from target_ciscovm.run import NOWHERE
from tests.target.loads import load
from tests.target.streams import bare, finding, name_of, schema

if TYPE_CHECKING:
    from tests.target.streams import Row

NO_DATES: Final[Row] = {
    "firstDetectedDate": None,
    "lastDetectedDate": None,
    "lastTestedDate": None,
}
CHANGES: Final[dict[str, Row]] = {
    "good": {},
    "at once": NO_DATES,
    "by its type": {"severity": "high"},
    "late": {"url": None, "webApp": {"id": None}},
    "late, without webApp": {"url": None, "webApp": None},
}
REASONS: Final = {
    "at once": "it has no readable date",
    "by its type": "severity: expected int | null, got str",
    "late": NOWHERE,
    "late, without webApp": NOWHERE,
}
OTHERS: Final = {
    "blank": b" ",
    "foreign": b'{"type":"RECORD","stream":"users","record":{"id":1}}',
    "state": b'{"type":"STATE","value":{}}',
}
USUAL: Final = st.sampled_from(["good", "at once", "late"])
ANY: Final = st.sampled_from([*CHANGES, *OTHERS])
TOGETHER: Final = st.lists(USUAL, min_size=1, max_size=8) | st.lists(ANY, min_size=1, max_size=4)


def line_of(kind: str, number: int) -> bytes:
    """Give a line as the tap writes it."""
    if kind in OTHERS:
        return OTHERS[kind]
    row = finding(number) | CHANGES[kind]
    message = {"type": "RECORD", "stream": "findings", "record": row}
    return json.dumps(message, separators=(",", ":")).encode()


def together(*lines: bytes) -> bytes:
    """Give lines that are read together, with none before or after them."""
    return b"\n".join(lines) + b" " * READ_BYTES + b"\n"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(blocks=st.lists(TOGETHER, min_size=1, max_size=5))
def test_rejected_findings_are_told_by_their_lines(blocks: list[list[str]]) -> None:
    schemas = together(schema("findings").encode(), schema("users").encode())
    numbered = dict(enumerate((kind for block in blocks for kind in block), 3))
    numbers = iter(numbered)
    lines = [together(*(line_of(kind, next(numbers)) for kind in block)) for block in blocks]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        path.write_bytes(b"".join([schemas, *lines]))
        with path.open("rb") as file:
            loaded = load(file, {"output_path": folder, "max_failed_percent": 100})

    told = {row["line"]: row["reason"] for row in loaded.rejected}
    assert told == {line: REASONS[kind] for line, kind in numbered.items() if kind in REASONS}
    good = {name_of(line) for line, kind in numbered.items() if kind == "good"}
    assert set(loaded.items()) == good
    for row in loaded.rejected:
        assert name_of(row["line"]) == bare(row["key"])

"""What arrived, before any stream map of the target has touched it: counted, and fingerprinted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from qualyswas_ciscovm.digest import DIGESTED, Digest
from target_ciscovm.errors import SettingsError
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.intake.loose_json import read_shallow, whole_number
from target_ciscovm.mapping.records import TYPES, Finding, Record, WebApp

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOKED_AT: Final = 100
"""Findings that are looked at for flattening."""
NO_ROW: Final = (None,)
FLATTENED: Final = b'"webApp__'
FINDING: Final = b'{"type":"RECORD","stream":"findings","record":'
"""How the tap begins the line of a finding."""


class FindingLine(msgspec.Struct, gc=False):
    """The line of a finding."""

    type: Literal["RECORD"]
    stream: Literal["findings"]
    record: Finding


# Made before any run: msgspec hashes the types here, and swallows whatever is raised meanwhile,
# also by the signal handler that is to end the run.
DECODERS: Final[Mapping[str, msgspec.json.Decoder[Record]]] = {
    name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()
}
FINDING_LINE: Final = msgspec.json.Decoder(FindingLine)


def read_findings(lines: bytes) -> list[Finding]:
    """Read findings with their lines, all at once, which takes half the time.

    Returns:
        One for each line; none at all where one of the lines is not as usual.
    """
    if not lines.startswith(FINDING):
        return []
    try:
        # Not `decode_lines`: it reads on where a line holds two, or one goes over two lines.
        read = [*map(FINDING_LINE.decode, BytesIO(lines))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    # A flattened record has no web application.
    found = [one.record for one in read if one.record.web_app]
    return found if len(found) == len(read) else []


def read_record(stream: str, raw: bytes) -> Record | None:
    """Read a record as its type; None where the stream has none, or the record is another one."""
    decoder = DECODERS.get(stream)
    try:
        return None if decoder is None else decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class Arrivals:
    """The records of an input, by stream.

    Attributes:
        counts: RECORD lines.
        renamed: names that a stream map has given to a stream of ours.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.renamed: dict[str, str] = {}
        self._digests = {name: Digest() for name in DIGESTED}

    def add(self, stream: str, raw: bytes) -> Record | None:
        """Take note of a record, and give it as its type where it has that.

        Args:
            stream: its stream.
            raw: its JSON; msgspec reads it within the line, where it needs no copy.

        Raises:
            SettingsError: when the input was flattened.
        """
        self.counts[stream] += 1
        if stream == FINDINGS and self.counts[stream] <= LOOKED_AT and FLATTENED in bytes(raw):
            msg = (
                "The findings arrive flattened (webApp__id), so nobody can tell what they belong "
                "to. Take flattening_enabled out of the tap's settings, or out of the mapper's."
            )
            raise SettingsError(msg)
        record = read_record(stream, raw)
        digest = self._digests.get(stream)
        if digest is None:
            return record
        if isinstance(record, Finding):
            digest.add(_values(record))
        elif isinstance(record, WebApp):
            digest.add((record.id,))
        else:
            digest.add(_loose_values(stream, bytes(raw)))
        return record

    def add_findings(self, findings: Sequence[Finding]) -> None:
        """Take note of findings that are read already."""
        self.counts[FINDINGS] += len(findings)
        self._digests[FINDINGS].add_all(map(_values, findings))

    def digest(self, stream: str) -> str | None:
        """Give the fingerprint of a stream's rows, None for a stream that has none."""
        found = self._digests.get(stream)
        return None if found is None else str(found)


def _values(finding: Finding) -> tuple[object, ...]:
    app = finding.web_app
    return (finding.unique_id, finding.type, finding.status, app and app.id, finding.url)


def _loose_values(stream: str, raw: bytes) -> tuple[object, ...]:
    """Give what is digested of a record that does not have its type.

    The tap has written no row that is no object, or no text, so the sums must differ then.
    """
    try:
        row = _row(raw)
        values = DIGESTED[stream](row) if isinstance(row, Mapping) else NO_ROW
        msgspec.json.encode(values)
    except (ValueError, ArithmeticError, RecursionError):
        return NO_ROW
    return values


def _row(raw: bytes) -> object:
    try:
        return json.loads(raw, parse_int=whole_number)
    except RecursionError:
        return read_shallow(raw)

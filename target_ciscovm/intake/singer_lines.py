"""Lines of a Singer stream, sorted by type; a record stays in its original bytes."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, overload

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from target_ciscovm.errors import InputBroken
from target_ciscovm.intake.arrivals import read_findings
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.intake.loose_json import members, read_shallow, whole_number

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_ciscovm.mapping.records import Finding

BOM: Final = b"\xef\xbb\xbf"
READ_BYTES: Final = 1 << 16
"""What a pipe holds. Python reads an eighth of it at a time, and puts many lines together."""


class Message(msgspec.Struct, gc=False):
    """A line; fields that its type does not use are None or empty."""

    type: str
    stream: str | None = None
    record: msgspec.Raw = msgspec.Raw(b"")
    schema: msgspec.Raw = msgspec.Raw(b"")
    key_properties: Any = None
    value: msgspec.Raw = msgspec.Raw(b"")


class Handler(Protocol):
    """What receives the messages."""

    @property
    def on_findings(self) -> Callable[[int, list[Finding]], None] | None:
        """Take findings of lines that follow one another, which are read already.

        None where each record is wanted as it is.
        """

    def load(self, read: Callable[[], None]) -> None:
        """Process an input; `read` passes its messages on."""

    def on_record(self, line: int, stream: str, record: msgspec.Raw) -> None:
        """Take a record; its bytes are not copied from the line before they are needed."""

    def on_schema(self, stream: str, schema: bytes, key_properties: object) -> None:
        """Take a schema, new or changed."""

    def on_state(self, value: bytes) -> None:
        """Take the value of a state."""

    def on_unknown(self, kind: str) -> None:
        """Take note of a message of an unknown type."""


class SingerLines(GenericSingerReader[bytes]):
    """Reads a Singer stream as bytes and passes each message to a handler.

    The SDK's own reader makes a dictionary of each line and validates it against its schema. The
    typed check that follows here needs neither.
    """

    handler: Handler

    def __init__(self) -> None:
        super().__init__()
        self.ended = False
        """Whether the input has been read to its end."""
        self._decoder = msgspec.json.Decoder(Message)
        self._seen: set[str] = set()

    @property
    @override
    def default_input(self) -> IO[bytes]:
        # A process whose standard input is closed has none.
        return sys.stdin.buffer if sys.stdin is not None else io.BytesIO()

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        result: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        return result

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Pass all messages of the input to the handler.

        Args:
            file_input: open for reading, in text or bytes; standard input when None.
            callbacks: the SDK's, which are not used.

        Returns:
            The number of messages of each type.

        Raises:
            InputBroken: for a line that is not JSON or not a Singer message.
        """
        stats: Counter[str] = Counter()
        file = file_input or self.default_input
        self.handler.load(lambda: self._read(file, stats))
        return stats

    def _read(self, file: IO[bytes], stats: Counter[str]) -> None:
        number = 1
        for block in _blocks(file):
            if taken := self._take_findings(number, block, stats):
                number += taken
                continue
            for line in io.BytesIO(block):
                if not self._take_findings(number, line, stats):
                    self._take_line(number, line, stats)
                number += 1
        self.ended = True

    def _take_findings(self, number: int, block: bytes, stats: Counter[str]) -> int:
        """Pass findings on and give their number: 0 unless all lines of the block are findings."""
        on_findings = self.handler.on_findings
        if on_findings is None or not (findings := read_findings(block)):
            return 0
        self._require_schema(number, FINDINGS)
        stats["RECORD"] += len(findings)
        on_findings(number, findings)
        return len(findings)

    def _take_line(self, number: int, line: bytes, stats: Counter[str]) -> None:
        try:
            message = self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            text = line.removeprefix(BOM) if number == 1 else line
            if not text or text.isspace():
                return
            message = _tolerant(number, text)
        stats[message.type] += 1
        self._hand_over(number, message)

    def _hand_over(self, number: int, message: Message) -> None:
        kind = message.type
        if kind == "RECORD":
            stream = message.stream
            if stream is None or not message.record:
                raise InputBroken(number, "is a RECORD without a stream or a record")
            self._require_schema(number, stream)
            self.handler.on_record(number, stream, message.record)
        elif kind == "STATE":
            if bytes(message.value):
                self.handler.on_state(bytes(message.value))
        elif kind == "SCHEMA":
            if message.stream is None:
                raise InputBroken(number, "is a SCHEMA without a stream")
            self._seen.add(message.stream)
            schema = bytes(message.schema) or b"{}"
            self.handler.on_schema(message.stream, schema, message.key_properties)
        elif kind == "BATCH":
            what = "is a BATCH, whose files cannot be read here; switch off"
            raise InputBroken(number, f"{what} batch_config in the tap")
        elif kind != "ACTIVATE_VERSION":
            self.handler.on_unknown(kind)

    def _require_schema(self, number: int, stream: str) -> None:
        if stream not in self._seen:
            raise InputBroken(number, f"is a record of {stream[:80]!r} before its SCHEMA")


def _tolerant(number: int, line: bytes) -> Message:
    """Read a line with NaN or lone surrogates, or nested deeply: the strict decoder refuses it."""
    try:
        found = _members(line)
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise InputBroken(number, "is not a Singer message: it has no type")
        return Message(
            type=_whole(found["type"]),
            stream=_whole(found.get("stream")),
            key_properties=found.get("key_properties"),
            record=_raw(found, "record"),
            schema=_raw(found, "schema"),
            value=_raw(found, "value"),
        )
    except ValueError:
        how = "is not JSON" if line.endswith(b"\n") else "is cut off: the input ended within it"
        raise InputBroken(number, how) from None


def _members(line: bytes) -> object:
    """Read a line; of one that is nested too deeply, each such member stays as it is written."""
    try:
        return json.loads(line.decode("utf-8", "replace"), parse_int=whole_number)
    except RecursionError:
        written = {name: msgspec.Raw(value) for name, value in members(line).items()}
        return written | {
            name: value for name, value in read_shallow(line).items() if name in ("type", "stream")
        }


@overload
def _whole(text: str) -> str: ...
@overload
def _whole(text: object) -> str | None: ...
def _whole(text: object) -> str | None:
    """Give a name without lone surrogates, None when it is not text."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def _raw(found: dict[str, Any], name: str) -> msgspec.Raw:
    value = found.get(name)
    if isinstance(value, msgspec.Raw):
        return value
    return msgspec.Raw(json.dumps(value).encode() if name in found else b"")


def _blocks(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - text files hold bytes, typing does not
    """Give the whole lines of a file as bytes, as many together as have come."""
    if isinstance(file, io.StringIO):
        yield from (line.encode("utf-8", "surrogatepass") for line in file)
        return
    lines: Iterable[bytes] = getattr(file, "buffer", file)
    if not isinstance(lines, io.BufferedReader):
        yield from lines
        return
    with io.BufferedReader(io.FileIO(lines.fileno(), closefd=False), READ_BYTES) as reader:
        while block := reader.read1(READ_BYTES):
            yield block if block.endswith(b"\n") else block + reader.readline()

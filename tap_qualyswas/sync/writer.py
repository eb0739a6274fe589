"""Singer messages on stdout: counted by stream, written at each state, never half a line."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

import msgspec
from singer_sdk.contrib.msgspec import enc_hook
from singer_sdk.helpers._state import StateWriter  # the SDK has no public name for it
from singer_sdk.singerlib.encoding import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import (
    Message,
    SchemaMessage,
    StateMessage,
    exclude_null_dict,
)

from tap_qualyswas.errors import LineTooLong

if sys.version_info >= (3, 13):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.helpers.types import TapState
    from singer_sdk.singerlib.encoding.simple import RecordMessage

MAX_LINE_BYTES: Final = 8_388_608
BROKEN_PIPE_EXIT: Final = 1
MOST_WAITING: Final = 1 << 18
"""The most bytes of records that wait. Each write lets other threads run, and it takes milliseconds
to get the interpreter back from a worker that reads a page: with small buffers, writing takes half
of the time of a sync. A large one the system has to make anew each time."""

KEYS: Final = ("id", "qid", "resultId")
"""Properties of which a record has one, that tell it from the others of its stream."""
SCHEMA_FIELDS: Final = ("type", "stream", "schema", "key_properties", "bookmark_properties")


class CountingWriter(GenericSingerWriter[bytes, Message]):
    """Write messages as lines of JSON.

    Records wait for a state, the end of their stream, or enough others, so what is written always
    covers the last state. What waits when a run breaks off is read again by the next one.

    Attributes:
        emitted: RECORD lines by stream, named as in the lines.
    """

    def __init__(self) -> None:
        super().__init__()
        self.emitted: Counter[str] = Counter()
        self._encoder = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")
        self._waiting = bytearray()
        self._last_state = b""
        self._writing = False
        self._stop_with: int | None = None

    def stop(self, exit_code: int) -> None:
        """End the process, for a signal handler: now, or once the lines being written are whole."""
        self._stop_with = exit_code
        if not self._writing:
            raise SystemExit(exit_code)

    @override
    def serialize_message(self, message: Message) -> bytes:
        content = _as_dict(message)
        line: bytes = self._encoder.encode(content) + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise self._too_long(len(line), message.type.value, content)
        return line

    def _too_long(self, length: int, kind: str, message: Mapping[str, object]) -> LineTooLong:
        named = message.get("stream", "the state")
        longest, way_out = self._about(message.get("record"))
        return LineTooLong(
            f"A {kind} line of {named}{longest} would take {length:,} bytes, more than the 8 MiB "
            f"that targets accept. Deselect {way_out} in the catalog."
        )

    def _about(self, record: object) -> tuple[str, str]:
        """Tell which record it is, and what makes it long."""
        if not isinstance(record, dict) or not record:
            return ("", "a stream")
        longest = max(record, key=lambda name: len(self._encoder.encode(record[name])))
        key = next((name for name in KEYS if record.get(name) is not None), None)
        return (f" ({key} {record[key]})" if key else "", f"its longest property, {longest},")

    def write_records(self, stream: str, records: Sequence[Mapping[str, object]]) -> None:
        """Write records as extracted now, without an object for each message.

        Raises:
            LineTooLong: when no target would take a line.
        """
        encode, waiting = self._encoder.encode, self._waiting
        before = b'{"type":"RECORD","stream":' + encode(stream) + b',"record":'
        after = b',"time_extracted":' + encode(datetime.now(timezone.utc)) + b"}\n"
        for record in records:
            begin = len(waiting)
            waiting += before
            self._encoder.encode_into(record, waiting, len(waiting))
            waiting += after
            length = len(waiting) - begin
            if length > MAX_LINE_BYTES:
                del waiting[begin:]
                raise self._too_long(length, "RECORD", {"stream": stream, "record": record})
            if len(waiting) >= MOST_WAITING:
                self.flush()
        self.emitted[stream] += len(records)

    @override
    def write_message(self, message: Message) -> None:
        line = self.format_message(message)
        if message.type is SingerMessageType.RECORD:
            record: RecordMessage = message  # type: ignore[assignment] # told by its type
            self._waiting += line
            self.emitted[record.stream] += 1
            if len(self._waiting) >= MOST_WAITING:
                self.flush()
            return
        if message.type is SingerMessageType.STATE:
            if line == self._last_state:
                return
            self._last_state = line
        self._waiting += line
        self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            SystemExit: when nobody reads any more, or the process is to stop.
        """
        self._writing = True
        try:
            sys.stdout.buffer.write(self._waiting)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            _close_quietly()
            # It is not an Exception, so nobody on the way up logs a trace back.
            raise SystemExit(BROKEN_PIPE_EXIT) from None
        finally:
            self._writing = False
        self._waiting.clear()
        if self._stop_with is not None:
            raise SystemExit(self._stop_with)


class EachState(StateWriter):
    """Passes each state on: `CountingWriter` writes none twice in a row.

    The SDK's own holds a state against the last one, of which it makes a deep copy each time.
    """

    @override
    def write_state(self, state: TapState) -> None:
        self._message_writer.write_message(StateMessage(value=state))


def _as_dict(message: Message) -> dict[str, object]:
    """Give what is written of a message. The SDK would copy a state and a schema deeply."""
    if isinstance(message, StateMessage):
        return {"type": message.type, "value": message.value}
    if isinstance(message, SchemaMessage):
        return exclude_null_dict([(name, getattr(message, name)) for name in SCHEMA_FIELDS])
    return message.to_dict()


def _close_quietly() -> None:
    """Redirect stdout to nowhere, so that the flush at the interpreter's end does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

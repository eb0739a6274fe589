"""The SDK's stream maps and flattening, applied to each record before it is checked."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from singer_sdk.exceptions import MappingError

from target_ciscovm.errors import InputBroken, SettingsError
from target_ciscovm.intake.loose_json import read_loosely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.mapper import PluginMapper

SHOWN: Final = 100
"""Characters of a cause in a message."""


class StreamMaps:
    """The stream maps of the settings.

    Args:
        mapper: the SDK's mapper.
    """

    def __init__(self, mapper: PluginMapper) -> None:
        self._mapper = mapper

    def learn(self, stream: str, schema: bytes, key_properties: object) -> None:
        """Take a stream's schema; one that is not a valid schema counts as empty.

        Raises:
            SettingsError: when the maps do not fit the stream.
        """
        try:
            found = read_loosely(schema, Counter())
        except (ValueError, RecursionError):
            found = None
        known: dict[str, Any] = found if isinstance(found, dict) else {}
        if not isinstance(known.get("properties"), dict):
            known = {"type": "object", "properties": {}}
        named = key_properties if isinstance(key_properties, list) else []
        # A key that the schema lacks is the tap's mistake, and no reason to stop the load.
        keys = [name for name in named if name in known["properties"]] or None
        try:
            self._mapper.register_raw_stream_schema(stream, known, keys)
        except MappingError as error:
            raise _unfit(stream, error) from error

    def apply(
        self, line: int, stream: str, record: bytes, notes: Counter[str]
    ) -> Iterator[tuple[str, bytes]]:
        """Give what the maps make of a record: streams and records, or nothing.

        Args:
            line: its line of the input.
            stream: its stream, whose schema is known.
            record: its original bytes.
            notes: counts what had to be corrected to read it.

        Raises:
            SettingsError: when the maps do not fit the stream.
            InputBroken: when they cannot be applied to a value of this record.
        """
        found = _read(record, notes)
        if not isinstance(found, dict):
            # No map can be applied to it; the intake says what is wrong.
            yield (stream, record)
            return
        for stream_map in self._mapper.stream_maps[stream]:
            try:
                mapped = stream_map.transform(copy.deepcopy(found))
            except MappingError as error:
                raise _unfit(stream, error) from error
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                why = f"{type(error).__name__}: {_short(error)}"
                raise InputBroken(line, f"cannot be mapped as stream_maps says ({why})") from error
            if mapped is not None:
                yield (stream_map.stream_alias, msgspec.json.encode(mapped))


def _read(record: bytes, notes: Counter[str]) -> object:
    try:
        return msgspec.json.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return read_loosely(record, notes)
    except (ValueError, RecursionError):
        return None


def _unfit(stream: str, error: Exception) -> SettingsError:
    msg = (
        f"stream_maps cannot be applied to the stream {stream[:SHOWN]}: {_short(error)}. Correct "
        "the expression or the name in stream_maps."
    )
    return SettingsError(msg)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:SHOWN].rstrip(".")

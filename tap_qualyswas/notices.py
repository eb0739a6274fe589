"""What a person should know of the catalog and the stream maps before a sync."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

SOURCE: Final = "__source__"
"""What a stream map calls the stream that it makes another one of."""


def catalog_notices(streams: Mapping[str, Stream]) -> Iterator[str]:
    """Tell what records hold and the catalog does not know, as one from before an update.

    Args:
        streams: of the tap, by name.
    """
    for name, stream in streams.items():
        known, own = stream.effective_schema, stream.schema
        unknown = own["properties"].keys() - known.get("properties", {}).keys()
        if stream.selected and unknown:
            yield (
                f"{name}: the catalog does not know {', '.join(sorted(unknown))}, so a target may "
                "leave them out. Write a new one with --discover, or run Meltano with "
                "--refresh-catalog."
            )


def map_notices(stream_maps: Mapping[str, object], streams: Mapping[str, Stream]) -> Iterator[str]:
    """Tell which stream maps are of no stream: what they were to hide would be sent.

    Args:
        stream_maps: by the name of a stream, or a pattern of names.
        streams: of the tap, by name.
    """
    for name, changes in stream_maps.items():
        source = str(changes.get(SOURCE, name) if isinstance(changes, dict) else name)
        if not any(fnmatch(stream, source) for stream in streams):
            yield (
                f"stream_maps names {source}, which is no stream of this tap, so it changes "
                f"nothing. Name one of {', '.join(streams)}."
            )

"""Catalogs as a person would write them: some streams selected, the others not."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from tap_qualyswas.input_files import read_catalog
from tap_qualyswas.tap import TapQualysWAS

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _own_text() -> str:
    return json.dumps(TapQualysWAS(validate_config=False).catalog_dict)


def _own_catalog() -> dict[str, Any]:
    catalog: dict[str, Any] = json.loads(_own_text())
    return catalog


def only(*names: str) -> dict[str, Any]:
    """Give the catalog with these streams selected and no others."""
    catalog = _own_catalog()
    for stream in catalog["streams"]:
        (whole,) = [part for part in stream["metadata"] if not part["breadcrumb"]]
        whole["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog


def without(stream: str, *properties: str) -> dict[str, Any]:
    """Give the catalog with its own selection, but for properties (`webApp.id`) of a stream."""
    catalog = _own_catalog()
    (found,) = (one for one in catalog["streams"] if one["tap_stream_id"] == stream)
    for part in found["metadata"]:
        name = ".".join(part["breadcrumb"][1::2])
        if any(f"{name}.".startswith(f"{one}.") for one in properties):
            part["metadata"] |= {"selected": False, "inclusion": "available"}
    return catalog


def with_metadata(metadata: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Give the catalog with its own selection, and with further metadata of streams."""
    catalog = _own_catalog()
    for stream in catalog["streams"]:
        (whole,) = [part for part in stream["metadata"] if not part["breadcrumb"]]
        whole["metadata"] |= metadata.get(stream["tap_stream_id"], {})
    read = read_catalog(io.StringIO(json.dumps(catalog)))
    assert read is not None
    return read

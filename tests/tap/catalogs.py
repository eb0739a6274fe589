"""Catalogs as a person would write them: some streams selected, the others not."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from tap_qualyswas.input_files import read_catalog
from tap_qualyswas.tap import TapQualysWAS

if TYPE_CHECKING:
    from collections.abc import Mapping


def only(*names: str) -> dict[str, Any]:
    """Give the catalog with these streams selected and no others."""
    catalog: dict[str, Any] = TapQualysWAS(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        (whole,) = [part for part in stream["metadata"] if not part["breadcrumb"]]
        whole["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog


def without(stream: str, *properties: str) -> dict[str, Any]:
    """Give the catalog with its own selection, but for properties (`webApp.id`) of a stream."""
    catalog: dict[str, Any] = TapQualysWAS(validate_config=False).catalog_dict
    (found,) = (one for one in catalog["streams"] if one["tap_stream_id"] == stream)
    for part in found["metadata"]:
        name = ".".join(part["breadcrumb"][1::2])
        if any(f"{name}.".startswith(f"{one}.") for one in properties):
            part["metadata"] |= {"selected": False, "inclusion": "available"}
    return catalog


def with_metadata(metadata: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Give the catalog with its own selection, and with further metadata of streams."""
    catalog: dict[str, Any] = TapQualysWAS(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        (whole,) = [part for part in stream["metadata"] if not part["breadcrumb"]]
        whole["metadata"] |= metadata.get(stream["tap_stream_id"], {})
    read = read_catalog(io.StringIO(json.dumps(catalog)))
    assert read is not None
    return read

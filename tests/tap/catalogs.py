"""Catalogs as a person would write them: some streams selected, the others not."""

from __future__ import annotations

from typing import Any

from tap_qualyswas.tap import TapQualysWAS


def only(*names: str) -> dict[str, Any]:
    """Give the catalog with these streams selected and no others."""
    catalog: dict[str, Any] = TapQualysWAS(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        (whole,) = [part for part in stream["metadata"] if not part["breadcrumb"]]
        whole["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog

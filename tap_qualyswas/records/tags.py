"""Tags of the subscription, each with the tag above it.

Names are Qualys's own (asset management API, "Tag").
"""

from __future__ import annotations

from typing import Final

from tap_qualyswas.records.fields import date, whole, word
from tap_qualyswas.records.shapes import Shape, list_of, within

CHILDREN: Final = "children"

TAG: Final = Shape(
    "Tag",
    {
        "id": whole,
        "name": word,
        "parentTagId": whole,
        "ruleType": word,
        "created": date,
        "modified": date,
        CHILDREN: list_of(within("id", whole)),
    },
    ignored=(
        *("color", "ruleText", "reservedType", "description", "provider", "uuid", "criticality"),
        *("criticalityScore", "srcAssetGroupId", "srcBusinessUnitId", "srcOperatingSystemName"),
    ),
    keys=("id",),
)
"""A tag; some platforms tell its children in place of its parent."""

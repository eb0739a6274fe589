"""The Singer SDK's own suite, run over the tap with all streams selected, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_tap_test_class

from tap_qualyswas.tap import TapQualysWAS
from tests.sandbox.generation import WorldSize
from tests.tap.qualys import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

# The suite wants its settings when it is made, so the server is there from then on.
PLATFORM = Platform(WorldSize(apps=6, findings=60, qids=12, scans=10)).__enter__()


def everything() -> dict[str, Any]:
    """Give the catalog with each stream selected, `scan_results` too."""
    catalog = TapQualysWAS(config=PLATFORM.config).catalog_dict
    for stream in catalog["streams"]:
        for part in stream["metadata"]:
            part["metadata"] |= {"selected": True, "selected-by-default": True}
    return catalog


@pytest.fixture(scope="module", autouse=True)
def _stopped() -> Iterator[None]:
    yield
    PLATFORM.__exit__(None, None, None)


TestTapQualysWAS = get_tap_test_class(TapQualysWAS, config=PLATFORM.config, catalog=everything())

"""What others publish or answer, and what is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

SAMPLES: Final = Path(os.environ.get("RECORDED_SAMPLES", ""))
OPENAPI: Final = Path(os.environ.get("CISCOVM_OPENAPI", ""))
HUB_SCHEMAS: Final = Path(os.environ.get("HUB_SCHEMAS", ""))
NOT_THERE: Final = Path()

needs_samples: Final = pytest.mark.skipif(
    SAMPLES == NOT_THERE, reason="recorded answers are not there (RECORDED_SAMPLES)"
)
needs_openapi: Final = pytest.mark.skipif(
    OPENAPI == NOT_THERE, reason="Cisco's OpenAPI file is not there (CISCOVM_OPENAPI)"
)
needs_hub_schemas: Final = pytest.mark.skipif(
    HUB_SCHEMAS == NOT_THERE, reason="the Meltano Hub's schemas are not there (HUB_SCHEMAS)"
)

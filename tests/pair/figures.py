"""What the weeks of trouble have been through, counted in this process."""

from __future__ import annotations

from collections import Counter
from typing import Final

FIGURES: Final[Counter[str]] = Counter()

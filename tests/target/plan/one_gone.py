"""Two syncs of which the second lacks one finding of the first."""

from __future__ import annotations

from typing import Final

from tests.target.streams import Sync, finding, webapp

APPS: Final = [webapp(1), webapp(2)]
BEFORE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2), finding(4, 2)])
AFTER: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2)])
"""One finding, on an asset of its own, is gone."""

"""The same weeks with other settings: one asset for each app, findings of AppSec, filters."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pytest
from hypothesis import settings

from tests.pair.weeks import EXAMPLES, Weeks

pytestmark = pytest.mark.timeout(1200)

FEWER: Final = settings(EXAMPLES, max_examples=EXAMPLES.max_examples * 3 // 5)


class WeeksByApp(Weeks):
    """An asset is a web app, and its findings are those of the Application Security Module."""

    target_settings: ClassVar[dict[str, Any]] = {
        "locator_order": ["external_id", "application"],
        "data_model": "findings",
    }


class FilteredWeeks(Weeks):
    """Some findings are left out, and deleted web apps are closed."""

    target_settings: ClassVar[dict[str, Any]] = {
        "exclude_potential": True,
        "min_severity": 2,
        "close_deleted_webapps": True,
    }


TestWeeksByApp = WeeksByApp.TestCase
TestWeeksByApp.settings = FEWER
TestFilteredWeeks = FilteredWeeks.TestCase
TestFilteredWeeks.settings = FEWER

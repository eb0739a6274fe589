"""`--verify`: is all set up so that a load could go through?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import one_line
from target_ciscovm.apply.preflight import connect, look
from target_ciscovm.errors import SettingsError

if TYPE_CHECKING:
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)


def check_login(settings: Settings) -> None:
    """Look at the connector and say what was seen. Nothing is changed.

    Raises:
        Refused: when key, connector or host are not right, or are not set.
        CiscoVMError: when CVM cannot be reached.
    """
    if settings.login is None:
        msg = "There is nothing to verify: set api_key and connector_id."
        raise SettingsError(msg)
    opening = look(connect(settings.login, settings.retry_policy))
    LOGGER.info(
        "The API key and connector %d (%s) are good: a load can be sent.",
        opening.connector.id,
        one_line(opening.connector.name),
    )

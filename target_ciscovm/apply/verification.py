"""`--verify`: is all set up so that a load could go through?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import one_line
from target_ciscovm.apply.preflight import connect, look
from target_ciscovm.errors import SettingsError
from target_ciscovm.ledger.ledger import Ledger, home_of
from target_ciscovm.output.folders import (
    LEAST_ROOM,
    made_for_now,
    passing_folder,
    require_disk,
)

if TYPE_CHECKING:
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)


def check(settings: Settings) -> None:
    """See that files can be written, look at the connector, and say what was seen.

    Nothing is changed or left behind.

    Raises:
        Refused: when key, connector, host, folder or ledger are not right, or are not set.
        CiscoVMError: when CVM cannot be reached, or there is no room.
    """
    if settings.login is None:
        msg = "There is nothing to verify: set api_key and connector_id."
        raise SettingsError(msg)
    _check_places(settings)
    opening = look(connect(settings.login, settings.retry_policy))
    LOGGER.info(
        "The API key, connector %d (%s) and output_path are good: a load can be sent.",
        opening.connector.id,
        one_line(opening.connector.name),
    )


def _check_places(settings: Settings) -> None:
    output_path, path = settings.output_path, settings.ledger_path
    with (
        made_for_now(output_path, *([] if path is None else [path.parent])),
        passing_folder(output_path) as folder,
        Ledger(path, home_of(settings)) as ledger,
    ):
        require_disk(folder.path, LEAST_ROOM)
        ledger.require_writable()

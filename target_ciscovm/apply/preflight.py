"""The first look at CVM, before anything is read: is all of this allowed, and what time is it?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.wording import one_line
from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.cvm.connector import UNREADABLE

if TYPE_CHECKING:
    from datetime import datetime

    from target_ciscovm.cvm.connector import Connector
    from target_ciscovm.cvm.login import Login
    from target_ciscovm.cvm.retry_policy import RetryPolicy

LOGGER: Final = logging.getLogger(__name__)

OVERAGE: Final = (
    "The licence of this CVM tenant is over its limit: CVM imports nothing for the assets above "
    "it, without any error. Have the limit raised, or assets removed."
)


class Opening(msgspec.Struct, frozen=True):
    """What CVM told at first.

    Attributes:
        now: its time, None where no two answers agree on it.
        first_run: when the connector's first run began, None when there was none.
        runs: ids of the runs that were there.
        overage: whether the licence is over its limit; None when that is not known.
    """

    connector: Connector
    now: datetime | None
    first_run: datetime | None
    runs: frozenset[int]
    overage: bool | None


def connect(login: Login, policy: RetryPolicy) -> CiscoVMClient:
    """Give the connector's API; nothing is asked yet."""
    return CiscoVMClient(
        api_url=login.api_url,
        api_key=login.api_key,
        connector_id=login.connector_id,
        ca_bundle=login.ca_bundle,
        policy=policy,
    )


def look(api: CiscoVMClient) -> Opening:
    """Look at the connector, its runs and the licence, and log what they are.

    Raises:
        Refused: when the key, the connector or the host is not what it should be.
        CiscoVMError: when CVM cannot be reached.
    """
    connector = api.connector()
    runs = api.runs()
    overage = api.overage()
    state = "a run of it is going on" if connector.running else "idle"
    name = one_line(connector.name)
    LOGGER.info("Connector %d (%s) at %s takes files; %s.", connector.id, name, api.api_url, state)
    if overage:
        LOGGER.warning("%s", OVERAGE)
    return Opening(
        connector,
        api.server_now,
        # Runs of which CVM tells no time are runs all the same.
        min(
            (run.start_time for run in runs if run.start_time),
            default=UNREADABLE if runs else None,
        ),
        frozenset(run.id for run in runs),
        overage,
    )

"""CVM is asked what it holds; what differs is asked again: a load may take minutes to be seen."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from qualyswas_ciscovm.progress import duration
from qualyswas_ciscovm.wording import counted
from target_ciscovm.audit import drift
from target_ciscovm.audit.held import Held
from target_ciscovm.cvm.holdings.holdings import open_holdings
from target_ciscovm.errors import HoldingsUnavailable
from target_ciscovm.kdi.types import DataModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from target_ciscovm.audit.held import Changed
    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)

MODELS: Final[tuple[DataModel, ...]] = get_args(DataModel)


@dataclass(frozen=True)
class Inquiry:
    """What CVM is asked with.

    Attributes:
        folder: for the tables of what it holds.
    """

    api: CiscoVMClient
    settings: Settings
    ledger: Ledger
    folder: Path

    @contextmanager
    def once(self) -> Iterator[Held]:
        """Ask for all that the connector may hold, in both data models.

        Raises:
            HoldingsUnavailable: when CVM does not tell it.
        """
        with self._tables() as held:
            first = self.settings.data_model
            self._ask(held, first)
            others = [m for m in MODELS if m != first and self._ask_if_told(held, m)]
            drift.compare(held, self.ledger, [first, *others])
            yield held

    @contextmanager
    def until_agreed(self, changed: Iterable[Changed] = ()) -> Iterator[Held]:
        """Ask for the data models that the ledger has; what differs, again after some minutes.

        Args:
            changed: what a load has just opened or closed.

        Raises:
            HoldingsUnavailable: when CVM does not tell it.
        """
        with self._tables() as held:
            held.mark_changed(changed)
            models = self._models()
            self._compare(held, models)
            for wait in self.settings.retry_policy.show_seconds:
                if not (differing := drift.differing(held)):
                    break
                what = counted(differing, "entry", "entries")
                LOGGER.info("CVM shows %s otherwise. Asking again in %s.", what, duration(wait))
                time.sleep(wait)
                self._compare(held, models)
            yield held

    def _compare(self, held: Held, models: Sequence[DataModel]) -> None:
        held.clear()
        for model in models:
            self._ask(held, model)
        drift.compare(held, self.ledger, models)

    def _models(self) -> Sequence[DataModel]:
        first = self.settings.data_model
        known = self.ledger.models()
        return [first, *(model for model in MODELS if model != first and model in known)]

    def _ask(self, held: Held, model: DataModel) -> None:
        limit = self.settings.retry_policy.max_wait_seconds
        with open_holdings(
            self.api, model, self.folder, timeout_seconds=limit, progress=LOGGER.info
        ) as holdings:
            held.add(holdings)

    def _ask_if_told(self, held: Held, model: DataModel) -> bool:
        """Ask for the data model that is not set; many users may not read it, or do not have it."""
        if model in self.ledger.models():
            self._ask(held, model)
            return True
        try:
            self._ask(held, model)
        except HoldingsUnavailable as error:
            LOGGER.info("CVM was not asked for %s: %s", model, error)
            return False
        return True

    @contextmanager
    def _tables(self) -> Iterator[Held]:
        held = Held(self.folder, self.settings.identity)
        try:
            yield held
        finally:
            held.close()

"""Where the records of a run come from, as far as time and account go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from qualyswas_ciscovm.accounts import Account


class Origin(Protocol):
    """A session to Qualys, or files that were exported from there.

    Attributes:
        subscription: id of the account's subscription; None where it is not known.
        evaluation: whether the account marks itself as an evaluation.
        is_mixed: whether answers have named more than one subscription.
    """

    subscription: str | None
    evaluation: bool
    is_mixed: bool

    @property
    def account(self) -> Account:
        """The account, as far as it is known."""

    @property
    def knows_time(self) -> bool:
        """Whether the time is known without asking for it."""

    def started_at(self) -> datetime:
        """Give Qualys's time at the beginning of the run."""

    def time_now(self) -> datetime:
        """Give Qualys's time now."""

"""What the judge has learnt of one connector and one account, from the runs so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.sandbox.oracle.sight import Moment, Seen

DAY: Final = 24 * 3600


@dataclass
class Installation:
    """One tap and one target, with the state and the ledger that lie between their runs.

    Attributes:
        knows: keys of the entries that its ledger can have. Only these has it to close when they
            are gone: what it has lost, another installation may have.
        resumes: whether its next sync may go on where an earlier one stopped.
    """

    knows: set[str] = field(default_factory=set)
    resumes: bool = False


@dataclass
class Memory:
    """What has been.

    Attributes:
        last: each finding as it was shown last.
        opened: findings that were ever open and let through.
        held: findings that the connector ever had.
        tested: when a finding was tested, as of the last sync that had to read it.
        shown: web apps that a proven sync has read.
        absent: of these, the moment of the first proven sync that did not find them.
        pending: findings that were closed where they lay, while their new place was not taken.
        excused: whether what an incremental sync could not notice waits for the next full one.
    """

    last: dict[str, Seen] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    tested: dict[str, int] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    absent: dict[int, int] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    excused: bool = False

    def see(self, moment: Moment) -> None:
        """Remember what is shown."""
        self.last.update(moment.findings)
        open_ones = (uid for uid, seen in moment.findings.items() if seen.open and seen.visible)
        self.opened.update(open_ones)

    def is_long_gone(self, app_id: int, before: int) -> bool:
        """Tell whether a proven sync missed the web app at least a day before the moment."""
        missed = self.absent.get(app_id)
        return missed is not None and missed + DAY <= before

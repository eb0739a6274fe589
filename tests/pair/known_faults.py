"""Faults of the pair that are known: rules of the weeks that would meet one stay off until then.

Each of them has a smallest example in `faults_seen`. Take a name out when the fault is mended: the
rules that bear it are on then, for good. `WEEKS_KNOWN_FAULTS` turns them on all the same: names
with commas between, or `all`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hypothesis.stateful import precondition

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN: Final = {
    "fewer types": "types of findings that are no longer read are closed as gone",
    "mapped rows": "what a stream map takes away is closed as gone, or lost",
    "deselected": "without a property a finding moves, and what is not told is closed",
    "lost rows": "a row that is lost on the way passes for a success",
    "apps change": "apps that come and go during a sync are counted, not compared",
    "deleted apps": "what an app had is closed by the first sync that does not find it",
    "older load": "an older load closes what was found again since",
    "gap": "a state that meets another connector leaves out what came before",
    "lost ledger": "without its ledger a load lets CVM close what other web apps have",
    "no rebuild": "a ledger that was lost is not made anew from CVM",
    "foreign ledger": "a ledger of another connector is taken",
    "two ledgers": "two installations close one another's findings on a page that both load",
    "two accounts": "an account's full sync closes what another account has in the connector",
    "stripped header": "an account counts as another one when its header is not there",
    "another source": "another source of findings closes and re-creates all of them",
    "another loader": "a load closes what somebody else has opened in the connector",
    "licence": "a finding that moves over the licence's limit is closed and not opened",
    "locator order": "files close one another's findings where CVM merges their assets",
    "url case": "files close one another's findings where CVM merges their assets",
    "names": "a QID that gets another title leaves an entry behind",
    "auto-close": "CVM is let to close what a load lacks",
}
"""What is wrong, by name."""

_TURNED_ON: Final = frozenset(os.environ.get("WEEKS_KNOWN_FAULTS", "").split(","))


def is_met(name: str) -> bool:
    """Tell whether the weeks may meet a fault: it is mended, or it is looked for."""
    return name not in KNOWN or bool(_TURNED_ON & {name, "all"})


def unless_known(name: str) -> Callable[..., Callable[..., object]]:
    """Return a decorator that keeps a rule off while the fault is known."""
    on = is_met(name)
    return precondition(lambda _: on)

"""Two syncs of one world, and what happens to the ledger between them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.target.streams import Sync, finding, webapp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.target.loads import CVM, Loaded

APPS: Final = [webapp(1), webapp(2)]
THREE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2)])
LESS: Final = Sync(APPS, [finding(1), finding(3, 2)])


def refuse_reading(cvm: CVM) -> None:
    """Take the right to read from the key."""
    for fault in ("export-refused", "search-refused"):
        cvm.faults.arm(fault)


def lose(cvm: CVM) -> None:
    """Take the ledger away, where CVM does not tell what it holds."""
    cvm.ledger.unlink()
    refuse_reading(cvm)


@contextmanager
def on_the_other_machine(cvm: CVM) -> Iterator[None]:
    """Load with a folder and a ledger of another machine's own."""
    here = cvm.home
    cvm.home = here / "other"
    yield
    cvm.home = here


def warning(loaded: Loaded) -> str:
    (told,) = loaded.report["warnings"]
    return str(told)

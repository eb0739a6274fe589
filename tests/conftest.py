"""What the weeks of trouble have been through, told at the end of the tests, workers added up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.pair.figures import FIGURES

if TYPE_CHECKING:
    import pytest

TOLD: Final = (
    "examples",
    "steps",
    "days",
    "syncs",
    "faults survived",
    "bad inputs tried",
    "identities changed",
    "wrong closures",
    "lost findings",
)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the figures of a worker to the process that tells them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["weeks"] = dict(FIGURES)


def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist's own
    """Add up the figures of a worker."""
    FIGURES.update(Counter(getattr(node, "workeroutput", {}).get("weeks", {})))


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401 - pytest's own
    """Tell the figures, if there are any."""
    if FIGURES["examples"]:
        told = " · ".join(f"{name} {FIGURES[name]:,}" for name in TOLD)
        terminalreporter.write_line(f"weeks of trouble: {told}")

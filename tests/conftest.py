"""The end of the tests: what the weeks have been through is told, and what was started ends."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.pair.figures import FIGURES
from tests.support.processes import ForkServer

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


def pytest_unconfigure() -> None:
    """Let the parents of forked processes end."""
    for server in ForkServer.started:
        server.end()


def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist's own
    """Add up the figures of a worker."""
    FIGURES.update(Counter(getattr(node, "workeroutput", {}).get("weeks", {})))


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401 - pytest's own
    """Tell the figures, if there are any."""
    if FIGURES["examples"]:
        told = " · ".join(f"{name} {FIGURES[name]:,}" for name in TOLD)
        terminalreporter.write_line(f"weeks of trouble: {told}")

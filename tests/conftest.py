"""The beginning and the end of the tests, and what the weeks have been through."""

from __future__ import annotations

import gc
import os
from collections import Counter
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from qualyswas_ciscovm.progress import LOOKOUT
from tests.pair.figures import FIGURES
from tests.support.processes import ForkServer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LONG_SECONDS: Final = 3600
STEPS: Final = pytest.StashKey[int]()
"""How many steps were looked at after the test before."""
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
    "wrongly open",
    "auto-closed",
    "broken promises",
)


def pytest_configure() -> None:
    """Let no call look for a proxy, and no example be too slow.

    A call would read all variables twice, and all go to loopback. An example that takes long says
    that the machine is busy; each test has a limit of its own.
    """
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    gc.disable()
    settings.register_profile("tests", deadline=None)
    settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the first worker compile the tests while the others wait for what it compiles."""
    with Path(__file__).open() as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            flock(file, LOCK_SH)
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that are left out by default the time for what makes them so."""
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if marks & {"long", "outside"} and "timeout" not in marks:
            item.add_marker(pytest.mark.timeout(LONG_SECONDS))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what is there to the end, and look less often.

    A fifth of it is garbage, and stays: to look for it would take a third of a second.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Let no test end with a step that is still looked at: it would go on telling that it waits."""
    before = item.session.stash.get(STEPS, 0)
    yield
    left = item.session.stash[STEPS] = LOOKOUT.steps
    if left > before:
        pytest.fail(f"{left - before} steps that have ended are still looked at")


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Let a worker tell of a test once: of its set-up and tear-down only if they did not pass.

    Nobody is shown these, and what is told is written, read and looked at by two processes.
    """
    if not hasattr(item.config, "workeroutput"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:  # noqa: ANN401 - pytest's own
    """Tell at the very end what was skipped and why, and the figures of the weeks, if any."""
    yield
    skipped = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    reasons = [f"{n:,} {why.removeprefix('Skipped: ')}" for why, n in skipped.items()]
    if reasons:
        terminalreporter.write_line(f"skipped: {' · '.join(reasons)}")
    config = terminalreporter.config
    if "not outside" in config.option.markexpr:
        marker = next(one for one in config.getini("markers") if one.startswith("outside:"))
        terminalreporter.write_line(f"not run: {marker}")
    if FIGURES["examples"]:
        told = " · ".join(f"{name} {FIGURES[name]:,}" for name in TOLD)
        terminalreporter.write_line(f"weeks of trouble: {told}")

"""Several walks at a time: workers put whole pages on a bounded queue, one reader takes them.

What a worker raises is raised for the reader, and ends the others: a walk that failed never looks
like one that ended.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

PAGES_AHEAD: Final = 2
"""Pages on the queue for each worker: what is read ahead is held in memory."""
LOOK_AROUND_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _TaskDone:
    pass


class Team(Generic[T, R]):
    """Workers on one pile of tasks.

    Attributes:
        stop: set when nobody wants results any more.
    """

    def __init__(self, work: Callable[[T, Team[T, R]], Iterator[R]], workers: int) -> None:
        self._work = work
        self._tasks: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._results: queue.Queue[R | _Failed | _TaskDone] = queue.Queue(workers * PAGES_AHEAD)
        self._lock = threading.Lock()
        self._open = 0
        self.stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"walk-{number}", daemon=True)
            for number in range(workers)
        ]

    def submit(self, task: T) -> None:
        """Put a task on the pile; from within a task that is not done yet, at any time."""
        with self._lock:
            self._open += 1
        self._tasks.put(task)

    def results(self) -> Iterator[R]:
        """Start the workers and give their results as they come."""
        for thread in self._threads:
            thread.start()
        try:
            while self._open:
                result = self._results.get()
                if isinstance(result, _TaskDone):
                    with self._lock:
                        self._open -= 1
                elif isinstance(result, _Failed):
                    raise result.error
                else:
                    yield result
        finally:
            self.stop.set()
            for _ in self._threads:
                self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None and not self.stop.is_set():
            try:
                for result in self._work(task, self):
                    self._put(result)
                    if self.stop.is_set():
                        return
            except BaseException as error:  # noqa: BLE001 - it is raised again for the reader
                self._put(_Failed(error))
                return
            self._put(_TaskDone())

    def _put(self, result: R | _Failed | _TaskDone) -> None:
        while not self.stop.is_set():
            try:
                self._results.put(result, timeout=LOOK_AROUND_SECONDS)
            except queue.Full:
                continue
            return


def in_parallel(
    tasks: Iterable[T], work: Callable[[T, Team[T, R]], Iterator[R]], workers: int
) -> Iterator[R]:
    """Work on tasks, several at a time, and give their results as they come.

    Args:
        tasks: what to work on.
        work: makes results of one task; it is given the team too, to `submit` further tasks and to
            look at `stop`, which is set when nobody wants results any more.
        workers: tasks at a time.

    Raises:
        BaseException: the first error that a worker met.
    """
    team = Team(work, workers)
    for task in tasks:
        team.submit(task)
    return team.results()

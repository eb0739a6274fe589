"""Several walks at a time: workers put whole pages on a bounded queue, one reader takes them.

An error of a worker is raised for the reader and ends the others: a walk that failed never looks
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
"""Pages on the queue for each worker; they are held in memory."""
STOP_CHECK_SECONDS: Final = 0.1
"""How often a worker that waits for the queue looks whether it shall stop."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _TaskDone:
    pass


class WorkerPool(Generic[T, R]):
    """Workers that share their tasks. Each is started when there is a task for it.

    Attributes:
        stop: set when no more results are wanted.
    """

    def __init__(self, work: Callable[[T, WorkerPool[T, R]], Iterator[R]], workers: int) -> None:
        self._work = work
        self._tasks: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._results: queue.Queue[R | _Failed | _TaskDone] = queue.Queue(workers * PAGES_AHEAD)
        self._lock = threading.Lock()
        self._open = 0
        self._workers = workers
        self._started = 0
        self._is_reading = False
        self.stop = threading.Event()

    def submit(self, task: T) -> None:
        """Add a task; a task that is not done yet may do so at any time."""
        with self._lock:
            self._open += 1
            if self._is_reading:
                self._start_workers()
        self._tasks.put(task)

    def _start_workers(self) -> None:
        """Start as many as there are tasks. Most searches of a small account are a single task.

        Where the system allows no further thread, those that there are do all of the work.

        Raises:
            RuntimeError: when it allows none.
        """
        while self._started < min(self._open, self._workers):
            thread = threading.Thread(
                target=self._run, name=f"walk-{self._started + 1}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                if not self._started:
                    raise
                self._workers = self._started
            else:
                self._started += 1

    def results(self) -> Iterator[R]:
        """Start the workers and give their results as they come."""
        with self._lock:
            self._is_reading = True
            self._start_workers()
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
            for _ in range(self._workers):
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
                self._results.put(result, timeout=STOP_CHECK_SECONDS)
            except queue.Full:
                continue
            return


def in_parallel(
    tasks: Iterable[T], work: Callable[[T, WorkerPool[T, R]], Iterator[R]], workers: int
) -> Iterator[R]:
    """Work on tasks, several at a time, and give their results as they come.

    Args:
        tasks: what to work on.
        work: makes results of one task; it is given the pool too, to `submit` further tasks and to
            look at `stop`.
        workers: tasks at a time.

    Raises:
        BaseException: the first error of a worker.
    """
    pool = WorkerPool(work, workers)
    for task in tasks:
        pool.submit(task)
    return pool.results()

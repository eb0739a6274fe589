"""Several workers: all results, the first error, and an end when nobody listens."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_qualyswas.search.ahead import together
from tap_qualyswas.search.workers import WorkerPool, in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator


def count_up(task: int, _pool: WorkerPool[int, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for number in range(20):
        yield (task, number)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_results_are_the_same_for_any_number_of_workers(workers: int) -> None:
    found = list(in_parallel(range(10), count_up, workers))

    assert sorted(found) == [(task, number) for task in range(10) for number in range(20)]


def test_the_results_of_one_task_keep_their_order() -> None:
    found = list(in_parallel(range(4), count_up, 4))

    for task in range(4):
        assert [number for which, number in found if which == task] == list(range(20))


def test_a_task_can_bring_further_tasks() -> None:
    def split(task: int, pool: WorkerPool[int, int]) -> Iterator[int]:
        yield task
        if task < 50:
            pool.submit(task * 2)
            pool.submit(task * 2 + 1)

    assert sorted(in_parallel([1], split, 3)) == list(range(1, 100))


def test_a_worker_is_started_when_there_is_a_task_for_it() -> None:
    both = threading.Barrier(2, timeout=5)

    def work(task: int, pool: WorkerPool[int, int]) -> Iterator[int]:
        if task == 1:
            yield len(walking() - before)
            pool.submit(2)
        both.wait()
        yield len(walking() - before)

    before = walking()

    assert list(in_parallel([1], work, 8)) == [1, 2, 2]


class ScarceThread(threading.Thread):
    """A thread of a system that allows only some."""

    left = 0

    def start(self) -> None:
        """Start it if the system allows it."""
        if not ScarceThread.left:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        ScarceThread.left -= 1
        super().start()


@pytest.mark.parametrize("allowed", [1, 2])
def test_where_no_further_thread_can_be_started_fewer_do_the_work(
    allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScarceThread, "left", allowed)
    monkeypatch.setattr(threading, "Thread", ScarceThread)
    before = walking()

    assert sorted(in_parallel(range(4), count_up, 3)) == [
        (t, n) for t in range(4) for n in range(20)
    ]
    assert_all_ended_since(before)


def test_where_no_thread_can_be_started_at_all_the_search_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "Thread", ScarceThread)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        list(in_parallel(range(4), count_up, 3))


def test_where_no_thread_can_be_started_calls_are_made_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "Thread", ScarceThread)

    assert together([lambda: 1, lambda: 2]) == [1, 2]


def test_no_tasks_are_no_results() -> None:
    assert list(in_parallel([], count_up, 2)) == []


def test_an_error_of_one_worker_is_raised_and_ends_the_others() -> None:
    def work(task: int, pool: WorkerPool[int, int]) -> Iterator[int]:
        if task == 3:
            msg = "task 3"
            raise ValueError(msg)
        while not pool.stop.is_set():
            yield task

    before = walking()
    with pytest.raises(ValueError, match="task 3"):
        for _ in in_parallel([1, 3], work, 2):
            pass

    assert_all_ended_since(before)


def test_results_ahead_of_the_reader_are_bounded() -> None:
    made = 0

    def work(_task: int, _pool: WorkerPool[int, int]) -> Iterator[int]:
        nonlocal made
        for number in range(1000):
            made += 1
            yield number

    results = in_parallel([1], work, 1)
    next(results)
    time.sleep(0.3)

    assert made < 10
    results.close()  # type: ignore[attr-defined] # a generator


def test_workers_end_when_the_reader_goes_away() -> None:
    before = walking()
    results = in_parallel(range(4), count_up, 4)
    next(results)

    results.close()  # type: ignore[attr-defined] # a generator

    assert_all_ended_since(before)


def assert_all_ended_since(before: set[threading.Thread]) -> None:
    for thread in walking() - before:
        thread.join(5)
        assert not thread.is_alive()


def walking() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("walk-")}

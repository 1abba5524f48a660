from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

import pytest

from tapgate.audit.pool import Pool, WorkerDiedError, local_processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor


def work(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 7:
        message = "not mine"
        raise LookupError(message)
    return number * 2


def test_the_task_that_kills_its_worker_is_found_and_the_others_are_done() -> None:
    results = dict(Pool(work, local_processes, 2).run(range(20)))
    assert set(results) == set(range(20))
    died = {task: str(one) for task, one in results.items() if isinstance(one, WorkerDiedError)}
    assert died == {13: "the worker ended without an answer", 7: "LookupError: not mine"}
    assert all(results[task] == task * 2 for task in set(range(20)) - {7, 13})


def test_nothing_to_do() -> None:
    assert list(Pool(work, local_processes, 2).run([])) == []


def test_few_tasks_are_in_memory_at_once() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(100, 150):
            drawn.append(number)
            yield number

    results = Pool(work, ThreadPoolExecutor, 2).run(tasks())
    next(results)
    assert len(drawn) <= 2 * 2 + 1
    assert len(dict(results)) == 49
    assert len(drawn) == 50


class Refusing(ThreadPoolExecutor):
    """An executor whose workers never start."""

    def submit(self, *_: object, **__: object) -> Future[object]:  # type: ignore[override]
        raise BrokenProcessPool


def test_workers_that_never_start_end_the_audit_in_words() -> None:
    def opened(workers: int) -> Executor:
        return Refusing(workers)

    results = list(Pool(work, opened, 2).run([1, 2]))
    assert [task for task, _ in results] == [1, 2]
    assert all(isinstance(result, WorkerDiedError) for _, result in results)
    assert issubclass(BrokenProcessPool, BrokenExecutor)


class Forgetful(ThreadPoolExecutor):
    """A cluster that gives up its first two tasks: one by an error of its own, one by cancelling it."""

    given = 0

    def submit(self, *arguments: Any, **named: Any) -> Future[Any]:  # noqa: ANN401
        Forgetful.given += 1
        if Forgetful.given > 2:
            return super().submit(*arguments, **named)
        lost: Future[Any] = Future()
        if Forgetful.given == 1:
            lost.set_exception(ConnectionResetError("the worker that had the result is gone"))
        else:
            lost.cancel()
            lost.set_running_or_notify_cancel()
        return lost


def test_a_result_that_was_lost_with_its_worker_is_made_again() -> None:
    assert dict(Pool(work, Forgetful, 2).run(range(6))) == {task: task * 2 for task in range(6)}


def test_leaving_early_leaves_no_worker() -> None:
    before = set(multiprocessing.active_children())
    results = Pool(work, local_processes, 2).run(range(6))
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    assert set(multiprocessing.active_children()) == before

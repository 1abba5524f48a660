"""Runs many tasks on workers that may die, and finds out which task it was that killed one.

The workers are processes of this machine, or those of a Dask cluster (optional package `distributed`).
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from tapgate.findings import CouldNotRunError

T = TypeVar("T")
R = TypeVar("R")


class WorkerDiedError(Exception):
    """A worker ended while it worked on a task, and it did so again when the task was alone."""


class Pool(Generic[T, R]):
    """Runs a function on each of many tasks."""

    def __init__(
        self,
        function: Callable[[T], R],
        open_executor: Callable[[int], AbstractContextManager[Executor]],
        workers: int,
    ) -> None:
        self._function = function
        self._open = open_executor
        self._workers = workers

    def run(self, tasks: Iterable[T]) -> Generator[tuple[T, R | WorkerDiedError]]:
        """Yield each task with its result, in the order in which they are done.

        When a worker dies, the tasks that were under way are tried one by one: only the one that kills its
        worker alone is given up. So is a task that a cluster answers with an error of its own, such as that
        the result was lost with the worker that had it.
        """
        source, complete = iter(tasks), False
        while not complete:
            suspects: list[T] = []
            complete = yield from self._round(source, self._workers, suspects)
            for task in suspects:
                again: list[T] = []
                yield from self._round(iter([task]), 1, again, last=True)
                if again:
                    yield task, WorkerDiedError("the worker ended without an answer")

    def _round(
        self, source: Iterator[T], workers: int, suspects: list[T], *, last: bool = False
    ) -> Generator[tuple[T, R | WorkerDiedError], None, bool]:
        """Run tasks until none is left or a worker dies; those under way then are the suspects.

        So are those that failed, unless it is the `last` try. Tasks are drawn one by one: each may carry a
        whole state.

        Returns:
            Whether none is left.
        """
        running: dict[Future[R], T] = {}
        with self._open(workers) as executor:
            while True:
                for task in islice(source, 2 * workers - len(running)):
                    try:
                        running[executor.submit(self._function, task)] = task
                    except BrokenExecutor:
                        suspects += [*running.values(), task]
                        return False
                if not running:
                    return True
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                finished = [future for future in done if not isinstance(_error(future), BrokenExecutor)]
                for future in finished:
                    task, outcome = running.pop(future), _outcome(future)
                    if isinstance(outcome, WorkerDiedError) and not last:
                        suspects.append(task)
                    else:
                        yield task, outcome
                if len(finished) < len(done):
                    suspects += running.values()
                    return False


def _outcome(future: Future[R]) -> R | WorkerDiedError:
    error = _error(future)
    return future.result() if error is None else WorkerDiedError(f"{type(error).__name__}: {error}")


def _error(future: Future[R]) -> BaseException | None:
    """What a future ended with; a cluster may cancel one as well."""
    return CancelledError("the cluster gave it up") if future.cancelled() else future.exception()


def local_processes(workers: int) -> ProcessPoolExecutor:
    """Open a pool of processes on this machine; an interrupt is the parent's business."""
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )


_CONNECT_SECONDS: Final = 20


@contextmanager
def connected(address: str) -> Generator[tuple[Executor, int]]:
    """Connect to a scheduler; yields an executor on its workers, and how many threads these have together.

    Dask itself tries the tasks of a dead worker elsewhere.

    Raises:
        CouldNotRunError: `distributed` is not installed, or the scheduler does not answer.
    """
    try:
        make: Callable[..., Any] = importlib.import_module("distributed").Client
    except ImportError as error:
        raise CouldNotRunError(
            "The Dask client is not installed.",
            where="--scheduler",
            why="an audit on a cluster goes through the Python package `distributed`.",
            fix="install it (`pip install distributed`), or leave --scheduler out to use this machine.",
        ) from error
    try:
        client = make(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise CouldNotRunError(
            "The Dask scheduler does not answer.",
            where=address,
            why=f"{type(error).__name__}: {error}",
            fix="check the address after --scheduler and that the scheduler runs.",
        ) from error
    try:
        yield client.get_executor(pure=False), max(1, sum(client.nthreads().values()))
    finally:
        client.close()

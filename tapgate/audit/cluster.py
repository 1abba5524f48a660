"""A Dask cluster as the place where tasks run; needs the optional package `distributed`."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, cast

from tapgate.failure import CouldNotRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from concurrent.futures import Executor

_CONNECT_SECONDS: Final = 20


class _Client(Protocol):
    """What is used of `distributed.Client`."""

    def nthreads(self) -> Mapping[str, int]: ...

    def get_executor(self, *, pure: bool) -> Executor: ...

    def close(self) -> None: ...


class Cluster:
    """A connection to a Dask scheduler.

    Attributes:
        workers: number of threads that its workers have together.
    """

    def __init__(self, client: _Client) -> None:
        self._client = client
        self.workers = max(1, sum(client.nthreads().values()))

    @contextmanager
    def executor(self, _workers: int) -> Generator[Executor]:
        """Open an executor on the whole cluster; Dask itself tries the tasks of a dead worker elsewhere."""
        yield self._client.get_executor(pure=False)


@contextmanager
def connected(address: str) -> Generator[Cluster]:
    """Connect to a scheduler.

    Args:
        address: such as `tcp://scheduler:8786`.

    Raises:
        CouldNotRunError: `distributed` is not installed, or the scheduler does not answer.
    """
    try:
        make = cast("Callable[..., _Client]", importlib.import_module("distributed").Client)
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
        yield Cluster(client)
    finally:
        client.close()

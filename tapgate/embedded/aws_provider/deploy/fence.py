"""Keeps a run whose engine is gone from making anything, and the next one from looking before it has ended.

A killed engine tells its providers nothing. What they create from then on no state will ever know, and what
AWS names by itself (keys, event source mappings) would be there twice: the next run looks for its program's
mark before it creates, and the late creation comes after that look. Two things close the gap, in this order:
a provider first takes a lease, which the system gives back when its process ends, however it ends; then it
asks before every call whether its engine is still there. A run's first change waits for the leases of other
runs of its stack on the same emulator. So whatever an earlier run has sent was sent before the look, and an
emulator answers in the order of arrival.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.failures import ApiError
from tapgate.embedded.paths import cache_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass
class Fence:
    """What one provider's process may still do.

    Attributes:
        engine: The engine's address; empty where one attaches later.
        parent: The process that started this one: the engine; 0 where it is somebody else.
        wait_seconds: How long the first change waits for an earlier run to end.
    """

    engine: str = ""
    parent: int = 0
    wait_seconds: float = _WAIT_SECONDS
    _closed: bool = False
    _leases: dict[Path, int] = field(default_factory=dict["Path", int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def engine_is_gone(self) -> bool:
        """Return whether the engine has ended: then this process has another parent."""
        return self.parent != 0 and os.getppid() != self.parent

    def close(self) -> None:
        """Let nothing through any more: the provider ends."""
        self._closed = True

    def require_open(self) -> None:
        """Raise an ApiError when no one would note any more what a call does."""
        if self._closed or self.engine_is_gone():
            raise ApiError(
                "The engine of this run has ended, so nothing more is changed: no state would know of it. "
                "Fix: run the command again, it goes on where this one ended"
            )

    def enter(self, stack: str, endpoint: str, warn: Callable[[str], None]) -> None:
        """Take the lease of a stack on an emulator, once earlier runs of the stack there have ended.

        Args:
            stack: The stack and project, as URNs begin.
            endpoint: The emulator's address.
            warn: Shows a warning.

        Raises:
            ApiError: An earlier run does not end.
        """
        key = _digest(stack, endpoint)
        folder = cache_root() / "leases"
        own = folder / f"{key}.{_digest(self.engine, str(self.parent))}.{os.getpid()}"
        with self._lock:
            if own in self._leases:
                return
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._leases[own] = _take(own)
            except OSError as error:
                warn(
                    f"the lease of this run cannot be kept in {folder} ({error.strerror}): should this run "
                    "be killed, wait for its provider to end before the next one"
                )
                self._leases[own] = -1
                return
            self._wait_for_others(folder, key, own)

    def leave(self) -> None:
        """Release the leases; the system does when the process is killed."""
        with self._lock:
            for path, descriptor in self._leases.items():
                if descriptor >= 0:
                    path.unlink(missing_ok=True)
                    os.close(descriptor)
            self._leases.clear()

    def _wait_for_others(self, folder: Path, key: str, own: Path) -> None:
        of_engine = own.name.rpartition(".")[0]
        others = [path for path in folder.iterdir() if not path.name.startswith(of_engine)]
        deadline = time.monotonic() + self.wait_seconds
        for path in others:
            while not _removed(path) and path.name.startswith(key):
                if time.monotonic() > deadline:
                    os.close(self._leases.pop(own))
                    own.unlink(missing_ok=True)
                    raise ApiError(
                        "Another run of this stack is still at work on the emulator, though the state's lock "
                        f"is free: the provider of that run is process {path.name.rpartition('.')[2]}. Both "
                        "would create the same resources. Fix: wait for it to end, or end it, then run the "
                        "command again"
                    )
                time.sleep(_POLL_SECONDS)


def _take(path: Path) -> int:
    """Create and lock a lease; the system unlocks it when this process ends."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Somebody who took it for a leftover may have removed it before it was locked.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)


def _removed(path: Path) -> bool:
    """Return whether the lease's run has ended; what it left of the lease is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

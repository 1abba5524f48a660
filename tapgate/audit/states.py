"""Where states come from: files, folders, self-managed backends, and any backend that the CLI reads."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from tapgate.diagnose import UNKNOWN_CAUSE, could_not_run
from tapgate.engine import find_engine, quiet_environment
from tapgate.events import EventLog
from tapgate.failure import CouldNotRunError
from tapgate.json_access import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Beyond this a state would not fit a worker's memory, several times over.
LARGEST_BYTES: Final = 512 * 1024 * 1024
SUFFIXES: Final = (".json", ".json.gz")
_EXPORT_SECONDS: Final = 300


class State(Protocol):
    """The state of one stack, not read yet; it can be sent to another process."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def found(self) -> bool:
        """Whether it was found among other files, so that it may be none."""
        ...

    def read(self) -> bytes:
        """Read it.

        Raises:
            CouldNotRunError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileState:
    """A state in a file.

    Attributes:
        found: it was found in a folder, where other files may be as well, and not named.
    """

    path: Path
    found: bool = False

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    def read(self) -> bytes:
        """Read the file.

        Raises:
            CouldNotRunError: it cannot be read, or is too large.
        """
        try:
            size = self.path.stat().st_size
            if size > LARGEST_BYTES:
                problem = f"it has {size:,} bytes, more than {LARGEST_BYTES:,}"
            else:
                return self.path.read_bytes()
        except OSError as error:
            problem = error.strerror or str(error)
        raise CouldNotRunError(
            "The state cannot be read.",
            where=str(self.path),
            why=problem,
            fix="make the file readable, or remove it from the audit.",
        )


@dataclass(frozen=True, slots=True)
class BackendState:
    """A state in a backend that the CLI reads (object storage, Pulumi Cloud)."""

    backend: str
    stack: str

    @property
    def name(self) -> str:
        """The stack's full name."""
        return self.stack

    @property
    def found(self) -> bool:
        """Never: the backend says that it is a state."""
        return False

    def read(self) -> bytes:
        """Export the stack, its secrets closed.

        Raises:
            CouldNotRunError: the CLI cannot export it.
        """
        return _pulumi(self.backend, "stack", "export", "--stack", self.stack)


@dataclass(frozen=True, slots=True)
class ReadState:
    """A state that was read already, for a worker that does not see the files."""

    name: str
    body: bytes
    found: bool = False

    def read(self) -> bytes:
        """Return the state."""
        return self.body


def states_in(paths: Iterable[Path]) -> list[FileState]:
    """Find the states in files and folders: sorted by path, each once.

    A folder that holds `.pulumi/stacks` is a self-managed backend: the current states of its stacks are
    taken, and none of its history. Of any other folder every `*.json` and `*.json.gz` below it is.

    Raises:
        CouldNotRunError: a path does not exist, or a folder has no state.
    """
    states: dict[Path, FileState] = {}
    for path in paths:
        if path.is_file():
            states[path] = FileState(path)
            continue
        inside = [*_in_folder(path)]
        if not inside:
            raise CouldNotRunError(
                "There is no state.",
                where=str(path),
                why="a path that was asked for and holds nothing must not look audited.",
                fix="name an exported state, a folder of such, or the folder of a self-managed backend.",
            )
        for state in inside:
            states.setdefault(state.path, state)
    return [states[path] for path in sorted(states)]


def _in_folder(folder: Path) -> Iterator[FileState]:
    backend = next(
        (
            stacks
            for stacks in (folder / ".pulumi" / "stacks", folder / "stacks")
            if stacks.is_dir() and stacks.parent.name == ".pulumi"
        ),
        None,
    )
    for path in (backend or folder).rglob("*"):
        if path.name.endswith(SUFFIXES) and path.is_file():
            yield FileState(path, found=backend is None)


def states_of(backend: str) -> list[BackendState]:
    """List the stacks of a backend.

    Raises:
        CouldNotRunError: the CLI cannot list them, or there are none.
    """
    body = _pulumi(backend, "stack", "ls", "--all", "--json")
    try:
        names = [text(mapping(one).get("name")) for one in sequence(json.loads(body))]
    except ValueError:
        names = []
    if not names:
        raise no_stack(backend)
    return [BackendState(backend, name) for name in sorted(names)]


def no_stack(backend: str) -> CouldNotRunError:
    """Say that a backend has no stack."""
    return CouldNotRunError(
        "The backend has no stack.",
        where=backend,
        why="a backend that was asked for and holds nothing must not look audited.",
        fix="correct the address after --backend; `pulumi stack ls --all` shows what is there.",
    )


def _pulumi(backend: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            [find_engine(), *arguments, "--non-interactive", "--color", "never"],
            env={**quiet_environment(), "PULUMI_BACKEND_URL": backend},
            cwd=Path.home(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_EXPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CouldNotRunError(
            "The backend does not answer.",
            where=backend,
            why=f"`pulumi {' '.join(arguments)}` did not end within {_EXPORT_SECONDS} s.",
            fix="check the connection, then run the audit again; what is done is kept.",
        ) from error
    if done.returncode != 0:
        one = "--stack" in arguments
        where = f"backend {backend}" + (f", stack {arguments[-1]}" if one else "")
        failure = could_not_run(EventLog(), done.stderr.decode(errors="replace"), where=where)
        if failure.what != UNKNOWN_CAUSE:
            raise failure
        raise CouldNotRunError(
            "The stack cannot be exported." if one else "The backend cannot be listed.",
            where=where,
            why="the CLI cannot read it; nothing is known of what it holds.",
            fix="correct what the CLI reports below. A torn state keeps the CLI from listing all the others: "
            "audit a copy of the backend's folder instead.",
            details=failure.details,
        )
    return done.stdout

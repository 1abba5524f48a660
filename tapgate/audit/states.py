"""Where states come from: files, folders, self-managed backends, and any backend that the CLI reads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tapgate.diagnose import UNKNOWN_CAUSE, could_not_run
from tapgate.engine import find_engine, quiet_environment
from tapgate.events import EventLog
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence, text

# Beyond this a state would not fit a worker's memory, several times over.
LARGEST_BYTES: Final = 512 * 1024 * 1024
SUFFIXES: Final = (".json", ".json.gz", ".json.zst")
_EXPORT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class State:
    """The state of one stack, not read yet; it can be sent to another process.

    Attributes:
        name: the file, or the stack's full name.
        read: reads it; raises `CouldNotRunError` when it cannot be read.
        discovered: it was found in a folder, where other files may be as well, and not named.
    """

    name: str
    read: Callable[[], bytes]
    discovered: bool = False


def file_state(path: Path, *, discovered: bool = False) -> State:
    """Return the state in a file."""
    return State(str(path), partial(_read_file, path), discovered)


def _read_file(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            problem = f"it has {size:,} bytes, more than {LARGEST_BYTES:,}"
        else:
            return path.read_bytes()
    except OSError as error:
        problem = error.strerror or str(error)
    raise CouldNotRunError(
        "The state cannot be read.",
        where=str(path),
        why=problem,
        fix="make the file readable, or remove it from the audit.",
    )


def backend_state(backend: str, stack: str) -> State:
    """Return the state of a stack by its full name, as the CLI exports it, its secrets closed."""
    return State(stack, partial(_pulumi, backend, "stack", "export", "--stack", stack))


def states_in(paths: Iterable[Path]) -> list[State]:
    """Find the states in files and folders: sorted by path, each once.

    A folder that holds `.pulumi/stacks` is a self-managed backend: the current states of its stacks are
    taken, and none of its history. Of any other folder every file below it with one of `SUFFIXES` is.

    Raises:
        CouldNotRunError: a path does not exist, or a folder has no state.
    """
    states: dict[Path, State] = {}
    for path in paths:
        if path.is_file():
            states[path] = file_state(path)
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
            states.setdefault(Path(state.name), state)
    return [states[path] for path in sorted(states)]


def _in_folder(folder: Path) -> Iterator[State]:
    stacks = (folder / ".pulumi" / "stacks", folder / "stacks")
    backend = next((one for one in stacks if one.is_dir() and one.parent.name == ".pulumi"), None)
    for path in (backend or folder).rglob("*"):
        if path.name.endswith(SUFFIXES) and path.is_file():
            yield file_state(path, discovered=backend is None)


def states_of(backend: str) -> list[State]:
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
    return [backend_state(backend, name) for name in sorted(names)]


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

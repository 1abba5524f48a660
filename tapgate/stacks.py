"""Runs something on a stack that must be known, and leaves neither a stack nor a changed config file behind.

The engine writes an encryption salt into `Pulumi.<stack>.yaml` when a stack is created and whenever it runs
with a passphrase; here it writes into a copy.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from tapgate.events import EventLog
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sanitized, sequence, text
from tapgate.project import Project, check_stack_config, check_stack_name, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tapgate.engine import Engine, Run

Result = TypeVar("Result")

# Stacks of the TAP deployment are named after their environment suffix and need no config file.
_TAP_STACK: Final = re.compile(r"TapStack[A-Za-z0-9-]*")
_NOT_FOUND: Final = re.compile(r"no stack named .* found")
_NOT_FOUND_CODE: Final = 6
# A backend in a folder locks a stack while it is created or removed, not while it is previewed.
_LOCKED: Final = re.compile(r"stack is currently locked by")
_ATTEMPTS: Final = 8
_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack to run on.

    Attributes:
        config: a copy of its config file, which the engine may write to.
        notes: what in that copy is not as the team wrote it.
    """

    name: str
    config: Path
    notes: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """The CLI's options that name it."""
        return "--stack", self.name, "--config-file", str(self.config)


class EmbeddedBackend(Protocol):
    """A backend of the gate's own: its stacks are files, and no secret of the team's can be opened there."""

    def has(self, project: str, name: str) -> bool:
        """Say whether a stack is there."""
        ...

    def create(self, project: str, name: str) -> bool:
        """Create a stack, empty; False when it is there already."""
        ...

    def remove(self, project: str, name: str) -> None:
        """Remove a stack, unless it has resources."""
        ...

    def names(self, project: str) -> Sequence[str]:
        """Return the names of a project's stacks."""
        ...

    def moved_into(self, folder: Path) -> Mapping[str, str]:
        """Go on with a copy in a folder, if that is needed; returns the variables that name it."""
        ...

    def config(self, file: Path, project_file: Path) -> tuple[str, Sequence[str]]:
        """Return the text of a config file as this backend can use it, and notes on what was replaced."""
        ...


class NoSuchStackError(Exception):
    """The backend does not have the stack."""


def raise_if_missing(run: Run) -> None:
    """Tell a run that failed because the backend does not have the stack from every other.

    Raises:
        NoSuchStackError: it does not.
    """
    if run.code == _NOT_FOUND_CODE or (run.code != 0 and _NOT_FOUND.search(run.errors)):
        raise NoSuchStackError


def on_stack(
    engine: Engine,
    project: Project,
    name: str,
    action: Callable[[Stack], Result],
    *,
    keep: Callable[[Result], bool] = lambda _: False,
    embedded: EmbeddedBackend | None = None,
    notes: Sequence[str] = (),
) -> Result:
    """Run something on a stack; one that the project knows and the backend does not is created first.

    A stack that was created here is removed again when the action cannot run or its result is not to be kept
    (the engine itself refuses to remove a stack that has resources).

    Args:
        engine: the CLI, bound to the project.
        project: the project.
        name: the stack.
        action: what to do; raises NoSuchStackError when the backend does not have the stack.
        keep: whether a stack that was created here stays.
        embedded: the backend, where it is the gate's own.
        notes: what whoever reads a verdict on the stack must know.

    Raises:
        CouldNotRunError: no one knows the stack, or the action could not run.
    """
    check_stack_name(name)
    check_stack_config(project, name)
    stack = _with_copied_config(engine, project, name, embedded, notes)
    try:
        if embedded is None or embedded.has(project.name, name):
            return action(stack)
    except NoSuchStackError:
        pass
    _require_known(engine, project, name, embedded)
    for left in reversed(range(_ATTEMPTS)):
        if embedded is None:
            created = _create(engine, project, name, patient=left > 0)
        else:
            created = embedded.create(project.name, name)
        stays = not created
        try:
            result = action(stack)
            stays = stays or keep(result)
        except NoSuchStackError:
            # Another run had created it for itself and removed it again, or is creating it just now.
            stays = True
            time.sleep(_PAUSE_SECONDS)
        else:
            return result
        finally:
            if not stays and embedded is None:
                _remove(engine, name)
            elif not stays and embedded is not None:
                embedded.remove(project.name, name)
    raise CouldNotRunError(
        f"The stack {name!r} was removed while the gate worked on it.",
        where=f"project {project.name} ({project.file})",
        why="other runs create the same stack for themselves and remove it again.",
        fix="run it again when they have ended, or give each run its own PULUMI_BACKEND_URL.",
    )


def _with_copied_config(
    engine: Engine, project: Project, name: str, embedded: EmbeddedBackend | None, notes: Sequence[str]
) -> Stack:
    source, copy = project.stack_file(name), engine.scratch / "stack.yaml"
    if embedded is not None:
        text, more = embedded.config(source, project.file)
        notes = (*notes, *more)
    else:
        text = source.read_text(encoding="utf-8") if source.is_file() else ""
    copy.write_text(text, encoding="utf-8")
    return Stack(name, copy, tuple(notes))


def _create(engine: Engine, project: Project, name: str, *, patient: bool) -> bool:
    """Create the stack, its config file put back as it was; False when another run did so, or is at it."""
    file = project.stack_file(name)
    before = file.read_bytes() if file.is_file() else None
    provider = text(read_yaml(file, "stack's config file").get("secretsprovider")) if before else ""
    try:
        secrets = ["--secrets-provider", provider] if provider else []
        run = engine.run("stack", "init", "--no-select", *secrets, "--stack", name, name="stack-init")
    finally:
        if before is not None:
            file.write_bytes(before)
        else:
            file.unlink(missing_ok=True)
    if run.code == 0:
        return True
    if "already exists" in run.errors or (patient and _LOCKED.search(run.errors)):
        return False
    raise _failed(run, f"project {project.name}, stack {name}")


def _failed(run: Run, where: str) -> CouldNotRunError:
    from tapgate.diagnose import could_not_run  # noqa: PLC0415 - only of a run that failed

    return could_not_run(EventLog(), run.errors, where=where, interrupted=run.interrupted)


def _remove(engine: Engine, name: str) -> None:
    for _ in range(_ATTEMPTS):
        run = engine.run("stack", "rm", "--yes", "--preserve-config", "--stack", name, name="stack-rm")
        if not _LOCKED.search(run.errors):
            return
        time.sleep(_PAUSE_SECONDS)


def _require_known(engine: Engine, project: Project, name: str, embedded: EmbeddedBackend | None) -> None:
    """Refuse a stack that no one knows, so that a misspelt name does not become an empty new stack.

    A project that has no stack yet, neither in a file nor in the backend, has none to misspell.
    """
    if project.stack_file(name).is_file() or _TAP_STACK.fullmatch(name):
        return
    listed = _listed(engine, project) if embedded is None else embedded.names(project.name)
    known = sorted({*project.known_stacks(), *listed})
    if not known or name in known:
        return
    listed_names = ", ".join(map(sanitized, known)) or "(none)"
    raise CouldNotRunError(
        f"There is no stack {name!r}.",
        where=f"project {project.name} ({project.file})",
        why="no config file and no backend knows it; a misspelt name must not become a new stack.",
        fix=f"use one of: {listed_names}; or add {project.stack_file(name).name}.",
    )


def _listed(engine: Engine, project: Project) -> list[str]:
    listed = engine.run("stack", "ls", "--json", name="stack-ls")
    if listed.code != 0:
        raise _failed(listed, f"project {project.name} ({project.file})")
    try:
        stacks = sequence(json.loads(listed.output.read_text(encoding="utf-8")))
    except ValueError:
        return []
    return [text(mapping(stack).get("name")) for stack in stacks]

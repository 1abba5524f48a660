"""The rehearsal: `up` of the program on stand-ins, in a backend that is thrown away.

The program runs as it will at the deployment, so that every value is there that can be known before it.
Nothing is created anywhere. See docs/decisions/0012-rehearsal.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tapgate.analyzer.deployment import read_deployment
from tapgate.analyzer.rehearsed import without_marks
from tapgate.diagnose import could_not_run
from tapgate.document import mapping
from tapgate.engine import Engine
from tapgate.failure import CouldNotRunError
from tapgate.preview import read_log
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.analyzer.deployment import Deployment
    from tapgate.engine import Limits, Running
    from tapgate.project import Project
    from tapgate.stacks import Stack

_CIPHERTEXT = b'"ciphertext"'


class Stage(Protocol):
    """Where a rehearsal takes place."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of engine, program and plug-ins."""
        ...

    @property
    def config(self) -> Path:
        """The stack's config file as it can be used there."""
        ...

    @property
    def state(self) -> Path:
        """The file in which the engine leaves the stack's state."""
        ...


class Theatre(Protocol):
    """Sets the stage: who knows the stand-ins."""

    def stage(self, folder: Path, project: str, stack: str, file: Path, project_file: Path) -> Stage:
        """Prepare a backend with the stack, empty, and the environment around it.

        Args:
            folder: where; it goes with the session.
            project: the project's name.
            stack: the stack's own name.
            file: the stack's config file, which need not exist.
            project_file: the project's file.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal that came to its end.

    Attributes:
        deployment: the state that it left, what nobody can know before the deployment being unknown.
        config: the `config` block of the stack's file.
        seconds: how long it took.
    """

    deployment: Deployment
    config: Mapping[str, object]
    seconds: float


class Rehearsal:
    """A rehearsal under way.

    Args:
        project: the project.
        stack: the stack.
        stage: where it takes place.
        scratch: an existing folder for what the engine writes.
        limits: what it may use.
    """

    def __init__(self, project: Project, stack: Stack, stage: Stage, scratch: Path, limits: Limits) -> None:
        self._project = project
        self._stack = stack
        self._stage = stage
        self._engine = Engine(project.folder, scratch, variables=stage.variables)
        self._events = scratch / "rehearsal.events"
        self._limits = limits
        name = stack.name.rsplit("/", 1)[-1]
        self._target = ("--stack", name, "--config-file", str(stage.config))
        self.running: Running = self._engine.begin(
            "up",
            *self._target,
            "--yes",
            "--skip-preview",
            "--suppress-outputs",
            "--event-log",
            str(self._events),
            name="rehearsal",
            limits=limits,
        )

    def finish(self) -> Rehearsed:
        """Wait for its end.

        Raises:
            CouldNotRunError: it did not come to its end.
        """
        run = self._engine.wait(self.running)
        log = read_log(self._events)
        if run.interrupted or run.code != 0 or log.errors():
            where = f"project {self._project.name}, stack {self._stack.name}, in the rehearsal"
            raise could_not_run(log, run.errors, where=where, interrupted=run.interrupted)
        body = self._stage.state.read_bytes()
        if _CIPHERTEXT in body:
            body = self._opened()
        deployment = read_deployment(body, "the state of the rehearsal")
        if not deployment.resources:
            deployment = replace(deployment, project=self._project.name, stack=self._target[1])
        config = read_yaml(self._stage.config, "stack's config file")
        return Rehearsed(without_marks(deployment), mapping(config.get("config")), run.seconds)

    def _opened(self) -> bytes:
        """Return the state with its secrets open; they are under the stand-in's passphrase."""
        run = self._engine.run(
            "stack", "export", *self._target[:2], "--show-secrets", name="rehearsed", limits=self._limits
        )
        if run.code != 0:
            raise CouldNotRunError(
                "The state of the rehearsal cannot be read.",
                where=f"project {self._project.name}, stack {self._stack.name}",
                why="its secrets do not open, so no policy can judge them.",
                fix="run it again; if that does not help, report a bug of the gate.",
                details=tuple(run.errors.splitlines()[-5:]),
            )
        return run.output.read_bytes()

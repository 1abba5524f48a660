"""Where rehearsals take place: the stand-ins in rehearsal mode, and a backend that is thrown away."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.embedded.environment import applied, rehearsal_changes
from tapgate.embedded.places import make_folder
from tapgate.embedded.stack_files import embedded
from tapgate.embedded.stacks import EmbeddedStacks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one rehearsal takes place.

    Attributes:
        variables: The environment of engine, program and plug-ins.
        config: The stack's file as it can be used there.
        state: The file in which the engine leaves the stack's state.
    """

    variables: Mapping[str, str]
    config: Path
    state: Path


class Theatre:
    """Sets stages for rehearsals, whatever the environment is prepared for."""

    def stage(self, folder: Path, project: str, stack: str, file: Path, project_file: Path) -> Stage:
        """Prepare a backend with the stack, empty, and the environment around it.

        Args:
            folder: Where; it goes with the session.
            project: The project's name.
            stack: The stack's own name.
            file: The stack's config file, which need not exist.
            project_file: The project's file.
        """
        backend = EmbeddedStacks(make_folder(folder / "backend"))
        backend.create(project, stack)
        config = folder / "stack.yaml"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        config.write_text(embedded(text, project_file.read_text(encoding="utf-8")).text, encoding="utf-8")
        changes = rehearsal_changes(os.environ, folder / "backend", make_folder(folder / "tmp"))
        return Stage(applied(changes, os.environ), config, backend.path(project, stack))

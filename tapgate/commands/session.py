"""What `preview` and `deploy` share: one project, its packs, one engine, and the screen."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.description import describe
from tapgate.engine import Engine
from tapgate.packs import requested_packs, require_known
from tapgate.preview import IncompleteError, preview
from tapgate.progress import Progress
from tapgate.project import find_project
from tapgate.reports import policies_of
from tapgate.terminal import Ink, finding_lines, report_lines, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

    from tapgate.packs import RequestedPack
    from tapgate.preview import Preview
    from tapgate.project import Project
    from tapgate.stacks import EmbeddedBackend, Stack


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command on a stack.

    Attributes:
        project: the project.
        packs: the packs to evaluate.
        engine: the CLI, bound to the project; its scratch folder lives as long as the session.
        progress: the line that shows that the engine is at work.
        allow_empty: accept that no policy applied to anything.
        ink: what standard output can show.
        embedded: the backend, where it is the gate's own.
    """

    project: Project
    packs: list[RequestedPack]
    engine: Engine
    progress: Progress
    allow_empty: bool
    ink: Ink
    embedded: EmbeddedBackend | None

    def preview(self, stack: Stack, plan: Path | None = None) -> Preview:
        """Preview a stack and print the verdict; of a run that failed, what policies had found until then.

        Args:
            stack: the stack.
            plan: where to save the plan.

        Raises:
            CouldNotRunError: there is no verdict.
            NoSuchStackError: the backend does not have the stack.
        """
        try:
            result = preview(
                self.engine,
                self.project,
                stack,
                self.packs,
                allow_empty=self.allow_empty,
                plan=plan,
                watch=self.progress.watch,
            )
        except IncompleteError as failure:
            self.progress.clear()
            for finding in failure.report.findings:
                write([*finding_lines(finding, self.ink), ""], sys.stdout)
            raise
        self.progress.clear()
        for pack in self.packs:
            seen = {tally.policy for tally in result.report.tallies if not tally.disabled}
            unseen = pack.configured - seen
            if unseen:
                require_known(pack, unseen, {info.policy for info in policies_of(describe(pack))})
        write(report_lines(result.report, self.ink), sys.stdout)
        return result


@contextmanager
def session(options: argparse.Namespace) -> Generator[Session]:
    """Open the session that `add_stack_options` describes.

    Raises:
        CouldNotRunError: no project, no pack or no CLI.
    """
    project = find_project(cast("Path", options.project))
    packs = requested_packs(options.policy_pack, options.policy_pack_config)
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch, Progress(sys.stderr) as progress:
        yield Session(
            project=project,
            packs=packs,
            engine=Engine(project.folder, Path(scratch)),
            progress=progress,
            allow_empty=cast("bool", options.allow_empty),
            ink=Ink.for_stream(sys.stdout),
            embedded=cast("EmbeddedBackend | None", options.embedded),
        )

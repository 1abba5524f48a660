"""What `preview` and `deploy` share: one project, its packs, one engine, the rehearsal, and the screen."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.assemble import build_report
from tapgate.description import describe
from tapgate.engine import Engine, Limits
from tapgate.evidence import require_evaluated
from tapgate.judging import judge
from tapgate.packs import requested_packs, require_known
from tapgate.preview import IncompleteError, preview
from tapgate.progress import Progress
from tapgate.project import check_choices, find_project
from tapgate.rehearsal import Rehearsal
from tapgate.reports import policies_of
from tapgate.settling import settled
from tapgate.terminal import Ink, finding_lines, report_lines, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Sequence

    from tapgate.findings import Report
    from tapgate.packs import RequestedPack
    from tapgate.preview import Preview
    from tapgate.project import Project
    from tapgate.rehearsal import Rehearsed, Theatre
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
        theatre: sets the stage for rehearsals.
        limits: what a preview or rehearsal may use.
        notes: what whoever reads a verdict of this session must know.
    """

    project: Project
    packs: list[RequestedPack]
    engine: Engine
    progress: Progress
    allow_empty: bool
    ink: Ink
    embedded: EmbeddedBackend | None
    theatre: Theatre
    limits: Limits
    notes: tuple[str, ...] = ()

    def preview(self, stack: Stack, plan: Path | None = None) -> Preview:
        """Preview and rehearse a stack, judge what came of it, and print the verdict.

        Of a run that failed, what policies had found until then is printed.

        Args:
            stack: the stack.
            plan: where to save the plan.

        Raises:
            CouldNotRunError: there is no verdict.
            NoSuchStackError: the backend does not have the stack.
        """
        rehearsal = self.rehearse(stack)
        try:
            previewed = preview(
                self.engine,
                self.project,
                stack,
                self.packs,
                plan=plan,
                watch=self.progress.watch,
                limits=self.limits,
            )
            rehearsed = rehearsal.finish()
        except IncompleteError as failure:
            self.progress.clear()
            for finding in failure.report.findings:
                write([*finding_lines(finding, self.ink), ""], sys.stdout)
            raise
        finally:
            rehearsal.running.end()
        result = replace(previewed, report=self._settled(previewed, rehearsed), rehearsed=rehearsed)
        self.progress.clear()
        for pack in self.packs:
            seen = {tally.policy for tally in result.report.tallies if not tally.disabled}
            unseen = pack.configured - seen
            if unseen:
                require_known(pack, unseen, {info.policy for info in policies_of(describe(pack))})
        write(report_lines(result.report, self.ink), sys.stdout)
        return result

    def rehearse(self, stack: Stack) -> Rehearsal:
        """Begin a rehearsal of a stack."""
        name = stack.name.rsplit("/", 1)[-1]
        folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=self.engine.scratch))
        file = self.project.stack_file(stack.name)
        stage = self.theatre.stage(folder, self.project.name, name, file, self.project.file)
        return Rehearsal(self.project, stack, stage, folder, self.limits)

    def _settled(self, previewed: Preview, rehearsed: Rehearsed) -> Report:
        """Return the verdict: what the rehearsal's state is like, and what the preview alone has seen."""
        start = time.monotonic()
        log = judge(rehearsed.deployment, self.packs, rehearsed.config)
        require_evaluated(log, self.packs, allow_empty=self.allow_empty)
        report = build_report(
            log,
            project=self.project.name,
            stack=previewed.report.stack,
            requested=self.packs,
            locate=previewed.locate,
            seconds=max(previewed.report.seconds, rehearsed.seconds) + time.monotonic() - start,
        )
        return settled(previewed.report, report, log.declared)


def _unused_pack(project: Project, packs: Sequence[RequestedPack]) -> list[str]:
    """Say so when the project brings a pack of its own that nobody named."""
    own = project.folder / "policypack"
    if not (own / "PulumiPolicy.yaml").is_file() or any(pack.folder.samefile(own) for pack in packs):
        return []
    return ["the project's own policypack/ is not evaluated; name it with --policy-pack to have it so"]


@contextmanager
def session(options: argparse.Namespace) -> Generator[Session]:
    """Open the session that `add_stack_options` describes.

    Raises:
        CouldNotRunError: no project, no pack or no CLI.
    """
    project = find_project(cast("Path", options.project))
    check_choices(project, cast("list[str]", options.allow_in_project))
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
            theatre=cast("Theatre", options.theatre),
            limits=Limits(seconds=cast("float", options.timeout)),
            notes=(*cast("tuple[str, ...]", options.notes), *_unused_pack(project, packs)),
        )

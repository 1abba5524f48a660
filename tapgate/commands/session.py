"""What the commands on a stack share: options, one project, its packs, one engine, the reports."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate import sandbox
from tapgate.engine import LIMIT_SECONDS, Engine, Limits
from tapgate.findings import CouldNotRunError
from tapgate.floor import read_floor
from tapgate.packs import policies, requested_packs
from tapgate.project import OPERATORS_CHOICES, check_choices, find_project
from tapgate.rehearsal import Rehearsal
from tapgate.reports.writing import write as write_files
from tapgate.terminal import Ink, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from tapgate.findings import Report
    from tapgate.floor import Floor
    from tapgate.packs import RequestedPack
    from tapgate.project import Project
    from tapgate.rehearsal import Theatre
    from tapgate.reports.controls import PolicyInfo
    from tapgate.reports.verdict_file import Command
    from tapgate.reports.writing import Targets
    from tapgate.stacks import EmbeddedBackend, Stack

_LONGEST: Final = 7 * 24 * 3600


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Declare which project, stack and packs a command works on."""
    parser.add_argument("--stack", "-s", default="dev", help="the stack (default: dev)")
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    add_pack_options(parser)
    parser.add_argument(
        "--allow-in-project",
        action="append",
        choices=tuple(OPERATORS_CHOICES),
        default=[],
        metavar="KEY",
        help=f"let the project decide this itself; one of: {', '.join(OPERATORS_CHOICES)}",
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="make the environment of a Python program as its project asks for it (pip, uv, poetry), "
        "in the cache, once",
    )
    parser.add_argument(
        "--before",
        action="append",
        default=[],
        metavar="COMMAND",
        help="run a build step in the project's folder first; may be given several times",
    )
    parser.add_argument(
        "--allow-empty", action="store_true", help="pass as well when no policy applies to any resource"
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="what functions, other stacks, environments and existing resources answer (docs/org-wide.md); "
        "what is not in it stands in",
    )
    parser.add_argument(
        "--sandbox",
        choices=sandbox.MODES,
        default="auto",
        help="run engine, program and plug-ins of preview and rehearsal in bubblewrap: where it works, "
        "always (else exit code 2), or not at all (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=LIMIT_SECONDS,
        metavar="SECONDS",
        help="end a preview or rehearsal that takes longer (default: %(default).0f)",
    )


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0
    if not 0 < seconds < _LONGEST:
        raise argparse.ArgumentTypeError(
            f"found: {word}. Required: seconds, more than 0 and less than {_LONGEST}"
        )
    return seconds


def add_pack_options(parser: argparse.ArgumentParser) -> None:
    """Declare which packs a command evaluates."""
    parser.add_argument(
        "--policy-pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a policy pack; may be given several times (default: the one that comes with tapgate)",
    )
    parser.add_argument(
        "--policy-pack-config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="config of the pack at the same place in the order, JSON or YAML; of the pack that the "
        "guardrails configure, it may only tighten",
    )
    parser.add_argument(
        "--guardrails",
        type=Path,
        metavar="DIR",
        help="the operator's folder with policy-config.yaml or .json, waivers.yaml and allow.yaml "
        "(default: the one that comes with tapgate)",
    )
    parser.add_argument(
        "--team-config",
        type=Path,
        metavar="FILE",
        help="a team's config, JSON or YAML: may only tighten what the guardrails set",
    )


def packs_of(options: argparse.Namespace, floor: Floor) -> list[RequestedPack]:
    """Return the packs that `add_pack_options` describes, configured by the guardrails."""
    return requested_packs(
        cast("list[Path]", options.policy_pack),
        cast("list[Path]", options.policy_pack_config),
        floor,
        cast("Path | None", options.team_config),
    )


def write_reports(
    command: Command, reports: Sequence[Report], packs: Sequence[RequestedPack], targets: Targets
) -> None:
    """Write the report files.

    Args:
        command: the command.
        reports: the verdicts.
        packs: the packs that gave them; each is started once to describe its policies. One that does not
            describe them costs the reports their titles and controls, not the verdict.
        targets: the files; none asks for nothing.

    Raises:
        CouldNotRunError: a file cannot be written.
    """
    if not targets.files:
        return
    from tapgate.reports.verdict_file import VerdictFile  # noqa: PLC0415 - a run without reports does without

    described = [info for pack in packs for info in _described(pack)]
    write_files(VerdictFile.of(command, reports, policies=described, made=datetime.now(UTC)), targets)


def _described(pack: RequestedPack) -> tuple[PolicyInfo, ...]:
    try:
        return policies(pack)
    except CouldNotRunError:
        return ()


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command on a stack.

    Attributes:
        engine: the CLI, bound to the project; its scratch folder lives as long as the session.
        box: where rehearsals run, and previews that reach nothing; None for beside everything else.
        sandbox: the same in words.
        unused_answers: notes on what in an answers file nothing asked for, given the messages of a rehearsal.
        notes: what whoever reads a verdict of this session must know.
        offline: whether nothing of a preview reaches AWS, so that it has the stand-ins of the rehearsal.
    """

    project: Project
    packs: list[RequestedPack]
    engine: Engine
    progress: Progress
    allow_empty: bool
    ink: Ink
    embedded: EmbeddedBackend | None
    theatre: Theatre
    unused_answers: Callable[[Iterable[str]], Sequence[str]] | None
    box: sandbox.Sandbox | None = None
    sandbox: str = ""
    notes: tuple[str, ...] = ()
    offline: bool = False

    def rehearse(self, stack: Stack, existing: Sequence[str] = ()) -> Rehearsal:
        """Begin a rehearsal of a stack; of what the program only tries, some may find something."""
        name = stack.name.rsplit("/", 1)[-1]
        # Beside the preview's folder, which the program may write to.
        folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=self.engine.scratch.parent))
        file = self.project.stack_file(stack.name)
        stage = self.theatre.stage(folder, self.project.name, name, file, self.project.file, existing)
        return Rehearsal(self.project, stack, stage, folder, self.engine.limits, self.box)


def _build(project: Project, commands: Sequence[str]) -> None:
    """Run the build steps, which the caller names, never the project; what they print is not the verdict."""
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode:
            raise CouldNotRunError(
                "The build step failed.",
                where=f"{command}, in {project.folder}",
                why=f"it ended with exit code {done.returncode}, and what it makes may be deployed.",
                fix="correct it until it succeeds in that folder, or leave --before out.",
            )


def _own_rules(project: Project, packs: Sequence[RequestedPack], guardrails: Path | None) -> Iterator[str]:
    """Say so when the project brings a pack that no one named, or the guardrails that were."""
    own = project.folder / "policypack"
    if (own / "PulumiPolicy.yaml").is_file() and not any(pack.folder.samefile(own) for pack in packs):
        yield "the project's own policypack/ is not evaluated; name it with --policy-pack to have it so"
    if guardrails is not None and project.folder.resolve() in guardrails.resolve().parents:
        yield "the guardrails lie in the project that they are for: whoever changes the one changes the other"


@contextmanager
def session(options: argparse.Namespace) -> Generator[Session]:
    """Open the session that `add_stack_options` describes.

    Raises:
        CouldNotRunError: no project, no pack or no CLI.
    """
    project = find_project(cast("Path", options.project))
    floor = read_floor(cast("Path | None", options.guardrails))
    check_choices(project, {*cast("list[str]", options.allow_in_project), *floor.in_project})
    _build(project, cast("list[str]", options.before))
    packs = packs_of(options, floor)
    mode = cast("sandbox.Mode", options.sandbox)
    read = [*cast("Sequence[Path]", options.readable), *(pack.folder for pack in packs)]
    box, missing = sandbox.find(mode, read)
    offline = cast("bool", options.offline)
    with tempfile.TemporaryDirectory(prefix="gate-") as folder, Progress(sys.stderr) as progress:
        scratch = Path(folder, "preview")
        scratch.mkdir()
        limits = Limits(seconds=cast("float", options.timeout))
        embedded = cast("EmbeddedBackend | None", options.embedded)
        # In the sandbox only the scratch folder can be written to.
        moved: Mapping[str, str] | None = (
            embedded.moved_into(scratch) if embedded and box and offline else None
        )
        yield Session(
            project=project,
            packs=packs,
            engine=Engine(
                project.folder,
                scratch,
                variables={**os.environ, **moved} if moved else None,
                limits=limits,
                box=box if offline else None,
            ),
            progress=progress,
            allow_empty=cast("bool", options.allow_empty),
            ink=Ink.for_stream(sys.stdout),
            embedded=embedded,
            theatre=cast("Theatre", options.theatre),
            unused_answers=cast("Callable[[Iterable[str]], Sequence[str]] | None", options.unused_answers),
            box=box,
            sandbox=sandbox.described(box, missing, preview=offline),
            notes=(
                *cast("tuple[str, ...]", options.notes),
                *_own_rules(project, packs, cast("Path | None", options.guardrails)),
                *sandbox.notes(mode, box, missing, os.environ),
            ),
            offline=offline,
        )

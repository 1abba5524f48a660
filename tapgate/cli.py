"""The command `tapgate`: the one place that joins the tool and the embedded environment."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO, cast

from tapgate.findings import CouldNotRunError, Exit
from tapgate.terminal import Ink, OutputError, failure_lines, write

if TYPE_CHECKING:
    from types import ModuleType

    from tapgate.embedded.answers import Answers
    from tapgate.embedded.environment import Aws, Changes
    from tapgate.sandbox import Mode


class Entry(NamedTuple):
    """A command: its module, what it does, and whether it needs the environment prepared.

    A module's `add_arguments` declares the command's options, and its `run` returns the exit code.
    """

    module: str
    summary: str
    prepared: bool = True


# Only the module of the command that is asked for is imported.
COMMANDS: Final = {
    "preview": Entry("tapgate.preview", "preview a stack with policy packs and print the verdict"),
    "deploy": Entry("tapgate.deploy", "preview a stack and, if it passes, deploy exactly that"),
    "answers": Entry(
        "tapgate.commands.answers", "record what functions, stacks and existing resources answer"
    ),
    "audit": Entry("tapgate.audit.command", "evaluate policy packs over the states of many stacks"),
    "report": Entry("tapgate.reports.command", "render reports from saved verdicts", prepared=False),
    "doctor": Entry("tapgate.doctor", "list what is installed, what is missing and how to get it"),
    "init": Entry("tapgate.commands.init", "write the gate's job and hook for a project", prepared=False),
    "publishable": Entry("tapgate.publishing", "check whether a policy pack can be published"),
    "env": Entry(
        "tapgate.embedded.prepare",
        'print the prepared environment for a shell: eval "$(tapgate env)"',
        prepared=False,
    ),
    "exec": Entry(
        "tapgate.embedded.run",
        "run a command in the prepared environment: exec -- COMMAND ...",
        prepared=False,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 passed, 1 blocked by policy, 2 could not run, 3 stopped after something was changed.
    """
    if arguments is None:
        # The process is the command's: it ends before any cycles are worth looking for, and when it does.
        gc.set_threshold(100_000)
        atexit.register(gc.freeze)
    _require_streams()
    try:
        return _main(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return 130


def _main(given: list[str]) -> int:
    parser, parsers = _parsers()
    entry = COMMANDS.get(given[0]) if given else None
    command: ModuleType | None = None
    if entry is not None:
        command = importlib.import_module(entry.module)
        command.add_arguments(parsers[given[0]])
        if entry.prepared:
            _add_aws(parsers[given[0]])
    try:
        try:
            options = parser.parse_args(given)
            if command is None or entry is None:
                parser.error("the command comes first")
        except SystemExit:
            # What argparse said may be held back still, and no one may be there to read it.
            write([], sys.stdout)
            write([], sys.stderr)
            raise
        try:
            code = _run(command, entry, options)
        except CouldNotRunError as failure:
            write(failure_lines(failure, Ink.for_stream(sys.stderr)), sys.stderr)
            code = failure.code
        write([], sys.stdout)
    except (OutputError, BrokenPipeError) as error:
        return _unheard(error)
    return code


def _require_streams() -> None:
    """Have a stream for every output; one that was closed at the start is None to Python."""
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdout = _unheard_stream()


def _unheard_stream() -> TextIO:
    """Return a stream whose every writer is told that no one hears it."""
    full = Path("/dev/full")
    if full.exists():
        return full.open("w", encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8")


def _unheard(error: Exception) -> int:
    """Say, if that can be heard, that no one can read the verdict; what is not written yet is dropped."""
    with contextlib.suppress(OutputError):
        sentence = f"COULD NOT RUN  The verdict cannot be written: {error}."
        write([sentence, "  fix       give the output a place to go to."], sys.stderr)
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(nowhere, number)
    return Exit.COULD_NOT_RUN


def _run(command: ModuleType, entry: Entry, options: argparse.Namespace) -> int:
    if entry.module.startswith("tapgate.embedded."):
        from tapgate.engine import take_out_steering  # noqa: PLC0415 - `report` does without

        before = set(os.environ)
        write([f"tapgate: {note}" for note in take_out_steering(os.environ)], sys.stderr)
        options.left_out = sorted(before - set(os.environ))
        with _told_alike():
            return command.run(options)
    if entry.prepared:
        with _told_alike():
            _prepare(options, build=entry is not COMMANDS["doctor"])
    return command.run(options)


def _prepare(options: argparse.Namespace, *, build: bool) -> None:
    """Make this process's environment the one that is asked for; what is prepared already stays as it is."""
    from tapgate.embedded.environment import (  # noqa: PLC0415 - `report` does without
        ANSWERS,
        MARK,
        applied,
        offline,
        seldom_collected,
    )
    from tapgate.embedded.packages import changes, find_project_file  # noqa: PLC0415
    from tapgate.embedded.paths import cache_root  # noqa: PLC0415
    from tapgate.embedded.prepare import prepare  # noqa: PLC0415
    from tapgate.embedded.stacks import EmbeddedStacks, Theatre, begin_backend  # noqa: PLC0415
    from tapgate.embedded.toolchain import require_unchanged  # noqa: PLC0415
    from tapgate.engine import take_out_steering  # noqa: PLC0415
    from tapgate.project import require_bounded  # noqa: PLC0415

    project = cast("Path", getattr(options, "project", Path()))
    if hasattr(options, "project"):
        require_bounded(project)
    options.notes = take_out_steering(os.environ)
    answers = _answers(cast("Path | None", getattr(options, "answers", None)))
    options.unused_answers = None if answers is None else answers.unused
    before = os.environ.get(MARK)
    aws = cast("Aws", options.aws or (before if before in {"embedded", "real"} else "embedded"))
    options.checks, options.engine_at_hand = [], True
    if aws != before:
        wanted = applied(prepare(aws, project) if build else _examined(aws, options), os.environ)
        os.environ.clear()
        os.environ.update(wanted)
    elif build:
        require_unchanged(os.environ.get("PATH", ""))
    file = find_project_file(project)
    if getattr(options, "install", False) and file is not None:
        _install(file, cast("Mode", options.sandbox))
    answered = {} if answers is None else answers.file.environment.environmentVariables
    if aws == "embedded" and build:
        own = {name: value for name, value in answered.items() if not name.startswith("AWS_")}
        os.environ.update(own | os.environ)
        if file is not None:
            # Have the engine find what serves the packages of the project's program.
            os.environ.update(applied(changes(file, os.environ), os.environ))
    given = [Path(os.environ[ANSWERS])] if ANSWERS in os.environ else []
    options.readable, options.offline = (cache_root(), *given), offline(os.environ)
    if options.offline and build:
        begin_backend(os.environ["PULUMI_BACKEND_URL"])
        os.environ.update(applied(seldom_collected(os.environ), {}))
        stood_in = _stand_in(file, cast("str", getattr(options, "sandbox", "auto")))
        options.notes = (*options.notes, *stood_in)
    options.embedded = EmbeddedStacks.of(os.environ)
    if getattr(options, "record", None) is not None:
        from tapgate.embedded.recording import Recorder  # noqa: PLC0415 - for those who ask for it

        options.recorder = Recorder(cast("Path", options.record))
    options.theatre = Theatre(answered)


def _answers(file: Path | None) -> Answers | None:
    """Read the answers file, if there is one, and name it to every process of the run."""
    from tapgate.embedded.environment import ANSWERS  # noqa: PLC0415 - `report` does without

    os.environ.pop(ANSWERS, None)
    if file is None:
        return None
    from tapgate.embedded.answers import read  # noqa: PLC0415 - for those who have one

    answers = read(file)
    os.environ[ANSWERS] = str(answers.path)
    return answers


def _stand_in(file: Path | None, sandbox: str) -> Iterator[str]:
    """Have variables that a project's program cannot do without stand in where nothing sets them, and say so.

    What a sandbox would keep from it stands in as well.
    """
    from tapgate.embedded.program_text import variables  # noqa: PLC0415 - `report` does without
    from tapgate.sandbox import secrets  # noqa: PLC0415

    kept = secrets(os.environ) if sandbox != "off" else ()
    wanted = variables(file) if file is not None else {}
    missing = {name: value for name, value in wanted.items() if name not in os.environ or name in kept}
    os.environ.update(missing)
    if missing:
        yield f"variables that the program reads and nothing sets stand in: {', '.join(missing)}"


def _install(file: Path, mode: Mode) -> None:
    """Have the engine run a project's program in the environment that the project asks for."""
    from tapgate import sandbox  # noqa: PLC0415 - for those who ask for it
    from tapgate.embedded import program_environment  # noqa: PLC0415
    from tapgate.embedded.environment import applied  # noqa: PLC0415
    from tapgate.embedded.paths import cache_root  # noqa: PLC0415

    def confine(
        command: list[str], folder: Path, writable: Path, variables: dict[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        box, _ = sandbox.find(mode, [cache_root()])
        if box is None:
            return command, variables
        return box.inside(command, folder, writable, variables, network=True)

    os.environ.update(applied(program_environment.changes(file, os.environ, confine), os.environ))


def _examined(aws: Aws, options: argparse.Namespace) -> Changes:
    """Prepare as far as nothing has to be installed or built, and keep what was found."""
    from tapgate.doctor import Check  # noqa: PLC0415 - for the doctor alone
    from tapgate.embedded import doctor  # noqa: PLC0415
    from tapgate.embedded.environment import changes_for  # noqa: PLC0415

    for line in [*doctor.examine(), *doctor.packages(cast("Path", options.project))]:
        status = "there" if line.there else "missing" if line.needed else "optional"
        options.checks.append(Check(line.name, status, line.found, "" if line.there else line.fix))
    cli = doctor.cli_at_hand()
    options.engine_at_hand = cli is not None
    return {} if cli is None else changes_for(aws, cli, os.environ)


@contextlib.contextmanager
def _told_alike() -> Generator[None]:
    """Tell failures of the embedded environment as all others are told."""
    from tapgate.embedded.console import Failure  # noqa: PLC0415 - `report` does without

    try:
        yield
    except Failure as failure:
        raise CouldNotRunError(
            f"{failure.what}.", where=failure.where, why=failure.why, fix=failure.fix
        ) from None
    except OSError as error:
        raise CouldNotRunError(
            f"{error.strerror or error}.",
            where=str(error.filename or ""),
            why="the environment cannot be prepared without it.",
            fix="make the file or folder usable, and run it again.",
        ) from None


def _add_aws(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--aws",
        choices=("embedded", "real"),
        help="embedded: a stand-in provider, no account; real: your own provider and backend "
        "(default: embedded, or what the environment is prepared for)",
    )


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="tapgate",
        description="Put policy packs in front of any Pulumi stack.",
        epilog="Exit codes: 0 passed or deployed, 1 blocked by policy, nothing was changed, 2 could not run, "
        "3 stopped or blocked after something was changed.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(
            name, help=entry.summary.replace("%", "%%"), description=entry.summary, allow_abbrev=False
        )
        for name, entry in COMMANDS.items()
    }
    return parser, parsers

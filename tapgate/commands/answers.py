"""`tapgate answers`."""

from __future__ import annotations

import os
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from tapgate.commands.session import add_stack_options, session
from tapgate.diagnose import could_not_run
from tapgate.engine import Engine
from tapgate.events import read_log
from tapgate.findings import CouldNotRunError, Exit
from tapgate.json_access import mapping
from tapgate.project import check_stack_name, read_yaml
from tapgate.stacks import Stack
from tapgate.terminal import write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

    from tapgate.commands.session import Session

_ROUNDS: Final = 5
"""How often a program may ask by what it was answered before."""


class Recorder(Protocol):
    """Collects questions and answers: a part of the embedded environment, which knows the stand-ins."""

    recorded: list[str]
    left: list[str]

    def questions(self, messages: Iterable[str]) -> list[Any]:
        """Return what is asked for the first time."""
        ...

    def program(
        self, folder: Path, questions: Sequence[Any], config: Mapping[str, object]
    ) -> tuple[Mapping[str, str], Path]:
        """Write a project that asks, and does nothing else; returns its environment and its state's file."""
        ...

    def take(self, questions: Sequence[Any], state: bytes) -> None:
        """Take the answers out of the state that it left."""
        ...

    def take_stack(self, question: Any, outputs: str) -> None:  # noqa: ANN401 - the recorder's own
        """Take the outputs of another stack."""
        ...

    def refuse(self, question: Any, reason: str) -> None:  # noqa: ANN401 - the recorder's own
        """Note that there is no answer."""
        ...

    def save(self) -> None:
        """Write the file."""
        ...

    def name_to(self, variables: MutableMapping[str, str], folder: Path) -> None:
        """Have the next rehearsal answered by what is known so far."""
        ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        required=True,
        help="make the answers file, or bring it up to date, with your credentials (--aws real); only reads",
    )
    add_stack_options(parser)


def run(options: argparse.Namespace) -> Exit:
    """Rehearse the program, ask what it asked, and write the answers."""
    if os.environ.get("TAP_LOCAL_AWS") != "real":
        raise CouldNotRunError(
            "No one here could answer: the embedded default has no credentials.",
            where="--aws embedded",
            why="answers are recorded from your own account and backend, by calls that only read.",
            fix="run it with --aws real where `aws sts get-caller-identity` answers, or write the "
            "file by hand: docs/org-wide.md shows its shape.",
        )
    recorder, name = cast("Recorder", options.recorder), cast("str", options.stack)
    check_stack_name(name)
    # Where rehearsals may read, in a sandbox, too.
    readable = cast("Sequence[Path]", options.readable)[0]
    with session(options) as opened, tempfile.TemporaryDirectory(prefix="answers-", dir=readable) as folder:
        failure = _record(opened, recorder, name, Path(folder))
        opened.progress.clear()
    write([*(f"  recorded  {one}" for one in recorder.recorded)], sys.stdout)
    write([*(f"  left out  {one}" for one in recorder.left)], sys.stdout)
    if not recorder.recorded and (recorder.left or failure is not None):
        raise failure or CouldNotRunError(
            "Nothing was answered.",
            where=str(options.record),
            why="the file would say nothing.",
            fix="see the reasons above; `aws sts get-caller-identity` tells whether credentials are good.",
        )
    recorder.save()
    write([f"{len(recorder.recorded)} answers in {options.record}; what is not in it stands in"], sys.stdout)
    if failure is not None:
        raise failure
    return Exit.PASSED


def _record(opened: Session, recorder: Recorder, name: str, folder: Path) -> CouldNotRunError | None:
    """Rehearse and ask until nothing new is asked; returns why the last rehearsal did not end well."""
    failure: CouldNotRunError | None = None
    file = opened.project.stack_file(name)
    config: Mapping[str, object] = {}
    if file.is_file():
        config = mapping(read_yaml(file, "stack's config file").get("config"))
    for number in range(_ROUNDS):
        recorder.name_to(os.environ, folder)
        rehearsal = opened.rehearse(Stack(name, file))
        try:
            rehearsal.finish()
            failure = None
        except CouldNotRunError as error:
            # A stand-in may be what the program fails on: the answer is what it needs.
            failure = error
        finally:
            rehearsal.running.end()
        questions = recorder.questions(
            one.message for one in read_log(rehearsal.scratch / "rehearsal.events").diagnostics
        )
        if not questions:
            return failure
        for index, (key, group) in enumerate(groupby(sorted(questions, key=_group), key=_group)):
            asked = list(group)
            if key[0]:
                for one in asked:
                    _ask_stack(opened, recorder, one)
            else:
                _ask(opened, recorder, asked, folder / f"{number}-{index}", config)
    return failure


def _group(question: Any) -> tuple[bool, str]:  # noqa: ANN401 - the recorder's own
    return question.category == "stack", str(question.region)


def _ask_stack(opened: Session, recorder: Recorder, question: Any) -> None:  # noqa: ANN401 - as above
    run = opened.engine.run("stack", "output", "--json", "--stack", str(question.of), name="outputs")
    if run.code == 0:
        recorder.take_stack(question, run.output.read_text("utf-8"))
    else:
        recorder.refuse(question, " ".join(run.errors.split()) or "the backend does not know it")


def _ask(
    opened: Session, recorder: Recorder, questions: Sequence[Any], folder: Path, config: Mapping[str, object]
) -> None:
    """Ask all at once; where that fails, each by itself, so that one does not take the others with it."""
    problem = _asked(opened, recorder, questions, folder, config)
    if problem and len(questions) > 1:
        for index, one in enumerate(questions):
            alone = _asked(opened, recorder, [one], folder / str(index), config)
            if alone:
                recorder.refuse(one, alone)
    elif problem:
        recorder.refuse(questions[0], problem)


def _asked(
    opened: Session, recorder: Recorder, questions: Sequence[Any], folder: Path, config: Mapping[str, object]
) -> str:
    """Ask, and return what is wrong; nothing when all was answered."""
    variables, state = recorder.program(folder, questions, config)
    engine = Engine(folder, folder, variables=variables, limits=opened.engine.limits)
    run = engine.run(
        *("up", "--yes", "--skip-preview", "--stack", "reads", "--suppress-outputs"),
        *("--event-log", str(folder / "events")),
        name="up",
        limits=engine.limits,
    )
    log = read_log(folder / "events")
    if run.code != 0 or log.errors():
        failure = could_not_run(log, run.errors, where=str(folder), interrupted=run.interrupted, packs=False)
        return " ".join([failure.what, *failure.details[:2]])
    recorder.take(questions, state.read_bytes())
    return ""

"""The command line: `python -m tapgate exec | env | doctor`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, cast

from tapgate.embedded import environment, lambda_code, shell, stack_files, stacks
from tapgate.embedded.component_environment import ensure_component_environment
from tapgate.embedded.failure import Failure
from tapgate.embedded.toolchain import find
from tapgate.embedded.toolchain.progress import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapgate.embedded.environment import Aws, Changes

EXIT_COULD_NOT_RUN = 2
_BANNER = "using a stand-in AWS provider: nothing here reaches AWS (--aws real uses your account)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments ask for; 2 when it could not be done."""
    try:
        return _dispatch(_parser().parse_args(arguments))
    except Failure as failure:
        print(f"tapgate: {failure}", file=sys.stderr)
        return EXIT_COULD_NOT_RUN
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"tapgate: {error.strerror or error}{where}", file=sys.stderr)
        return EXIT_COULD_NOT_RUN
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tapgate", description=sys.modules["tapgate.embedded"].__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("exec", "run a command in the prepared environment: exec [options] -- COMMAND ..."),
        ("env", 'print the prepared environment for a shell: eval "$(python -m tapgate env)"'),
    ):
        prepared = commands.add_parser(name, help=text)
        prepared.add_argument(
            "--aws", choices=("embedded", "real"), default="embedded",
            help="embedded: a stand-in provider, no account (default); real: your own provider and backend",
        )  # fmt: skip
        prepared.add_argument(
            "--stack-init", metavar="STACKS", default="",
            help="create these stacks too, comma-separated (embedded only)",
        )  # fmt: skip
        if name == "exec":
            prepared.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    commands.add_parser("doctor", help="say what is there, what is missing, and how to get it")
    return parser


def _dispatch(options: argparse.Namespace) -> int:
    command = cast("str", options.command)
    if command == "doctor":
        from tapgate.embedded import doctor  # noqa: PLC0415 - not on the path of a preview

        return doctor.report()
    aws = cast("Aws", options.aws)
    asked = [name for name in cast("str", options.stack_init).split(",") if name]
    if command == "env":
        sys.stdout.write(shell.exports(_prepare(aws, asked)))
        return 0
    words = cast("list[str]", options.words)
    words = words[1:] if words[:1] == ["--"] else words
    if not words:
        raise Failure(
            "No command is given", fix="write it behind two hyphens: python -m tapgate exec -- pulumi version"
        )
    return _run(aws, words, _prepare(aws, asked))


def _prepare(aws: Aws, asked: list[str]) -> Changes:
    cli = find()
    changes = environment.changes_for(aws, cli, os.environ)
    if os.environ.get(environment.MARK) != aws:
        say(f"Pulumi {cli.version}, {cli.way}: {cli.folder}")
        if aws == "embedded":
            say(_BANNER)
    lambda_code.ensure_archives()
    if aws == "embedded":
        stacks.ensure_stacks([*stacks.configured_stacks(), *asked])
    ensure_component_environment(cli, environment.applied(changes, os.environ))
    return changes


def _run(aws: Aws, words: list[str], changes: Changes) -> int:
    from tapgate.embedded.run import run  # noqa: PLC0415 - `env` does without

    prepared = environment.applied(changes, os.environ)
    if aws == "real":
        stack_files.unsalted()
        return run(words, prepared)
    with stack_files.salted():
        return run(words, prepared)

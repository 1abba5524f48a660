"""The command line of the gate: `python -m tapgate <command>`."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, Final, Protocol, cast

from tapgate.failure import CouldNotRunError, Exit
from tapgate.terminal import Ink, failure_lines, write

if TYPE_CHECKING:
    from collections.abc import Sequence

# Module and summary of each command; only the module of the one asked for is imported.
COMMANDS: Final = {
    "preview": ("tapgate.commands.preview", "preview a stack with policy packs and say what came of it"),
    "deploy": ("tapgate.commands.deploy", "preview a stack and, if it passes, deploy exactly that"),
    "audit": ("tapgate.commands.audit", "evaluate policy packs over the states of many stacks"),
    "doctor": ("tapgate.commands.doctor", "say what is installed, what is missing and how to get it"),
    "publishable": ("tapgate.commands.publishable", "say whether a policy pack can be published"),
    "report": ("tapgate.reports.command", "draw reports again from verdict files"),
}


class Command(Protocol):
    """What a module of `tapgate.commands` has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options."""
        ...

    def run(self, options: argparse.Namespace) -> Exit:
        """Carry the command out.

        Raises:
            CouldNotRunError: there is no answer.
        """
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows the program's name; by default the process's own.

    Returns:
        The exit code: 0 passed, 1 blocked by policy, 2 could not run.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, parsers = _parsers()
    command: Command | None = None
    if given and given[0] in COMMANDS:
        command = cast("Command", importlib.import_module(COMMANDS[given[0]][0]))
        command.add_arguments(parsers[given[0]])
    options = parser.parse_args(given)
    if command is None:
        parser.error("the command comes first")
    try:
        return command.run(options)
    except CouldNotRunError as failure:
        write(failure_lines(failure, Ink.for_stream(sys.stderr)), sys.stderr)
        return Exit.COULD_NOT_RUN


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="python -m tapgate",
        description="Put policy packs in front of any Pulumi stack.",
        epilog="Exit codes: 0 passed, 1 blocked by policy, 2 could not run.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        for name, (_, summary) in COMMANDS.items()
    }
    return parser, parsers

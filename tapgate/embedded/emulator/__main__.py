"""`python -m tapgate.embedded.emulator run [--port N] -- CMD…`: run a command with its own emulator."""

from __future__ import annotations

import argparse
import os
import sys

from tapgate.embedded import stacks
from tapgate.embedded.console import Failure
from tapgate.embedded.emulator.emulator import Emulator, EmulatorError
from tapgate.embedded.environment import EMULATOR_STATE, MARK
from tapgate.embedded.run import run_to_end

_CANNOT_RUN = 2


def main(arguments: list[str]) -> int:
    """Run a command with an emulator.

    Returns:
        The command's exit code; 2 when there is no emulator or no such command.
    """
    parser = argparse.ArgumentParser(prog="python -m tapgate.embedded.emulator", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="run a command with an emulator that ends with it")
    running.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    running.add_argument("command", nargs=argparse.REMAINDER, help="the command, after --")
    options = parser.parse_args(arguments)
    command = (
        [word for word in options.command if word != "--"]
        if options.command[:1] == ["--"]
        else options.command
    )
    if not command:
        running.error("no command is given. Fix: python -m tapgate.embedded.emulator run -- CMD")
    try:
        with Emulator(options.port) as emulator:
            _say(f"AWS emulator at {emulator.endpoint} (127.0.0.1 only), for as long as the command runs")
            code = run_to_end(command, _environment(emulator))
    except (EmulatorError, Failure) as error:
        _say(f"error: {error}")
    except KeyboardInterrupt:
        return 130
    else:
        _say("the AWS emulator has ended, and what was deployed to it is gone")
        return code
    return _CANNOT_RUN


def _environment(emulator: Emulator) -> dict[str, str]:
    """Lead AWS's SDKs to the emulator, and the state of what is deployed to it to where it ends with it."""
    state = emulator.folder / "stacks"
    environment = {**os.environ, **emulator.environment(), EMULATOR_STATE: str(state)}
    if os.environ.get(MARK) == "embedded":
        # The command is inside of a prepared environment already.
        stacks.ensure_stacks(stacks.configured_stacks(), state=state)
        environment["PULUMI_BACKEND_URL"] = state.as_uri()
    return environment


def _say(words: str) -> None:
    print(words, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m local.emulator run [--port N] -- CMD…`: runs a command with an emulator of its own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from local.emulator.emulator import Emulator, EmulatorError

_CANNOT_RUN = 2


def main(arguments: list[str]) -> int:
    """Run a command with an emulator.

    Returns:
        The command's exit code; 2 when there is no emulator or no such command.
    """
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run", help="run a command with an emulator that ends with it")
    run.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    run.add_argument("command", nargs=argparse.REMAINDER, help="the command, after --")
    options = parser.parse_args(arguments)
    command = (
        [word for word in options.command if word != "--"]
        if options.command[:1] == ["--"]
        else options.command
    )
    if not command:
        run.error("no command is given. Fix: python -m local.emulator run -- CMD")
    try:
        with Emulator(options.port) as emulator:
            print(f"AWS emulator at {emulator.endpoint} (127.0.0.1 only)", file=sys.stderr)
            return subprocess.run(
                command, env={**os.environ, **emulator.environment()}, check=False
            ).returncode
    except EmulatorError as error:
        print(f"error: {error}", file=sys.stderr)
    except FileNotFoundError:
        print(f"error: there is no command `{command[0]}`. Fix: check its name", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command line: `python -m lambdas.package [--platform aws|host] [--bytecode MODE] [--output FOLDER]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lambdas.package.build import PROJECT, build, plan
from lambdas.package.bytecode import MODES, VARIABLE
from lambdas.package.dependencies import PLATFORMS, PYTHON_VERSION, PackageError


def main(arguments: list[str] | None = None) -> int:
    """Build the zips and report their sizes; returns the exit code."""
    parser = argparse.ArgumentParser("python -m lambdas.package", description="Build the functions' zips.")
    parser.add_argument("--platform", choices=sorted(PLATFORMS), default="aws", help="what runs them")
    parser.add_argument(
        "--bytecode",
        default=os.environ.get(VARIABLE) or "never",
        help=f"compile the code by Python {PYTHON_VERSION}: {' or '.join(MODES)} (${VARIABLE}, else never)",
    )
    parser.add_argument("--output", type=Path, help="their folder (dist, or dist/host for --platform host)")
    options = parser.parse_args(arguments)
    output = options.output or PROJECT / "dist" / ("" if options.platform == "aws" else options.platform)
    try:
        recipe = plan(options.platform, options.bytecode)
        built = build(output, recipe)
    except PackageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    code = "no bytecode" if recipe.compiler is None else f"bytecode of Python {recipe.compiler.release}"
    for each in built:
        state = "built" if each.fresh else "up to date"
        sys.stdout.write(
            f"{each.path.name}: {each.size / 1e6:.1f} MB, sha256 {each.sha256[:12]}, {code}, {state}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

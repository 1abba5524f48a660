"""The command line: `python -m lambdas.package [--platform aws|host] [--output FOLDER]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lambdas.package.build import PROJECT, build
from lambdas.package.dependencies import PLATFORMS, PackageError


def main(arguments: list[str] | None = None) -> int:
    """Build the zips and report their sizes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m lambdas.package", description="Build the functions' zips."
    )
    parser.add_argument(
        "--platform", choices=sorted(PLATFORMS), default="aws", help="what they run on (aws: arm64)"
    )
    parser.add_argument("--output", type=Path, help="where they go (dist; dist/host with --platform host)")
    options = parser.parse_args(arguments)
    output = options.output or PROJECT / "dist" / ("" if options.platform == "aws" else options.platform)
    try:
        built = build(output, platform=options.platform)
    except PackageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for each in built:
        state = "built" if each.fresh else "up to date"
        sys.stdout.write(f"{each.path.name}: {each.size / 1e6:.1f} MB, sha256 {each.sha256[:12]}, {state}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What of the embedded default is there, what is missing, and how to get it: a part of `tapgate doctor`."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tapgate.embedded import environment, prepare
from tapgate.embedded.console import Failure
from tapgate.embedded.packages import described, find_project_file
from tapgate.embedded.paths import ROOT, cache_root, make_folder
from tapgate.embedded.pruning import MOST_BYTES, readable, size_of
from tapgate.embedded.toolchain import at_hand, go_build
from tapgate.embedded.toolchain.search import FORCED, Cli, find_forced

PACKAGES = ("pulumi", "pulumi-aws", "pulumi-policy", "ministack")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at: whether it is there, what was found, and what to do when it is not."""

    name: str
    there: bool
    found: str
    fix: str = ""
    needed: bool = True


def examine() -> list[Line]:
    """Return what was found, without installing or building anything."""
    lines = [*_interpreter(), _toolchain(), _go(), _cache(), _provider(), _login()]
    return [*lines, _archives(), _stacks()] if (ROOT / "Pulumi.yaml").is_file() else lines


def packages(project: Path) -> list[Line]:
    """Return what serves each package of a project's program."""
    file, cli = find_project_file(project), cli_at_hand()
    declared = [*([] if cli is None else [str(cli.folder)]), os.environ.get("PATH", os.defpath)]
    served = {} if file is None else described(file, {**os.environ, "PATH": os.pathsep.join(declared)})
    return [
        Line(f"package {name}", there=not fix, found=state, fix=fix, needed="--install" in fix)
        for name, (state, fix) in served.items()
    ]


def cli_at_hand() -> Cli | None:
    """Return the CLI that would be used, if that is there already."""
    try:
        return find_forced() or at_hand()
    except Failure:
        return None


def _interpreter() -> list[Line]:
    lines = [Line("Python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}")]
    for package in PACKAGES:
        try:
            lines.append(Line(package, there=True, found=metadata.version(package)))
        except metadata.PackageNotFoundError:
            # Installed as a package it has what it needs: the emulator is an extra of its own.
            checkout, extra = (ROOT / "Pulumi.yaml").is_file(), package == "ministack"
            fix = "pip install 'tapgate[emulator]'" if extra else "pip install --force-reinstall tapgate"
            fix = "pip install --require-hashes -r requirements/embedded.txt" if checkout else fix
            line = Line(package, there=False, found="not installed", fix=fix, needed=checkout or not extra)
            lines.append(line)
    return lines


def _toolchain() -> Line:
    try:
        cli = find_forced() or at_hand()
    except Failure as failure:
        return Line("Pulumi CLI", there=False, found=str(failure), fix=f"unset {FORCED}")
    if isinstance(cli, Cli):
        return Line("Pulumi CLI", there=True, found=f"{cli.version}, {cli.way}, in {cli.folder}")
    will_build = go_build.find_go() is not None
    return Line(
        "Pulumi CLI",
        there=False,
        found="not there yet; the next command that needs it gets it"
        if will_build
        else "not there, and no Go to build it with",
        fix="install it from https://www.pulumi.com/docs/install/ or install Go from https://go.dev/dl/",
        needed=not will_build,
    )


def _go() -> Line:
    go = go_build.find_go()
    why = "only needed to build a Pulumi CLI where none can be downloaded"
    return Line("Go", go is not None, str(go or f"not there; {why}"), needed=False)


def _cache() -> Line:
    folder = cache_root()
    try:
        make_folder(folder)
    except Failure as failure:
        return Line("cache folder", there=False, found=str(failure))
    sizes = ", ".join(
        f"{name} {readable(size_of(folder / name))} of {readable(most)}" for name, most in MOST_BYTES.items()
    )
    state = f"{folder}: {readable(size_of(folder))}, with {sizes} at most"
    return Line("cache folder", os.access(folder, os.W_OK), state, fix="make it writable")


def _archives() -> Line:
    missing = [name for name in prepare.ARCHIVES if not (ROOT / name).exists()]
    state = f"not built yet: {', '.join(missing)}" if missing else ", ".join(prepare.ARCHIVES)
    return Line("Lambda archives", not missing, state, fix=prepare.COMMAND, needed=False)


def _stacks() -> Line:
    names = prepare.configured_stacks()
    return Line("stacks with a Pulumi.<stack>.yaml", bool(names), ", ".join(names) or "none", needed=False)


def _provider() -> Line:
    path = Path(__file__).with_name("aws_provider") / "__main__.py"
    return Line(
        "stand-in AWS provider", path.exists(), str(path.parent), fix="restore tapgate/embedded/aws_provider/"
    )


def _login() -> Line:
    """What `--aws real` would use; the embedded default needs none of it."""
    try:
        environment.require_login(os.environ)
    except Failure:
        return Line(
            "Pulumi login (for --aws real)", there=False, found="none", fix="pulumi login", needed=False
        )
    backend = os.environ.get("PULUMI_BACKEND_URL") or str(Path.home() / ".pulumi" / "credentials.json")
    return Line("Pulumi login (for --aws real)", there=True, found=backend)

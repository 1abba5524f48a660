"""`tapgate doctor`: what the gate needs, what is there, what is missing and how to get it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from tapgate.engine import INSTALL_HINT, quiet_environment
from tapgate.findings import CouldNotRunError, Exit
from tapgate.json_access import mapping, sanitized, sanitized_lines, text
from tapgate.packs import policies, requested_packs
from tapgate.project import Project, find_project
from tapgate.sandbox import INSTALL_HINT as SANDBOX_HINT
from tapgate.sandbox import Sandbox, look
from tapgate.terminal import Ink, write

if TYPE_CHECKING:
    import argparse

# The first CLI whose event log names what a policy pack passed, and whose `policy analyze` takes a file.
OLDEST_CLI: Final = (3, 255, 0)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_SECONDS: Final = 20

Status = Literal["there", "optional", "missing"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked for.

    Attributes:
        status: there, missing, or missing without harm to most uses.
    """

    name: str
    status: Status
    said: str
    fix: str = ""


def examine(folder: Path, packs: Sequence[Path]) -> Iterator[Check]:
    """Look at everything that a preview, a deployment and an audit need."""
    yield Check("python", "there", ".".join(map(str, sys.version_info[:3])))
    program = shutil.which("pulumi")
    yield _cli(program)
    if program is not None:
        yield _backend(program)
    yield _passphrase()
    project = _project(folder)
    yield _project_check(folder, project)
    for runtime in sorted({"python", *([project.runtime] if project is not None else [])} - {""}):
        yield _host(runtime)
    if project is not None and project.virtualenv:
        yield _environment(project)
    yield from _pack_checks(packs)
    yield _sandbox()
    yield _package(
        "pulumi_policy", "pulumi-policy", "runs Python packs that have no environment of their own"
    )
    yield _package("boto3", "boto3", "audits of a backend in S3 without a process of the CLI a stack")
    yield _package("distributed", "distributed", "audits on a Dask cluster (--scheduler)")


def _looked_for(name: str, there: str, missing: str, fix: str, status: Status = "missing") -> Check:
    """Return the check of something that is there, or is missing and can be had."""
    return Check(name, "there", there) if there else Check(name, status, missing, fix)


def _sandbox() -> Check:
    outcome = look()
    there = f"{outcome.version} at {outcome.program}" if isinstance(outcome, Sandbox) else ""
    missing = f"{outcome}; programs are previewed without one"
    return _looked_for("sandbox", there, missing, SANDBOX_HINT, "optional")


def check_line(check: Check, ink: Ink) -> Iterator[str]:
    """Yield the lines of one check."""
    mark, style = {"there": ("✓", "green"), "optional": ("-", "dim"), "missing": ("✗", "red")}[check.status]
    yield f"  {ink.paint(ink.mark(mark), style)} {check.name:<22} {sanitized(check.said)}"
    if check.fix:
        yield f"    {'':<22} {ink.paint(sanitized(check.fix), 'cyan')}"


def _cli(program: str | None) -> Check:
    if program is None:
        return Check("pulumi CLI", "missing", "not on PATH", INSTALL_HINT)
    said = _ask(program, "version")
    match = _VERSION.match(said)
    if match is None:
        return Check("pulumi CLI", "missing", f"{program} does not tell its version: {said}", INSTALL_HINT)
    if tuple(map(int, match.groups())) < OLDEST_CLI:
        oldest = ".".join(map(str, OLDEST_CLI))
        return Check(
            "pulumi CLI", "missing", f"{said} at {program}", f"install {oldest} or later: {INSTALL_HINT}"
        )
    return Check("pulumi CLI", "there", f"{said} at {program}")


def _backend(program: str) -> Check:
    said = _ask(program, "whoami", "--json")
    try:
        where = text(mapping(json.loads(said)).get("url"))
    except ValueError:
        where = ""
    fix = "run `pulumi login` (or `pulumi login --local`), or set PULUMI_BACKEND_URL"
    return _looked_for("backend", where, said or "none", fix)


def _passphrase() -> Check:
    names = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    there = next((f"{name} is set" for name in names if name in os.environ), "")
    fix = f"set {names[0]} if the stacks encrypt with one (self-managed backends do by default)"
    return _looked_for("secrets passphrase", there, "not set", fix, "optional")


def _environment(project: Project) -> Check:
    folder = project.folder / project.virtualenv
    fix = "run the gate with --install, or `pulumi install` in the project: the program runs in it"
    return _looked_for("program's environment", str(folder) if folder.is_dir() else "", str(folder), fix)


def _project(folder: Path) -> Project | None:
    try:
        return find_project(folder)
    except CouldNotRunError:
        return None


def _project_check(folder: Path, project: Project | None) -> Check:
    if project is None:
        fix = "run it in a project's folder, or name that with --project (an audit needs none)"
        return Check("project", "optional", f"none that can be read in {folder.absolute()}", fix)
    stacks = ", ".join(project.known_stacks()) or "no stack has a config file"
    return Check(
        "project", "there", f"{project.name} ({project.runtime}) in {project.folder}; stacks: {stacks}"
    )


def _host(runtime: str) -> Check:
    executable = shutil.which(f"pulumi-language-{runtime}") or ""
    fix = "install the full Pulumi CLI, which brings its language hosts"
    return _looked_for(f"{runtime} language host", executable, "not on PATH", fix)


def _pack_checks(packs: Sequence[Path]) -> Iterator[Check]:
    """Start each pack: only a pack that answers is there."""
    try:
        requested = requested_packs(list(packs), [])
    except CouldNotRunError as failure:
        yield Check("policy pack", "missing", f"{failure.what} {failure.where}", failure.fix)
        return
    for pack in requested:
        try:
            infos = policies(pack)
        except CouldNotRunError as failure:
            yield Check(
                "policy pack", "missing", " ".join([failure.where, *failure.details[-1:]]), failure.fix
            )
        else:
            yield Check("policy pack", "there", f"{len(infos)} policies in {pack.folder}")


def _package(module: str, name: str, purpose: str) -> Check:
    there = "installed" if importlib.util.find_spec(module) is not None else ""
    return _looked_for(name, there, f"not installed; {purpose}", f"pip install {name}", "optional")


def _ask(program: str, *arguments: str) -> str:
    """Return what the CLI says, on one line."""
    try:
        done = subprocess.run(
            [program, *arguments, "--non-interactive"],
            env=quiet_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    return " ".join(sanitized_lines(done.stdout or done.stderr))


def show_checks(checks: Iterable[Check], word: str) -> bool:
    """Print each check as it is made, then `WORD` or `NOT WORD` with how many are missing.

    Returns:
        Whether nothing is missing.
    """
    ink = Ink.for_stream(sys.stdout)
    missing = 0
    for check in checks:
        missing += check.status == "missing"
        write(check_line(check, ink), sys.stdout)
    verdict, style = (word, "green") if not missing else (f"NOT {word}", "red")
    said = "nothing is missing" if not missing else f"{missing} missing"
    write(["", f"{ink.paint(verdict, style, 'bold')}  {said}"], sys.stdout)
    return not missing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    parser.add_argument(
        "--policy-pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a policy pack (default: the one that comes with tapgate)",
    )


def run(options: argparse.Namespace) -> Exit:
    """Print what is there and what is missing."""
    checks: Iterable[Check] = cast("list[Check]", options.checks)
    if options.engine_at_hand:
        more = examine(cast("Path", options.project), cast("list[Path]", options.policy_pack))
        checks = chain(checks, more)
    return Exit.PASSED if show_checks(checks, "READY") else Exit.COULD_NOT_RUN

"""Prepare the environment that a command asks for, and print it as a POSIX shell reads it: `tapgate env`."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from tapgate.embedded import environment
from tapgate.embedded.console import Failure, say, still_going
from tapgate.embedded.paths import ROOT, checkout_folder, once_a_day, write_atomically
from tapgate.embedded.program_text import read_yaml
from tapgate.embedded.stacks import EmbeddedStacks
from tapgate.embedded.toolchain import find, search

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tapgate.embedded.environment import Aws, Changes
    from tapgate.embedded.toolchain.search import Cli

ARCHIVES = ("dist/api_handler.zip", "dist/processor.zip")
COMMAND = "python -m lambdas.package"


def ensure_archives(root: Path = ROOT) -> bool:
    """Build the archives when their sources have changed since the last time; say whether they are there.

    A failure is told and not raised: a command that deploys no Lambda code does well without.
    """
    stamp = checkout_folder(root) / "lambda-code.stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _fingerprint(root):
        return True
    if not (root / "lambdas" / "package" / "__main__.py").exists():
        say(f"the Lambda functions' archives cannot be built: lambdas/package is missing in {root}")
        return False
    outcome = subprocess.run(
        [sys.executable, "-m", "lambdas.package"], cwd=root, stdout=sys.stderr, check=False
    )
    missing = [archive for archive in ARCHIVES if not (root / archive).exists()]
    if outcome.returncode or missing:
        say(f"`{COMMAND}` did not build {' and '.join(missing or ARCHIVES)}; what deploys them will not run")
        return False
    write_atomically(stamp, _fingerprint(root))
    return True


def _fingerprint(root: Path) -> str:
    """A hash that changes with the sources, the lock of what is bundled, and the archives themselves."""
    digest = hashlib.sha256(os.environ.get("TAP_LAMBDA_BYTECODE", "").encode())
    for path in _watched(root):
        try:
            status = path.stat()
            digest.update(f"{path.relative_to(root)}|{status.st_size}|{status.st_mtime_ns}\n".encode())
        except FileNotFoundError:
            digest.update(f"{path.relative_to(root)}|missing\n".encode())
    return digest.hexdigest()


def _watched(root: Path) -> Iterator[Path]:
    for path in sorted((root / "lambdas").rglob("*")):
        if path.suffix != ".pyc" and not path.is_dir():
            yield path
    yield root / "requirements" / "lambdas.txt"
    yield from (root / archive for archive in ARCHIVES)


INSTALL = ("install", "--non-interactive")


def ensure_component_environment(cli: Cli, environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Run `pulumi install` once where an official CLI is used.

    The language host that is built with Go runs a plugin without a `venv` with the interpreter at hand; the
    official one refuses to.
    """
    component = root / "program"
    if search.is_build(cli.folder) or (component / "venv" / "bin" / "python").exists():
        return
    if not (component / "PulumiPlugin.yaml").exists():
        return
    say("installing the component's dependencies into program/venv with `pulumi install`, once")
    with still_going("installing the component's dependencies"):
        outcome = subprocess.run(
            [cli.folder / "pulumi", *INSTALL], cwd=root, env=environment, stdout=sys.stderr, check=False
        )
    if outcome.returncode:
        raise Failure(
            f"`pulumi install` failed with exit code {outcome.returncode}",
            where=str(component),
            why="Pulumi's official Python language host runs a component in a `venv` of its own",
            fix="run `pulumi install` in the project's root until it succeeds",
        )


_STACK_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def configured_stacks(root: Path = ROOT) -> list[str]:
    """The stacks that have a `Pulumi.<stack>.yaml`, sorted."""
    return sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in root.glob("Pulumi.*.yaml"))


def ensure_stacks(names: Iterable[str], root: Path = ROOT, state: Path | None = None) -> None:
    """Create those of the named stacks that the embedded backend does not have yet, empty."""
    project = read_yaml(root / "Pulumi.yaml").get("name")
    if not isinstance(project, str):
        return
    stacks = EmbeddedStacks(state or environment.state_folder(root))
    for name in names:
        if not _STACK_NAME.fullmatch(name):
            raise Failure(
                f"{name!r} cannot be the name of a stack",
                why="a stack's name has letters, digits, dots, hyphens and underscores, 100 at most",
                fix="give another name to --stack-init",
            )
        stacks.create(project, name)


_BANNER = "using a stand-in AWS provider: nothing here reaches AWS (--aws real uses your account)"


def prepare(aws: Aws, project: Path | None = None, stacks: Sequence[str] | None = None) -> Changes:
    """Have everything ready, and return what to change in this process's environment.

    Args:
        aws: The stand-ins, or the user's own account.
        project: Folder that the command works in, or below; the code and the component of the checkout are
            made ready if that is where it is.
        stacks: Stacks of the checkout that plain `pulumi` has to find in the backend, beside those with a
            file of their own; None for none at all.
    """
    if once_a_day("pruned"):
        from tapgate.embedded.pruning import prune  # noqa: PLC0415 - seldom

        prune()
    cli = find()
    changes = environment.changes_for(aws, cli, os.environ)
    if os.environ.get(environment.MARK) != aws:
        say(f"Pulumi {cli.version}, {cli.way}: {cli.folder}")
        if aws == "embedded":
            say(_BANNER)
    if not (ROOT / "Pulumi.yaml").is_file():
        return changes  # Installed as a package: there is no checkout.
    if stacks is not None and aws == "embedded":
        ensure_stacks([*configured_stacks(), *stacks])
    if project is not None and ROOT in (project.resolve(), *project.resolve().parents):
        ensure_archives()
        ensure_component_environment(cli, environment.applied(changes, os.environ))
    return changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of what prepares an environment for plain `pulumi`."""
    parser.add_argument(
        "--aws",
        choices=("embedded", "real"),
        default="embedded",
        help="embedded: a stand-in provider, no account (default); real: your own provider and backend",
    )
    parser.add_argument(
        "--stack-init",
        metavar="STACKS",
        type=lambda value: [name for name in str(value).split(",") if name],
        default=[],
        help="create these stacks too, comma-separated (embedded only)",
    )


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def run(options: argparse.Namespace) -> int:
    """Print what to evaluate: `eval "$(tapgate env)"`."""
    changes = prepare(options.aws, ROOT, options.stack_init)
    sys.stdout.write(exports({**changes, **dict.fromkeys(options.left_out)}))
    return 0


def exports(changes: Changes) -> str:
    """Return one `export` or `unset` a line, to be evaluated with `eval "$(…)"`."""
    lines: list[str] = []
    for name, value in sorted(changes.items()):
        if not _NAME.fullmatch(name):
            continue
        lines.append(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    return "".join(f"{line}\n" for line in lines)

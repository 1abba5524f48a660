"""`tapgate publishable`: everything that can be found out about a pack without an account.

`pulumi policy publish` sends the pack's folder away as it is; whoever requires the pack then gets that folder
and its requirements, and nothing else of this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate.doctor import Check, show_checks
from tapgate.findings import CouldNotRunError, Exit
from tapgate.json_access import mapping, sanitized_lines, sequence, text
from tapgate.packs import requested_packs, require_known
from tapgate.project import read_yaml

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SAID: Final = ("description", "displayName", "severity", "remediationSteps")
_INSTALL_SECONDS: Final = 600
_OURS: Final = frozenset({"PULUMI_PYTHON_CMD", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"})
_LEFT_OUT: Final = ("__pycache__", "venv", ".venv", "node_modules")


def examine(folder: Path, changelog: Path | None = None, configs: Sequence[Path] = ()) -> Iterator[Check]:
    """Look at everything that a published pack needs, and at the configs that operators are given with it.

    Raises:
        CouldNotRunError: the folder is no pack at all.
    """
    (pack,) = requested_packs([folder], [])
    body = read_yaml(pack.folder / "PulumiPolicy.yaml", "policy pack's project file")
    version = text(body.get("version"))
    yield _version(version)
    if changelog is not None:
        yield _changelog(changelog, version)
    try:
        info = describe_alone(pack.folder)
    except CouldNotRunError as failure:
        yield Check("on its own", "missing", _sentence(failure), failure.fix)
        return
    policies = [mapping(one) for one in sequence(info.get("policies"))]
    yield Check("on its own", "there", f"{len(policies)} policies with nothing but its requirements")
    yield _policies(policies)
    for config in configs:
        yield _config(folder, config, {text(one.get("name")) for one in policies})


def _version(version: str) -> Check:
    if _VERSION.fullmatch(version):
        return Check("version", "there", version)
    fix = "write `version: MAJOR.MINOR.PATCH` into PulumiPolicy.yaml"
    return Check("version", "missing", f"{version or 'none'} is no semantic version", fix)


def _changelog(path: Path, version: str) -> Check:
    try:
        body = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Check("changelog", "missing", f"{path}: {error}", "name a file in UTF-8 with --changelog")
    if re.search(rf"^## \[{re.escape(version)}\]", body, re.MULTILINE):
        return Check("changelog", "there", f"{path.name} tells of {version}")
    fix = f"give what this version changes the heading `## [{version}] - DATE`"
    return Check("changelog", "missing", f"{path.name} says nothing of {version}", fix)


def describe_alone(folder: Path) -> Mapping[str, object]:
    """Start a copy of a pack where only its requirements are installed, and ask what it says of itself.

    Raises:
        CouldNotRunError: its requirements cannot be installed, or it does not start.
    """
    from google.protobuf import json_format  # noqa: PLC0415 - takes 0.3 s to import, with gRPC

    from tapgate.analyzer.process import PackProcess  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        copy = Path(scratch) / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        environment = {name: value for name, value in os.environ.items() if name not in _OURS}
        if (copy / "requirements.txt").is_file():
            programs = _installed(copy / "requirements.txt", Path(scratch) / "environment")
            environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', '')}"
        with PackProcess(copy, environment) as process:
            return mapping(json_format.MessageToDict(process.info))


def _installed(requirements: Path, environment: Path) -> Path:
    """Make an environment with these requirements, and return the folder of its programs."""
    programs = environment / "bin"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    uv = shutil.which("uv", path=path)
    if uv is None:
        raise CouldNotRunError(
            "The pack's requirements cannot be installed: there is no uv.",
            where="PATH",
            why="they are installed with uv, which comes with tapgate's wheel.",
            fix="install it (`pip install uv`).",
        )
    venv.create(environment)
    done = subprocess.run(
        [uv, "pip", "install", "--python", str(programs / "python"), "--quiet", "-r", str(requirements)],
        # As pip does: an index may be signed by an authority that the machine trusts.
        env={"UV_SYSTEM_CERTS": "1", **os.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CouldNotRunError(
            "The pack's requirements cannot be installed.",
            where="requirements.txt",
            why="whoever requires the pack has to install them.",
            fix="correct requirements.txt; it names all that the pack imports.",
            details=tuple(sanitized_lines(done.stderr))[-6:],
        )
    return programs


def _policies(policies: Sequence[Mapping[str, object]]) -> Check:
    """Whether the policies say of themselves what a console and a report show."""
    names = [text(one.get("name")) for one in policies]
    problems = [f"{name or '(unnamed)'} is no name" for name in names if not _NAME.fullmatch(name)]
    problems += [f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [
        f"{text(one.get('name'))} has no {key}" for one in policies for key in _SAID if not text(one.get(key))
    ]
    if not policies:
        problems = ["there is none"]
    if problems:
        return Check("policies", "missing", "; ".join(problems[:6]), "complete what the pack says of them")
    return Check("policies", "there", "each with a name, a title, a severity and a fix")


def _config(folder: Path, config: Path, names: set[str]) -> Check:
    from tapgate.audit.auditing import require_valid_config  # noqa: PLC0415 - few packs come with one

    try:
        (pack,) = requested_packs([folder], [config])
        require_known(pack, pack.configured, names)
        require_valid_config([pack])
    except CouldNotRunError as failure:
        return Check("config file", "missing", f"{config}: {_sentence(failure)}", failure.fix)
    return Check("config file", "there", str(config))


def _sentence(failure: CouldNotRunError) -> str:
    return " ".join([failure.what, *failure.details[-1:]])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("pack", type=Path, metavar="DIR", help="folder of the policy pack")
    parser.add_argument(
        "--changelog", type=Path, metavar="FILE", help="file that has to tell what the pack's version changes"
    )
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="JSON config that operators are given with the pack; may be given several times",
    )


def run(options: argparse.Namespace) -> Exit:
    """Print what was looked at, and what is missing.

    Returns:
        Passed when the pack can be published, blocked when it must not be.
    """
    folder, changelog = cast("Path", options.pack), cast("Path | None", options.changelog)
    checks = examine(folder, changelog, cast("list[Path]", options.config))
    return Exit.PASSED if show_checks(checks, "PUBLISHABLE") else Exit.BLOCKED

"""`tapgate init`: the gate as a job and a hook in a team's own repository."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate.findings import CouldNotRunError, Exit
from tapgate.project import check_stack_name, find_project
from tapgate.reports.writing import write_file
from tapgate.terminal import write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_TEMPLATES: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class _Job:
    """A file that can be made.

    Attributes:
        present: What tells that a repository uses such files.
    """

    template: str
    path: str
    present: str
    next: str


_JOBS: Final = {
    "github": _Job(
        "github.yml",
        ".github/workflows/tapgate.yml",
        ".github",
        "commit it; then require its check for merges (a ruleset of the repository)",
    ),
    "gitlab": _Job(
        "gitlab.yml",
        ".gitlab/tapgate.yml",
        ".gitlab-ci.yml",
        "commit it, and have .gitlab-ci.yml include it: `include: [{local: .gitlab/tapgate.yml}]`",
    ),
    "pre-commit": _Job(
        "pre-commit.yaml",
        ".pre-commit-config.yaml",
        ".pre-commit-config.yaml",
        "commit it, and run `pre-commit install --hook-type pre-push`",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    parser.add_argument(
        "--stack",
        "-s",
        action="append",
        default=[],
        help="a stack to gate; may be given several times (default: those that have a config file)",
    )
    parser.add_argument(
        "--for",
        dest="names",
        action="append",
        choices=tuple(_JOBS),
        default=[],
        help="what to write; may be given several times (default: what the repository looks like)",
    )
    parser.add_argument(
        "--package",
        default="",
        metavar="SPEC",
        help="what the job installs, as pip reads it (default: tapgate at this version)",
    )
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def run(options: argparse.Namespace) -> Exit:
    """Write the files, and say what was written and what to do next."""
    project = find_project(cast("Path", options.project))
    # Of a folder that is in no repository, itself.
    above = (project.folder, *project.folder.parents)
    root = next((one for one in above if (one / ".git").exists()), project.folder)
    stacks = cast("list[str]", options.stack) or project.known_stacks() or ["dev"]
    for stack in stacks:
        check_stack_name(stack)
    package = cast("str", options.package) or _this()
    targets = _chosen(cast("list[str]", options.names), root)
    if not options.force:
        _require_free([root / file.path for file in targets])
    lines: list[str] = []
    for file in targets:
        text = _filled(file.template, package, project.folder.relative_to(root).as_posix(), stacks)
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        write_file(text.encode(), root / file.path)
        lines += [f"  wrote     {root / file.path}", f"  next      {file.next}"]
    gated = f"{project.name}: {', '.join(stacks)}"
    write([f"READY  {gated}; the job installs {package}, from your package index", *lines], sys.stdout)
    return Exit.PASSED


def _this() -> str:
    """Return this version of the tool, as pip reads it; a checkout has none."""
    try:
        return f"tapgate=={metadata.version('tapgate')}"
    except metadata.PackageNotFoundError:
        return "tapgate"


def _chosen(names: Sequence[str], root: Path) -> list[_Job]:
    """Return what is asked for, else what the repository uses, else the job for GitHub."""
    here = [name for name, job in _JOBS.items() if name != "pre-commit" and (root / job.present).exists()]
    return [_JOBS[name] for name in dict.fromkeys(names or here or ["github"])]


def _require_free(paths: Sequence[Path]) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise CouldNotRunError(
            "A file is there already.",
            where=", ".join(there),
            why="what is in it may be yours.",
            fix="move it away, or write over it with --force; nothing was written.",
        )


def _filled(template: str, package: str, project: str, stacks: Sequence[str]) -> str:
    """Return a template's text; each value stands there as a text in quotes, whatever is in it."""
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    values = {
        '"PACKAGE"': json.dumps(package),
        '"PROJECT"': json.dumps(project),
        '"STACK"': json.dumps(stacks[0]),
        "[STACKS]": json.dumps(list(stacks)),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text

"""Which part of the repository may import which: docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOINS = "tapgate/cli.py"
# The folders, each with the names that its code is imported by.
FOLDERS = {
    "program": {"program", "tap_stack"},
    "policypack": {"policypack", "tap_guardrails"},
    "lambdas": {"lambdas"},
    "tapgate": {"tapgate"},
}


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{'.' * node.level}{node.module}.{one.name}" for one in node.names}
    return names


def files(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "venv" not in path.parts)


def _embedded(name: str) -> bool:
    return f"{name}.".startswith("tapgate.embedded.")


def test_only_the_command_joins_the_tool_and_the_embedded_environment() -> None:
    embedded = ROOT / "tapgate" / "embedded"
    crossing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files("tapgate")
        for name in imported(path)
        if name.startswith("tapgate.") and _embedded(name) != path.is_relative_to(embedded)
    ]
    assert {one.partition(":")[0] for one in crossing} == {JOINS}, crossing


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folders_do_not_import_each_other(folder: str) -> None:
    others = {name for other, names in FOLDERS.items() if other != folder for name in names}
    crossing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files(folder)
        for name in imported(path)
        if name.partition(".")[0] in others
    ]
    assert crossing == []


# What the embedded environment does before a preview, as the command imports it.
PREPARES = "environment,packages,paths,prepare,stacks,toolchain"
LOADED = """
import sys
from importlib import import_module
for name in sys.argv[1].split(","):
    import_module(f"tapgate.embedded.{name}")
print(*sorted(name for name in sys.modules if name.startswith("tapgate.embedded.")))
"""


def test_a_preview_loads_nothing_of_the_stand_in_but_what_it_asks_for() -> None:
    """The stand-in is a process of its own: its schemas and checks are no part of the way to a verdict."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, PREPARES], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.removeprefix("tapgate.embedded.") for name in done.stdout.split()}
    inner = {name for name in loaded if name.count(".")}
    assert inner == {"aws_provider.marks", "toolchain.search"}
    assert "answers" not in loaded

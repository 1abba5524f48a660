"""Updates and replacements of each type that the stack uses, by the real engine: as in pulumi-aws."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.emulator import Emulator
from tests.integration.deployment import ROOT, Deployment, environment_for
from tests.integration.inventory import inventory
from tests.integration.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
PROGRAM = Path(__file__).with_name("every_type")
STACK = "changes"
_CLASS = re.compile(r"\baws\.([a-z0-9_]+)\.([A-Z]\w+)\(")


@pytest.fixture
def target() -> Iterator[Target]:
    with Emulator() as emulator:
        yield Target(emulator.endpoint, emulator.environment())


def _operations(deployment: Deployment) -> dict[str, set[str]]:
    """Preview; give what becomes of each resource, by its name."""
    shown = deployment.pulumi("preview", "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    document = cast("dict[str, list[dict[str, str]]]", json.loads(shown.stdout))
    found: dict[str, set[str]] = {}
    for step in document["steps"]:
        _, _, kind, name = step["urn"].split("::")
        if kind.startswith("aws:"):
            found.setdefault(name, set()).add(step["op"])
    return found


def test_the_program_has_each_type_that_the_stack_uses() -> None:
    stack = {
        match
        for path in (ROOT / "program").rglob("*.py")
        for match in _CLASS.findall(path.read_text("utf-8"))
    }
    assert len(stack) > 20
    assert set(_CLASS.findall((PROGRAM / "__main__.py").read_text("utf-8"))) == stack


def test_each_type_is_updated_and_replaced_as_by_pulumi_aws(target: Target, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROGRAM, tmp_path / "project"))
    deployment = Deployment(folder, STACK, environment_for(tmp_path, target))
    deployment.configure({"every-type:version": "1"})
    made = deployment.pulumi("stack", "init")
    assert made.returncode == 0, made.stderr
    first = deployment.up()
    assert first.returncode == 0, first.stdout

    for version, expected in ((2, "update"), (3, "replace")):
        deployment.configure({"every-type:version": str(version)})
        operations = _operations(deployment)
        assert {name for name, found in operations.items() if expected not in found} == set(), operations
        if expected == "update":
            assert {name for name, found in operations.items() if found != {"update"}} == set()
        done = deployment.up()
        assert done.returncode == 0, done.stdout
        assert deployment.changes("--refresh") == {}

    gone = deployment.destroy()
    assert gone.returncode == 0, gone.stdout
    assert inventory(target) == set()

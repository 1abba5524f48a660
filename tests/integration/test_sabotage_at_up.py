"""Take one control away: the gate deploys nothing of it, and what would happen without the gate.

Every row of `tests/stack/mutants.yaml`, by the command that deploys, against an emulator that would take it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.cli import main
from tapgate.embedded.emulator import Emulator
from tapgate.failure import Exit
from tests.integration.deployment import Deployment, prepare
from tests.integration.inventory import inventory
from tests.integration.target import Target
from tests.stack.mutation import Mutant, read_mutants

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
MUTANTS = read_mutants()
STACK = "TapStacksabotage"
_BLOCKED = re.compile(r"^BLOCKED  ([a-z0-9-]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One emulator for all mutants: whatever one of them made would be there for all to see."""
    with Emulator() as emulator:
        yield Target(emulator.endpoint, emulator.environment())


@pytest.fixture(scope="module")
def pristine(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The stack as it is, known to the backend and not deployed."""
    deployment = prepare(tmp_path_factory.mktemp("sabotage"), STACK, target)
    made = deployment.pulumi("stack", "init")
    assert made.returncode == 0, made.stderr
    return deployment


def _sabotaged(pristine: Deployment, mutant: Mutant, folder: Path) -> Deployment:
    """Copy the project and take the control away there; the backend stays the same."""
    copy = Path(shutil.copytree(pristine.folder, folder / "project", symlinks=True))
    for edit in mutant.edits:
        edit.apply(copy / "program" / "tap_stack")
    return dataclasses.replace(pristine, folder=copy)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_the_gate_deploys_nothing_of_a_mutant(
    mutant: Mutant,
    pristine: Deployment,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sabotaged = _sabotaged(pristine, mutant, tmp_path)
    for name in set(os.environ) - set(sabotaged.environment):
        monkeypatch.delenv(name)
    for name, value in sabotaged.environment.items():
        monkeypatch.setenv(name, value)

    code = main(["deploy", "--project", str(sabotaged.folder), "--stack", STACK])
    shown, complaints = capsys.readouterr()
    assert set(_BLOCKED.findall(shown)) == mutant.blocked_by, shown + complaints
    if code == Exit.COULD_NOT_RUN:
        # The provider refuses it as well: AWS knows no such value.
        assert "COULD NOT RUN" in complaints
    else:
        assert code == Exit.BLOCKED
        assert shown.endswith("Nothing was deployed.\n")
    assert "DEPLOYED" not in shown
    assert sabotaged.resources() == []
    assert inventory(target) == set()


def test_without_the_gate_a_stack_policy_comes_too_late(tmp_path: Path) -> None:
    """The hole that `gate deploy` closes: the engine judges a stack when its resources exist."""
    mutant = next(mutant for mutant in MUTANTS if mutant.blocked_by == frozenset({"lambda-error-alarm"}))
    with Emulator() as emulator:
        target = Target(emulator.endpoint, emulator.environment())
        sabotaged = prepare(tmp_path, STACK, target)
        for edit in mutant.edits:
            edit.apply(sabotaged.folder / "program" / "tap_stack")
        made = sabotaged.pulumi("stack", "init")
        assert made.returncode == 0, made.stderr

        late = sabotaged.up("--policy-pack", str(sabotaged.folder / "policypack"))
        assert late.returncode != 0
        assert "lambda-error-alarm" in late.stdout
        assert len(sabotaged.resources()) > 30
        left = inventory(target)
        assert any(name.startswith("function ") for name in left)
        assert any(name.startswith("table ") for name in left)

        refused = sabotaged.gate("deploy")
        assert refused.returncode == 1
        assert inventory(target) == left

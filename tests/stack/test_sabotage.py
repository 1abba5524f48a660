"""Take one control away, and the gate blocks: every row of mutants.yaml, through the real CLI."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_guardrails.assembly import find_rules
from tests.program.recording import OUTPUTS
from tests.stack.engine import ROOT, copy_project, found_in, preview
from tests.stack.mutation import COMPONENT, Mutant, apply, read_mutants, together

if TYPE_CHECKING:
    from tests.stack.engine import Preview

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]
MUTANTS = read_mutants()
SIDE_BY_SIDE = Path(__file__).with_name("side_by_side")
BY_THEMSELVES = [mutant for mutant in MUTANTS if not mutant.found]
"""Those that say no resources: among them what the provider refuses as well, which ends a preview."""
COPIES = {f"m{number}": group for number, group in enumerate(together(MUTANTS))}


def test_whole_stack_passes(tmp_path: Path, stack_env: dict[str, str]) -> None:
    """In `staging`; `dev` and `prod` pass a profile each, in test_configured.py."""
    result = preview(copy_project(tmp_path), stack_env, stack="staging")
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.code == 0, result.output
    assert all(f"    {output}" in result.output for output in OUTPUTS), result.output


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory: pytest.TempPathFactory, stack_env: dict[str, str]) -> Preview:
    """One preview of many components side by side, each of a copy of its own with some controls gone."""
    project = Path(shutil.copytree(SIDE_BY_SIDE, tmp_path_factory.mktemp("sabotage") / "project"))
    (project / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-2}\n")
    (project / "dist").symlink_to(ROOT / "dist")
    for copy, mutants in {"whole": [], **COPIES}.items():
        shutil.copytree(COMPONENT, project / copy / "tap_stack")
        apply([edit for mutant in mutants for edit in mutant.edits], project / copy / "tap_stack")
    return preview(project, stack_env)


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: f"{COPIES[copy][0].name} and others")
def test_each_mutant_is_blocked(copy: str, sabotaged: Preview) -> None:
    """Several of them in one component, each known by its own findings."""
    found = found_in(sabotaged, copy)
    missed = {mutant.name: mutant.found - found for mutant in COPIES[copy]}
    assert missed == {mutant.name: frozenset() for mutant in COPIES[copy]}
    assert found == frozenset().union(*(mutant.found for mutant in COPIES[copy]))


def test_nothing_is_found_elsewhere(sabotaged: Preview) -> None:
    """Not in the component beside them that is whole, nor in the stack at large."""
    assert sabotaged.code != 0, sabotaged.output
    assert sabotaged.found == {
        (policy, name.replace("tap-", f"{copy}-", 1))
        for copy in COPIES
        for policy, name in found_in(sabotaged, copy)
    }


@pytest.mark.parametrize("mutant", BY_THEMSELVES, ids=lambda mutant: mutant.name)
def test_each_mutant_by_itself_is_blocked(mutant: Mutant, tmp_path: Path, stack_env: dict[str, str]) -> None:
    project = copy_project(tmp_path)
    apply(mutant.edits, project / "program" / "tap_stack")
    result = preview(project, stack_env)
    assert result.mandatory == mutant.blocked_by, result.output
    assert result.code != 0, result.output


def test_every_policy_that_blocks_has_a_mutant() -> None:
    attacked = frozenset[str]().union(*(mutant.blocked_by for mutant in MUTANTS))
    assert attacked == {rule.name for rule in find_rules() if rule.level == "mandatory"}

"""Take one control away, and the gate blocks: every row of mutants.yaml, through the real CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.engine import STACKS, copy_project, preview
from tests.stack.mutation import Mutant, read_mutants, together

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]
MUTANTS = read_mutants()


@pytest.mark.parametrize("stack", STACKS)
def test_whole_stack_passes(stack: str, tmp_path: Path, stack_env: dict[str, str]) -> None:
    result = preview(copy_project(tmp_path), stack_env, stack=stack)
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.code == 0, result.output


@pytest.mark.parametrize("mutants", together(MUTANTS), ids=lambda mutants: f"{mutants[0].name} and others")
def test_each_mutant_is_blocked(mutants: list[Mutant], tmp_path: Path, attached_env: dict[str, str]) -> None:
    """Several of them in one stack, each known by its own policies on its own resources."""
    project = copy_project(tmp_path)
    for edit in (edit for mutant in mutants for edit in mutant.edits):
        edit.apply(project / "program" / "tap_stack")
    result = preview(project, attached_env)
    if not mutants[0].found:
        assert result.mandatory == mutants[0].blocked_by, result.output
    else:
        missed = {mutant.name: mutant.found - result.found for mutant in mutants}
        assert missed == {mutant.name: frozenset() for mutant in mutants}, result.output
        assert result.found == frozenset().union(*(mutant.found for mutant in mutants)), result.output
    assert result.code != 0, result.output


def test_every_policy_that_blocks_has_a_mutant(mandatory_policies: frozenset[str]) -> None:
    attacked = frozenset[str]().union(*(mutant.blocked_by for mutant in MUTANTS))
    assert attacked == mandatory_policies

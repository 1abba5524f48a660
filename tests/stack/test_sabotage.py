"""Take one control away, and the gate blocks: every row of mutants.yaml, through the real CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.engine import STACKS, copy_project, preview
from tests.stack.mutation import Mutant, read_mutants

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]
MUTANTS = read_mutants()


@pytest.mark.parametrize("stack", STACKS)
def test_whole_stack_passes(stack: str, tmp_path: Path, stack_env: dict[str, str]) -> None:
    result = preview(copy_project(tmp_path), stack_env, stack=stack)
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.code == 0, result.output


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_mutant_is_blocked(mutant: Mutant, tmp_path: Path, attached_env: dict[str, str]) -> None:
    project = copy_project(tmp_path)
    for edit in mutant.edits:
        edit.apply(project / "program" / "tap_stack")
    result = preview(project, attached_env)
    assert result.mandatory == mutant.blocked_by, result.output
    assert result.code != 0, result.output


def test_every_policy_that_blocks_has_a_mutant(mandatory_policies: frozenset[str]) -> None:
    attacked = frozenset[str]().union(*(mutant.blocked_by for mutant in MUTANTS))
    assert attacked == mandatory_policies

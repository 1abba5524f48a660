"""Which stacks are made for a run, and what becomes of them, whatever other runs do at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapgate import stacks
from tapgate.engine import Engine
from tapgate.findings import CouldNotRunError
from tapgate.project import find_project
from tapgate.stacks import NoSuchStackError, Stack, on_stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLI = """#!/bin/sh
echo "$1 $2" >> calls
case "$2" in
    ls) if [ -f broken ]; then cat broken >&2; exit 255; fi; cat known ;;
    init) if [ -f taken ]; then echo "stack 'dev' already exists" >&2; exit 255; fi ;;
esac
if [ "$2" != ls ] && [ -s locked ]; then
    sed -i 1d locked
    echo "error: the stack is currently locked by 1 lock(s)" >&2
    exit 255
fi
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A CLI whose backend has the stacks that `known` lists; `taken` says that one is being made already."""
    monkeypatch.setattr(stacks, "_PAUSE_SECONDS", 0)
    program = tmp_path / "pulumi"
    program.write_text(CLI)
    program.chmod(0o755)
    (tmp_path / "known").write_text("[]")
    (tmp_path / "Pulumi.yaml").write_text("name: orders\nruntime: yaml\n")
    return Engine(tmp_path, tmp_path, str(program))


def lock(engine: Engine, times: int) -> None:
    """Find the stack locked that often."""
    (engine.folder / "locked").write_text("x\n" * times)


def missing(times: int) -> Callable[[Stack], str]:
    """Do not find the stack so often, then succeed."""
    left = iter(range(times))

    def act(_stack: Stack) -> str:
        if next(left, None) is not None:
            raise NoSuchStackError
        return "done"

    return act


def calls(engine: Engine) -> list[str]:
    return (engine.folder / "calls").read_text().splitlines()


def test_a_project_without_any_stack_has_none_to_misspell(engine: Engine) -> None:
    assert on_stack(engine, find_project(engine.folder), "dev", missing(1)) == "done"
    assert calls(engine) == ["stack ls", "stack init", "stack rm"]
    assert not (engine.folder / "Pulumi.dev.yaml").exists()


@pytest.mark.parametrize("where", ["file", "backend"])
def test_a_stack_that_nobody_knows_is_refused(engine: Engine, where: str) -> None:
    if where == "file":
        (engine.folder / "Pulumi.prod.yaml").touch()
    else:
        (engine.folder / "known").write_text('[{"name": "prod"}]')
    with pytest.raises(CouldNotRunError, match="There is no stack 'prd'") as refused:
        on_stack(engine, find_project(engine.folder), "prd", missing(1))
    assert "use one of: prod;" in str(refused.value.fix)
    assert calls(engine) == ["stack ls"]


def test_a_backend_that_lists_no_stacks_says_why(engine: Engine) -> None:
    (engine.folder / "broken").write_text("error: could not load current project: a key is not namespaced\n")
    with pytest.raises(CouldNotRunError) as refused:
        on_stack(engine, find_project(engine.folder), "dev", missing(1))
    assert "a key is not namespaced" in "\n".join(refused.value.details)


def test_a_stack_that_another_run_has_just_made_is_used_and_left_to_it(engine: Engine) -> None:
    (engine.folder / "known").write_text('[{"name": "dev"}]')
    (engine.folder / "taken").touch()
    assert on_stack(engine, find_project(engine.folder), "dev", missing(1)) == "done"
    assert calls(engine) == ["stack ls", "stack init"]


def test_a_stack_that_another_run_takes_away_is_made_again(engine: Engine) -> None:
    assert on_stack(engine, find_project(engine.folder), "dev", missing(3)) == "done"
    assert calls(engine) == ["stack ls", "stack init", "stack init", "stack init", "stack rm"]


def test_a_stack_that_is_taken_away_every_time_is_given_up(engine: Engine) -> None:
    with pytest.raises(CouldNotRunError, match="was removed while the gate worked on it"):
        on_stack(engine, find_project(engine.folder), "dev", missing(100))
    assert "stack rm" not in calls(engine)


def test_a_stack_that_is_locked_for_a_moment_is_waited_for(engine: Engine) -> None:
    lock(engine, 2)
    assert on_stack(engine, find_project(engine.folder), "dev", missing(3)) == "done"
    assert calls(engine) == ["stack ls", "stack init", "stack init", "stack init", "stack rm"]


def test_a_stack_that_is_locked_for_good_is_said_to_be(engine: Engine) -> None:
    lock(engine, 100)
    with pytest.raises(CouldNotRunError, match="The stack is locked by another run"):
        on_stack(engine, find_project(engine.folder), "dev", missing(100))


def test_a_stack_is_removed_although_it_is_locked_for_a_moment(engine: Engine) -> None:
    def act(_stack: Stack) -> str:
        lock(engine, 1)
        return "done"

    first = missing(1)

    def twice(stack: Stack) -> str:
        first(stack)
        return act(stack)

    on_stack(engine, find_project(engine.folder), "dev", twice)
    assert calls(engine) == ["stack ls", "stack init", "stack rm", "stack rm"]


def test_a_kept_stack_stays(engine: Engine) -> None:
    on_stack(engine, find_project(engine.folder), "dev", missing(1), keep=lambda _: True)
    assert calls(engine) == ["stack ls", "stack init"]


def test_an_interrupt_while_stacks_are_listed_says_nothing_of_the_stack(engine: Engine) -> None:
    (engine.folder / "pulumi").write_text(CLI.replace("ls) ", "ls) kill -INT $PPID; sleep 0.3; exit 255; "))
    with pytest.raises(CouldNotRunError, match="The run was interrupted"):
        on_stack(engine, find_project(engine.folder), "dev", missing(1))

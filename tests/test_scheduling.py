from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.scheduling import ALONE, DEALT_FIRST, TOGETHER, Scheduler, long_ones_first

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]


class Node:
    """A worker that keeps what it is dealt."""

    shutting_down = False
    gateway = SimpleNamespace(id="gw")

    def __init__(self) -> None:
        self.dealt: list[int] = []

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.dealt += indices

    def shutdown(self) -> None:
        self.shutting_down = True


@pytest.mark.parametrize("module", DEALT_FIRST)
def test_a_module_that_is_named_is_there(module: str) -> None:
    assert (ROOT / module).is_file()


def test_long_tests_are_dealt_first_and_one_by_one_the_others_by_module() -> None:
    others = [f"tests/lambdas/test_z.py::test_{number}" for number in range(4)]
    alone = [f"{ALONE[0]}::test_{number}" for number in range(2)]
    together = [f"{module}::test" for module in TOGETHER]
    items: Any = [SimpleNamespace(nodeid=name) for name in (*others, *alone, *together)]
    long_ones_first(items)
    dealt = [item.nodeid for item in items]
    assert dealt == [*together, *alone, *others]

    options = SimpleNamespace(loadscopereorder=True, debug=False, tx=["2*popen"])
    config: Any = SimpleNamespace(option=options, getvalue=vars(options).get)
    scheduler, nodes = Scheduler(config), [Node(), Node()]
    for node in nodes:
        scheduler.add_node(node)  # type: ignore[arg-type]
        scheduler.add_node_collection(node, dealt)  # type: ignore[arg-type]
    scheduler.schedule()
    assert [[dealt[index] for index in node.dealt] for node in nodes] == [together, alone]
    assert [list(unit) for unit in scheduler.workqueue.values()] == [others]

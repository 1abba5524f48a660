"""How the tests are dealt out to the workers of pytest-xdist (`--dist loadgroup`).

Tests that are long and share nothing are dealt one by one and first, so that no worker is left with them at
the end. The tests of every other module stay together, with what its fixtures start for all of them.
xdist's own mark for groups is of no effect with pytest 9.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

if TYPE_CHECKING:
    import pytest

TOGETHER = {
    "tests/integration/test_deployed_stack.py": "the deployed stack",
    "tests/integration/test_alarms.py": "the deployed stack",
    "tests/integration/test_drift.py": "the deployed stack",
}
"""Modules that share what takes long to make."""
WHOLE = (
    "tests/integration/test_changes.py",
    "tests/integration/test_sabotage_at_up.py",
    "tests/integration/test_state_secrets.py",
    "tests/lambdas/test_accounting.py",
    "tests/stack/test_sabotage.py",
    "tests/policypack/test_vendored.py",
    "tests/policypack/serving/test_large_stacks.py",
    "tests/tapgate/embedded/aws_provider/schema/test_package.py",
    "tests/docs/test_write_a_rule.py",
    "tests/tapgate/test_wheel.py",
    "tests/tapgate/audit/test_cluster.py",
    "tests/lambdas/test_contract.py",
    "tests/tapgate/test_floor.py",
    "tests/tapgate/test_attacks.py",
)
"""Modules that are long and whose tests share something."""
ALONE = (
    "tests/integration/test_faults.py",
    "tests/integration/test_as_a_user.py",
    "tests/program/test_plain_preview.py",
    "tests/program/test_cli.py",
    "tests/tapgate/test_foreign.py",
    "tests/tapgate/test_deploy.py",
    "tests/tapgate/test_rehearsal.py",
    "tests/tapgate/test_workflow.py",
    "tests/tapgate/test_publishing.py",
    "tests/tapgate/embedded/toolchain/test_language_host.py",
    "tests/stack/test_configured.py",
    "tests/tapgate/audit/test_audit.py",
    "tests/tapgate/test_preview.py",
    "tests/tapgate/test_answers.py",
    "tests/tapgate/test_packages.py",
    "tests/tapgate/embedded/test_program_environment.py",
)
"""Modules that are long and whose tests share nothing."""
DEALT_FIRST = (*TOGETHER, *WHOLE, *ALONE)


def module_of(nodeid: str) -> str:
    """Return the module of a test, as its id begins."""
    return nodeid.partition("::")[0]


def long_ones_first(items: list[pytest.Item]) -> None:
    """Order the tests as they are dealt."""
    order = {module: place for place, module in enumerate(DEALT_FIRST)}
    items.sort(key=lambda item: order.get(module_of(item.nodeid), len(order)))


class Scheduler(LoadScopeScheduling):
    """Deals tests to workers as this module says."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        # Not by the number of tests: they come in the order in which they are to be dealt.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        module = module_of(nodeid)
        return nodeid if module in ALONE else TOGETHER.get(module, module)

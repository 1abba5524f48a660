"""The two functions of the stack, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_stack.permissions import api_handler_policy, processor_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_stack.names import Addresses

RUNTIME = "python3.13"


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What tells one function from the other."""

    thing: str
    """The middle of its names: `tap-<thing>-<suffix>`."""
    description: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    policy: Callable[[Addresses], str]
    """The document that says what the function may do."""

    @property
    def service(self) -> str:
        """The name it gives itself in logs, metrics and traces."""
        return f"tap-{self.thing}"


API_HANDLER = FunctionPlan(
    thing="api-handler",
    description="Takes documents in, queues work on them and hands results out",
    handler="api_handler.app.handler",
    memory_mb=512,
    timeout_seconds=30,
    policy=api_handler_policy,
)

PROCESSOR = FunctionPlan(
    thing="processor",
    description="Processes the documents that the work queue names",
    handler="processor.app.handler",
    memory_mb=1024,
    timeout_seconds=300,
    policy=processor_policy,
)

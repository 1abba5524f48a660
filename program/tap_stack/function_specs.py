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
class FunctionSpec:
    """What tells one function from the other."""

    component: str
    """The middle of its names: `tap-<component>-<suffix>`."""
    description: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    policy: Callable[[Addresses], str]
    """The document that says what the function may do."""

    @property
    def service(self) -> str:
        """The name it gives itself in logs, metrics and traces."""
        return f"tap-{self.component}"


API_HANDLER = FunctionSpec(
    component="api-handler",
    description="Ingests items, queues their processing and serves their status",
    handler="api_handler.app.handler",
    memory_mb=512,
    timeout_seconds=30,
    policy=api_handler_policy,
)

PROCESSOR = FunctionSpec(
    component="processor",
    description="Processes the items that the work queue names",
    handler="processor.app.handler",
    memory_mb=1024,
    timeout_seconds=300,
    policy=processor_policy,
)

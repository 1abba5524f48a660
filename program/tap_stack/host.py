"""Serving the component to the engine.

This is `pulumi.provider.experimental.component_provider_host` but for two things. That host reports every
error of a component as an unexpected exception with a stack trace, also the component's word on arguments
that it refuses; here those reach the user as what they are. And it leaves the docstrings' indentation in the
schema's descriptions.
"""

from __future__ import annotations

import inspect
import json
import sys

import pulumi
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from tap_stack.settings import InvalidTapStackArgs
from tap_stack.stack import TapStack

PACKAGE = "tap"
VERSION = "0.1.0"


class TapProvider(ComponentProvider):
    """The component host's provider, with clean errors for bad arguments."""

    def __init__(self) -> None:
        super().__init__([TapStack], PACKAGE, version=VERSION)
        self.schema = json.dumps(json.loads(self.schema or "{}", object_hook=_flush_left))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Construct the component that the engine asks for.

        Raises:
            InputPropertiesError: The component refuses its arguments; it lists each with the reason.
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, InvalidTapStackArgs):
                raise _property_errors(error.inner) from None
            raise


def _flush_left(schema: dict[str, object]) -> dict[str, object]:
    description = schema.get("description")
    if isinstance(description, str):
        schema["description"] = inspect.cleandoc(description)
    return schema


def _property_errors(refusal: InvalidTapStackArgs) -> pulumi.InputPropertiesError:
    return pulumi.InputPropertiesError(
        refusal.summary,
        [{"property_path": problem.argument, "reason": problem.what} for problem in refusal.problems],
    )


def serve() -> None:
    """Serve until the engine says stop; its arguments are the process's."""
    main(TapProvider(), sys.argv[1:])

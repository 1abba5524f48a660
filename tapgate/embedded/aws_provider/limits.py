"""Checks values against what AWS takes for a property, beyond its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.checking import Failure, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tapgate.embedded.aws_provider.types.description import Description, Limit
    from tapgate.embedded.aws_provider.values import Value


def check_limits(token: str, inputs: Mapping[str, Value], description: Description) -> list[Failure]:
    """Check inputs that have the right types.

    Args:
        token: The resource's type.
        inputs: Its inputs, converted.
        description: What is known of the type.
    """
    return [
        Failure(path, f"{token}: `{path}` is {_show(value)}. {problem}")
        for name, limit in description.limits.items()
        for path, value in values_at(dict(inputs), name.split("."))
        if (problem := _problem(value, limit)) is not None
    ]


def values_at(value: Value, steps: list[str], path: str = "") -> Iterator[tuple[str, Value]]:
    """Find the values at a path of names, through lists, with the concrete path of each."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from values_at(item, steps, f"{path}[{index}]")
    elif not steps:
        yield path, value
    elif isinstance(value, dict) and steps[0] in value:
        yield from values_at(value[steps[0]], steps[1:], f"{path}.{steps[0]}" if path else steps[0])


def _problem(value: Value, limit: Limit) -> str | None:
    if limit.choices and isinstance(value, str | int) and value not in limit.choices:
        meant = nearest(str(value), (str(choice) for choice in limit.choices))
        fix = f"did you mean {meant}?" if meant and isinstance(value, str) else "take one of these"
        return f"Required: one of {', '.join(map(str, limit.choices))}. AWS refuses anything else. Fix: {fix}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high = limit.minimum, limit.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    bounds = " and ".join(
        text
        for text in (low is not None and f"at least {low}", high is not None and f"at most {high}")
        if text
    )
    return f"Required: {bounds}. AWS refuses anything else. Fix: choose a value within"


def _show(value: Value) -> str:
    return repr(value) if isinstance(value, str) else str(value)

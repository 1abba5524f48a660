"""Evaluating what stands in a list, when there may be no list to go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.model import (
    Absent,
    Invalid,
    Known,
    Outcome,
    PropertyRef,
    PropertyValue,
    Unknown,
    invalid,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_guardrails.model import Resource


def evaluate_each(
    reading: PropertyValue[list[PropertyRef]],
    evaluate: Callable[[PropertyRef], Iterable[Outcome]],
    *,
    required: str,
    absent: str = "",
) -> Iterator[Outcome]:
    """Evaluate each element of a list; a list that cannot be read is a finding itself.

    Args:
        reading: The list as it was read.
        evaluate: Evaluates one element.
        required: What has to stand there.
        absent: What is wrong when there is no list; empty when nothing is.
    """
    match reading:
        case Known(nodes):
            for node in nodes:
                yield from evaluate(node)
        case Unknown():
            yield undecided(reading, required)
        case Invalid():
            yield invalid(reading, required)
        case Absent():
            if absent:
                yield violation(reading, absent, required)


EACH: Final = "[*]"
"""What a step of a path ends with that leads into each element of a list."""


def refs_at(resource: Resource, path: Sequence[str]) -> list[PropertyRef]:
    """Go to everywhere that a path leads to; a list that is unknown, or is none, stands for itself."""
    first, *rest = path
    refs = entered([resource.at(first.removesuffix(EACH))], first)
    for step in rest:
        refs = entered([ref.at(step.removesuffix(EACH)) for ref in refs], step)
    return refs


def entered(refs: list[PropertyRef], step: str) -> list[PropertyRef]:
    """Go from lists into their elements."""
    if not step.endswith(EACH):
        return refs
    readings = [(ref, ref.items()) for ref in refs]
    return [one for ref, read in readings for one in (read.value if isinstance(read, Known) else [ref])]

"""Judging what stands in a list, when there may be no list to go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from collections.abc import Callable, Iterable, Iterator


def evaluate_each(
    reading: PropertyValue[list[PropertyRef]],
    judge: Callable[[PropertyRef], Iterable[Outcome]],
    *,
    required: str,
    absent: str = "",
) -> Iterator[Outcome]:
    """Judge each element of a list; a list that cannot be read is a finding itself.

    Args:
        reading: The list as it was read.
        judge: Judges one element.
        required: What has to stand there.
        absent: What is wrong when there is no list; empty when nothing is.
    """
    match reading:
        case Known(nodes):
            for node in nodes:
                yield from judge(node)
        case Unknown():
            yield undecided(reading, required)
        case Invalid():
            yield invalid(reading, required)
        case Absent():
            if absent:
                yield violation(reading, absent, required)

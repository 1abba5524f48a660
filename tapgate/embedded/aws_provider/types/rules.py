"""What holds between the inputs of a type, in the forms in which terraform-provider-aws states it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.limits import given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.types.description import Rule
    from tapgate.embedded.aws_provider.values import Properties, Value

MOMENT: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"
"""A moment as RFC 3339 has it."""
__all__ = ["MOMENT", "at_most", "fifo_name", "given", "needs", "not_both", "one_given"]


def not_both(one: str, other: str) -> Rule:
    """Refuse two inputs together."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        if given(inputs.get(one)) and given(inputs.get(other)):
            yield one, f"`{one}` and `{other}` are both given. AWS takes one of them. Fix: take the other out"

    return rule


def needs(one: str, other: str, *, true: bool = False) -> Rule:
    """Refuse an input without another one; `true` where that one has to be true."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        there = inputs.get(other)
        if given(inputs.get(one)) and (there is None or (true and there is False)):
            said = f"`{other}: true`" if true else f"`{other}`"
            yield one, f"`{one}` is given without {said}. AWS takes it only besides. Fix: give {said} as well"

    return rule


def one_given(*names: str) -> Rule:
    """Refuse that none of some inputs is given."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        if all(inputs.get(name) is None for name in names):
            said = ", ".join(f"`{name}`" for name in names)
            yield names[0], f"none of {said} is given. AWS needs one of them. Fix: give one"

    return rule


def at_most(name: str, count: int) -> Rule:
    """Refuse a list with more elements."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        value: Value = inputs
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, list) and len(value) > count:
            yield name, f"`{name}` has {len(value)} elements. AWS takes at most {count}. Fix: leave some out"

    return rule


def fifo_name(flag: str) -> Rule:
    """Refuse a name that ends with `.fifo` for what is none, and another one for what is."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        name, fifo = inputs.get("name"), inputs.get(flag)
        if isinstance(name, str) and isinstance(fifo, bool | None) and name.endswith(".fifo") != bool(fifo):
            wanted = "end with `.fifo`" if fifo else f"not end with `.fifo` unless `{flag}` is true"
            yield (
                "name",
                f"`name` is {name!r}. It has to {wanted}. AWS refuses it. Fix: correct one of the two",
            )

    return rule

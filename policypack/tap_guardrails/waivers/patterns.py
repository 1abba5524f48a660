"""Patterns of URNs: `TYPE::NAME`, or a whole `urn:pulumi:STACK::PROJECT::TYPE::NAME`.

A `*` stands for any characters. Whoever writes a pattern may be whoever is evaluated, so matching takes time
in proportion to the lengths of pattern and URN, whatever the pattern.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.model.record import record

URN: Final = "urn:pulumi:"
BETWEEN: Final = "::"
WHOLE_PARTS, SHORT_PARTS = 4, 2


@record
class Pattern:
    """A pattern of URNs.

    Attributes:
        stack: What stack and project have to match; None for any.
        resource: What type and name have to match.
        one_stack: Whether it can be about no more than one stack.
    """

    stack: str | None
    resource: str
    one_stack: bool

    def matches(self, urn: str) -> bool:
        """Tell whether a resource is meant."""
        stack, resource = split(urn)
        type_chain, _, name = resource.partition(BETWEEN)
        # A short pattern names the resource's own type, a whole one the types of its parents too.
        seen = resource if self.stack is not None else f"{type_chain.rpartition('$')[2]}{BETWEEN}{name}"
        return self.about(stack) and matches(self.resource, seen)

    def about(self, stack: str) -> bool:
        """Tell whether resources of a stack are meant, given `STACK::PROJECT`."""
        return self.stack is None or matches(self.stack, stack)


def pattern_of(text: str) -> Pattern | None:
    """Read a pattern; None when it is none."""
    if text.startswith(URN):
        parts = text.removeprefix(URN).split(BETWEEN, WHOLE_PARTS - 1)
        if len(parts) != WHOLE_PARTS or not all(parts):
            return None
        stack, project, type_chain, name = parts
        resource = f"{type_chain}{BETWEEN}{name}"
        return Pattern(f"{stack}{BETWEEN}{project}", resource, "*" not in stack + project)
    parts = text.split(BETWEEN, SHORT_PARTS - 1)
    if len(parts) != SHORT_PARTS or not all(parts):
        return None
    return Pattern(None, text, one_stack=False)


def is_too_wide(text: str) -> bool:
    """Tell whether a pattern spells out neither the type nor the name of what it is about."""
    chain, _, name = (text.split(BETWEEN, WHOLE_PARTS - 2)[-1] if text.startswith(URN) else text).partition(
        BETWEEN
    )
    return "*" in chain.rpartition("$")[2] and "*" in name


def matches(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches a text: each part between two `*` is taken where it first comes."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    last = middle.pop()
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def split(urn: str) -> tuple[str, str]:
    """Split a URN into `STACK::PROJECT` and `TYPE::NAME`."""
    stack, _, rest = urn.removeprefix(URN).partition(BETWEEN)
    project, _, resource = rest.partition(BETWEEN)
    return f"{stack}{BETWEEN}{project}", resource

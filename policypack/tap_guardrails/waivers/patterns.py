"""Patterns of URNs: `TYPE::NAME`, or a whole `urn:pulumi:STACK::PROJECT::TYPE::NAME`.

A `*` stands for any characters.
"""

from __future__ import annotations

import re
from typing import Final

from tap_guardrails.model.record import record

URN: Final = "urn:pulumi:"
BETWEEN: Final = "::"
WHOLE_PARTS, SHORT_PARTS = 4, 2


@record
class Pattern:
    """A pattern of URNs.

    Attributes:
        place: What stack and project have to match; None for any.
        resource: What type and name have to match.
        one_stack: Whether it can be about no more than one stack.
    """

    place: re.Pattern[str] | None
    resource: re.Pattern[str]
    one_stack: bool

    def matches(self, urn: str) -> bool:
        """Tell whether a resource is meant."""
        place, resource = split(urn)
        type_chain, _, name = resource.partition(BETWEEN)
        # A short pattern names the resource's own type, a whole one the types of its parents too.
        seen = resource if self.place is not None else f"{type_chain.rpartition('$')[2]}{BETWEEN}{name}"
        return self.about(place) and self.resource.fullmatch(seen) is not None

    def about(self, place: str) -> bool:
        """Tell whether resources of a stack are meant, given `STACK::PROJECT`."""
        return self.place is None or self.place.fullmatch(place) is not None


def pattern_of(text: str) -> Pattern | None:
    """Read a pattern; None when it is none."""
    if text.startswith(URN):
        parts = text.removeprefix(URN).split(BETWEEN, WHOLE_PARTS - 1)
        if len(parts) != WHOLE_PARTS or not all(parts):
            return None
        stack, project, type_chain, name = parts
        place = compiled(f"{stack}{BETWEEN}{project}")
        return Pattern(place, compiled(f"{type_chain}{BETWEEN}{name}"), "*" not in stack + project)
    parts = text.split(BETWEEN, SHORT_PARTS - 1)
    if len(parts) != SHORT_PARTS or not all(parts):
        return None
    return Pattern(None, compiled(text), one_stack=False)


def compiled(text: str) -> re.Pattern[str]:
    """Turn `*` into any characters, and everything else into itself."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)


def split(urn: str) -> tuple[str, str]:
    """Split a URN into `STACK::PROJECT` and `TYPE::NAME`."""
    stack, _, rest = urn.removeprefix(URN).partition(BETWEEN)
    project, _, resource = rest.partition(BETWEEN)
    return f"{stack}{BETWEEN}{project}", resource

"""Telling a property that nobody set from one whose value is not known yet.

What the policies of a stack see are outputs. There a provider fills in what a program leaves out, and
before deployment such a property is as unknown as one that was made from a resource that is not there yet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_guardrails.model import UNKNOWN

if TYPE_CHECKING:
    from tap_guardrails.model import PropertyRef, Resource


def as_set(resource: Resource, node: PropertyRef) -> PropertyRef:
    """Return a property as the program set it: absent when it is unknown and was made from nothing.

    Every value that a program cannot know yet comes from some resource, and the engine records which.

    Args:
        resource: Whose property it is.
        node: The property, or something within it.
    """
    if node.value is UNKNOWN and not resource.property_dependencies.get(node.top):
        return replace(node, value=None)
    return node

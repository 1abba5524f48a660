"""Waivers in the program, as tags: `tap-guardrails:waive:<policy>` on the resource that the finding names.

The value is `granted=2026-12-01 expires=2027-01-31 owner=team@example.com finding=enableKeyRotation
reason=why it may stand`, in letters that AWS takes in any tag. It holds where the operator lets
programs waive. Only the resource's own `tags` count: what a provider puts on everything waives nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.model import Known, PropertyRef, Resource, Secret, Unknown, Value, Waiver
from tap_guardrails.model.record import record
from tap_guardrails.waivers.terms import Refused, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TAG_PREFIX: Final = "tap-guardrails:waive:"
PACKAGES: Final = ("aws:", "aws-native:")
"""Whose resources have tags in AWS; a component's `tags` are there to be handed on."""


@record
class Tagged:
    """A tag that waives, or is meant to.

    Attributes:
        policy: The policy that it names.
        node: Where it stands.
        terms: What it says; None while that is unknown.
    """

    policy: str
    node: PropertyRef
    terms: Waiver | Refused | None


def tagged(resource: Resource) -> Iterator[Tagged]:
    """Go through a resource's tags that waive, or are meant to."""
    if not resource.type.startswith(PACKAGES) or not mentioned(resource.properties.get("tags")):
        return
    tags = resource.at("tags")
    match tags.entries():
        case Known(entries):
            named: Iterable[tuple[str, PropertyRef]] = entries.items()
        case _:
            named = listed_tags(tags)
    for key, node in named:
        if key.startswith(TAG_PREFIX):
            yield Tagged(key.removeprefix(TAG_PREFIX), node, read_node(node))


def mentioned(tags: Value) -> bool:
    """Tell at a glance, for thousands of resources, whether any of their tags may be a waiver."""
    match tags:
        case dict():
            return any(key.startswith(TAG_PREFIX) for key in tags)
        case list():
            return any(isinstance(entry, (dict, Secret)) for entry in tags)
        case Secret(inner):
            return mentioned(inner)
        case _:
            return False


def listed_tags(tags: PropertyRef) -> Iterator[tuple[str, PropertyRef]]:
    """Go through tags in CloudFormation's form, a list of keys and values."""
    match tags.items():
        case Known(entries):
            for entry in entries:
                match entry.at("key").text():
                    case Known(key):
                        yield key, entry.at("value")
                    case _:
                        pass
        case _:
            pass


def read_node(node: PropertyRef) -> Waiver | Refused | None:
    """Read a tag's value. Secret words waive nothing: a waiver is there to be read by everybody."""
    match node.text():
        case Known(text):
            return Refused("is a secret") if node.secret else read_text(text)
        case Unknown():
            return None
        case _:
            return Refused("is empty, or not a text")

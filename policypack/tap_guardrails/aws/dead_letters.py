"""Where AWS puts what could not be delivered: every property that names a dead letter target.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.invocation import FAILURE_TARGETS, queue_in_url
from tap_guardrails.aws.lists import refs_at
from tap_guardrails.aws.location import same_location
from tap_guardrails.aws.resource_types import QUEUE
from tap_guardrails.aws.tables import table
from tap_guardrails.model import Invalid, Known, Relation, RelationIndex, Resource, Stack

if TYPE_CHECKING:
    from tap_guardrails.model import PropertyRef

REDRIVE: Final = ("redrivePolicy", "deadLetterTargetArn")
"""A redrive policy, which may be an object or JSON, with the ARN in it."""

ON_FAILURE: Final = ("destinationConfig", "onFailure", "destination")

SOURCES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    token: tuple(REDRIVE if path == REDRIVE[0] else tuple(path.split(".")) for path in paths)
    for token, paths in table("failure_targets").items()
}
"""For each type of resource, the paths to what its dead letters go to; `[*]` leads into each of a list."""

OTHER_TARGETS: Final = frozenset(FAILURE_TARGETS) - frozenset(QUEUE.types)
"""Types of resources that can take what failed, and are no queue."""

URL: Final = "Url"
"""What the name of a property ends with that has a queue's URL."""

QUEUE_ARN: Final = re.compile(r"arn:[^:]+:sqs:[^:]*:[^:]*:(?P<name>[^:]+)")


@dataclass(slots=True)
class DeadLetters:
    """Which queues are dead-letter targets.

    Attributes:
        sources: By a queue's URN, the resources whose dead letters go to it, or may.
        open: The resources whose target may be any queue at all, with the property that is unknown.
        unreadable: The resources whose target cannot be read, with what is wrong.
    """

    sources: RelationIndex = field(default_factory=RelationIndex)
    open: dict[str, PropertyRef] = field(default_factory=dict[str, "PropertyRef"])
    unreadable: dict[str, Invalid] = field(default_factory=dict[str, Invalid])

    def concern(self, urn: str) -> bool:
        """Tell whether there is anything to say of a resource."""
        return any(
            urn in urns for urns in (self.sources.certain, self.sources.possible, self.open, self.unreadable)
        )


def dead_letters(stack: Stack) -> DeadLetters:
    """Find the dead letter targets of a stack, once."""
    return stack.memoized(find_dead_letters)


def find_dead_letters(stack: Stack) -> DeadLetters:
    """Go through everything that can name a dead letter target."""
    letters = DeadLetters()
    for token, paths in SOURCES.items():
        for source in stack.of(token):
            for path in paths:
                nodes = [target_node(source, path)] if path == REDRIVE else refs_at(source, path)
                for node in nodes:
                    note(letters, source, node, stack)
    return letters


def target_node(source: Resource, path: tuple[str, ...]) -> PropertyRef:
    """Go to where a resource names its dead letter target, into JSON if it is in JSON."""
    top, *rest = path
    node = source.at(top)
    return (node.document() if path == REDRIVE else node).at(*rest)


def note(letters: DeadLetters, source: Resource, node: PropertyRef, stack: Stack) -> None:
    """Note what one resource says."""
    reading = node.text()
    if isinstance(reading, Invalid):
        letters.unreadable[source.urn] = reading
        return
    name_in = queue_in_url if node.path.endswith(URL) else queue_name
    queues = stack.resolve_reference(source, node, QUEUE, name_in)
    if isinstance(reading, Known):
        letters.sources.add(
            source, Relation(queues.certain).where(lambda one: same_location(source, one) is not False)
        )
        return
    letters.sources.add(source, Relation(queues.certain, queues.possible))
    if queues.anything and not made_of_no_queue(source, node, stack):
        letters.open[source.urn] = node


def made_of_no_queue(source: Resource, node: PropertyRef, stack: Stack) -> bool:
    """Tell whether an unknown target was made from a topic or the like, and from nothing else."""
    others = [stack.get(urn) for urn in source.property_dependencies.get(node.top, ())]
    return bool(others) and all(other is not None and other.is_a(OTHER_TARGETS) for other in others)


def queue_name(arn: str) -> str | None:
    """Take a queue's name out of its ARN; None when it is of something else."""
    match = QUEUE_ARN.fullmatch(arn)
    return match["name"] if match else None

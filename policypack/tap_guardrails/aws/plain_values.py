"""Where AWS shows values in the clear to everyone who may describe a resource.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.resource_types import FUNCTION
from tap_guardrails.model import Invalid, Known, PropertyRef, Resource, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

SSM_PARAMETER: Final = "aws:ssm/parameter:Parameter"

MAPS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(FUNCTION.types, ("environment", "variables")),
    "aws:apigateway/stage:Stage": ("variables",),
    "aws:apigatewayv2/stage:Stage": ("stageVariables",),
    "aws:amplify/app:App": ("environmentVariables",),
}
"""By type, where names and values stand in an object."""

LISTS: Final[dict[str, tuple[str, ...]]] = {
    "aws:codebuild/project:Project": ("environment", "environmentVariables"),
}
"""By type, where objects with `name`, `value` and perhaps `type` stand in a list."""

CONTAINERS: Final[dict[str, str]] = {
    "aws:ecs/taskDefinition:TaskDefinition": "containerDefinitions",
    "aws:batch/jobDefinition:JobDefinition": "containerProperties",
}
"""By type, the JSON text with containers, each of which has such a list in `environment`."""

TYPES: Final = (*MAPS, *LISTS, *CONTAINERS, SSM_PARAMETER)

REFERENCE_TYPES: Final = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER"})
"""Types of a CodeBuild variable whose value only says where the secret is."""


@record
class Shown:
    """A value that AWS shows.

    Attributes:
        name: What it is called.
        node: Where it stands.
    """

    name: str
    node: PropertyRef


def containers_of_values(resource: Resource) -> list[PropertyRef]:
    """Return what such values stand in, from the outside in."""
    steps = MAPS.get(resource.type) or LISTS.get(resource.type) or ()
    if resource.type in CONTAINERS:
        steps = (CONTAINERS[resource.type],)
    return [resource.at(*steps[: depth + 1]) for depth in range(len(steps))]


def shown_values(resource: Resource) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the values of a resource that AWS shows, and what keeps them from being read."""
    if resource.type in MAPS:
        top, *rest = MAPS[resource.type]
        yield from in_object(resource.at(top, *rest))
    elif resource.type in LISTS:
        top, *rest = LISTS[resource.type]
        yield from in_list(resource.at(top, *rest))
    elif resource.type in CONTAINERS:
        yield from in_containers(resource.at(CONTAINERS[resource.type]).document())
    else:
        yield from in_parameter(resource)


def in_object(node: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through an object of values by name."""
    match node.entries():
        case Known(fields):
            yield from (Shown(name, field) for name, field in fields.items())
        case Unknown() | Invalid() as reading:
            yield reading
        case _:
            pass


def in_list(node: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through a list of objects with `name` and `value`."""
    match node.items():
        case Known(items):
            for item in items:
                kind, name = item.at("type").text(), item.at("name").text()
                if isinstance(kind, Known) and kind.value in REFERENCE_TYPES:
                    continue
                yield Shown(name.value if isinstance(name, Known) else "", item.at("value"))
        case Unknown() | Invalid() as reading:
            yield reading
        case _:
            pass


def in_containers(node: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the environments of one container or of several."""
    if isinstance(node.value, dict):
        yield from in_list(node.at("environment"))
        return
    match node.items():
        case Known(containers):
            for container in containers:
                yield from in_list(container.at("environment"))
        case Unknown() | Invalid() as reading:
            yield reading
        case _:
            pass


def in_parameter(resource: Resource) -> Iterator[Shown]:
    """Give what a parameter holds, unless it is encrypted."""
    kind, name = resource.at("type").text(), resource.at("name").text()
    if not (isinstance(kind, Known) and kind.value == "SecureString"):
        called = name.value if isinstance(name, Known) else resource.name
        yield Shown(called, resource.at("value"))
        yield Shown(called, resource.at("insecureValue"))

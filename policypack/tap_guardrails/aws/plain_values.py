"""Where AWS shows values in the clear to everyone who may describe a resource, and where secrets belong.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws import FUNCTION
from tap_guardrails.aws.tables import table
from tap_guardrails.model import Invalid, Known, PropertyRef, Resource, Unknown, refs_at
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SSM_PARAMETER: Final = "aws:ssm/parameter:Parameter"

MAP, LIST, TEXT, CONTAINERS = "map", "list", "text", "containers"
"""The forms of values: an object of names and values; objects with `name`, `value` and perhaps `type`; a
script; JSON with containers, each of which has such a list in `environment`."""

SHOWN: Final[Mapping[str, Mapping[str, str]]] = {
    **table("shown_values"),
    **{token: {"environment.variables": MAP} for token in FUNCTION.types},
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions": CONTAINERS},
    "aws:batch/jobDefinition:JobDefinition": {"containerProperties": CONTAINERS},
}
"""By type, the paths of what AWS shows, each with its form."""

SECRET: Final[Mapping[str, list[str]]] = table("secret_properties")
"""By type, the properties that the provider's schema marks secret. SDKs mark every value of theirs."""

TYPES: Final = tuple(dict.fromkeys((*FUNCTION.types, *SHOWN, *SECRET)))

REFERENCE_TYPES: Final = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER"})
"""Types of a CodeBuild variable whose value only says where the secret is."""


@record
class Shown:
    """A value that AWS shows.

    Attributes:
        name: What it is called.
        ref: Where it stands.
        marked_by_sdk: Whether a mark as secret is the SDK's, so that it says nothing of the program's view.
    """

    name: str
    ref: PropertyRef
    marked_by_sdk: bool = False


def marked_whole(resource: Resource, path: str) -> PropertyRef | None:
    """Return what the program marks as secret on the way to values that AWS shows, the outermost."""
    steps = path.split(".")
    if is_secret_by_schema(resource, steps[0]):
        return None
    prefixes = (refs_at(resource, steps[: depth + 1]) for depth in range(len(steps)))
    return next((ref for refs in prefixes for ref in refs if ref.secret), None)


def is_secret_by_schema(resource: Resource, name: str) -> bool:
    """Tell whether the provider's schema marks a property of a resource secret."""
    return name in SECRET.get(resource.type, ())


def shown_values(resource: Resource, path: str, form: str) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the values at a path that AWS shows, and what keeps them from being read."""
    steps = path.split(".")
    if form == LIST:
        steps[-1] = steps[-1].removesuffix("[*]")
    marked = is_secret_by_schema(resource, steps[0])
    for ref in refs_at(resource, steps):
        if form == MAP:
            yield from in_object(ref, marked_by_sdk=marked)
        elif form == LIST:
            yield from in_list(ref)
        elif form == TEXT:
            yield Shown(steps[-1], ref)
        else:
            yield from in_containers(ref.document())


def in_object(ref: PropertyRef, *, marked_by_sdk: bool) -> Iterator[Shown | Unknown | Invalid]:
    """Go through an object of values by name."""
    match ref.entries():
        case Known(fields):
            yield from (Shown(name, field, marked_by_sdk) for name, field in fields.items())
        case Unknown() | Invalid() as prop:
            yield prop
        case _:
            pass


def in_list(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through a list of objects with `name` and `value`."""
    match ref.items():
        case Known(items):
            for item in items:
                of_type, name = item.at("type").text(), item.at("name").text()
                if of_type.value in REFERENCE_TYPES:
                    continue
                yield Shown(name.value or "", item.at("value"))
        case Unknown() | Invalid() as prop:
            yield prop
        case _:
            pass


def in_containers(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the environments of one container or of several."""
    if isinstance(ref.value, dict):
        yield from in_list(ref.at("environment"))
        return
    match ref.items():
        case Known(containers):
            for container in containers:
                yield from in_list(container.at("environment"))
        case Unknown() | Invalid() as prop:
            yield prop
        case _:
            pass


def secret_values(resource: Resource) -> Iterator[Shown]:
    """Go through what the provider's schema marks secret, besides what AWS shows of it by names.

    Of a parameter that is not encrypted, AWS shows the value.
    """
    shown = {path.split(".")[0] for path in SHOWN.get(resource.type, ())}
    for name in SECRET.get(resource.type, ()):
        if name not in shown and resource.type != SSM_PARAMETER:
            prop = resource.at(name).items()
            yield from (Shown(name, ref) for ref in (prop.value if isinstance(prop, Known) else [prop.ref]))


def parameter_values(resource: Resource) -> Iterator[Shown]:
    """Give what a parameter of SSM holds, unless it is encrypted."""
    of_type, name = resource.at("type").text(), resource.at("name").text()
    if resource.type == SSM_PARAMETER and of_type.value != "SecureString":
        called = name.value if isinstance(name, Known) else resource.name
        yield Shown(called, resource.at("value"), marked_by_sdk=True)
        yield Shown(called, resource.at("insecureValue"), marked_by_sdk=True)

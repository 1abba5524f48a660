"""Resources that another resource carries inside: in a CloudFormation template, in a desired state.

They become resources of aws-native's types, whose properties follow CloudFormation's schema, and are
evaluated like those that the program declares itself. What cannot be read is a gap, which
`no-unseen-resources` reports.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from tap_guardrails.aws.policy_documents import unrepeated
from tap_guardrails.aws.template_functions import Functions, is_unechoed, object_of, token
from tap_guardrails.model import (
    Embedding,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Resource,
    Secret,
    Value,
)
from tap_guardrails.model.property_value import join
from tap_guardrails.model.values import CloudFormationObject, has_unknown, record

STAND_IN: Final = "tapgateUnseen"
"""The property in which the gate's stand-in for a provider says why no one can look into a resource."""

TEMPLATES: Final = frozenset(
    {
        "aws:cloudformation/stack:Stack", "aws:cloudformation/stackSet:StackSet",
        "aws-native:cloudformation:Stack", "aws-native:cloudformation:StackSet",
    }
)  # fmt: skip
CLOUD_CONTROL: Final = "aws:cloudcontrol/resource:Resource"
EXTENSION: Final = "aws-native:index:ExtensionResource"
CARRIERS: Final = frozenset({*TEMPLATES, CLOUD_CONTROL, EXTENSION})
"""Types of resources into which the pack looks."""

READABLE: Final = "a template in `templateBody`, in JSON or YAML, without macros"
DECLARED: Final = "resources that the program or its templates declare one by one"

LARGEST_TEMPLATE: Final = 1_000_000
"""Characters; AWS takes a twentieth of that in `templateBody`."""
MOST_NESTED: Final = 4

HARMLESS_TRANSFORMS: Final = frozenset({"AWS::LanguageExtensions"})


@record
class Contents:
    """What a resource carries inside.

    Attributes:
        gaps: What could not be looked into.
    """

    resources: tuple[Resource, ...] = ()
    gaps: tuple[Finding, ...] = ()


class References(dict[str, tuple[str, ...]]):
    """For each property of an embedded resource, the URNs of what it was made from, by either name."""

    def get(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the URNs of a property."""
        folded = key.casefold()
        return next((urns for name, urns in self.items() if name.casefold() == folded), default)


def with_embedded(resources: Iterable[Resource], depth: int = 0) -> Iterator[Resource]:
    """Go through resources, each followed by those that it carries inside."""
    for resource in resources:
        yield resource
        if resource.type in CARRIERS and resource.provider is not None and depth < MOST_NESTED:
            yield from with_embedded(contents(resource).resources, depth + 1)


def contents(carrier: Resource) -> Contents:
    """Read what a resource carries inside."""
    if carrier.type == CLOUD_CONTROL:
        return desired_state(carrier, carrier.at("typeName"), carrier.at("desiredState").document())
    if carrier.type == EXTENSION:
        return desired_state(carrier, carrier.at("type"), carrier.at("properties"))
    return template(carrier, carrier.at("templateBody"))


def desired_state(carrier: Resource, named: PropertyRef, state: PropertyRef) -> Contents:
    """Read the one resource of Cloud Control, or of aws-native's extension of it."""
    type_name = named.text()
    if not isinstance(type_name, Known) or named.secret:
        return gap(
            type_name, "the CloudFormation type of the resource", "The type of the resource is not known."
        )
    fields = state.entries()
    if state.secret or not fields.settled:
        return gap(fields, "the properties of the resource, in the open", "Its properties cannot be read.")
    properties = CloudFormationObject(cast("dict[str, Value]", in_cloudformation(state.value or {})))
    inner = Resource(
        f"{carrier.urn}#{type_name.value}",
        token(type_name.value),
        carrier.name,
        hidden(properties) if state.redacted else properties,
        carrier.provider,
        carrier.urn,
        # What is recorded of the whole document holds for each of its properties.
        References(dict.fromkeys(properties, carrier.property_dependencies.get(state.top, ()))),
        Embedding(carrier, state.path),
    )
    return Contents((inner,))


def template(carrier: Resource, body: PropertyRef) -> Contents:
    """Read a template: its resources, each with what it refers to."""
    text = body.text() if isinstance(body.value, str) else body.entries()
    if text.absent:
        return gap(text, READABLE, "The template is not in the program, so what it declares is unseen.")
    if body.secret or not isinstance(text, Known):
        return gap(text, READABLE, "The template cannot be read before deployment.")
    try:
        document = parsed(body.value)
        return read_template(carrier, body, document)
    except (ValueError, RecursionError):
        return gap(Invalid(body, "a template"), READABLE, "The template cannot be read.")


def unechoed(carrier: Resource) -> frozenset[str]:
    """Return the parameters of a template that AWS shows to no one."""
    try:
        declared = object_of(parsed(carrier.at("templateBody").value).get("Parameters"))
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(name for name, entry in declared.items() if is_unechoed(object_of(entry)))


def parsed(body: Value) -> Mapping[str, object]:
    """Read a template's text, or take it as it is when it is an object.

    Raises:
        ValueError: It is neither JSON nor YAML as CloudFormation takes it, or no object.
    """
    document: object = body
    if isinstance(body, str):
        if len(body) > LARGEST_TEMPLATE:
            raise ValueError
        if body.lstrip().startswith("{"):
            document = json.loads(body, object_pairs_hook=unrepeated)
        else:
            from tap_guardrails.aws.template_yaml import read_yaml  # noqa: PLC0415 - few stacks need PyYAML

            document = read_yaml(body)
    if not isinstance(document, dict):
        raise ValueError  # noqa: TRY004 - whatever is wrong with the text, it is no template
    return cast("dict[str, object]", document)


def read_template(carrier: Resource, body: PropertyRef, document: Mapping[str, object]) -> Contents:
    """Read a template's resources; what a macro may add or change is a gap."""
    gaps: list[Finding] = []
    transforms = document.get("Transform")
    listed = cast("list[object]", transforms) if isinstance(transforms, list) else [transforms]
    macros = [one for one in listed if one is not None and str(one) not in HARMLESS_TRANSFORMS]
    if macros or has_transform(document):
        where = step(body, "Transform")
        gaps.append(where.violation("A macro transforms the template, and may add any resource.", READABLE))
    bodies = document.get("Resources")
    if not isinstance(bodies, dict):
        gaps.append(step(body, "Resources").violation("The template declares no resources.", READABLE))
        return Contents((), tuple(gaps))
    declared = cast("dict[str, object]", bodies)
    functions, resources = Functions(carrier, document), list[Resource]()
    for identifier, entry in declared.items():
        where = step(body, "Resources", str(identifier))
        fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        if not isinstance(fields.get("Type"), str) or str(identifier).startswith("Fn::"):
            gaps.append(where.violation(f"`{where.path}` does not say which resources it makes.", DECLARED))
            continue
        condition = fields.get("Condition")
        created = condition is None or functions.holds(str(condition))
        if created is False:
            continue
        if created is None:
            gaps.append(
                step(body, "Resources", str(identifier), "Condition").undecided(
                    "a resource without a condition",
                    f"Whether `{identifier}` is created depends on a condition of the template.",
                    "Make the choice in the program, or allow the type of the carrying resource.",
                )
            )
        resources.append(resource_of(carrier, where, str(identifier), functions))
    return Contents(tuple(resources), tuple(gaps))


def resource_of(carrier: Resource, where: PropertyRef, identifier: str, functions: Functions) -> Resource:
    """Make a resource of an entry of a template."""
    properties, made_from = CloudFormationObject(), References()
    for name, value in functions.properties(identifier).items():
        properties[name] = functions.value(value)
        urns = functions.origins(value)
        if urns or has_unknown(properties[name]):
            made_from[name] = urns or (carrier.urn,)
    if naming := functions.name_property(identifier):
        properties[naming] = functions.name_of(identifier)
    return Resource(
        f"{carrier.urn}#{identifier}",
        functions.token_of(identifier),
        f"{carrier.name}/{identifier}",
        hidden(properties) if where.redacted else properties,
        carrier.provider,
        carrier.urn,
        made_from,
        Embedding(carrier, f"{where.path}.Properties"),
    )


def has_transform(tree: object) -> bool:
    """Tell whether a macro transforms any part of a template."""
    if isinstance(tree, dict):
        fields = cast("dict[object, object]", tree)
        return "Fn::Transform" in fields or any(has_transform(value) for value in fields.values())
    return isinstance(tree, list) and any(has_transform(item) for item in cast("list[object]", tree))


def in_cloudformation(value: Value) -> Value:
    """Return a value whose objects answer to both casings."""
    match value:
        case dict():
            return CloudFormationObject({key: in_cloudformation(item) for key, item in value.items()})
        case list():
            return [in_cloudformation(item) for item in value]
        case Secret(inner, marked):
            return Secret(in_cloudformation(inner), marked)
        case _:
            return value


def hidden(properties: CloudFormationObject) -> CloudFormationObject:
    """Hide the values of properties that stand in what may be a secret."""
    return CloudFormationObject({name: Secret(value, marked=False) for name, value in properties.items()})


def step(body: PropertyRef, *steps: str) -> PropertyRef:
    """Return the reference to an element of a document, without its value."""
    path = body.path
    for one in steps:
        path = join(path, one)
    return PropertyRef(path, None, body.secret, body.top, redacted=body.redacted)


def gap(prop: PropertyValue[Any], required: str, problem: str) -> Contents:
    """Return the contents of a resource into which no one can look before deployment, or at all."""
    finding = prop.undecided(required, problem) if prop.unknown else prop.violation(problem, required)
    return Contents((), (finding,))

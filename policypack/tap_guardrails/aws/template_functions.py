"""What the functions of a CloudFormation template give, as far as the template and its parameters tell.

A name that CloudFormation would make up gets one here, so that resources of a template are found by their
names as those of a program are. What AWS gives otherwise (an ARN, an id, the account) is unknown, and known
to be no wildcard; what comes from elsewhere is unknown.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from tap_guardrails.aws import (
    BUCKET,
    COMPOSITE_ALARM,
    FUNCTION,
    LOG_GROUP,
    METRIC_ALARM,
    NATIVE_BUCKET,
    RESOURCE_TYPES,
    TABLE,
)
from tap_guardrails.aws.sub_resources import partition_of, region_of
from tap_guardrails.model import UNKNOWN, Resource, Secret, Value, decode
from tap_guardrails.model.values import (
    NAME_TEXT,
    UNKNOWN_TEXT,
    CloudFormationObject,
    Partial,
    all_of,
    any_of,
    decode_text,
)

TYPE: Final = re.compile(r"AWS::([A-Za-z0-9]+)::([A-Za-z0-9]+)")
CUSTOM_RESOURCE: Final = "aws-native:cloudformation:CustomResource"
ONE_STACK: Final = frozenset({"aws:cloudformation/stack:Stack", "aws-native:cloudformation:Stack"})
"""What makes one stack of its template; a set makes many, each with parameters and a region of its own."""

NAMED_BY_REF: Final = (BUCKET, COMPOSITE_ALARM, FUNCTION, LOG_GROUP, METRIC_ALARM, TABLE)
"""Types whose `Ref` is the name; of others it is an ARN, a URL or an id."""

BY_TOKEN: Final = {token: one for one in RESOURCE_TYPES.values() for token in one.types}
SUBSTITUTED: Final = re.compile(r"\$\{(!?)([^}]+)\}")
GIVEN_BY_AWS: Final = re.compile(r"[A-Za-z0-9]*(Arn|Id|Name)")
NAME: Final = Partial(NAME_TEXT)
LONGEST: Final = 100_000


def token(name: str) -> str:
    """Return aws-native's token of CloudFormation's type; others than AWS's are as good as custom ones."""
    match = TYPE.fullmatch(name)
    return f"aws-native:{match[1].lower()}:{match[2]}" if match else CUSTOM_RESOURCE


def references(tree: object) -> Iterator[str]:
    """Go through the names that a tree's functions refer to."""
    if isinstance(tree, list):
        for item in cast("list[object]", tree):
            yield from references(item)
    elif isinstance(tree, dict):
        for key, value in cast("dict[str, object]", tree).items():
            if key == "Ref":
                yield str(value)
            elif key == "Fn::GetAtt":
                yield str(first_of(value)).partition(".")[0]
            else:
                if key == "Fn::Sub":
                    names = (match[2] for match in SUBSTITUTED.finditer(str(first_of(value))))
                    yield from (name.partition(".")[0] for name in names)
                yield from references(value)


def object_of(tree: object) -> Mapping[str, object]:
    """Return an object of a template; an empty one for what is none."""
    return cast("dict[str, object]", tree) if isinstance(tree, dict) else {}


def is_unechoed(parameter: Mapping[str, object]) -> bool:
    """Tell whether AWS shows a parameter to no one."""
    return str(parameter.get("NoEcho")).lower() == "true"


def first_of(argument: object) -> object:
    """Return a function's first argument, which some take alone."""
    return next(iter(cast("list[object]", argument)), "") if isinstance(argument, list) else argument


class Functions:
    """The functions of one template."""

    def __init__(self, carrier: Resource, document: Mapping[str, object]) -> None:
        """Take the template that a resource carries."""
        self._carrier = carrier
        self._document = document
        self._one_stack = carrier.type in ONE_STACK
        self._region = region_of(carrier) if self._one_stack else ""
        # Templates refer to one name from many places.
        self.name_of = cache(self._name_of)
        self.holds = cache(self._holds)

    def _entry(self, section: str, name: str) -> Mapping[str, object] | None:
        named = object_of(self._document.get(section))
        return object_of(named[name]) if isinstance(named.get(name), dict) else None

    def value(self, tree: object) -> Value:
        """Turn a value of a template into one of the pack's."""
        if isinstance(tree, dict):
            fields = cast("dict[str, object]", tree)
            if fields.keys() == {"Ref"} or any(str(key).startswith("Fn::") for key in fields):
                return self._call(*next(iter(fields.items()))) if len(fields) == 1 else UNKNOWN
            return CloudFormationObject({str(key): self.value(value) for key, value in fields.items()})
        if isinstance(tree, list):
            pairs = [(item, self.value(item)) for item in cast("list[object]", tree)]
            return [value for item, value in pairs if value is not None or not isinstance(item, dict)]
        return decode(tree)

    def _call(self, name: str, argument: Any) -> Value:  # noqa: ANN401, C901, PLR0911 - JSON; a case for each
        match name, argument:
            case "Ref", str():
                return self._ref(argument)
            case "Fn::GetAtt", str():
                return self._attribute(*argument.partition(".")[::2])
            case "Fn::GetAtt", [str(identifier), str(attribute)]:
                return self._attribute(identifier, attribute)
            case "Fn::Sub", str():
                return self._substituted(argument, {})
            case "Fn::Sub", [str(text), given] if isinstance(given, dict):
                return self._substituted(text, cast("dict[str, object]", given))
            case "Fn::Join", [str(delimiter), listed]:
                items = self.value(listed)
                every = (
                    [one for item in items for one in (delimiter, item)] if isinstance(items, list) else []
                )
                return joined(every[1:]) if every else UNKNOWN
            case "Fn::Split", [str(delimiter), text]:
                given = self.value(text)
                return [*given.split(delimiter)] if isinstance(given, str) and delimiter else UNKNOWN
            case "Fn::Select", [index, listed]:
                at, items = str(index), self.value(listed)
                inside = isinstance(items, list) and at.isdecimal() and int(at) < len(items)
                return items[int(at)] if isinstance(items, list) and inside else UNKNOWN
            case "Fn::FindInMap", [name_of_map, top, second, *_]:
                return self._mapped(*(self.value(key) for key in (name_of_map, top, second)))
            case "Fn::If", [str(condition), one, other]:
                answer = self.holds(condition)
                return UNKNOWN if answer is None else self.value(one if answer else other)
            case _:
                return UNKNOWN

    def _ref(self, name: str) -> Value:
        if name.startswith("AWS::"):
            return self._pseudo_parameter(name)
        declared = self._entry("Parameters", name)
        if declared is not None:
            return self._parameter(name, declared)
        if BY_TOKEN.get(self.token_of(name)) in NAMED_BY_REF:
            return self.name_of(name)
        return NAME if gives_names(self.token_of(name)) else UNKNOWN

    def _pseudo_parameter(self, name: str) -> Value:
        match name:
            case "AWS::NoValue":
                return None
            case "AWS::NotificationARNs":
                return UNKNOWN
            case "AWS::Region":
                return self._region or NAME
            case "AWS::Partition":
                return partition_of(self._region) or "aws"
            case "AWS::StackName":
                own = self._carrier.at("name").text().value or self._carrier.at("stackName").text().value
                return own or NAME if self._one_stack else NAME
            case _:
                return NAME

    def _parameter(self, name: str, declared: Mapping[str, object]) -> Value:
        """Return a parameter's value: as given, or its default; a set may give it otherwise to each stack."""
        given = self._carrier.at("parameters", name)
        type_name = str(declared.get("Type"))
        if not self._one_stack or given.invalid_parent or type_name.startswith("AWS::SSM::Parameter::Value"):
            return UNKNOWN
        value = decode(declared.get("Default")) if given.value is None else given.value
        if isinstance(value, str) and ("List<" in type_name or type_name == "CommaDelimitedList"):
            value = list[Value](one.strip() for one in value.split(","))
        secret = given.hidden or is_unechoed(declared)
        if value is None or value is UNKNOWN:
            return UNKNOWN
        return Secret(value, marked=given.secret or not given.hidden) if secret else value

    def _mapped(self, *keys: Value) -> Value:
        name, top, second = map(text_of, keys)
        if not (isinstance(name, str) and isinstance(top, str) and isinstance(second, str)):
            return UNKNOWN
        return decode(object_of((self._entry("Mappings", name) or {}).get(top)).get(second, UNKNOWN))

    def declares(self, identifier: str) -> bool:
        """Tell whether the template declares a resource of that name."""
        return self._entry("Resources", identifier) is not None

    def origins(self, tree: object) -> tuple[str, ...]:
        """Return the URNs of what a value was made from, in the template or by a parameter."""
        named = sorted(set(references(tree)))
        given = any(self._carrier.at("parameters", one).value is not None for one in named)
        parameters = self._carrier.property_dependencies.get("parameters", ()) if given else ()
        return (*(f"{self._carrier.urn}#{one}" for one in named if self.declares(one)), *parameters)

    def properties(self, identifier: str) -> Mapping[str, object]:
        """Return a resource's properties as they stand in the template."""
        return object_of((self._entry("Resources", identifier) or {}).get("Properties"))

    def token_of(self, identifier: str) -> str:
        """Return aws-native's token of a resource."""
        return token(str((self._entry("Resources", identifier) or {}).get("Type")))

    def name_property(self, identifier: str) -> str:
        """Return the property with a resource's name in AWS; empty when the pack knows of none."""
        named = self.token_of(identifier)
        resource_type = BY_TOKEN.get(named)
        prop = (
            resource_type.property_aliases[named].get(resource_type.name_property, "")
            if resource_type
            else ""
        )
        return prop[:1].upper() + prop[1:]

    def _name_of(self, identifier: str) -> Value:
        """Return a resource's name in AWS: its own, or one as CloudFormation would make it."""
        named = self.value(self.properties(identifier).get(self.name_property(identifier)))
        carrier = self._carrier
        made_up = f"{carrier.name.replace('/', '-')}-{identifier}-{zlib.crc32(carrier.urn.encode()):08X}"
        return made_up if named is None else named

    def _attribute(self, identifier: str, attribute: str) -> Value:
        named = self.token_of(identifier)
        if attribute and attribute == self.name_property(identifier):
            return self.name_of(identifier)
        if named == NATIVE_BUCKET and attribute == "Arn":
            return joined(["arn:", self._ref("AWS::Partition"), ":s3:::", self.name_of(identifier)])
        if not gives_names(named) or not GIVEN_BY_AWS.fullmatch(attribute):
            return UNKNOWN
        return joined(["arn:", NAME]) if attribute == "Arn" else NAME

    def _holds(self, condition: str) -> bool | None:
        """Tell whether a condition of the template holds; None while that is not known."""
        return self._is_true(object_of(self._document.get("Conditions")).get(condition))

    def _is_true(self, tree: Any) -> bool | None:  # noqa: ANN401 - JSON
        match tree:
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Equals": [one, other]}:
                texts = [text_of(self.value(tree)) for tree in (one, other)]
                return texts[0] == texts[1] if all(isinstance(text, str) for text in texts) else None
            case {"Fn::Not": [inner]}:
                answer = self._is_true(inner)
                return None if answer is None else not answer
            case {"Fn::And": [*inner]} | {"Fn::Or": [*inner]}:
                return (any_of if "Fn::Or" in tree else all_of)(self._is_true(one) for one in inner)
            case _:
                return None

    def _substituted(self, text: str, given: Mapping[str, object]) -> Value:
        pieces: list[Value] = []
        end = 0
        for match in SUBSTITUTED.finditer(text):
            literal, name = match.groups()
            pieces.append(text[end : match.start()])
            end = match.end()
            if literal:
                pieces.append(f"${{{name}}}")
            elif name in given:
                pieces.append(self.value(given[name]))
            else:
                identifier, dot, attribute = name.partition(".")
                pieces.append(self._attribute(identifier, attribute) if dot else self._ref(name))
        return joined([*pieces, text[end:]])


def gives_names(named: str) -> bool:
    """Tell whether what a resource of a type gives is AWS's, and not what its code says."""
    return not named.startswith("aws-native:cloudformation:")


def text_of(value: Value) -> str | Partial | None:
    """Return a value as it stands in a text; None for what is none."""
    match value:
        case str() | Partial():
            return value
        case Secret():
            return text_of(value.value)
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case _:
            return Partial(UNKNOWN_TEXT) if value is UNKNOWN else None


def joined(values: Sequence[Value]) -> Value:
    """Join texts, of which some may be unknown; with a secret in them, the whole is one."""
    pieces = [text_of(value) for value in values]
    texts = [piece.text if isinstance(piece, Partial) else piece for piece in pieces if piece is not None]
    text = "".join(texts)
    if len(texts) < len(pieces) or len(text) > LONGEST:
        return UNKNOWN
    secrets = [value.marked for value in values if isinstance(value, Secret)]
    return Secret(decode_text(text), any(secrets)) if secrets else decode_text(text)

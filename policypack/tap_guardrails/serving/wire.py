"""From the protocol's messages to the model, decoding a property when a rule first reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue

from tap_guardrails.model import UNKNOWN, Opaque, Provider, Resource, Value
from tap_guardrails.model.values import MAXIMUM_DEPTH, SIGNATURE_KEY, UNKNOWN_MARKS, Overlay, signed

if TYPE_CHECKING:
    from pulumi.runtime.proto.analyzer_pb2 import (
        AnalyzeRequest,
        AnalyzerProviderResource,
        AnalyzerResource,
    )


CONTAINERS: Final = frozenset({"struct_value", "list_value"})


class WireProperties(Mapping[str, Value]):
    """The properties of a message: each is decoded once, and only if it is read."""

    __slots__ = ("_decoded", "_struct")

    def __init__(self, struct: Struct) -> None:
        self._struct = struct
        self._decoded: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._decoded:
            fields = self._struct.fields
            if name not in fields:
                raise KeyError(name)
            self._decoded[name] = wire_value(fields[name])
        return self._decoded[name]

    def get(self, key: str, default: Value = None) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a property; most of those that rules ask for are not there, and that must cost little."""
        if key in self._decoded:
            return self._decoded[key]
        fields = self._struct.fields
        if key not in fields:
            return default
        value = self._decoded[key] = wire_value(fields[key])
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._struct.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._struct.fields)

    def __len__(self) -> int:
        return len(self._struct.fields)


class WireDependencies(Mapping[str, tuple[str, ...]]):
    """The property dependencies of a message."""

    __slots__ = ("_message",)

    def __init__(self, message: AnalyzerResource) -> None:
        self._message = message

    def __getitem__(self, name: str) -> tuple[str, ...]:
        dependencies = self._message.propertyDependencies
        if name not in dependencies:
            raise KeyError(name)
        return tuple(dependencies[name].urns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._message.propertyDependencies)

    def __len__(self) -> int:
        return len(self._message.propertyDependencies)


def wire_value(value: WireValue, depth: int = 0) -> Value:
    """Decode one value of a message.

    Args:
        value: The message.
        depth: Levels above it.
    """
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWN_MARKS else text
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        return value.number_value
    return wire_container(value, kind, depth) if kind in CONTAINERS else None


def wire_container(value: WireValue, kind: str | None, depth: int) -> Value:
    """Decode an object or a list."""
    if depth >= MAXIMUM_DEPTH:
        return Opaque("value nested too deep")
    if kind == "list_value":
        return [wire_value(item, depth + 1) for item in value.list_value.values]
    fields = value.struct_value.fields
    if SIGNATURE_KEY in fields:
        return signed(dict(fields), lambda field: signed_field(field, depth))
    return {name: wire_value(item, depth + 1) for name, item in fields.items()}


def signed_field(field: object, depth: int) -> Value:
    """Decode a field of an object that carries a signature."""
    return wire_value(field, depth + 1) if isinstance(field, WireValue) else None


def analyzed_resource(request: AnalyzeRequest) -> Resource:
    """Make the resource that `Analyze` asks about: its inputs, and nothing of what is around it."""
    provider = wire_provider(request.provider) if request.HasField("provider") else None
    return Resource(request.urn, request.type, request.name, WireProperties(request.properties), provider)


def analyzed_stack(
    messages: Iterable[AnalyzerResource], inputs: Mapping[str, Mapping[str, Value]]
) -> list[Resource]:
    """Make the resources that `AnalyzeStack` asks about; those of one provider share it.

    Args:
        messages: The resources.
        inputs: By URN: what was asked for, as far as `Analyze` was shown it.
    """
    providers: dict[str, Provider] = {}
    return [stack_resource(message, providers, inputs.get(message.urn)) for message in messages]


def stack_resource(
    message: AnalyzerResource, providers: dict[str, Provider], inputs: Mapping[str, Value] | None
) -> Resource:
    """Make one resource of a stack."""
    outputs = WireProperties(message.properties)
    provider = None
    if message.HasField("provider"):
        urn = message.provider.urn
        if urn not in providers:
            providers[urn] = wire_provider(message.provider)
        provider = providers[urn]
    return Resource(
        message.urn,
        message.type,
        message.name,
        outputs if inputs is None else Overlay(outputs, inputs),
        provider,
        message.parent,
        WireDependencies(message),
    )


def wire_provider(message: AnalyzerProviderResource) -> Provider:
    """Make a provider."""
    return Provider(message.urn, WireProperties(message.properties))

"""The Analyzer service over the pack's policies: a thin layer between the protocol and `evaluation.Run`.

It stands in for pulumi-policy's own servicer, which decodes every property of every resource anew for
every policy. Here a property is decoded when it is first read, stack policies share one index, and what
no policy reads costs nothing. Only published parts are built on: the protocol's messages and service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NoReturn, cast

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue
from pulumi.runtime.proto.analyzer_pb2 import (
    AnalyzeDiagnostic,
    AnalyzeRequest,
    AnalyzeResponse,
    AnalyzerInfo,
    AnalyzerStackConfigureRequest,
    AnalyzerStackConfigureResponse,
    AnalyzeStackRequest,
    ConfigureAnalyzerRequest,
    PolicyConfig,
    PolicyNotApplicable,
    RemediateResponse,
    Remediation,
)
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerServicer
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.evaluation import LEVEL, ConfigurationError, Reported, Run, configure
from tap_guardrails.model import UNKNOWN, Finding, Opaque, Provider, Resource, Value, Verdict
from tap_guardrails.model.rule import message
from tap_guardrails.model.values import MAXIMUM_DEPTH, SIGNATURE_KEY, UNKNOWN_MARKS, Overlay, signed
from tap_guardrails.serving.pack_info import LEVELS_ON_WIRE, SEVERITIES, analyzer_info
from tap_guardrails.serving.remediation import remediated
from tap_guardrails.waivers import in_stack, today_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from pulumi.runtime.proto.analyzer_pb2 import AnalyzerProviderResource, AnalyzerResource

    from tap_guardrails.assembly import Policy
    from tap_guardrails.evaluation import Answer
    from tap_guardrails.model import Rule
    from tap_guardrails.waivers import Listed

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
    """Decode one value of a message."""
    oneof = value.WhichOneof("kind")
    if oneof == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWN_MARKS else text
    if oneof == "bool_value":
        return value.bool_value
    if oneof == "number_value":
        return value.number_value
    return wire_container(value, oneof, depth) if oneof in CONTAINERS else None


def wire_container(value: WireValue, oneof: str | None, depth: int) -> Value:
    """Decode an object or a list."""
    if depth >= MAXIMUM_DEPTH:
        return Opaque("value nested too deep")
    if oneof == "list_value":
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
    """Make the resources that `AnalyzeStack` asks about; those of one provider share it."""
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


LEVEL_NAMES: Final = {on_wire: level for level, on_wire in LEVELS_ON_WIRE.items()}

REPORTED_BY: Final = "no-unseen-resources"
"""The policy under whose name a second configuration is reported: after it, nothing said would be known."""

ONCE: Final = (
    "The pack is configured once, by the engine, before the program runs; another configuration was refused."
)


class GuardrailsAnalyzer(AnalyzerServicer):
    """Answers the engine: what the pack is, and what it says of a resource and of a stack."""

    def __init__(
        self,
        policies: Sequence[Policy],
        today: Callable[[], date] = today_utc,
        *,
        reconfigurable: bool = False,
    ) -> None:
        """Make the pack as it is until the engine configures it.

        Args:
            policies: The policies.
            today: Tells the day by which waivers expire.
            reconfigurable: Whether it takes a configuration again and again. Not from an engine, whose
                program can reach the pack as well.
        """
        self._policies = tuple(policies)
        self._rules: tuple[Rule, ...] = tuple(policy.rule for policy in policies)
        self._today = today
        self._reconfigurable = reconfigurable
        self._configured: set[str] = set()
        self._refused = False
        self._configuration = configure(self._rules, {})
        self._of_stack: Sequence[Listed] = ()
        self._secrets: frozenset[str] = frozenset()
        self._begin()

    def _begin(self) -> None:
        self._run = Run(self._configuration, self._of_stack, self._today, self._secrets)
        self._inputs: dict[str, Mapping[str, Value]] = {}

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> PluginInfo:  # noqa: ARG002, N802
        """Tell the pack's version."""
        return PluginInfo(version=PACK_VERSION)

    def GetAnalyzerInfo(self, request: Empty, context: grpc.ServicerContext) -> AnalyzerInfo:  # noqa: ARG002, N802
        """Tell all about the pack and its policies."""
        return analyzer_info(self._policies)

    def Configure(self, request: ConfigureAnalyzerRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Take the operator's levels and settings; what does not fit stops the run with a clear error."""
        self._once("Configure", context)
        given: dict[str, object] = {
            # The engine has given every policy the level that stands for all of them.
            name: {**settings_of(one), LEVEL: LEVEL_NAMES[one.enforcementLevel]}
            for name, one in request.policyConfig.items()
            if name != "all"
        }
        try:
            self._configuration = configure(self._rules, given)
        except ConfigurationError as error:
            refuse(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        self._begin()
        return Empty()

    def ConfigureStack(  # noqa: N802
        self, request: AnalyzerStackConfigureRequest, context: grpc.ServicerContext
    ) -> AnalyzerStackConfigureResponse:
        """Take the waivers in the stack's configuration; no policy asks for its tags."""
        self._once("ConfigureStack", context)
        self._of_stack = tuple(in_stack(request.config, request.config_secret_keys))
        self._secrets = frozenset(
            request.config[key] for key in request.config_secret_keys if key in request.config
        )
        self._begin()
        return AnalyzerStackConfigureResponse()

    def _once(self, call: str, context: grpc.ServicerContext) -> None:
        """Refuse a call that came before, or comes once the pack has been asked of a resource."""
        if call in self._configured and not self._reconfigurable:
            self._refused = True
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, ONCE)
        self._configured.add(call)

    def _asked(self) -> None:
        self._configured |= {"Configure", "ConfigureStack"}

    def Remediate(self, request: AnalyzeRequest, context: grpc.ServicerContext) -> RemediateResponse:  # noqa: ARG002, N802
        """Remediate a resource, where its policies are to do that and can; what is waived stays as it is."""
        self._asked()
        response = RemediateResponse()
        for rule in self._configuration.readers(request.type) if self._configuration.remediates else ():
            if not self._configuration.is_to_remediate(rule):
                continue
            resource = analyzed_resource(request)
            if not resource.is_a(rule.types) or self._run.ledger.waives(rule.name, resource):
                continue
            settings = self._configuration.settings(rule)
            properties = remediated(rule, resource, request.properties, settings, WireProperties)
            if properties is None:
                continue
            response.remediations.append(
                Remediation(
                    policyName=rule.name,
                    policyPackName=PACK_NAME,
                    policyPackVersion=PACK_VERSION,
                    description=rule.description,
                    properties=properties,
                )
            )
            request.properties.CopyFrom(properties)
        return response

    def Analyze(self, request: AnalyzeRequest, context: grpc.ServicerContext) -> AnalyzeResponse:  # noqa: ARG002, N802
        """Evaluate one resource by its inputs, and keep them for when its outputs come."""
        self._asked()
        self._inputs[request.urn] = WireProperties(request.properties)
        return on_wire(self._run.analyze(analyzed_resource(request)))

    def AnalyzeStack(self, request: AnalyzeStackRequest, context: grpc.ServicerContext) -> AnalyzeResponse:  # noqa: ARG002, N802
        """Evaluate a stack: for each stack policy, each resource that it is about."""
        self._asked()
        run, inputs = self._run, self._inputs
        self._begin()
        resources = analyzed_stack(request.resources, inputs)
        response = on_wire(run.analyze_stack(resources))
        if self._refused and resources and self._rules:
            rule = next((one for one in self._rules if one.name == REPORTED_BY), self._rules[0])
            response.diagnostics.append(diagnostic(refusal(rule, resources[0])))
        return response


def settings_of(given: PolicyConfig) -> Mapping[str, object]:
    """Return the settings of a policy's configuration."""
    if not given.properties.fields:
        return {}
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - not before there are settings

    return cast("dict[str, object]", MessageToDict(given.properties))


def on_wire(answer: Answer) -> AnalyzeResponse:
    """Put an answer into the protocol's message."""
    return AnalyzeResponse(
        diagnostics=[diagnostic(one) for one in answer.findings],
        not_applicable=[
            PolicyNotApplicable(policy_name=name, reason=reason)
            for name, reason in answer.not_applicable.items()
        ],
    )


def diagnostic(reported: Reported) -> AnalyzeDiagnostic:
    """Put a finding into the protocol's message."""
    rule = reported.rule
    return AnalyzeDiagnostic(
        policyName=rule.name,
        policyPackName=PACK_NAME,
        policyPackVersion=PACK_VERSION,
        description=rule.description,
        message=message(rule, reported.resource, reported.finding),
        enforcementLevel=LEVELS_ON_WIRE[reported.level],
        urn=reported.resource.declared.urn,
        severity=SEVERITIES[rule.severity],
    )


def refusal(rule: Rule, resource: Resource) -> Reported:
    """Make the finding that someone tried to configure the pack besides the engine."""
    finding = Finding(
        Verdict.ERROR,
        ONCE,
        "(configuration)",
        "a second configuration",
        "the engine's configuration only",
        "Find out what reaches the pack's port while the program runs: nothing but the engine has to.",
    )
    return Reported(rule, resource, finding, "mandatory")


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    """End a call with an error that the engine shows as it is."""
    context.abort(code, text)
    raise AssertionError(text)

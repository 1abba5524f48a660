"""The Analyzer service over the pack's policies: a thin layer between the protocol and `evaluation.Run`.

It stands in for pulumi-policy's own servicer, which decodes every property of every resource anew for
every policy. Here a property is decoded when it is first read, stack policies share one index, and what
no policy reads costs nothing. Only published parts are built on: the protocol's messages and service.
"""

# ruff: noqa: ARG002, N802 - the methods of the protocol

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, cast, get_args

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerServicer
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.assembly import FRAMEWORKS, tags_of
from tap_guardrails.evaluation import LEVEL, Answer, ConfigurationError, Reported, Run, configure
from tap_guardrails.model import Finding, Opaque, Provider, Resource, ResourceRule, Severity, Value, Verdict
from tap_guardrails.model.rule import LEVELS, message
from tap_guardrails.model.values import (
    MAXIMUM_DEPTH,
    SIGNATURE_KEY,
    LazyMapping,
    Overlay,
    decode_text,
    signed,
)
from tap_guardrails.serving.remediation import remediated
from tap_guardrails.waivers import Listed, in_stack, today_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from tap_guardrails.model import Rule

DISPLAY_NAME: Final = "TAP Guardrails"
DESCRIPTION: Final = (
    "Policies for AWS serverless stacks: keys that rotate, tables that can be restored, functions that are "
    "traced, logs that end, alarms that fire. What cannot be decided at preview is said, not passed over."
)
PROVIDER: Final = "aws"
TAGS: Final = ("aws", "serverless")

LEVELS_ON_WIRE: Final = {level: proto.EnforcementLevel.Value(level.upper()) for level in LEVELS}
LEVEL_NAMES: Final = {on_wire: level for level, on_wire in LEVELS_ON_WIRE.items()}
SEVERITIES: Final = {
    severity: proto.PolicySeverity.Value(f"POLICY_SEVERITY_{severity.upper()}")
    for severity in cast("tuple[Severity, ...]", get_args(Severity))
}
CONTAINERS: Final = frozenset({"struct_value", "list_value"})


def wire_properties(struct: Struct) -> LazyMapping[Value]:
    """Return the properties of a message."""
    fields = struct.fields
    return LazyMapping(fields, lambda name: wire_value(fields[name]))


def wire_dependencies(message: proto.AnalyzerResource) -> LazyMapping[tuple[str, ...]]:
    """Return the property dependencies of a message."""
    dependencies = message.propertyDependencies
    return LazyMapping(dependencies, lambda name: tuple(dependencies[name].urns))


def wire_value(value: WireValue, depth: int = 0) -> Value:
    """Decode one value of a message."""
    oneof = value.WhichOneof("kind")
    if oneof == "string_value":
        return decode_text(value.string_value)
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
        return signed(dict(fields), lambda field: wire_value(cast("WireValue", field), depth + 1))
    return {name: wire_value(item, depth + 1) for name, item in fields.items()}


def analyzed_resource(request: proto.AnalyzeRequest) -> Resource:
    """Make the resource that `Analyze` asks about: its inputs, and nothing of what is around it."""
    provider = wire_provider(request.provider) if request.HasField("provider") else None
    return Resource(request.urn, request.type, request.name, wire_properties(request.properties), provider)


def analyzed_stack(
    messages: Iterable[proto.AnalyzerResource], inputs: Mapping[str, Mapping[str, Value]]
) -> list[Resource]:
    """Make the resources that `AnalyzeStack` asks about; those of one provider share it."""
    providers: dict[str, Provider] = {}
    resources: list[Resource] = []
    for one in messages:
        if one.HasField("provider") and one.provider.urn not in providers:
            providers[one.provider.urn] = wire_provider(one.provider)
        provider = providers[one.provider.urn] if one.HasField("provider") else None
        properties: Mapping[str, Value] = wire_properties(one.properties)
        if one.urn in inputs:
            properties = Overlay(properties, inputs[one.urn])
        dependencies = wire_dependencies(one)
        resources.append(
            Resource(one.urn, one.type, one.name, properties, provider, one.parent, dependencies)
        )
    return resources


def wire_provider(message: proto.AnalyzerProviderResource) -> Provider:
    """Make a provider."""
    return Provider(message.urn, wire_properties(message.properties))


def analyzer_info(rules: Sequence[Rule]) -> proto.AnalyzerInfo:
    """Describe the pack."""
    schemas: dict[int, Struct] = {}
    return proto.AnalyzerInfo(
        name=PACK_NAME,
        displayName=DISPLAY_NAME,
        version=PACK_VERSION,
        supportsConfig=True,
        description=DESCRIPTION,
        provider=PROVIDER,
        tags=TAGS,
        policies=[policy_info(rule, schemas) for rule in rules],
    )


def policy_info(rule: Rule, schemas: dict[int, Struct]) -> proto.PolicyInfo:
    """Describe one policy.

    Args:
        rule: The policy's rule.
        schemas: Those made so far, by setting: policies share many settings, and a schema takes its time.
    """
    info = proto.PolicyInfo(
        name=rule.name,
        displayName=rule.title,
        description=rule.description,
        enforcementLevel=LEVELS_ON_WIRE[rule.level],
        policy_type=proto.POLICY_TYPE_RESOURCE if isinstance(rule, ResourceRule) else proto.POLICY_TYPE_STACK,
        severity=SEVERITIES[rule.severity],
        tags=tags_of(rule),
        remediation_steps=rule.fix,
        url=rule.url,
    )
    for setting in rule.all_settings:
        if id(setting) not in schemas:
            schemas[id(setting)] = Struct()
            schemas[id(setting)].update(cast("dict[str, Any]", setting.schema()))
        info.configSchema.properties.fields[setting.name].struct_value.CopyFrom(schemas[id(setting)])
    if rule.controls:
        # The field holds one control; the tags carry them all.
        first = rule.answered[0]
        framework = FRAMEWORKS[first.framework]
        info.framework.name, info.framework.version = framework.name, framework.version
        info.framework.reference, info.framework.specification = first.identifier, first.source
    return info


REPORTED_BY: Final = "no-unseen-resources"
"""The policy under whose name a second configuration is reported: after it, nothing said would be known."""

ONCE: Final = (
    "The pack is configured once, by the engine, before the program runs; another configuration was refused."
)


class GuardrailsAnalyzer(AnalyzerServicer):
    """Answers the engine: what the pack is, and what it says of a resource and of a stack."""

    def __init__(
        self,
        rules: Sequence[Rule],
        today: Callable[[], date] = today_utc,
        *,
        reconfigurable: bool = False,
    ) -> None:
        """Make the pack as it is until the engine configures it.

        Args:
            rules: Those of the policies.
            today: Tells the day by which waivers expire.
            reconfigurable: Whether it takes a configuration again and again. Not from an engine, whose
                program can reach the pack as well.
        """
        self._rules = tuple(rules)
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

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> PluginInfo:
        """Tell the pack's version."""
        return PluginInfo(version=PACK_VERSION)

    def GetAnalyzerInfo(self, request: Empty, context: grpc.ServicerContext) -> proto.AnalyzerInfo:
        """Tell all about the pack and its policies."""
        return analyzer_info(self._rules)

    def Configure(self, request: proto.ConfigureAnalyzerRequest, context: grpc.ServicerContext) -> Empty:
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

    def ConfigureStack(
        self, request: proto.AnalyzerStackConfigureRequest, context: grpc.ServicerContext
    ) -> proto.AnalyzerStackConfigureResponse:
        """Take the waivers in the stack's configuration; no policy asks for its tags."""
        self._once("ConfigureStack", context)
        self._of_stack = tuple(in_stack(request.config, request.config_secret_keys))
        self._secrets = frozenset(
            request.config[key] for key in request.config_secret_keys if key in request.config
        )
        self._begin()
        return proto.AnalyzerStackConfigureResponse()

    def _once(self, call: str, context: grpc.ServicerContext) -> None:
        """Refuse a call that came before, or comes once the pack has been asked of a resource."""
        if call in self._configured and not self._reconfigurable:
            self._refused = True
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, ONCE)
        self._configured.add(call)

    def _asked(self) -> None:
        self._configured |= {"Configure", "ConfigureStack"}

    def Remediate(
        self, request: proto.AnalyzeRequest, context: grpc.ServicerContext
    ) -> proto.RemediateResponse:
        """Remediate a resource, where its policies are to do that and can; what is waived stays as it is."""
        self._asked()
        response = proto.RemediateResponse()
        for rule in self._configuration.readers(request.type) if self._configuration.remediates else ():
            if self._configuration.own_level(rule) != "remediate":
                continue
            resource = analyzed_resource(request)
            if not resource.is_a(rule.types) or self._run.ledger.waives(rule.name, resource):
                continue
            settings = self._configuration.settings(rule)
            properties = remediated(rule, resource, request.properties, settings, wire_properties)
            if properties is None:
                continue
            response.remediations.append(
                proto.Remediation(
                    policyName=rule.name,
                    policyPackName=PACK_NAME,
                    policyPackVersion=PACK_VERSION,
                    description=rule.description,
                    properties=properties,
                )
            )
            request.properties.CopyFrom(properties)
        return response

    def Analyze(self, request: proto.AnalyzeRequest, context: grpc.ServicerContext) -> proto.AnalyzeResponse:
        """Evaluate one resource by its inputs, and keep them for when its outputs come."""
        self._asked()
        self._inputs[request.urn] = wire_properties(request.properties)
        return on_wire(self._run.analyze(analyzed_resource(request)))

    def AnalyzeStack(
        self, request: proto.AnalyzeStackRequest, context: grpc.ServicerContext
    ) -> proto.AnalyzeResponse:
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


def settings_of(given: proto.PolicyConfig) -> Mapping[str, object]:
    """Return the settings of a policy's configuration."""
    if not given.properties.fields:
        return {}
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - not before there are settings

    return cast("dict[str, object]", MessageToDict(given.properties))


def on_wire(answer: Answer) -> proto.AnalyzeResponse:
    """Put an answer into the protocol's message."""
    return proto.AnalyzeResponse(
        diagnostics=[diagnostic(one) for one in answer.findings],
        not_applicable=[
            proto.PolicyNotApplicable(policy_name=name, reason=reason)
            for name, reason in answer.not_applicable.items()
        ],
    )


def diagnostic(reported: Reported) -> proto.AnalyzeDiagnostic:
    """Put a finding into the protocol's message."""
    rule = reported.rule
    return proto.AnalyzeDiagnostic(
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

"""The Analyzer service over the pack's policies.

It stands in for pulumi-policy's own servicer, which decodes every property of every resource anew for
every policy. Here a property is decoded when it is first read, stack policies share one index, and what
no policy reads costs nothing. Only published parts are built on: the protocol's messages and service, and
the public attributes of policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.analyzer_pb2 import (
    AnalyzeDiagnostic,
    AnalyzeRequest,
    AnalyzeResponse,
    AnalyzerInfo,
    AnalyzerStackConfigureRequest,
    AnalyzerStackConfigureResponse,
    AnalyzeStackRequest,
    ConfigureAnalyzerRequest,
    PolicyNotApplicable,
    RemediateResponse,
    Remediation,
)
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerServicer
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.aws.embedded import CARRIERS, with_embedded
from tap_guardrails.evaluation import evaluate_resource, evaluate_stack
from tap_guardrails.message import message
from tap_guardrails.model import Finding, Resource, ResourceRule, StackRule
from tap_guardrails.serving.configuration import ConfigurationError, configure
from tap_guardrails.serving.information import SEVERITIES, analyzer_info
from tap_guardrails.serving.remediation import remediated
from tap_guardrails.serving.wire import WireProperties, analyzed_resource, analyzed_stack
from tap_guardrails.waivers import WAIVER_POLICY, Ledger, in_stack, today_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from tap_guardrails.assembly import Policy
    from tap_guardrails.model import Value
    from tap_guardrails.waivers import Listed


class GuardrailsAnalyzer(AnalyzerServicer):
    """Answers the engine: what the pack is, and what it says of a resource and of a stack."""

    def __init__(self, policies: Sequence[Policy], today: Callable[[], date] = today_utc) -> None:
        """Make the pack as it is until the engine configures it.

        Args:
            policies: The policies.
            today: Tells the day by which waivers expire.
        """
        self._policies = tuple(policies)
        self._today = today
        self._configuration = configure(self._policies, {})
        self._of_stack: Sequence[Listed] = ()
        self._ledger = self._open_ledger()
        self._untouched: dict[tuple[str, bool], AnalyzeResponse] = {}
        self._inputs: dict[str, Mapping[str, Value]] = {}

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> PluginInfo:  # noqa: ARG002, N802
        """Tell the pack's version."""
        return PluginInfo(version=PACK_VERSION)

    def GetAnalyzerInfo(self, request: Empty, context: grpc.ServicerContext) -> AnalyzerInfo:  # noqa: ARG002, N802
        """Tell all about the pack and its policies."""
        return analyzer_info(self._policies)

    def Configure(self, request: ConfigureAnalyzerRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Take the operator's levels and settings; what does not fit stops the run with a clear error."""
        try:
            self._configuration = configure(self._policies, request.policyConfig)
        except ConfigurationError as error:
            refuse(context, str(error))
        self._untouched.clear()
        self._inputs = {}
        self._ledger = self._open_ledger()
        return Empty()

    def ConfigureStack(  # noqa: N802
        self,
        request: AnalyzerStackConfigureRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> AnalyzerStackConfigureResponse:
        """Take the waivers in the stack's configuration; no policy asks for its tags."""
        self._of_stack = tuple(in_stack(request.config, request.config_secret_keys))
        self._ledger = self._open_ledger()
        return AnalyzerStackConfigureResponse()

    def Remediate(self, request: AnalyzeRequest, context: grpc.ServicerContext) -> RemediateResponse:  # noqa: ARG002, N802
        """Put a resource right, where its policies are to do that and can; what is waived stays as it is."""
        response = RemediateResponse()
        for policy in self._configuration.readers(request.type) if self._configuration.remediates else ():
            rule = policy.rule
            if not isinstance(rule, ResourceRule) or not self._configuration.is_to_remediate(policy):
                continue
            resource = analyzed_resource(request)
            if not resource.is_a(rule.types) or self._ledger.waives(rule.name, resource):
                continue
            properties = remediated(rule, resource, request.properties, self._configuration.settings(policy))
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
        """Judge one resource by its inputs, and keep them for when its outputs come."""
        self._inputs[request.urn] = WireProperties(request.properties)
        resource = analyzed_resource(request)
        if request.type in CARRIERS:
            return self._analyze_all(with_embedded([resource]))
        return self._analyze_one(resource)

    def _analyze_all(self, resources: Iterable[Resource]) -> AnalyzeResponse:
        """Evaluate a resource and what it carries inside; a policy applies if it does to one of them."""
        answers = [self._analyze_one(resource) for resource in resources]
        response = AnalyzeResponse()
        for answer in answers:
            response.diagnostics.extend(answer.diagnostics)
        reasons = [{one.policy_name: one.reason for one in answer.not_applicable} for answer in answers]
        for name in set(reasons[0]).intersection(*reasons):
            response.not_applicable.append(PolicyNotApplicable(policy_name=name, reason=reasons[-1][name]))
        return response

    def _analyze_one(self, resource: Resource) -> AnalyzeResponse:
        readers = self._configuration.readers(resource.type)
        if not readers or not resource.is_a((resource.type,)):
            return self._unread(resource.type, resource.provider is not None)
        response = AnalyzeResponse()
        response.not_applicable.extend(self._unread(resource.type).not_applicable)
        for policy in readers:
            if isinstance(policy.rule, ResourceRule):
                evaluation = evaluate_resource(policy.rule, resource, self._configuration.settings(policy))
                findings = self._ledger.applied(policy.rule.name, resource, evaluation.findings)
                self._report(response, policy, resource, findings)
                if evaluation.reason:
                    response.not_applicable.append(not_applicable(policy, evaluation.reason))
        return response

    def AnalyzeStack(self, request: AnalyzeStackRequest, context: grpc.ServicerContext) -> AnalyzeResponse:  # noqa: ARG002, N802
        """Judge a stack: for each stack policy, each resource that it is about."""
        response = AnalyzeResponse()
        ledger, inputs = self._ledger, self._inputs
        self._ledger, self._inputs = self._open_ledger(), {}
        stack = analyzed_stack(request.resources, inputs, {Ledger: ledger}, self._configuration.types_read)
        for policy in self._configuration.stack_policies:
            if not isinstance(policy.rule, StackRule):
                continue
            if policy.rule.name == WAIVER_POLICY:
                ledger.close(inputs.keys())
            evaluation = evaluate_stack(policy.rule, stack, self._configuration.settings(policy))
            for resource, finding in evaluation.findings:
                self._report(
                    response, policy, resource, ledger.applied(policy.rule.name, resource, [finding])
                )
            if evaluation.reason:
                response.not_applicable.append(not_applicable(policy, evaluation.reason))
        return response

    def _open_ledger(self) -> Ledger:
        return self._configuration.ledger(self._of_stack, self._today)

    def _report(
        self, response: AnalyzeResponse, policy: Policy, resource: Resource, findings: Sequence[Finding]
    ) -> None:
        for finding in findings:
            response.diagnostics.append(
                AnalyzeDiagnostic(
                    policyName=policy.rule.name,
                    policyPackName=PACK_NAME,
                    policyPackVersion=PACK_VERSION,
                    description=policy.rule.description,
                    message=message(policy.rule, resource, finding),
                    enforcementLevel=self._configuration.level(policy, finding.verdict),
                    urn=resource.declared.urn,
                    severity=SEVERITIES[policy.rule.severity],
                )
            )

    def _unread(self, resource_type: str, real: bool = True) -> AnalyzeResponse:  # noqa: FBT001, FBT002
        """Return what is said of any resource of a type by the policies that do not read it."""
        key = (resource_type, real)
        if key not in self._untouched:
            self._untouched[key] = AnalyzeResponse(
                not_applicable=[
                    not_applicable(policy, f"Applies to {policy.rule.types_shown}.")
                    for policy in self._configuration.resource_policies
                    if not real or resource_type not in policy.rule.types
                ]
            )
        return self._untouched[key]


def not_applicable(policy: Policy, reason: str) -> PolicyNotApplicable:
    """Say that a policy has nothing to ask."""
    return PolicyNotApplicable(policy_name=policy.rule.name, reason=reason)


def refuse(context: grpc.ServicerContext, text: str) -> NoReturn:
    """End a call with an error that the engine shows as it is."""
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
    raise AssertionError(text)

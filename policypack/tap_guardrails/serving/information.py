"""What the pack tells about itself: everything that `pulumi policy` and the console can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import ResourceValidationPolicy

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.model import Severity
from tap_guardrails.serving.configuration import LEVELS_ON_WIRE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_guardrails.assembly import Policy

DISPLAY_NAME: Final = "TAP Guardrails"
DESCRIPTION: Final = (
    "Policies for AWS serverless stacks: keys that rotate, tables that can be restored, functions that are "
    "traced, logs that end, alarms that fire. What cannot be decided at preview is said, not passed over."
)

SEVERITIES: Final = {
    Severity.LOW: proto.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: proto.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: proto.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: proto.POLICY_SEVERITY_CRITICAL,
}


def analyzer_info(policies: Sequence[Policy]) -> proto.AnalyzerInfo:
    """Describe the pack."""
    return proto.AnalyzerInfo(
        name=PACK_NAME,
        displayName=DISPLAY_NAME,
        version=PACK_VERSION,
        supportsConfig=True,
        description=DESCRIPTION,
        provider="aws",
        tags=["aws", "serverless"],
        policies=[policy_info(policy) for policy in policies],
    )


def policy_info(made: Policy) -> proto.PolicyInfo:
    """Describe one policy, from the public attributes of its pulumi-policy object."""
    policy = made.policy
    resource_policy = isinstance(policy, ResourceValidationPolicy)
    info = proto.PolicyInfo(
        name=policy.name,
        displayName=policy.display_name or "",
        description=policy.description,
        enforcementLevel=LEVELS_ON_WIRE[made.level],
        policy_type=proto.POLICY_TYPE_RESOURCE if resource_policy else proto.POLICY_TYPE_STACK,
        severity=SEVERITIES[made.rule.severity],
        tags=policy.tags or [],
        remediation_steps=policy.remediation_steps or "",
        url=policy.url or "",
    )
    if policy.config_schema is not None:
        info.configSchema.properties.update(policy.config_schema.properties)
    if policy.framework is not None:
        info.framework.name = policy.framework.name or ""
        info.framework.version = policy.framework.version or ""
        info.framework.reference = policy.framework.reference or ""
        info.framework.specification = policy.framework.specification or ""
    return info

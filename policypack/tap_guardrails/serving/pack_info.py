"""What the pack tells about itself: everything that `pulumi policy` and the console can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.assembly import FRAMEWORKS
from tap_guardrails.model import ResourceRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_guardrails.assembly import Policy
    from tap_guardrails.model import Level

DISPLAY_NAME: Final = "TAP Guardrails"
DESCRIPTION: Final = (
    "Policies for AWS serverless stacks: keys that rotate, tables that can be restored, functions that are "
    "traced, logs that end, alarms that fire. What cannot be decided at preview is said, not passed over."
)
PROVIDER: Final = "aws"
TAGS: Final = ("aws", "serverless")

LEVELS_ON_WIRE: Final[dict[Level, proto.EnforcementLevel.ValueType]] = {
    "advisory": proto.ADVISORY,
    "mandatory": proto.MANDATORY,
    "remediate": proto.REMEDIATE,
    "disabled": proto.DISABLED,
}
SEVERITIES: Final = {
    "low": proto.POLICY_SEVERITY_LOW,
    "medium": proto.POLICY_SEVERITY_MEDIUM,
    "high": proto.POLICY_SEVERITY_HIGH,
    "critical": proto.POLICY_SEVERITY_CRITICAL,
}


def analyzer_info(policies: Sequence[Policy]) -> proto.AnalyzerInfo:
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
        policies=[policy_info(policy, schemas) for policy in policies],
    )


def policy_info(policy: Policy, schemas: dict[int, Struct]) -> proto.PolicyInfo:
    """Describe one policy.

    Args:
        policy: The policy.
        schemas: Those made so far, by setting: policies share many settings, and a schema takes its time.
    """
    rule = policy.rule
    info = proto.PolicyInfo(
        name=rule.name,
        displayName=rule.title,
        description=rule.description,
        enforcementLevel=LEVELS_ON_WIRE[rule.level],
        policy_type=proto.POLICY_TYPE_RESOURCE if isinstance(rule, ResourceRule) else proto.POLICY_TYPE_STACK,
        severity=SEVERITIES[rule.severity],
        tags=policy.tags,
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

"""The yardstick: the least that a pack can do, on pulumi-policy as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_policy import PolicyResource


def key_rotates(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Ask one property of one type."""
    if args.resource_type == "aws:kms/key:Key" and not args.props.get("enableKeyRotation"):
        report("Key rotation is off.", None)


def has_alarm(args: StackValidationArgs, report: ReportViolation) -> None:
    """Ask for one type in the whole stack."""
    resources: Sequence[PolicyResource] = args.resources
    if not any(one.resource_type == "aws:cloudwatch/metricAlarm:MetricAlarm" for one in resources):
        report("There is no alarm.", None)


PolicyPack(
    name="one-rule",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(name="key-rotates", description="Keys rotate.", validate=key_rotates),
        StackValidationPolicy(name="has-alarm", description="There is an alarm.", validate=has_alarm),
    ],
)

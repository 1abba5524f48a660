"""A pack on plain pulumi-policy that says what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_policy import (
    EnforcementLevel,
    PolicyComplianceFramework,
    PolicyPack,
    ResourceValidationPolicy,
    Severity,
)

if TYPE_CHECKING:
    from pulumi_policy import ReportViolation, ResourceValidationArgs


def nothing(_args: ResourceValidationArgs, _report: ReportViolation) -> None:
    """Find nothing."""


PolicyPack(
    name="described",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(
            name="keys-rotate",
            description="Keys rotate.",
            validate=nothing,
            display_name="Every key rotates",
            severity=Severity.HIGH,
            framework=PolicyComplianceFramework("CIS AWS", "3.0.0", "3.6", "https://example.com"),
            tags=["aws", "fsbp:KMS.4"],
            remediation_steps="Turn it on.",
            url="https://example.com/keys",
        ),
    ],
)

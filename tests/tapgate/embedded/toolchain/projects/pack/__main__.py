"""One rule, which says what a pack sees of the stack that it evaluates."""

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)


def small(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == "box:index:Box" and args.props["size"] > 10:
        stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        report(f"too large in {stack}, greeting {pulumi.Config('with-component').get('greeting')}", None)


PolicyPack(
    name="small-boxes",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy(name="small", description="Boxes are small.", validate=small)],
)

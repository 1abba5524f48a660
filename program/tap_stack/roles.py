"""One role a function, with its permissions inline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.permissions import assume_role_policy

if TYPE_CHECKING:
    from tap_stack.plans import FunctionPlan
    from tap_stack.scope import Scope


@dataclass(frozen=True, slots=True)
class FunctionRole:
    """A role, and the policy without which it can do nothing."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy


def create_role(scope: Scope, plan: FunctionPlan) -> FunctionRole:
    """Create the role of a function."""
    role = aws.iam.Role(
        scope.logical(f"{plan.thing}-role"),
        name=scope.addresses.apply(lambda addresses: addresses.role_name(plan.thing)),
        description=f"What {scope.names.of(plan.thing)} may do",
        assume_role_policy=assume_role_policy(),
        tags=scope.tags,
        opts=scope.child(),
    )
    policy = aws.iam.RolePolicy(
        scope.logical(f"{plan.thing}-policy"),
        name=scope.names.of(plan.thing),
        role=role.name,
        policy=scope.addresses.apply(plan.policy),
        opts=scope.child(),
    )
    return FunctionRole(role, policy)

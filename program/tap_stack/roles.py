"""One role a function, with its permissions inline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.permissions import assume_role_policy

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.function_specs import FunctionSpec


@dataclass(frozen=True, slots=True)
class FunctionRole:
    """A role, and the policy without which it can do nothing."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy


def create_role(context: Context, spec: FunctionSpec) -> FunctionRole:
    """Create the role of a function."""
    role = aws.iam.Role(
        context.logical(f"{spec.component}-role"),
        name=context.addresses.apply(lambda addresses: addresses.role_name(spec.component)),
        description=f"What {context.names.of(spec.component)} may do",
        assume_role_policy=assume_role_policy(),
        permissions_boundary=context.settings.permissions_boundary,
        tags=context.tags,
        opts=context.child(),
    )
    policy = aws.iam.RolePolicy(
        context.logical(f"{spec.component}-policy"),
        name=context.names.of(spec.component),
        role=role.name,
        policy=context.addresses.apply(spec.policy),
        opts=context.child(),
    )
    return FunctionRole(role, policy)

"""Identity and Access Management."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:iam/role:Role": Description(
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"maxSessionDuration": 3600, "path": "/"},
        sets=frozenset({"inlinePolicies", "managedPolicyArns"}),
        documents=frozenset({"assumeRolePolicy", "inlinePolicies.policy"}),
        limits={"maxSessionDuration": Limit(minimum=3600, maximum=43_200)},
    ),
    "aws:iam/policy:Policy": Description(
        replaces=frozenset({"description", "name", "namePrefix", "path"}),
        defaults={"path": "/"},
        documents=frozenset({"policy"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": Description(
        replaces=frozenset({"name", "namePrefix", "role"}), documents=frozenset({"policy"})
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Description(
        replaces=frozenset({"policyArn", "role"}), replaced_first=True
    ),
}

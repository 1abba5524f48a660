"""Takes away what would hinder a deletion, where the program has said that it may go too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapgate.embedded.aws_provider.operations import Answer, Subject


class Caller(Protocol):
    """Calls an operation of the resource's service."""

    def __call__(self, operation: str, params: dict[str, object], /) -> Answer:
        """Call it."""
        ...


PreDelete: TypeAlias = "Callable[[Caller, Subject], None]"


def _empty_bucket(call: Caller, subject: Subject) -> None:
    if not subject.wanted.get("forceDestroy"):
        return
    while True:
        answer = call("list_object_versions", {"Bucket": subject.id})
        entries = [
            *cast("list[dict[str, str]]", answer.get("Versions") or []),
            *cast("list[dict[str, str]]", answer.get("DeleteMarkers") or []),
        ]
        if not entries:
            return
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        call("delete_objects", {"Bucket": subject.id, "Delete": {"Objects": objects, "Quiet": True}})


def _empty_role(call: Caller, subject: Subject) -> None:
    role: dict[str, object] = {"RoleName": subject.id}
    forced = bool(subject.wanted.get("forceDetachPolicies"))
    own = subject.wanted.get("inlinePolicies")
    policies = own if isinstance(own, list) else []
    names = {str(policy.get("name")) for policy in policies if isinstance(policy, dict)}
    for name in cast("list[str]", call("list_role_policies", role).get("PolicyNames") or []):
        if forced or name in names:
            call("delete_role_policy", {**role, "PolicyName": name})
    managed = subject.wanted.get("managedPolicyArns")
    arns = {str(arn) for arn in managed} if isinstance(managed, list) else set[str]()
    attached = cast(
        "list[dict[str, str]]", call("list_attached_role_policies", role).get("AttachedPolicies") or []
    )
    for policy in attached:
        if forced or policy["PolicyArn"] in arns:
            call("detach_role_policy", {**role, "PolicyArn": policy["PolicyArn"]})


FUNCTIONS: dict[str, PreDelete] = {
    "bucket": _empty_bucket,
    "role": _empty_role,
}

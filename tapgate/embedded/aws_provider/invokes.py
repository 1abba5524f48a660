"""The functions (invokes, data sources) that the stand-in answers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider import sdk_source
from tapgate.embedded.aws_provider.checking import check
from tapgate.embedded.aws_provider.marks import MARK_IN_BASE64, marked, marked_text
from tapgate.embedded.aws_provider.policy_document import PolicyDocumentError, render
from tapgate.embedded.aws_provider.schema_store import function_schema_of
from tapgate.embedded.aws_provider.values import Properties, Value, contains_unknown, dump_json
from tapgate.embedded.environment import ACCOUNT

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.settings import Settings

_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
_RESULT = "result"
"""What pulumi-aws calls the only value of a function that gives one."""
_AMI = "aws:ec2/getAmi:getAmi"
_ECR = ("aws:ecr/getAuthorizationToken:getAuthorizationToken", "aws:ecr/getCredentials:getCredentials")
_OF_FILTERS = {
    "architecture": "architecture",
    "hypervisor": "hypervisor",
    "image-type": "imageType",
    "owner-alias": "imageOwnerAlias",
    "owner-id": "ownerId",
    "root-device-type": "rootDeviceType",
    "state": "state",
    "virtualization-type": "virtualizationType",
}
"""The filters of EC2's DescribeImages whose value is one of the image's own."""
_IN_NAMES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_ARN_PARTS = ("partition", "service", "region", "account", "resource")


class InvokeError(ValueError):
    """The function cannot be answered; the message says which, why and what to do."""


def invoke(
    token: str, args: Mapping[str, Value], config: Settings, answered: Mapping[str, Value] | None = None
) -> Properties:
    """Answer a function.

    Args:
        token: The function's token, e.g. `aws:index/getRegion:getRegion`.
        args: Its arguments.
        config: The provider's configuration.
        answered: What is known of the result; it comes before what is known here.

    Returns:
        The result; empty when an argument is unknown, which the SDKs take for an unknown result.

    Raises:
        InvokeError: pulumi_aws has no such function, or the arguments are bad.
    """
    if token not in _FUNCTIONS and not sdk_source.is_function(token):
        raise InvokeError(
            f"pulumi_aws has no function {token}. Fix: check its name in the pulumi_aws reference"
        )
    schema = function_schema_of(token)
    checked, failures = check(schema, args)
    if failures:
        raise InvokeError("\n".join(failure.reason for failure in failures))
    if contains_unknown(checked):
        return {}
    return {**_result(token, schema, checked, config), **(answered or {})}


def _result(token: str, schema: ResourceSchema, checked: Mapping[str, Value], config: Settings) -> Properties:
    function = _FUNCTIONS.get(token)
    if function is None:
        known = _filtered(checked) if token == _AMI else _ecr_login(token, checked) if token in _ECR else {}
        return {**stood_in(schema, checked), **known}
    try:
        return function(checked, config)
    except PolicyDocumentError as error:
        raise InvokeError(str(error)) from None


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to, e.g. `aws`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def suffix_of(region: str) -> str:
    """Return what the names of AWS's hosts end with in a region, e.g. `amazonaws.com`."""
    return _SUFFIXES[partition_of(region)]


def is_answered(token: str) -> bool:
    """Return whether the stand-in knows the true answers of a function."""
    return token in _FUNCTIONS


def stood_in(schema: ResourceSchema, args: Mapping[str, Value]) -> Properties:
    """Answer a function that only AWS could answer: its arguments as they are, everything else marked."""
    seed = f"{schema.token}({dump_json(dict(args))})"
    if not schema.outputs:
        return {_RESULT: marked_text(seed)}
    return {
        name: args[name] if name in args else marked(prop.type, schema, f"{seed}.{name}")
        for name, prop in schema.outputs.items()
        if name in args or prop.required
    }


def _filtered(args: Mapping[str, Value]) -> Properties:
    """Return what is true of any image that AWS would find: what it is asked to be, each by one value."""
    filters: Properties = {"state": "available"}
    for one in cast("list[dict[str, Value]]", args.get("filters") or []):
        name, values = str(one["name"]), cast("list[str]", one["values"])
        if len(values) != 1:
            continue
        said = _OF_FILTERS.get(name)
        if said and not set(values[0]) & set("*?"):
            filters[said] = values[0]
        elif name == "name":
            bases = {type_ for word, type_ in _IN_NAMES.items() if word in values[0]}
            if len(bases) == 1:
                filters["architecture"] = bases.pop()
    return filters


def _ecr_login(token: str, args: Mapping[str, Value]) -> Properties:
    """Return what logs in to a registry, as programs take it apart: base64 of user and password."""
    password = f"xx{MARK_IN_BASE64}{marked_text(f'{token}({dump_json(dict(args))})')}"
    login: Properties = {"authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode()}
    return {**login, "userName": "AWS", "password": password} if token == _ECR[0] else login


def _caller_identity(_args: Mapping[str, Value], config: Settings) -> Properties:
    arn = f"arn:{partition_of(config.region)}:iam::{ACCOUNT}:user/stand-in"
    return {"accountId": ACCOUNT, "arn": arn, "id": ACCOUNT, "userId": "AIDASTANDIN0000000000"}


def _region(args: Mapping[str, Value], config: Settings) -> Properties:
    region = str(args.get("region") or args.get("name") or args.get("id") or config.region)
    return {
        "description": f"{region} (stand-in)",
        "endpoint": f"ec2.{region}.{suffix_of(region)}",
        "id": region,
        "name": region,
        "region": region,
    }


def _partition(_args: Mapping[str, Value], config: Settings) -> Properties:
    partition, suffix = partition_of(config.region), suffix_of(config.region)
    reverse = ".".join(reversed(suffix.split(".")))
    return {"dnsSuffix": suffix, "id": partition, "partition": partition, "reverseDnsPrefix": reverse}


def _availability_zones(args: Mapping[str, Value], config: Settings) -> Properties:
    region = str(args.get("region") or config.region)
    names: list[Value] = [f"{region}{letter}" for letter in "abc"]
    short = "".join(word if word.isdigit() else word[0] for word in region.split("-"))
    ids: list[Value] = [f"{short}-az{number}" for number in (1, 2, 3)]
    return {**args, "groupNames": [region], "id": region, "names": names, "region": region, "zoneIds": ids}


def _availability_zone(args: Mapping[str, Value], config: Settings) -> Properties:
    """Answer by name or id; whoever asks by filters alone gets the region's first."""
    region = str(args.get("region") or config.region)
    zones = _availability_zones({"region": region}, config)
    names, ids = cast("list[str]", zones["names"]), cast("list[str]", zones["zoneIds"])
    asked = [str(args[one]) for one in ("name", "zoneId") if one in args]
    zone = next((at for at, pair in enumerate(zip(names, ids, strict=True)) if set(asked) <= set(pair)), None)
    if zone is None:
        raise InvokeError(
            f"getAvailabilityZone: {region} has no {' '.join(asked)}. Fix: name one of {', '.join(names)}"
        )
    return {
        **args,
        "groupName": region,
        "id": names[zone],
        "name": names[zone],
        "nameSuffix": names[zone].removeprefix(region),
        "networkBorderGroup": region,
        "optInStatus": "opt-in-not-required",
        "parentZoneId": "",
        "parentZoneName": "",
        "region": region,
        "state": "available",
        "zoneId": ids[zone],
        "zoneType": "availability-zone",
    }


def _service_principal(args: Mapping[str, Value], config: Settings) -> Properties:
    region, service = str(args.get("region") or config.region), str(args.get("serviceName"))
    return {
        "id": f"{service}.{region}.amazonaws.com",
        "name": f"{service}.amazonaws.com",
        "region": region,
        "serviceName": service,
        "suffix": "amazonaws.com",
    }


def _arn_parse(args: Mapping[str, Value], _config: Settings) -> Properties:
    parts = _parts_of_arn(args)
    return {"accountId": parts.pop("account"), **parts}


def _arn_build(args: Mapping[str, Value], _config: Settings) -> Properties:
    names = ("partition", "service", "region", "accountId", "resource")
    return {_RESULT: ":".join(["arn", *(str(args[name]) for name in names)])}


def _trim_iam_role_path(args: Mapping[str, Value], _config: Settings) -> Properties:
    parts = _parts_of_arn(args)
    type_, *path = str(parts["resource"]).split("/")
    if parts["service"] != "iam" or type_ != "role" or not path:
        raise InvokeError(
            f"trimIamRolePath: `{args['arn']}` is no role's ARN. Fix: give the ARN of an IAM role"
        )
    return {_RESULT: f"arn:{parts['partition']}:iam:{parts['region']}:{parts['account']}:role/{path[-1]}"}


def _parts_of_arn(args: Mapping[str, Value]) -> Properties:
    arn = str(args["arn"])
    prefix, *parts = arn.split(":", 5)
    if prefix != "arn" or len(parts) != len(_ARN_PARTS):
        raise InvokeError(
            f"`{arn}` is no ARN. Required: arn:partition:service:region:account:resource. Fix: give an ARN"
        )
    return dict(zip(_ARN_PARTS, parts, strict=True))


_FUNCTIONS: dict[str, Callable[[Mapping[str, Value], Settings], Properties]] = {
    "aws:iam/getPolicyDocument:getPolicyDocument": lambda args, _config: render(args),
    "aws:index/arnBuild:arnBuild": _arn_build,
    "aws:index/arnParse:arnParse": _arn_parse,
    "aws:index/getArn:getArn": lambda args, _config: {**args, "id": args["arn"], **_parts_of_arn(args)},
    "aws:index/getAvailabilityZone:getAvailabilityZone": _availability_zone,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getDefaultTags:getDefaultTags": lambda _args, config: {
        "id": partition_of(config.region),
        "tags": dict(config.default_tags),
    },
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getServicePrincipal:getServicePrincipal": _service_principal,
    "aws:index/trimIamRolePath:trimIamRolePath": _trim_iam_role_path,
}

"""The Lambda function itself, and what the ways into it have in common with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.archive import digest, zipped
from tapgate.embedded.aws_provider.casing import camel, pascal
from tapgate.embedded.aws_provider.limits import at_most, needs, not_both, one_given
from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Computed,
    Constant,
    Operations,
    PropertyGroup,
    Reader,
    Source,
    Subject,
    Tagging,
    Wanted,
    alike,
    at,
    from_id,
    identity,
    own,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description
from tapgate.embedded.aws_provider.values import Blob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value


FUNCTION_NAME: Final = (
    r"(arn:[\w-]+:lambda:)?([a-z]{2}-(?:[a-z]+-){1,2}\d{1}:)?(\d{12}:)?(function:)?[0-9A-Za-z_-]{1,64}"
    r"(:(\$LATEST|[0-9A-Za-z_-]+))?"
)
"""What terraform-provider-aws takes for a function's name or ARN: internal/service/lambda/validate.go."""
GONE: Final = frozenset({"ResourceNotFoundException"})
OF: Final[dict[str, Source]] = own("functionName", "qualifier")


def function_found(answer: Answer, subject: Subject) -> Value:
    """Read the function as the program names it: by name or by ARN, of which AWS tells the ARN."""
    arn, wanted = str(answer.get("FunctionArn")), str(subject.wanted.get("functionName"))
    name = arn.split(":function:", 1)[-1]
    return wanted if wanted in {arn, name, name.partition(":")[0]} else name


def shown(name: str, *, convert: bool = False) -> Reader:
    """Read what AWS gives a default of its own where the program says nothing."""

    def read(answer: Answer, _subject: Subject) -> Value:
        value = answer.get(name)
        if value in (None, [], {}) or (name.startswith("Max") and value == -1):
            return None
        return camel()(value) if convert else cast("Value", value)

    return read


_FUNCTION: dict[str, Source] = {"FunctionName": identity}
_PLAIN = {
    **alike("description", "handler", "memorySize", "role", "runtime", "timeout"),
    "kmsKeyArn": "KMSKeyArn",
}
_OBJECTS = {
    **alike("deadLetterConfig", "ephemeralStorage", "loggingConfig", "snapStart", "tracingConfig"),
}
_EMPTY = {
    "description": "",
    "kmsKeyArn": "",
    "deadLetterConfig": {"TargetArn": ""},
    "snapStart": {"ApplyOn": "None"},
}
_CODE = ("code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri")


def _environment(value: Value) -> object:
    return {"Variables": value.get("variables") or {}} if isinstance(value, dict) else {"Variables": {}}


def _code(wanted: Properties) -> dict[str, object]:
    code = wanted.get("code")
    if isinstance(code, Blob):
        return {"ZipFile": zipped(code)}
    given = {
        "S3Bucket": wanted.get("s3Bucket"),
        "S3Key": wanted.get("s3Key"),
        "S3ObjectVersion": wanted.get("s3ObjectVersion"),
        "ImageUri": wanted.get("imageUri"),
    }
    return {name: value for name, value in given.items() if value}


def _update_code(subject: Subject) -> Call:
    return Call(
        "update_function_code",
        {**_FUNCTION, **{name: Constant(v) for name, v in _code(subject.wanted).items()}},
    )


def _or_empty(name: str, parameter: str) -> tuple[str, Source]:
    convert = pascal()

    def make(wanted: Properties) -> object:
        value = wanted.get(name)
        return _EMPTY.get(name) if value is None else convert(value)

    return parameter, Computed((name,), make)


_CONFIGURATION: dict[str, Source] = {
    **dict(_or_empty(name, parameter) for name, parameter in {**_PLAIN, **_OBJECTS}.items()),
    "Environment": Computed(("environment",), lambda wanted: _environment(wanted.get("environment"))),
    "Layers": Computed(("layers",), lambda wanted: wanted.get("layers") or []),
    "VpcConfig": Wanted("vpcConfig", pascal()),
}


def _found_code(answer: Answer, subject: Subject) -> Value:
    code = subject.wanted.get("code")
    if not isinstance(code, Blob):
        return None
    remote = at("Configuration.CodeSha256")(answer, subject)
    known = subject.wanted.get("codeSha256")
    # The engine gives a state's code without its content; then the hash that the state holds decides.
    same = remote == known if known is not None else remote == digest(code)
    return code if same else Blob("archive", hash=str(remote))


def _found_environment(answer: Answer, subject: Subject) -> Value:
    variables = at("Configuration.Environment.Variables")(answer, subject)
    return {"variables": variables} if variables else None


def _found_layers(answer: Answer, _subject: Subject) -> Value:
    layers = cast("list[dict[str, str]]", at("Configuration.Layers")(answer, _subject) or [])
    return [layer["Arn"] for layer in layers] or None


def _found_letters(answer: Answer, subject: Subject) -> Value:
    target = at("Configuration.DeadLetterConfig.TargetArn")(answer, subject)
    return {"targetArn": target} if target else None


def _found_snap(answer: Answer, subject: Subject) -> Value:
    applied = at("Configuration.SnapStart.ApplyOn")(answer, subject)
    return {"applyOn": applied} if applied not in {None, "None"} else None


def _arn(answer: Answer, subject: Subject) -> str:
    return str(at("Configuration.FunctionArn")(answer, subject)).removesuffix(":$LATEST")


def _invoke_arn(answer: Answer, subject: Subject) -> Value:
    arn = _arn(answer, subject)
    return f"arn:aws:apigateway:{subject.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _concurrency(subject: Subject) -> Call:
    wanted = subject.wanted.get("reservedConcurrentExecutions")
    if isinstance(wanted, int) and wanted >= 0:
        return Call(
            "put_function_concurrency", {**_FUNCTION, "ReservedConcurrentExecutions": Constant(wanted)}
        )
    return Call("delete_function_concurrency", _FUNCTION)


def _found_concurrency(answer: Answer, subject: Subject) -> Value:
    reserved = at("ReservedConcurrentExecutions")(answer, subject)
    return -1 if reserved is None else reserved


def _active(answer: Answer) -> bool:
    subject = Subject("", {}, "", "")
    state = at("Configuration.State")(answer, subject)
    update = at("Configuration.LastUpdateStatus")(answer, subject)
    return state in {None, "Active", "Inactive"} and update != "InProgress"


_OPERATIONS = Operations(
    service="lambda",
    create=Call(
        "create_function",
        {
            "FunctionName": Wanted("name"),
            **own("architectures", "packageType", "publish", "layers"),
            "Code": Computed(_CODE, _code),
            **{parameter: Wanted(name) for name, parameter in _PLAIN.items()},
            **{parameter: Wanted(name, pascal()) for name, parameter in _OBJECTS.items()},
            "Environment": Wanted("environment", _environment),
            "VpcConfig": Wanted("vpcConfig", pascal()),
        },
    ),
    create_tags="Tags",
    name=wanted_name("name"),
    read=Call("get_function", _FUNCTION),
    found={
        **told("Configuration", "architectures", "codeSha256", "lastModified", "packageType", "version"),
        "arn": _arn,
        "invokeArn": _invoke_arn,
        "name": at("Configuration.FunctionName"),
        "qualifiedArn": lambda answer, subject: f"{_arn(answer, subject)}:$LATEST",
        "sourceCodeHash": at("Configuration.CodeSha256"),
        "sourceCodeSize": at("Configuration.CodeSize"),
    },
    property_groups=(
        PropertyGroup((*_CODE, "architectures"), _update_code, found={"code": _found_code}),
        PropertyGroup(
            (*_PLAIN, *_OBJECTS, "environment", "layers", "vpcConfig"),
            Call("update_function_configuration", {**_FUNCTION, **_CONFIGURATION}),
            found={
                **{name: at(f"Configuration.{parameter}") for name, parameter in _PLAIN.items()},
                **{name: at(f"Configuration.{parameter}", camel()) for name, parameter in _OBJECTS.items()},
                "deadLetterConfig": _found_letters,
                "environment": _found_environment,
                "layers": _found_layers,
                "snapStart": _found_snap,
            },
        ),
        PropertyGroup(
            ("reservedConcurrentExecutions",),
            _concurrency,
            read=Call("get_function_concurrency", _FUNCTION),
            found={"reservedConcurrentExecutions": _found_concurrency},
        ),
    ),
    tags=Tagging(
        read="list_tags",
        path="Tags",
        tag="tag_resource",
        untag="untag_resource",
        resource=(
            "Resource",
            lambda subject: f"arn:aws:lambda:{subject.region}:{subject.account}:function:{subject.id}",
        ),
        key="",
    ),
    delete=(
        lambda subject: None if subject.wanted.get("skipDestroy") else Call("delete_function", _FUNCTION),
    ),
    missing=frozenset({"ResourceNotFoundException"}),
    already_exists_codes=frozenset({"ResourceConflictException"}),
    from_id=from_id("name"),
    write_only=frozenset({"skipDestroy", "sourceCodeHash"}),
    active=_active,
)


def _zip_is_run(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    if inputs.get("packageType", "Zip") == "Zip" and inputs.get("imageUri") is None:
        for name in ("handler", "runtime"):
            if inputs.get(name) is None:
                yield (
                    name,
                    f"`{name}` is missing, and a function with a zip needs it. AWS refuses it. Fix: give it",
                )


_FUNCTION_TYPE: Final = Description(
    replaces=frozenset({"name", "packageType", "tenancyConfig"}),
    defaults={"memorySize": 128, "packageType": "Zip", "reservedConcurrentExecutions": -1, "timeout": 3},
    computed=frozenset(
        {
            "ephemeralStorage.size",
            "loggingConfig.logGroup",
            "snapStart.optimizationStatus",
            "vpcConfig.vpcId",
        }
    ),
    changes_with={"*": ("lastModified",), "code": ("codeSha256", "sourceCodeHash", "sourceCodeSize")},
    sets=frozenset({"vpcConfig.securityGroupIds", "vpcConfig.subnetIds", "replacementSecurityGroupIds"}),
    limits={
        "handler": Limit(min_length=1, max_length=128, pattern=r"\S+"),
        "name": Limit(max_length=140, pattern=FUNCTION_NAME),
        "reservedConcurrentExecutions": Limit(minimum=-1),
    },
    rules=(
        needs("s3Bucket", "s3Key"),
        needs("s3Key", "s3Bucket"),
        not_both("s3ObjectVersion", "code"),
        needs("replacementSecurityGroupIds", "replaceSecurityGroupsOnDestroy"),
        at_most("architectures", 1),
        at_most("layers", 5),
        one_given("code", "imageUri", "s3Bucket"),
        _zip_is_run,
    ),
    operations=_OPERATIONS,
)


DESCRIPTIONS: Final[dict[str, Description]] = {"aws:lambda/function:Function": _FUNCTION_TYPE}

"""Lambda: the function, the ways into it, what feeds it, and the settings of asynchronous calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, cast

from tapgate.embedded.aws_provider.description import (
    Answer,
    Call,
    Computed,
    Description,
    Operations,
    PropertyGroup,
    Source,
    Subject,
    Tagging,
    always,
    at,
    identity,
    ids,
    value_of,
)
from tapgate.embedded.aws_provider.limits import MOMENT, at_most, needs, not_both, one_given
from tapgate.embedded.aws_provider.members import inside
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.values import Blob, Properties, Value, digest, zipped

# What terraform-provider-aws takes for a function's name or ARN: internal/service/lambda/validate.go.
_FUNCTION_NAME: Final = (
    r"(arn:[\w-]+:lambda:)?([a-z]{2}-(?:[a-z]+-){1,2}\d{1}:)?(\d{12}:)?(function:)?[0-9A-Za-z_-]{1,64}"
    r"(:(\$LATEST|[0-9A-Za-z_-]+))?"
)
_STATEMENT: Final = "[0-9A-Za-z_-]+"
_CODE: Final = {
    "s3Bucket": "S3Bucket",
    "s3Key": "S3Key",
    "s3ObjectVersion": "S3ObjectVersion",
    "imageUri": "ImageUri",
}
_CONFIGURATION: Final = (
    *("description", "handler", "memorySize", "role", "runtime", "timeout", "kmsKeyArn", "deadLetterConfig"),
    *(
        "ephemeralStorage",
        "loggingConfig",
        "snapStart",
        "tracingConfig",
        "environment",
        "layers",
        "vpcConfig",
    ),
)
_OF_FUNCTION: Final[dict[str, Source]] = {
    "FunctionName": value_of("functionName"),
    "Qualifier": value_of("qualifier"),
}


def _tagging(what: str) -> Tagging:
    def resource(subject: Subject) -> object:
        return subject.arn("lambda", f"{what}:{subject.id}")

    return Tagging("list_tags", ("Resource", resource))


def _function_input(answer: Answer, subject: Subject) -> Value:
    """Read the function as the program names it: by name or by ARN, of which AWS tells the ARN."""
    arn, wanted = str(answer.get("FunctionArn")), str(subject.wanted.get("functionName"))
    name = arn.split(":function:", 1)[-1]
    return wanted if wanted in {arn, name, name.partition(":")[0]} else name


def _code(wanted: Properties) -> dict[str, object]:
    code = wanted.get("code")
    if isinstance(code, Blob):
        return {"ZipFile": zipped(code)}
    return {member: wanted[name] for name, member in _CODE.items() if wanted.get(name)}


def _code_input(answer: Answer, subject: Subject) -> Value:
    code = subject.wanted.get("code")
    if not isinstance(code, Blob):
        return None
    remote = at("Configuration.CodeSha256")(answer, subject)
    known = subject.wanted.get("codeSha256")
    # The engine gives a state's code without its content; then the hash that the state holds decides.
    same = remote == known if known is not None else remote == digest(code)
    return code if same else Blob("archive", hash=str(remote))


def _snap_input(answer: Answer, subject: Subject) -> Value:
    applied = at("Configuration.SnapStart.ApplyOn")(answer, subject)
    return {"applyOn": applied} if applied not in {None, "None"} else None


def _layers_input(answer: Answer, subject: Subject) -> Value:
    layers = cast("list[dict[str, str]]", at("Configuration.Layers")(answer, subject) or [])
    return [layer["Arn"] for layer in layers] or None


def _arn(answer: Answer, subject: Subject) -> str:
    return str(at("Configuration.FunctionArn")(answer, subject)).removesuffix(":$LATEST")


def _concurrency(subject: Subject) -> Call:
    wanted = subject.wanted.get("reservedConcurrentExecutions")
    if isinstance(wanted, int) and wanted >= 0:
        return Call("put_function_concurrency", {"ReservedConcurrentExecutions": always(wanted)})
    return Call("delete_function_concurrency")


def _active(answer: Answer) -> bool:
    state = inside(answer, ("Configuration", "State"))
    update = inside(answer, ("Configuration", "LastUpdateStatus"))
    return state in {None, "Active", "Inactive"} and update != "InProgress"


_FUNCTION_OPERATIONS = Operations(
    key={"FunctionName": identity},
    create=Call(
        "create_function", {"Publish": value_of("publish"), "Code": Computed(("code", *_CODE), _code)}
    ),
    read=Call("get_function"),
    root="Configuration",
    readers={
        "arn": _arn,
        "code": _code_input,
        "invokeArn": lambda answer, subject: (
            f"arn:aws:apigateway:{subject.region}:lambda:path/2015-03-31/functions/{_arn(answer, subject)}"
            "/invocations"
        ),
        "layers": _layers_input,
        "qualifiedArn": lambda answer, subject: f"{_arn(answer, subject)}:$LATEST",
        "snapStart": _snap_input,
    },
    property_groups=(
        PropertyGroup(
            lambda subject: Call(
                "update_function_code",
                {
                    "Architectures": value_of("architectures"),
                    **{name: always(value) for name, value in _code(subject.wanted).items()},
                },
            ),
            ("code", *_CODE, "architectures"),
        ),
        PropertyGroup(
            Call("update_function_configuration"),
            _CONFIGURATION,
            empty={
                "Description": "",
                "KMSKeyArn": "",
                "DeadLetterConfig": {"TargetArn": ""},
                "SnapStart": {"ApplyOn": "None"},
                "Environment": {"Variables": {}},
                "Layers": [],
            },
        ),
        PropertyGroup(
            _concurrency,
            ("reservedConcurrentExecutions",),
            read=Call("get_function_concurrency"),
            readers={
                "reservedConcurrentExecutions": lambda answer, _subject: cast(
                    "Value", answer.get("ReservedConcurrentExecutions", -1)
                )
            },
        ),
    ),
    tags=_tagging("function"),
    delete=(lambda subject: None if subject.wanted.get("skipDestroy") else Call("delete_function"),),
    write_only={"skipDestroy", "sourceCodeHash"},
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


def _statement(answer: Answer, subject: Subject) -> Answer | None:
    policy = cast("dict[str, object]", json.loads(str(answer.get("Policy"))))
    statements = cast("list[dict[str, object]]", policy.get("Statement") or [])
    own = (item for item in statements if item.get("Sid") == subject.id)
    return next(({"Action": item["Action"], "Sid": item["Sid"]} for item in own), None)


def _url_id(answer: Answer, _subject: Subject) -> Value:
    return str(answer.get("FunctionUrl")).rpartition("//")[2].partition(".")[0]


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/function:Function": Description(
        replaces={"name", "packageType", "tenancyConfig"},
        defaults={"memorySize": 128, "packageType": "Zip", "reservedConcurrentExecutions": -1, "timeout": 3},
        computed={
            "ephemeralStorage.size",
            "loggingConfig.logGroup",
            "snapStart.optimizationStatus",
            "vpcConfig.vpcId",
        },
        changes_with={"*": ("lastModified",), "code": ("codeSha256", "sourceCodeHash", "sourceCodeSize")},
        sets={"vpcConfig.securityGroupIds", "vpcConfig.subnetIds", "replacementSecurityGroupIds"},
        limits={
            "handler": Limit(min_length=1, max_length=128, pattern=r"\S+"),
            "name": Limit(max_length=140, pattern=_FUNCTION_NAME),
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
        names={"sourceCodeHash": "CodeSha256", "sourceCodeSize": "CodeSize"},
        operations=_FUNCTION_OPERATIONS,
    ),
    "aws:lambda/functionUrl:FunctionUrl": Description(
        replaces={"functionName", "qualifier"},
        defaults={"invokeMode": "BUFFERED"},
        sets={"cors.allowHeaders", "cors.allowMethods", "cors.allowOrigins", "cors.exposeHeaders"},
        names={"authorizationType": "AuthType"},
        operations=Operations(
            key=_OF_FUNCTION,
            create=Call("create_function_url_config"),
            id=("functionName", "qualifier"),
            read=Call("get_function_url_config"),
            readers={"functionName": _function_input, "urlId": _url_id},
            property_groups=(PropertyGroup(Call("update_function_url_config")),),
            delete=(Call("delete_function_url_config"),),
            write_only={"qualifier"},
        ),
    ),
    "aws:lambda/permission:Permission": Description(
        replaces={
            *("action", "eventSourceToken", "function", "functionUrlAuthType", "invokedViaFunctionUrl"),
            *("principal", "principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId"),
            "statementIdPrefix",
        },
        limits={
            "function": Limit(max_length=140, pattern=_FUNCTION_NAME),
            "principalOrgId": Limit(pattern="o-[a-z0-9]{10,32}", min_length=12, max_length=34),
            "statementId": Limit(max_length=100, pattern=_STATEMENT),
            "statementIdPrefix": Limit(max_length=100, pattern=_STATEMENT),
        },
        names={"function": "FunctionName"},
        operations=Operations(
            key={
                "FunctionName": value_of("function"),
                "Qualifier": value_of("qualifier"),
                "StatementId": identity,
            },
            create=Call("add_permission"),
            id=("statementId",),
            read=Call("get_policy", pick=_statement),
            readers={"statementId": at("Sid")},
            delete=(Call("remove_permission"),),
            imported=("function", "statementId"),
            separator="/",
            write_only={"function"},
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Description(
        replaces={
            "amazonManagedKafkaEventSourceConfig.consumerGroupId",
            "eventSourceArn",
            "queues",
            "selfManagedEventSource",
            "selfManagedKafkaEventSourceConfig.consumerGroupId",
            "startingPosition",
            "startingPositionTimestamp",
            "topics",
        },
        defaults={"enabled": True},
        absent={"maximumRecordAgeInSeconds": -1, "maximumRetryAttempts": -1},
        sets={"functionResponseTypes", "sourceAccessConfigurations", "filterCriteria.filters"},
        limits={"startingPositionTimestamp": Limit(pattern=MOMENT)},
        rules=(
            one_given("eventSourceArn", "selfManagedEventSource"),
            not_both("eventSourceArn", "selfManagedEventSource"),
            not_both("selfManagedKafkaEventSourceConfig", "eventSourceArn"),
            not_both("selfManagedKafkaEventSourceConfig", "amazonManagedKafkaEventSourceConfig"),
            not_both("amazonManagedKafkaEventSourceConfig", "selfManagedEventSource"),
            at_most("queues", 1),
            at_most("filterCriteria.filters", 10),
            at_most("sourceAccessConfigurations", 22),
        ),
        names={"arn": "EventSourceMappingArn"},
        operations=Operations(
            key={"UUID": identity},
            create=Call("create_event_source_mapping"),
            answered="UUID",
            find=Call(
                "list_event_source_mappings",
                {"EventSourceArn": value_of("eventSourceArn"), "FunctionName": value_of("functionName")},
                pick=ids("EventSourceMappings", "UUID"),
            ),
            read=Call("get_event_source_mapping"),
            readers={
                "functionName": _function_input,
                "enabled": lambda answer, _subject: (
                    str(answer.get("State")) in {"Enabled", "Enabling", "Creating", "Updating"}
                ),
            },
            property_groups=(PropertyGroup(Call("update_event_source_mapping")),),
            tags=_tagging("event-source-mapping"),
            delete=(Call("delete_event_source_mapping"),),
            id=("uuid",),
        ),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Description(
        replaces={"functionName", "qualifier"},
        defaults={"maximumRetryAttempts": 2},
        absent={"maximumEventAgeInSeconds": 21_600},
        operations=Operations(
            key=_OF_FUNCTION,
            id=("functionName", "qualifier"),
            read=Call("get_function_event_invoke_config"),
            readers={"functionName": _function_input},
            property_groups=(PropertyGroup(Call("put_function_event_invoke_config")),),
            delete=(Call("delete_function_event_invoke_config"),),
            write_only={"qualifier"},
        ),
    ),
}

"""The ways into a Lambda function: URL, event sources, permissions, asynchronous calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from local.aws_provider.operations import (
    Answer,
    Call,
    Facet,
    Operations,
    Reader,
    Source,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    named,
    wanted_name,
)
from local.aws_provider.spelling import camel, pascal
from local.aws_provider.types.description import Description, Limit

if TYPE_CHECKING:
    from local.aws_provider.values import Value

_GONE = frozenset({"ResourceNotFoundException"})
_OF: dict[str, Source] = {"FunctionName": Wanted("functionName"), "Qualifier": Wanted("qualifier")}
_MAPPING: dict[str, Source] = {"UUID": identity}
_MAPPED = {
    "batchSize": "BatchSize",
    "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
    "functionResponseTypes": "FunctionResponseTypes",
    "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds": "MaximumRecordAgeInSeconds",
    "maximumRetryAttempts": "MaximumRetryAttempts",
    "parallelizationFactor": "ParallelizationFactor",
}
_MAPPED_OBJECTS = {
    "destinationConfig": "DestinationConfig",
    "filterCriteria": "FilterCriteria",
    "scalingConfig": "ScalingConfig",
}
_PERMISSION = {
    "action": "Action",
    "eventSourceToken": "EventSourceToken",
    "function": "FunctionName",
    "functionUrlAuthType": "FunctionUrlAuthType",
    "principal": "Principal",
    "principalOrgId": "PrincipalOrgID",
    "qualifier": "Qualifier",
    "sourceAccount": "SourceAccount",
    "sourceArn": "SourceArn",
    "statementId": "StatementId",
}


def _function(answer: Answer, subject: Subject) -> Value:
    # A program names the function by name or by ARN; AWS tells the ARN.
    arn, wanted = str(answer.get("FunctionArn")), str(subject.wanted.get("functionName"))
    name = arn.split(":function:", 1)[-1]
    return wanted if wanted in {arn, name, name.partition(":")[0]} else name


def _mapping_arn(subject: Subject) -> object:
    return f"arn:aws:lambda:{subject.region}:{subject.account}:event-source-mapping:{subject.id}"


def _url_id(answer: Answer, _subject: Subject) -> Value:
    return str(answer.get("FunctionUrl")).removeprefix("https://").removeprefix("http://").partition(".")[0]


def _enabled(answer: Answer, _subject: Subject) -> Value:
    return str(answer.get("State")) in {"Enabled", "Enabling", "Creating", "Updating"}


def _shown(name: str, *, convert: bool = False) -> Reader:
    """Read what AWS gives a default of its own where the program says nothing."""

    def read(answer: Answer, _subject: Subject) -> Value:
        value = answer.get(name)
        if value in (None, [], {}) or (name.startswith("Max") and value == -1):
            return None
        return camel()(value) if convert else cast("Value", value)

    return read


def _own(name: str, parameter: str) -> Reader:
    """Read what AWS tells its default of: that is nothing where the program says nothing."""

    def read(answer: Answer, subject: Subject) -> Value:
        value = at(parameter)(answer, subject)
        return None if subject.wanted.get(name) is None and value == _ASYNC_DEFAULTS.get(name) else value

    return read


def _statement(answer: Answer, subject: Subject) -> Answer | None:
    policy = cast("dict[str, object]", json.loads(str(answer.get("Policy"))))
    statements = cast("list[dict[str, object]]", policy.get("Statement") or [])
    return next((item for item in statements if item.get("Sid") == subject.id), None)


def _destinations(answer: Answer, subject: Subject) -> Value:
    found = camel()(at("DestinationConfig")(answer, subject))
    shown = {name: value for name, value in found.items() if value} if isinstance(found, dict) else {}
    return shown or None


_URL = {"authorizationType": "AuthType", "invokeMode": "InvokeMode"}
_URL_PARAMS: dict[str, Source] = {
    **_OF,
    **{parameter: Wanted(name) for name, parameter in _URL.items()},
    "Cors": Wanted("cors", pascal()),
}
_ASYNC_DEFAULTS = {"maximumEventAgeInSeconds": 21_600}
_ASYNC = {
    "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
    "maximumRetryAttempts": "MaximumRetryAttempts",
}

ENTRANCES: Final[dict[str, Description]] = {
    "aws:lambda/functionUrl:FunctionUrl": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"invokeMode": "BUFFERED"},
        sets=frozenset({"cors.allowHeaders", "cors.allowMethods", "cors.allowOrigins", "cors.exposeHeaders"}),
        limits={"authorizationType": Limit(choices=("NONE", "AWS_IAM"))},
        operations=Operations(
            service="lambda",
            create=Call("create_function_url_config", _URL_PARAMS),
            name=wanted_name("functionName", "qualifier"),
            read=Call("get_function_url_config", _OF),
            found={
                "functionArn": at("FunctionArn"),
                "functionName": _function,
                "functionUrl": at("FunctionUrl"),
                "urlId": _url_id,
            },
            facets=(
                Facet(
                    (*_URL, "cors"),
                    Call("update_function_url_config", _URL_PARAMS),
                    found={
                        **{name: at(parameter) for name, parameter in _URL.items()},
                        "cors": _shown("Cors", convert=True),
                    },
                ),
            ),
            delete=(Call("delete_function_url_config", _OF),),
            missing=_GONE,
            taken=frozenset({"ResourceConflictException"}),
            from_id=from_id("functionName", "qualifier"),
        ),
    ),
    "aws:lambda/permission:Permission": Description(
        replaces=frozenset({*_PERMISSION, "invokedViaFunctionUrl", "statementIdPrefix"}),
        operations=Operations(
            service="lambda",
            create=Call(
                "add_permission", {parameter: Wanted(name) for name, parameter in _PERMISSION.items()}
            ),
            name=wanted_name("statementId"),
            read=Call(
                "get_policy",
                {"FunctionName": Wanted("function"), "Qualifier": Wanted("qualifier")},
                pick=_statement,
            ),
            found={"action": at("Action"), "statementId": at("Sid")},
            delete=(
                Call(
                    "remove_permission",
                    {
                        "FunctionName": Wanted("function"),
                        "Qualifier": Wanted("qualifier"),
                        "StatementId": identity,
                    },
                ),
            ),
            missing=_GONE,
            taken=frozenset({"ResourceConflictException"}),
            from_id=lambda identifier: dict(
                zip(("function", "statementId"), identifier.split("/"), strict=False)
            ),
            import_id=lambda identifier: identifier.rpartition("/")[2],
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Description(
        replaces=frozenset(
            {
                "eventSourceArn",
                "queues",
                "selfManagedEventSource",
                "startingPosition",
                "startingPositionTimestamp",
                "topics",
            }
        ),
        defaults={"enabled": True},
        sets=frozenset({"functionResponseTypes", "sourceAccessConfigurations", "filterCriteria.filters"}),
        limits={
            "functionResponseTypes": Limit(choices=("ReportBatchItemFailures",)),
            "scalingConfig.maximumConcurrency": Limit(minimum=2),
        },
        operations=Operations(
            service="lambda",
            create=Call(
                "create_event_source_mapping",
                {
                    "EventSourceArn": Wanted("eventSourceArn"),
                    "FunctionName": Wanted("functionName"),
                    "Enabled": Wanted("enabled"),
                    "StartingPosition": Wanted("startingPosition"),
                    **{parameter: Wanted(name) for name, parameter in _MAPPED.items()},
                    **{parameter: Wanted(name, pascal()) for name, parameter in _MAPPED_OBJECTS.items()},
                },
            ),
            create_tags="Tags",
            name=named("UUID"),
            find=Call(
                "list_event_source_mappings",
                {"EventSourceArn": Wanted("eventSourceArn"), "FunctionName": Wanted("functionName")},
                pick=lambda answer, _subject: {"ids": [mapping["UUID"] for mapping in _mappings(answer)]},
            ),
            read=Call("get_event_source_mapping", _MAPPING),
            found={
                "arn": at("EventSourceMappingArn"),
                "eventSourceArn": at("EventSourceArn"),
                "functionArn": at("FunctionArn"),
                "lastModified": at("LastModified", str),
                "lastProcessingResult": at("LastProcessingResult"),
                "state": at("State"),
                "stateTransitionReason": at("StateTransitionReason"),
                "uuid": at("UUID"),
            },
            facets=(
                Facet(
                    ("functionName", "enabled", *_MAPPED, *_MAPPED_OBJECTS),
                    Call(
                        "update_event_source_mapping",
                        {
                            **_MAPPING,
                            "FunctionName": Wanted("functionName"),
                            "Enabled": Wanted("enabled"),
                            **{parameter: Wanted(name) for name, parameter in _MAPPED.items()},
                            **{
                                parameter: Wanted(name, pascal())
                                for name, parameter in _MAPPED_OBJECTS.items()
                            },
                        },
                    ),
                    found={
                        "functionName": _function,
                        "enabled": _enabled,
                        **{name: _shown(parameter) for name, parameter in _MAPPED.items()},
                        **{
                            name: _shown(parameter, convert=True)
                            for name, parameter in _MAPPED_OBJECTS.items()
                        },
                    },
                ),
            ),
            tags=Tagging(
                read="list_tags",
                path="Tags",
                tag="tag_resource",
                untag="untag_resource",
                resource=("Resource", _mapping_arn),
                key="",
            ),
            delete=(Call("delete_event_source_mapping", _MAPPING),),
            missing=_GONE,
            from_id=from_id("uuid"),
        ),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"maximumRetryAttempts": 2},
        limits={
            "maximumEventAgeInSeconds": Limit(minimum=60, maximum=21_600),
            "maximumRetryAttempts": Limit(minimum=0, maximum=2),
        },
        operations=Operations(
            service="lambda",
            name=wanted_name("functionName", "qualifier"),
            read=Call("get_function_event_invoke_config", _OF),
            found={"functionName": _function},
            facets=(
                Facet(
                    (*_ASYNC, "destinationConfig"),
                    Call(
                        "put_function_event_invoke_config",
                        {
                            **_OF,
                            **{parameter: Wanted(name) for name, parameter in _ASYNC.items()},
                            "DestinationConfig": Wanted("destinationConfig", pascal()),
                        },
                    ),
                    found={
                        **{name: _own(name, parameter) for name, parameter in _ASYNC.items()},
                        "destinationConfig": _destinations,
                    },
                ),
            ),
            delete=(Call("delete_function_event_invoke_config", _OF),),
            missing=_GONE,
            from_id=from_id("functionName", "qualifier"),
            unread=frozenset({"functionName", "qualifier"}),
        ),
    ),
}


def _mappings(answer: Answer) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", answer.get("EventSourceMappings") or [])

"""What feeds a Lambda function: event sources, and the settings of asynchronous calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.casing import camel, pascal
from tapgate.embedded.aws_provider.limits import MOMENT, at_most, not_both, one_given
from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
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
    named,
    own,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description
from tapgate.embedded.aws_provider.types.lambda_function import GONE, OF, function_found, shown

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

_MAPPING: dict[str, Source] = {"UUID": identity}
_MAPPED = {
    **alike(
        "batchSize",
        "bisectBatchOnFunctionError",
        "functionResponseTypes",
        "maximumBatchingWindowInSeconds",
        "maximumRecordAgeInSeconds",
        "maximumRetryAttempts",
        "parallelizationFactor",
    ),
}
_MAPPED_OBJECTS = {
    **alike("destinationConfig", "filterCriteria", "scalingConfig"),
}
_ASYNC_DEFAULTS = {"maximumEventAgeInSeconds": 21_600}
_ASYNC = {
    **alike("maximumEventAgeInSeconds", "maximumRetryAttempts"),
}


def _mapping_arn(subject: Subject) -> object:
    return f"arn:aws:lambda:{subject.region}:{subject.account}:event-source-mapping:{subject.id}"


def _enabled(answer: Answer, _subject: Subject) -> Value:
    return str(answer.get("State")) in {"Enabled", "Enabling", "Creating", "Updating"}


def _own(name: str, parameter: str) -> Reader:
    """Read what AWS tells its default of: that is nothing where the program says nothing."""

    def read(answer: Answer, subject: Subject) -> Value:
        value = at(parameter)(answer, subject)
        return None if subject.wanted.get(name) is None and value == _ASYNC_DEFAULTS.get(name) else value

    return read


def _destinations(answer: Answer, subject: Subject) -> Value:
    found = camel()(at("DestinationConfig")(answer, subject))
    shown = {name: value for name, value in found.items() if value} if isinstance(found, dict) else {}
    return shown or None


def _mappings(answer: Answer) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", answer.get("EventSourceMappings") or [])


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": Description(
        replaces=frozenset(
            {
                "amazonManagedKafkaEventSourceConfig.consumerGroupId",
                "eventSourceArn",
                "queues",
                "selfManagedEventSource",
                "selfManagedKafkaEventSourceConfig.consumerGroupId",
                "startingPosition",
                "startingPositionTimestamp",
                "topics",
            }
        ),
        defaults={"enabled": True},
        sets=frozenset({"functionResponseTypes", "sourceAccessConfigurations", "filterCriteria.filters"}),
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
        operations=Operations(
            service="lambda",
            create=Call(
                "create_event_source_mapping",
                {
                    **own("eventSourceArn", "functionName", "enabled", "startingPosition"),
                    **{parameter: Wanted(name) for name, parameter in _MAPPED.items()},
                    **{parameter: Wanted(name, pascal()) for name, parameter in _MAPPED_OBJECTS.items()},
                },
            ),
            create_tags="Tags",
            name=named("UUID"),
            find=Call(
                "list_event_source_mappings",
                own("eventSourceArn", "functionName"),
                pick=lambda answer, _subject: {"ids": [mapping["UUID"] for mapping in _mappings(answer)]},
            ),
            read=Call("get_event_source_mapping", _MAPPING),
            found={
                "arn": at("EventSourceMappingArn"),
                **told(
                    "",
                    "eventSourceArn",
                    "functionArn",
                    "lastProcessingResult",
                    "state",
                    "stateTransitionReason",
                ),
                "lastModified": at("LastModified", str),
                "uuid": at("UUID"),
            },
            property_groups=(
                PropertyGroup(
                    ("functionName", "enabled", *_MAPPED, *_MAPPED_OBJECTS),
                    Call(
                        "update_event_source_mapping",
                        {
                            **_MAPPING,
                            **own("functionName", "enabled"),
                            **{parameter: Wanted(name) for name, parameter in _MAPPED.items()},
                            **{
                                parameter: Wanted(name, pascal())
                                for name, parameter in _MAPPED_OBJECTS.items()
                            },
                        },
                    ),
                    found={
                        "functionName": function_found,
                        "enabled": _enabled,
                        **{name: shown(parameter) for name, parameter in _MAPPED.items()},
                        **{
                            name: shown(parameter, convert=True)
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
            missing=GONE,
            from_id=from_id("uuid"),
        ),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"maximumRetryAttempts": 2},
        operations=Operations(
            service="lambda",
            name=wanted_name("functionName", "qualifier"),
            read=Call("get_function_event_invoke_config", OF),
            found={"functionName": function_found},
            property_groups=(
                PropertyGroup(
                    (*_ASYNC, "destinationConfig"),
                    Call(
                        "put_function_event_invoke_config",
                        {
                            **OF,
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
            delete=(Call("delete_function_event_invoke_config", OF),),
            missing=GONE,
            from_id=from_id("functionName", "qualifier"),
            write_only=frozenset({"functionName", "qualifier"}),
        ),
    ),
}

"""CloudWatch alarms and CloudWatch Logs."""

from __future__ import annotations

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
    picked,
    wanted_name,
)
from local.aws_provider.spelling import pascal
from local.aws_provider.types.description import Description, Limit

if TYPE_CHECKING:
    from local.aws_provider.values import Properties, Value

_RETENTION = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
_GROUP: dict[str, Source] = {"logGroupName": identity}
_FILLERS = frozenset({"ExtendedStatistic", "Period", "Statistic", "Unit"})
_ALARM_PLAIN = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "thresholdMetricId": "ThresholdMetricId",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


def _dimensions(value: Value) -> object:
    return (
        [{"Name": name, "Value": text} for name, text in value.items()] if isinstance(value, dict) else None
    )


def _dimensions_found(value: object) -> Value:
    pairs = cast("list[dict[str, str]]", value)
    return {pair["Name"]: pair["Value"] for pair in pairs} or None


def _queries(value: Value) -> object:
    return [_query(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else None


def _query(query: Properties) -> object:
    metric = query.get("metric")
    plain = cast(
        "dict[str, object]", pascal()({name: item for name, item in query.items() if name != "metric"})
    )
    if isinstance(metric, dict):
        plain["MetricStat"] = {
            "Metric": {
                "Namespace": metric.get("namespace"),
                "MetricName": metric.get("metricName"),
                "Dimensions": _dimensions(metric.get("dimensions")) or [],
            },
            "Period": metric.get("period"),
            "Stat": metric.get("stat"),
            **({"Unit": metric["unit"]} if metric.get("unit") else {}),
        }
    return plain


def _queries_found(value: object) -> Value:
    return [_query_found(query) for query in cast("list[dict[str, object]]", value)] or None


def _query_found(query: dict[str, object]) -> Value:
    found: Properties = {
        name[:1].lower() + name[1:]: cast("Value", item)
        for name, item in query.items()
        if name != "MetricStat"
    }
    stat = cast("dict[str, Value] | None", query.get("MetricStat"))
    if stat:
        metric = cast("dict[str, Value]", stat["Metric"])
        shown: Properties = {
            "dimensions": _dimensions_found(metric.get("Dimensions") or []),
            "metricName": metric.get("MetricName"),
            "namespace": metric.get("Namespace"),
            "period": stat.get("Period"),
            "stat": stat.get("Stat"),
            "unit": stat.get("Unit"),
        }
        found["metric"] = {name: item for name, item in shown.items() if item is not None}
    return found


_ALARM_PARAMS: dict[str, Source] = {
    "AlarmName": Wanted("name"),
    "Dimensions": Wanted("dimensions", _dimensions),
    "Metrics": Wanted("metricQueries", _queries),
    **{parameter: Wanted(name) for name, parameter in _ALARM_PLAIN.items()},
}


def _flat(parameter: str) -> Reader:
    """Read what an alarm on one metric has; an alarm on an expression has a filler there, if anything."""

    def read(answer: Answer, subject: Subject) -> Value:
        on_expression = answer.get("Metrics") or subject.wanted.get("metricQueries")
        return None if on_expression and parameter in _FILLERS else at(parameter)(answer, subject)

    return read


def _datapoints(answer: Answer, subject: Subject) -> Value:
    # Where a program says none, it is as many as there are periods.
    told = at("DatapointsToAlarm")(answer, subject)
    wanted = subject.wanted.get("datapointsToAlarm")
    return None if wanted is None and told == answer.get("EvaluationPeriods") else told


def _alarm_arn(subject: Subject) -> object:
    return f"arn:aws:cloudwatch:{subject.region}:{subject.account}:alarm:{subject.id}"


def _group_arn(subject: Subject) -> object:
    return f"arn:aws:logs:{subject.region}:{subject.account}:log-group:{subject.id}"


def _plain_arn(answer: Answer, subject: Subject) -> Value:
    return str(at("arn")(answer, subject)).removesuffix(":*")


_ALARM_TAGS = Tagging(
    read="list_tags_for_resource",
    path="Tags",
    tag="tag_resource",
    untag="untag_resource",
    resource=("ResourceARN", _alarm_arn),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Description(
        replaces=frozenset({"name"}),
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        sets=frozenset({"alarmActions", "insufficientDataActions", "metricQueries", "okActions"}),
        limits={
            "datapointsToAlarm": Limit(minimum=1),
            "evaluationPeriods": Limit(minimum=1),
            "treatMissingData": Limit(choices=("missing", "ignore", "breaching", "notBreaching")),
            "comparisonOperator": Limit(
                choices=(
                    "GreaterThanOrEqualToThreshold",
                    "GreaterThanThreshold",
                    "GreaterThanUpperThreshold",
                    "LessThanLowerOrGreaterThanUpperThreshold",
                    "LessThanLowerThreshold",
                    "LessThanOrEqualToThreshold",
                    "LessThanThreshold",
                )
            ),
            "statistic": Limit(choices=("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        },
        operations=Operations(
            service="cloudwatch",
            create=Call("put_metric_alarm", _ALARM_PARAMS),
            create_tags="Tags",
            name=wanted_name("name"),
            find=Call(
                "describe_alarms",
                {"AlarmNames": lambda subject: [subject.wanted.get("name")]},
                pick=lambda answer, _subject: {"ids": [alarm["AlarmName"] for alarm in _alarms(answer)]},
            ),
            exclusive=True,
            read=Call(
                "describe_alarms",
                {"AlarmNames": lambda subject: [subject.id]},
                pick=picked("MetricAlarms", "AlarmName"),
            ),
            found={"arn": at("AlarmArn"), "name": at("AlarmName")},
            facets=(
                Facet(
                    (*_ALARM_PLAIN, "dimensions", "metricQueries"),
                    Call("put_metric_alarm", {**_ALARM_PARAMS, "AlarmName": identity}),
                    found={
                        "dimensions": at("Dimensions", _dimensions_found),
                        "metricQueries": at("Metrics", _queries_found),
                        **{name: _flat(parameter) for name, parameter in _ALARM_PLAIN.items()},
                        "datapointsToAlarm": _datapoints,
                    },
                ),
            ),
            tags=_ALARM_TAGS,
            delete=(Call("delete_alarms", {"AlarmNames": lambda subject: [subject.id]}),),
            missing=frozenset({"ResourceNotFound", "ResourceNotFoundException"}),
            # ministack 1.4 takes an alarm on an expression and keeps nothing of the expression.
            untold=frozenset({"metricQueries"}),
            from_id=from_id("name"),
        ),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Description(
        replaces=frozenset({"actionsEnabled", "alarmName"}),
        defaults={"actionsEnabled": True},
        sets=frozenset({"alarmActions", "insufficientDataActions", "okActions"}),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Description(
        replaces=frozenset({"logGroupClass", "name", "namePrefix"}),
        limits={
            "retentionInDays": Limit(choices=_RETENTION),
            "logGroupClass": Limit(choices=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
        },
        operations=Operations(
            service="logs",
            create=Call(
                "create_log_group",
                {
                    "logGroupName": Wanted("name"),
                    "kmsKeyId": Wanted("kmsKeyId"),
                    "logGroupClass": Wanted("logGroupClass"),
                },
            ),
            create_tags="tags",
            name=wanted_name("name"),
            read=Call(
                "describe_log_groups",
                {"logGroupNamePrefix": identity},
                pick=picked("logGroups", "logGroupName"),
            ),
            found={"arn": _plain_arn, "name": at("logGroupName"), "logGroupClass": at("logGroupClass")},
            facets=(
                Facet(
                    ("retentionInDays",),
                    lambda subject: (
                        Call("put_retention_policy", {**_GROUP, "retentionInDays": Wanted("retentionInDays")})
                        if subject.wanted.get("retentionInDays")
                        else Call("delete_retention_policy", _GROUP)
                    ),
                    found={"retentionInDays": at("retentionInDays")},
                ),
                Facet(
                    ("kmsKeyId",),
                    Call("associate_kms_key", {**_GROUP, "kmsKeyId": Wanted("kmsKeyId")}),
                    clear=Call("disassociate_kms_key", _GROUP),
                    found={"kmsKeyId": at("kmsKeyId")},
                ),
            ),
            tags=Tagging(
                read="list_tags_for_resource",
                path="tags",
                tag="tag_resource",
                untag="untag_resource",
                resource=("resourceArn", _group_arn),
                key="",
                tags_param="tags",
                keys_param="tagKeys",
            ),
            delete=(
                lambda subject: (
                    None if subject.wanted.get("skipDestroy") else Call("delete_log_group", _GROUP)
                ),
            ),
            missing=frozenset({"ResourceNotFoundException"}),
            taken=frozenset({"ResourceAlreadyExistsException"}),
            from_id=from_id("name"),
            unread=frozenset({"skipDestroy"}),
            # ministack 1.4 takes a log group's key and tells none.
            untold=frozenset({"kmsKeyId", "logGroupClass"}),
        ),
    ),
}


def _alarms(answer: Answer) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", answer.get("MetricAlarms") or [])

"""CloudWatch alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.casing import pascal
from tapgate.embedded.aws_provider.limits import at_most, given, not_both
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
    picked,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value

_FILLERS = frozenset({"ExtendedStatistic", "Period", "Statistic", "Unit"})
_OF_ONE_METRIC = ("dimensions", "extendedStatistic", "metricName", "namespace", "period", "statistic")
# What terraform-provider-aws takes: internal/service/cloudwatch/metric_alarm.go.
_PERCENTILE = (
    r"(p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
)
_STAT = f"{_PERCENTILE}|SampleCount|Average|Sum|Minimum|Maximum"
_ALARM_PLAIN = {
    **alike(
        "actionsEnabled",
        "alarmActions",
        "alarmDescription",
        "comparisonOperator",
        "datapointsToAlarm",
        "evaluationPeriods",
        "extendedStatistic",
        "insufficientDataActions",
        "metricName",
        "namespace",
        "period",
        "statistic",
        "threshold",
        "thresholdMetricId",
        "treatMissingData",
        "unit",
    ),
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "okActions": "OKActions",
}


def _statistic(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    if given(inputs.get("metricName")) and "statistic" not in inputs and "extendedStatistic" not in inputs:
        reason = (
            "the alarm is on a metric and has neither `statistic` nor `extendedStatistic`. AWS refuses that"
        )
        yield "statistic", f"{reason}. Fix: give one of them"


def _queries_of_one_kind(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    queries = inputs.get("metricQueries")
    for index, query in enumerate(queries if isinstance(queries, list) else []):
        if isinstance(query, dict) and given(query.get("expression")) and given(query.get("metric")):
            reason = "a metric query has both `expression` and `metric`. AWS takes one of them"
            yield f"metricQueries[{index}]", f"{reason}. Fix: make two queries of it"


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
            **{name: Limit(form="arn") for name in ("alarmActions", "insufficientDataActions", "okActions")},
            "extendedStatistic": Limit(pattern=_PERCENTILE),
            "metricQueries.metric.stat": Limit(pattern=_STAT),
        },
        members={
            "metricQueries.metric.unit": "Metrics.MetricStat.Unit",
            "metricQueries.metric.namespace": "Metrics.MetricStat.Metric.Namespace",
            "metricQueries.metric.metricName": "Metrics.MetricStat.Metric.MetricName",
            "metricQueries.expression": "Metrics.Expression",
            "metricQueries.id": "Metrics.Id",
        },
        rules=(
            *(not_both(name, "metricQueries") for name in _OF_ONE_METRIC),
            not_both("statistic", "extendedStatistic"),
            not_both("threshold", "thresholdMetricId"),
            at_most("insufficientDataActions", 5),
            at_most("okActions", 5),
            _statistic,
            _queries_of_one_kind,
        ),
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
            must_be_new=True,
            read=Call(
                "describe_alarms",
                {"AlarmNames": lambda subject: [subject.id]},
                pick=picked("MetricAlarms", "AlarmName"),
            ),
            found={"arn": at("AlarmArn"), "name": at("AlarmName")},
            property_groups=(
                PropertyGroup(
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
            not_returned=frozenset({"metricQueries"}),
            from_id=from_id("name"),
        ),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Description(
        replaces=frozenset({"actionsEnabled", "alarmName"}),
        defaults={"actionsEnabled": True},
        sets=frozenset({"alarmActions", "insufficientDataActions", "okActions"}),
    ),
}


def _alarms(answer: Answer) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", answer.get("MetricAlarms") or [])

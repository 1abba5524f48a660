"""CloudWatch alarms and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.description import (
    Call,
    Description,
    Operations,
    PropertyGroup,
    Tagging,
    at,
    identity,
    ids,
    picked,
    value_of,
)
from tapgate.embedded.aws_provider.limits import at_most, not_both, one_given
from tapgate.embedded.aws_provider.resource_schema import Limit

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Answer, Reader, Subject
    from tapgate.embedded.aws_provider.values import Value

_OF_ONE_METRIC: Final = ("dimensions", "extendedStatistic", "metricName", "namespace", "period", "statistic")
# What terraform-provider-aws takes: internal/service/cloudwatch/metric_alarm.go.
_PERCENTILE: Final = (
    r"(p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
)
_STAT: Final = f"{_PERCENTILE}|SampleCount|Average|Sum|Minimum|Maximum"


def _of_one_metric(name: str) -> Reader:
    """Read what an alarm on one metric has; an alarm on an expression has a filler there, if anything."""

    def read(answer: Answer, subject: Subject) -> Value:
        on_expression = answer.get("Metrics") or subject.wanted.get("metricQueries")
        return None if on_expression else at(name)(answer, subject)

    return read


def _datapoints(answer: Answer, subject: Subject) -> Value:
    # Where a program says none, it is as many as there are periods.
    told = at("DatapointsToAlarm")(answer, subject)
    wanted = subject.wanted.get("datapointsToAlarm")
    return None if wanted is None and told == answer.get("EvaluationPeriods") else told


def _retention(subject: Subject) -> Call:
    if subject.wanted.get("retentionInDays"):
        return Call("put_retention_policy", {"retentionInDays": value_of("retentionInDays")})
    return Call("delete_retention_policy")


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Description(
        replaces={"name"},
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        sets={"alarmActions", "insufficientDataActions", "metricQueries", "okActions"},
        limits={
            **{name: Limit(form="arn") for name in ("alarmActions", "insufficientDataActions", "okActions")},
            "extendedStatistic": Limit(pattern=_PERCENTILE),
            "metricQueries.metric.stat": Limit(pattern=_STAT),
        },
        rules=(
            *(not_both(name, "metricQueries") for name in _OF_ONE_METRIC),
            not_both("statistic", "extendedStatistic"),
            not_both("threshold", "thresholdMetricId"),
            at_most("insufficientDataActions", 5),
            at_most("okActions", 5),
            one_given("statistic", "extendedStatistic", where="metricName"),
            not_both("metricQueries.expression", "metric"),
        ),
        names={
            "arn": "AlarmArn",
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "metricQueries.metric": "MetricStat",
        },
        operations=Operations(
            key={"AlarmName": identity},
            create=Call("put_metric_alarm"),
            find=Call(
                "describe_alarms",
                {"AlarmNames": lambda subject: [subject.wanted.get("name")]},
                pick=ids("MetricAlarms", "AlarmName"),
            ),
            must_be_new=True,
            read=Call(
                "describe_alarms",
                {"AlarmNames": lambda subject: [subject.id]},
                pick=picked("MetricAlarms", "AlarmName"),
            ),
            readers={
                **{
                    f"{name[:1].lower()}{name[1:]}": _of_one_metric(name)
                    for name in ("ExtendedStatistic", "Period", "Statistic", "Unit")
                },
                "datapointsToAlarm": _datapoints,
            },
            property_groups=(PropertyGroup(Call("put_metric_alarm")),),
            tags=Tagging(
                "list_tags_for_resource",
                ("ResourceARN", lambda subject: subject.arn("cloudwatch", f"alarm:{subject.id}")),
            ),
            delete=(Call("delete_alarms", {"AlarmNames": lambda subject: [subject.id]}),),
            # ministack 1.4 takes an alarm on an expression and keeps nothing of the expression.
            not_returned={"metricQueries"},
        ),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Description(
        replaces={"actionsEnabled", "alarmName"},
        defaults={"actionsEnabled": True},
        sets={"alarmActions", "insufficientDataActions", "okActions"},
    ),
    "aws:cloudwatch/logGroup:LogGroup": Description(
        replaces={"logGroupClass", "name", "namePrefix"},
        limits={
            "kmsKeyId": Limit(form="arn"),
            "namePrefix": Limit(pattern=r"[.\-_/#A-Za-z0-9]+", max_length=512 - 26),
        },
        operations=Operations(
            service="logs",
            key={"logGroupName": identity},
            create=Call("create_log_group"),
            read=Call(
                "describe_log_groups",
                {"logGroupNamePrefix": identity},
                pick=picked("logGroups", "logGroupName"),
            ),
            readers={"arn": lambda answer, _subject: str(answer.get("arn")).removesuffix(":*")},
            property_groups=(
                PropertyGroup(_retention, ("retentionInDays",)),
                PropertyGroup(Call("associate_kms_key"), clear=Call("disassociate_kms_key")),
            ),
            tags=Tagging(
                "list_tags_for_resource",
                ("resourceArn", lambda subject: subject.arn("logs", f"log-group:{subject.id}")),
            ),
            delete=(lambda subject: None if subject.wanted.get("skipDestroy") else Call("delete_log_group"),),
            write_only={"skipDestroy"},
            # ministack 1.4 takes a log group's key and tells none.
            not_returned={"kmsKeyId", "logGroupClass"},
        ),
    ),
}

"""By which members of AWS's API properties go, held against botocore's models of the operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.aws_provider.deploy.remote_state import Calls
from tapgate.embedded.aws_provider.description import Call, Operations, Subject
from tapgate.embedded.aws_provider.members import Decoding, model
from tapgate.embedded.aws_provider.resource_schema import Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.types import MODULES, describe, described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value


def _calls(module: str) -> Iterator[tuple[Calls, Call, tuple[str, ...]]]:
    """Yield the calls of a module's types, and the properties that each takes."""
    for token, description in described(module).items():
        operations = description.operations
        if operations is None:
            continue
        calls, groups = Calls(token, description, operations), operations.property_groups
        found = [(operations.read, ()), (operations.find, ()), *((call, ()) for call in operations.delete)]
        found += [(operations.create, tuple(calls.created))]
        found += [(group.put, calls.grouped[index]) for index, group in enumerate(groups)]
        found += [(call, ()) for group in groups for call in (group.clear, group.read)]
        for call, takes in found:
            if isinstance(call, Call):
                yield calls, call, takes


@pytest.mark.parametrize("module", MODULES)
def test_every_parameter_is_a_member_of_its_operation(module: str) -> None:
    checked = 0
    for calls, call, takes in _calls(module):
        shape = calls.model.input_of(call.operation)
        assert shape, (calls.token, call.operation)
        members = calls.model.members_of(shape)
        wanted = cast("Properties", dict.fromkeys(takes, "x"))
        given = calls.params(call, Subject("one:two", wanted, "eu-west-2", "1"), takes)
        assert set(given) <= set(members), (calls.token, call.operation)
        checked += 1
    assert checked > 2


@pytest.mark.parametrize("module", MODULES)
def test_every_exception_is_of_a_property_that_is_called_otherwise(module: str) -> None:
    for token, description in described(module).items():
        if description.operations is None:
            continue
        calls = Calls(token, description, description.operations)
        known = {*calls.schema.inputs, *calls.schema.outputs}
        assert {path.partition(".")[0] for path in description.names} <= known, token
        for name, member in description.names.items():
            assert member.lower() != name.lower(), (token, name)


def params(token: str, operation: str, wanted: Properties) -> dict[str, object]:
    calls = Calls(token, describe(token), cast("Operations", describe(token).operations))
    return calls.params(Call(operation), Subject("", wanted, "eu-west-2", "1"), tuple(wanted))


BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FUNCTION = "aws:lambda/function:Function"


@pytest.mark.parametrize(
    ("token", "operation", "wanted", "given"),
    [
        (
            FUNCTION,
            "create_function",
            {"name": "f", "kmsKeyArn": "k"},
            {"FunctionName": "f", "KMSKeyArn": "k"},
        ),
        (
            BLOCK,
            "put_public_access_block",
            {"blockPublicAcls": True, "ignorePublicAcls": False},
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": False}},
        ),
        (
            OWNERSHIP,
            "put_bucket_ownership_controls",
            {"rule": {"objectOwnership": "ObjectWriter"}},
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        ),
        (
            ALARM,
            "put_metric_alarm",
            {"dimensions": {"QueueName": "q"}, "okActions": ["a"]},
            {"Dimensions": [{"Name": "QueueName", "Value": "q"}], "OKActions": ["a"]},
        ),
        (
            ALARM,
            "put_metric_alarm",
            {"metricQueries": [{"id": "a", "metric": {"metricName": "m", "stat": "Sum"}}]},
            {"Metrics": [{"Id": "a", "MetricStat": {"Metric": {"MetricName": "m"}, "Stat": "Sum"}}]},
        ),
        (
            LIFECYCLE,
            "put_bucket_lifecycle_configuration",
            {"rules": [{"id": "a", "filter": {"and": {"tags": {"k": "v"}}}}]},
            {
                "LifecycleConfiguration": {
                    "Rules": [{"ID": "a", "Filter": {"And": {"Tags": [{"Key": "k", "Value": "v"}]}}}]
                }
            },
        ),
        (
            FUNCTION,
            "create_function",
            {"codeSigningConfigArn": "a", "nothingOfTheKind": "x"},
            {"CodeSigningConfigArn": "a"},
        ),
    ],
)
def test_a_property_s_member_follows_from_its_name(
    token: str, operation: str, wanted: Properties, given: dict[str, object]
) -> None:
    assert params(token, operation, wanted) == given


STRING = Type("string")
SCHEMA = ResourceSchema(
    "aws:x/y:Y",
    {},
    {},
    objects={"o": {"kmsKeyId": Property(STRING), "size": Property(Type("integer"))}},
)


@pytest.mark.parametrize(
    ("answer", "type_", "value"),
    [
        ({"FooName": "n"}, STRING, None),
        ({"Foos": ["n"]}, Type("list", args=(STRING,)), ["n"]),
        ({"Inner": {"Foo": "5"}}, Type("integer"), 5),
        ({"Foo": "TRUE"}, Type("boolean"), True),
        ({"Foo": [{"Key": "k", "Value": "v"}]}, Type("map", args=(STRING,)), {"k": "v"}),
        ({"Foo": [{"KMSKeyId": "k", "Other": 1}]}, Type("object", "o"), {"kmsKeyId": "k"}),
        ({"Foo": ""}, STRING, None),
        ({"Foo": []}, Type("list", args=(STRING,)), None),
        ({}, STRING, None),
    ],
)
def test_an_answer_is_read_by_the_same_names(answer: object, type_: Type, value: Value) -> None:
    assert Decoding(SCHEMA, {}).value(answer, "foo", type_) == value


def test_what_ends_in_name_is_taken_for_it_only_where_it_is_the_only_one() -> None:
    logs, cloudwatch = model("logs"), model("cloudwatch")
    assert logs.steps(logs.input_of("create_log_group"), "name", {}) == ("logGroupName",)
    assert cloudwatch.steps(cloudwatch.input_of("put_metric_alarm"), "name", {}) == ()
    assert logs.steps(logs.input_of("create_log_group"), "name", {}, loose=False) == ()

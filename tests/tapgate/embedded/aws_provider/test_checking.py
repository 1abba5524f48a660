from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.checking import Failure, check, nearest
from tapgate.embedded.aws_provider.resource_schema import Base, Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.values import UNKNOWN, Blob, Properties, Value

FUNCTION = "aws:lambda/function:Function"


def _one(type_: Base | Type, *, required: bool = False) -> ResourceSchema:
    of = type_ if isinstance(type_, Type) else Type(type_)
    return ResourceSchema("test:index:One", {"value": Property(of, required)}, {})


def _convert(type_: Base | Type, value: Value) -> tuple[Value, list[str]]:
    inputs, failures = check(_one(type_), {"value": value})
    return inputs.get("value"), [failure.property for failure in failures]


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_pass_as_numbers_and_as_text(number: int) -> None:
    assert _convert("integer", number) == (number, [])
    assert _convert("integer", str(number)) == (number, [])
    assert _convert("number", str(number)) == (float(number), [])
    assert _convert("string", number) == (str(number), [])


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()))
def test_fractions_are_no_whole_numbers(number: float) -> None:
    assert _convert("integer", number)[1] == ["value"]
    assert _convert("number", number) == (number, [])
    text, failures = _convert("string", number)
    assert not failures
    assert isinstance(text, str)
    assert float(text) == number
    assert "e" not in text


@pytest.mark.parametrize(
    ("type_", "given_", "expected"),
    [
        ("boolean", "true", True),
        ("boolean", "True", True),
        ("boolean", "1", True),
        ("boolean", "false", False),
        ("boolean", "F", False),
        ("string", True, "true"),
        ("string", False, "false"),
        ("string", 2.5, "2.5"),
        ("number", "2.5e3", 2500.0),
        ("any", {"x": [1]}, {"x": [1]}),
    ],
)
def test_conversions_that_pulumi_aws_makes(type_: Base, given_: Value, expected: Value) -> None:
    assert _convert(type_, given_) == (expected, [])


@given(st.text(alphabet=string.ascii_letters + " -._", min_size=1, max_size=8))
def test_words_are_no_numbers_and_no_booleans(word: str) -> None:
    assert _convert("integer", word)[1] == ["value"]
    if word not in {"t", "T", "f", "F", "true", "True", "TRUE", "false", "False", "FALSE"}:
        assert _convert("boolean", word)[1] == ["value"]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("boolean", 1),
        ("boolean", "yes"),
        ("integer", True),
        ("integer", "1_000"),
        ("integer", " 1"),
        ("number", False),
        ("number", "nan"),
        ("number", ""),
        ("string", ["a"]),
        ("string", {"a": 1}),
        ("string", Blob("asset")),
        ("archive", Blob("asset")),
        ("archive", "lambda.zip"),
        ("asset", Blob("archive")),
        (Type("map", args=(Type("string"),)), "a=b"),
        (Type("list", args=(Type("integer"),)), ["x"]),
        (Type("union", args=(Type("asset"), Type("archive"))), "a.zip"),
    ],
)
def test_wrong_types_are_refused_with_the_type_that_is_wanted(type_: Base | Type, value: Value) -> None:
    of = type_ if isinstance(type_, Type) else Type(type_)
    _, failures = check(_one(of), {"value": value})
    (failure,) = failures
    assert failure.property.startswith("value")
    assert "Required: " in failure.reason
    assert "Found: " in failure.reason


@given(st.sampled_from(["string", "integer", "number", "boolean", "archive", "asset", "any"]))
def test_unknown_stays_unknown_whatever_the_type(type_: Base) -> None:
    assert _convert(type_, UNKNOWN) == (UNKNOWN, [])


def test_a_single_value_becomes_the_list_that_is_wanted() -> None:
    alarm = schema_of("aws:cloudwatch/metricAlarm:MetricAlarm")
    inputs, failures = check(alarm, {"alarmActions": "arn:x"})
    assert not failures
    assert inputs == {"alarmActions": ["arn:x"]}


def test_a_union_takes_what_any_choice_takes() -> None:
    type_ = Type("union", args=(Type("asset"), Type("archive")))
    assert _convert(type_, Blob("archive")) == (Blob("archive"), [])


REFUSED: list[tuple[Properties, str, str]] = [
    ({"role": "r", "tracingConfg": {"mode": "Active"}}, "tracingConfg", "did you mean `tracingConfig`?"),
    ({"role": "r", "tracing_config": {"mode": "Active"}}, "tracing_config", "`tracingConfig`"),
    ({"role": "r", "tracingConfig": {"mod": "Active", "mode": "Active"}}, "tracingConfig.mod", "`mode`"),
    ({"role": "r", "tracingConfig": {}}, "tracingConfig.mode", "required"),
    ({"role": "r", "arn": "x"}, "arn", "AWS computes it"),
    ({}, "role", "required property `role` is missing"),
    ({"role": "r", "zzzz": 1}, "zzzz", "it has: "),
    (
        {"role": "r", "environment": {"variables": {"a b": [1]}}},
        'environment.variables["a b"]',
        "a string",
    ),
    ({"role": "r", "layers": ["a", {}]}, "layers[1]", "Found: an object"),
]


def test_a_required_list_inside_an_object_has_terraform_s_singular_name_too() -> None:
    """The name goes to Terraform as it is; a slip in it creates nothing, for the list is required."""
    group = schema_of("aws:networkfirewall/ruleGroup:RuleGroup")

    def checked(*names: str, key: str = "ipSets") -> tuple[Properties, list[Failure]]:
        of: dict[str, Value] = {name: ["10.0.0.0/8"] for name in names}
        variables: Properties = {key: [{"key": "A", "ipSet": of}]}
        source: Properties = {"rulesString": "pass"}
        return check(
            group,
            {
                "capacity": 1,
                "type": "STATEFUL",
                "ruleGroup": {"ruleVariables": variables, "rulesSource": source},
            },
        )

    assert checked("definition") == checked("definitions")
    assert not checked("definition")[1]
    for wrong in (("definition", "definitions"), ("definitionn",)):
        assert [one.property.rpartition(".")[2] for one in checked(*wrong)[1]][:1] == [wrong[0]]
    assert "did you mean `ipSets`" in checked("definition", key="ipSet")[1][0].reason


@pytest.mark.parametrize(("inputs", "path", "words"), REFUSED)
def test_each_failure_says_where_what_and_how_to_fix_it(inputs: Properties, path: str, words: str) -> None:
    _, failures = check(schema_of(FUNCTION), inputs)
    assert [failure.property for failure in failures] == [path]
    assert words in failures[0].reason
    assert "Fix: " in failures[0].reason
    assert FUNCTION in failures[0].reason


def test_all_failures_are_told_at_once() -> None:
    _, failures = check(schema_of(FUNCTION), {"timeout": "soon", "tags": 3, "rolle": "x"})
    assert {failure.property for failure in failures} == {"timeout", "tags", "rolle", "role"}


def test_null_is_not_given_and_internal_keys_are_dropped() -> None:
    schema = schema_of(FUNCTION)
    inputs, failures = check(
        schema, {"role": "r", "tags": {"a": None, "__x": "y"}, "timeout": None, "__defaults": []}
    )
    assert not failures
    assert inputs == {"role": "r", "tags": {}}


def test_a_policy_given_as_an_object_becomes_the_text_that_go_would_write() -> None:
    schema = schema_of("aws:sqs/queuePolicy:QueuePolicy")
    document: Properties = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": ["sqs:SendMessage"],
                "Resource": "*",
                "Condition": {"StringLike": {"a": "<&>"}},
            }
        ],
    }
    inputs, failures = check(schema, {"queueUrl": "u", "policy": document})
    assert not failures
    assert inputs["policy"] == (
        '{"Statement":[{"Action":["sqs:SendMessage"],"Condition":{"StringLike":{"a":"\\u003c\\u0026\\u003e"}},'
        '"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Resource":"*"}],"Version":"2012-10-17"}'
    )
    assert json.loads(str(inputs["policy"])) == document


def test_a_policy_with_something_unknown_in_it_is_unknown() -> None:
    schema = schema_of("aws:sqs/queuePolicy:QueuePolicy")
    statement: Properties = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": UNKNOWN}
    policy: Properties = {"Version": "2012-10-17", "Statement": [statement]}
    inputs, failures = check(schema, {"queueUrl": "u", "policy": policy})
    assert (inputs["policy"], failures) == (UNKNOWN, [])


def test_a_policy_with_a_misspelt_element_is_refused() -> None:
    schema = schema_of("aws:sqs/queuePolicy:QueuePolicy")
    policy: Properties = {"Version": "2012-10-17", "Statement": [{"Effekt": "Allow"}]}
    _, failures = check(schema, {"queueUrl": "u", "policy": policy})
    assert {failure.property for failure in failures} == {
        "policy.Statement[0].Effekt",
        "policy.Statement[0].Effect",
    }


@given(st.sampled_from(["enableKeyRotation", "deletionWindowInDays", "customerMasterKeySpec"]), st.data())
def test_one_slip_of_the_finger_finds_the_name(name: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters))
    known = schema_of("aws:kms/key:Key").inputs
    assert nearest(name[:index] + letter + name[index + 1 :], known) == name
    assert nearest(name[:index] + name[index + 1 :], known) == name


def test_nothing_near_gives_nothing() -> None:
    assert nearest("qqq", ["enableKeyRotation"]) is None

"""Nothing that a program can write makes the pack hang, take the machine's memory, or fail."""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from tap_guardrails import evaluate
from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.records import records

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_guardrails.state import PackEvaluation

SECONDS: Final = 10.0
"""Of processor time; each takes a fraction of one, and what doubles with each step would take years."""
GROWTH: Final = 2.6
"""Of the calls for twice the resources; four times the calls are none that a large stack can afford."""
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
TOPIC: Final = "arn:aws:sns:eu-west-2:123456789012:t"
KEY: Final = "arn:aws:kms:eu-west-2:123456789012:key/k"
METRIC: Final = {"namespace": "AWS/Lambda", "metricName": "Errors", "dimensions": {"FunctionName": "f"}}
COMPARED: Final = {"evaluationPeriods": 1, "comparisonOperator": "GreaterThanThreshold", "threshold": 0}


def of(service: str, logical: str, /, **props: object) -> CaseResource:
    """Return a resource of a type such as `sqs.Queue`."""
    module, _, kind = service.partition(".")
    return CaseResource(logical, f"aws:{module}/{kind[0].lower()}{kind[1:]}:{kind}", props)


def alarm(name: str, action: str = TOPIC, /, **props: object) -> CaseResource:
    """Return an alarm on the errors of function `f`."""
    plain = {**METRIC, "statistic": "Sum", "period": 60, **COMPARED}
    return of("cloudwatch.MetricAlarm", name, **{**plain, "name": name, "alarmActions": [action], **props})


def math(*expressions: str) -> list[CaseResource]:
    """Return an alarm on the last of some expressions, each of which has the one before as `{0}`."""
    queries: list[dict[str, object]] = [
        {"id": "e0", "metric": {**METRIC, "stat": "Sum", "period": 60}, "returnData": False}
    ]
    for number, expression in enumerate(expressions, start=1):
        text = expression.format(f"e{number - 1}")
        queries.append({"id": f"e{number}", "expression": text, "returnData": number == len(expressions)})
    props = {**COMPARED, "name": "a", "alarmActions": [TOPIC], "metricQueries": queries}
    return [of("cloudwatch.MetricAlarm", "a", **props)]


def variable(value: str) -> list[CaseResource]:
    """Return a function with a value in its environment."""
    return [of("lambda.Function", "f", name="f", environment={"variables": {"A": value}})]


def policy(text: str) -> list[CaseResource]:
    """Return a policy with a document."""
    return [of("iam.Policy", "p", name="p", policy=text)]


def template(text: str) -> list[CaseResource]:
    """Return a stack of CloudFormation with a template."""
    return [of("cloudformation.Stack", "s", name="s", templateBody=text)]


def wrapped(times: int) -> str:
    """Return a text that is JSON in base64 in JSON, and so on."""
    text = "x" * 20
    for _ in range(times):
        text = base64.b64encode(json.dumps({"password": text}).encode()).decode()
    return text


def nested(levels: int) -> object:
    """Return an object in an object, and so on."""
    value: object = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


LAUGHS: Final = "\n".join(
    ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    + ["Resources: {K: {Type: AWS::KMS::Key, Properties: {Description: *a9}}}"]
)
VALUES: Final = {
    "thirty doubled queries": math(*["{0}+{0}"] * 30),
    "ninety that branch": math(*["IF({0}>0,{0},{0}*{0})"] * 90),
    "parentheses": math("(" * 9_000 + "{0}" + ")" * 9_000),
    "signs": math("-" * 20_000 + "{0}"),
    "branches in branches": math("IF({0}>0," * 900 + "{0}" + ",0)" * 900),
    "a long sum": math("+".join(["{0}"] * 4_000)),
    "negations": [
        of("cloudwatch.CompositeAlarm", "c", alarmName="c", alarmRule="NOT " * 9_000 + "ALARM(a)"),
        alarm("a"),
    ],
    "periods without end": [alarm("a", period=10**9, evaluationPeriods=10**9, datapointsToAlarm=10**8)],
    "a document of brackets": policy("[" * 60_000 + "]" * 60_000),
    "a document of objects": policy('{"a":' * 30_000 + "1" + "}" * 30_000),
    "an action of wildcards": policy(
        json.dumps({"Statement": [{"Effect": "Allow", "Action": f"s3:{'*a' * 2_000}b", "Resource": "*"}]})
    ),
    "a resource of wildcards": policy(
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*a" * 90_000}]})
    ),
    "no document, but long": policy("x" * 2_000_000),
    "one letter": variable("a" * 500_000),
    "addresses": variable("a:b@c/://" * 50_000),
    "keys": variable("-----BEGIN " * 30_000 + "eyJ." * 90_000),
    "assignments": variable("password=" * 50_000),
    "layers": variable(wrapped(20)),
    "deeper than is decoded": [of("kms.Key", "k", tags=nested(900))],
    "laughs": template(LAUGHS),
    "a template of brackets": template("[" * 1_000 + "]" * 1_000),
    "a template of lists": template("- " * 1_000 + "x"),
    "an endpoint": [
        of("sns.Topic", "t", name="t", arn=TOPIC),
        of("sns.TopicSubscription", "s", topic=TOPIC, protocol="https", endpoint="a." * 500_000),
        alarm("a"),
    ],
    "an alias of itself": [
        of("kms.Alias", "l", name="alias/l", targetKeyId="alias/l"),
        of("sns.Topic", "t", name="t", arn=TOPIC, kmsMasterKeyId="alias/l"),
        alarm("a"),
    ],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_costs_little(name: str) -> None:
    resources = records(VALUES[name])
    start = time.process_time()
    answer = evaluate(resources)
    assert time.process_time() - start < SECONDS
    assert not [one for one in answer.findings if one.verdict == "error"]
    assert all(len(one.message) < 10_000 for one in answer.findings)


def subscriptions(count: int) -> list[CaseResource]:
    """Return as many subscriptions as alarms, on one topic."""
    email = {"topic": TOPIC, "protocol": "email", "endpoint": "a@b.com"}
    return [
        of("sns.Topic", "t", name="t", arn=TOPIC),
        *(of("sns.TopicSubscription", f"s{n}", **email) for n in range(count)),
        *(alarm(f"a{n}") for n in range(count)),
    ]


def keys(count: int) -> list[CaseResource]:
    """Return as many keys as aliases, topics and alarms."""
    return [
        one
        for n in range(count)
        for one in (
            of("kms.Key", f"k{n}", arn=f"{KEY}{n}", keyId=f"k{n}"),
            of("kms.Alias", f"l{n}", name=f"alias/l{n}", targetKeyId=f"k{n}"),
            of("sns.Topic", f"t{n}", name=f"t{n}", arn=f"{TOPIC}{n}", kmsMasterKeyId=f"alias/l{n}"),
            alarm(f"a{n}", f"{TOPIC}{n}"),
        )
    ]


def composites(count: int) -> list[CaseResource]:
    """Return as many composite alarms as others."""
    return [
        one
        for n in range(count)
        for one in (
            of("cloudwatch.CompositeAlarm", f"c{n}", alarmName=f"c{n}", alarmRule=f"ALARM(a{n})"),
            alarm(f"a{n}", alarmActions=[]),
        )
    ]


def log_groups(count: int) -> list[CaseResource]:
    """Return as many log groups whose names are unknown as functions."""
    return [
        one
        for n in range(count)
        for one in (
            of("lambda.Function", f"f{n}", name=f"f{n}"),
            of("cloudwatch.LogGroup", f"l{n}", name=UNKNOWN),
        )
    ]


def buckets(count: int) -> list[CaseResource]:
    """Return as many versionings of unknown buckets as buckets."""
    return [
        one
        for n in range(count)
        for one in (
            of("s3.Bucket", f"b{n}", bucket=f"b{n}"),
            of("s3.BucketVersioning", f"v{n}", bucket=UNKNOWN),
        )
    ]


def queues(count: int) -> list[CaseResource]:
    """Return queues, each the dead letter queue of the one before."""
    arn = "arn:aws:sqs:eu-west-2:123456789012:q"
    return [
        of(
            "sqs.Queue",
            f"q{n}",
            name=f"q{n}",
            arn=f"{arn}{n}",
            redrivePolicy=json.dumps({"deadLetterTargetArn": f"{arn}{n + 1}"}),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("stack", [subscriptions, keys, composites, log_groups, buckets, queues])
def test_twice_the_resources_cost_about_twice_as_much(stack: Callable[[int], list[CaseResource]]) -> None:
    few, many = (calls_of(stack(count)) for count in (20, 40))
    assert many / few < GROWTH


def calls_of(resources: list[CaseResource]) -> int:
    """Count the calls of an evaluation, which are the same on every machine."""
    state, calls = records(resources), 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    def evaluated() -> PackEvaluation:
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            return evaluate(state)
        finally:
            sys.setprofile(before)

    assert evaluated()
    return calls

"""Whether a policy lets a service in, for what the service acts for."""

from __future__ import annotations

import pytest

from tap_guardrails.aws.topics import Caller, admits
from tap_guardrails.model import UNKNOWN, PropertyRef, Value, decode

ALARMS = Caller("cloudwatch.amazonaws.com", "cloudwatch", "eu-west-2", "alarm:errors")
TOPIC = "arn:aws:sns:eu-west-2:123456789012:ops"
ALARM = "arn:aws:cloudwatch:eu-west-2:123456789012:alarm"


def statement(**changes: object) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        **changes,
    }


def condition(operator: str, key: str, *values: str) -> dict[str, object]:
    return statement(Condition={operator: {key: list(values)}})


@pytest.mark.parametrize(
    ("statements", "admitted"),
    [
        ([statement()], True),
        ([statement(Action=["SNS:Pub*"])], True),
        ([statement(Action="*", Resource="*", Principal="*")], True),
        ([statement(Principal={"AWS": "*"})], True),
        ([statement(Principal={"Service": ["sns.amazonaws.com", "cloudwatch.amazonaws.com"]})], True),
        ([statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([statement(Principal={"Service": "events.amazonaws.com"})], False),
        ([statement(Action="sns:Subscribe")], False),
        ([statement(Resource=TOPIC + "-2")], False),
        ([statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny", Principal="*")], False),
        ([statement(), statement(Effect="Deny", Principal="*", Condition={"Bool": {"a": "b"}})], True),
        ([statement(), statement(Effect="Deny", Principal={"Service": "events.amazonaws.com"})], True),
        ([condition("ArnEquals", "aws:SourceArn", f"{ALARM}:errors")], True),
        ([condition("ArnLike", "AWS:SourceArn", f"{ALARM}:err*")], True),
        ([condition("ForAnyValue:StringLike", "aws:SourceArn", f"{ALARM}:x", f"{ALARM}:*")], True),
        ([condition("ArnEquals", "aws:SourceArn", f"{ALARM}:errors-2")], False),
        ([condition("ArnLike", "aws:SourceArn", "arn:aws:s3:::bucket")], False),
        ([condition("ArnLike", "aws:SourceArn", "arn:aws:cloudwatch:us-east-1:*:alarm:*")], False),
        ([condition("ArnLike", "aws:SourceArn", "arn:*")], True),
        ([condition("ArnNotLike", "aws:SourceArn", f"{ALARM}:errors")], True),
        ([condition("StringEquals", "aws:SourceAccount", "123456789012")], True),
        ([statement(Action=None, NotAction="sns:Subscribe")], True),
        ([statement(Action=None, NotAction="sns:*")], False),
        ([statement(Principal=None, NotPrincipal={"Service": "events.amazonaws.com"})], True),
        ([statement(Principal=None, NotPrincipal={"Service": "cloudwatch.amazonaws.com"})], False),
        ([], False),
        (None, False),
        (UNKNOWN, None),
        ([statement(Action=UNKNOWN)], None),
        ([statement(Action=UNKNOWN), statement()], True),
    ],
)
def test_whether_cloudwatch_may_publish(statements: Value, *, admitted: bool | None) -> None:
    policy = {"Statement": statements if statements is UNKNOWN else decode(statements)}
    assert admits(PropertyRef("policy", policy), ALARMS, ("sns:Publish",), TOPIC) is admitted


def test_all_actions_are_needed_and_may_come_from_several_statements() -> None:
    needed = ("kms:Decrypt", "kms:GenerateDataKey")
    both: list[Value] = [
        {"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "kms:Decrypt"},
        {"Effect": "Allow", "Principal": "*", "Action": "kms:GenerateDataKey*"},
    ]
    assert admits(PropertyRef("policy", {"Statement": both}), ALARMS, needed, None) is True
    assert admits(PropertyRef("policy", {"Statement": both[:1]}), ALARMS, needed, None) is False


def test_a_policy_as_a_text() -> None:
    assert (
        admits(PropertyRef("policy", '{"Statement": {"Effect": "Allow"}}'), ALARMS, ("a:B",), None) is False
    )
    assert admits(PropertyRef("policy", "no JSON"), ALARMS, ("a:B",), None) is False

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.inputs import AutonamingError, Mode, Rule, make_name, rule_for
from tapgate.embedded.aws_provider.schema_store import schema_of

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
SEEDS = st.binary(min_size=1, max_size=32)


@given(NAMES, SEEDS)
def test_a_name_is_the_resource_s_name_and_seven_hexadecimal_digits(name: str, seed: bytes) -> None:
    made = make_name(Rule(), name, seed, {})
    assert re.fullmatch(re.escape(name) + r"-[0-9a-f]{7}", made)
    assert made == make_name(Rule(), name, seed, {})


@given(NAMES, st.lists(SEEDS, min_size=2, max_size=2, unique=True))
def test_another_seed_gives_another_name(name: str, seeds: list[bytes]) -> None:
    assert make_name(Rule(), name, seeds[0], {}) != make_name(Rule(), name, seeds[1], {})


@pytest.mark.parametrize(
    ("token", "pattern"),
    [
        ("aws:kms/alias:Alias", r"alias/Thing-[0-9a-f]{7}"),
        ("aws:s3/bucket:Bucket", r"thing-[0-9a-f]{7}"),
        ("aws:s3/bucketV2:BucketV2", r"thing-[0-9a-f]{7}"),
        ("aws:glue/catalogDatabase:CatalogDatabase", r"thing_[a-z]{8}"),
        ("aws:rds/instance:Instance", r"Thing[0-9a-f]{7}"),
        ("aws:iot/topicRule:TopicRule", r"Thing"),
        ("aws:s3/bucketObjectv2:BucketObjectv2", r"Thing"),
        ("aws:dynamodb/table:Table", r"Thing-[0-9a-f]{7}"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", r"Thing-[0-9a-f]{7}"),
        ("aws:sqs/queue:Queue", r"Thing-[0-9a-f]{7}"),
    ],
)
def test_types_with_rules_of_their_own(token: str, pattern: str) -> None:
    rule = rule_for(schema_of(token))
    assert rule is not None
    assert re.fullmatch(pattern, make_name(rule, "Thing", b"seed", {}))


@pytest.mark.parametrize(
    "token", ["aws:route53/record:Record", "aws:kms/key:Key", "aws:sqs/queuePolicy:QueuePolicy"]
)
def test_types_that_are_not_named(token: str) -> None:
    assert rule_for(schema_of(token)) is None


@pytest.mark.parametrize(
    ("token", "flag"), [("aws:sqs/queue:Queue", "fifoQueue"), ("aws:sns/topic:Topic", "fifoTopic")]
)
def test_a_fifo_s_name_ends_as_aws_wants_it(token: str, flag: str) -> None:
    rule = rule_for(schema_of(token))
    assert rule is not None
    assert make_name(rule, "q", b"s", {flag: True}).endswith(".fifo")
    assert not make_name(rule, "q", b"s", {flag: False}).endswith(".fifo")


@given(st.integers(1, 120))
def test_a_name_is_never_longer_than_aws_allows(length: int) -> None:
    rule = rule_for(schema_of("aws:lambda/function:Function"))
    assert rule is not None
    assert rule.length == 64
    if length + len("-1234567") <= 64:
        assert len(make_name(rule, "f" * length, b"s", {})) <= 64
    else:
        with pytest.raises(AutonamingError, match="64 characters"):
            make_name(rule, "f" * length, b"s", {})


@pytest.mark.parametrize(("mode", "expected"), [("propose", "alias/my-Name"), ("enforce", "my-Name")])
def test_the_project_s_own_names_are_taken(mode: Mode, expected: str) -> None:
    rule = rule_for(schema_of("aws:kms/alias:Alias"))
    assert rule is not None
    assert make_name(rule, "x", b"s", {}, mode, "my-Name") == expected


def test_a_proposed_name_is_made_lower_case_where_aws_wants_it() -> None:
    rule = rule_for(schema_of("aws:s3/bucket:Bucket"))
    assert rule is not None
    assert make_name(rule, "x", b"s", {}, "propose", "My-Bucket") == "my-bucket"
    with pytest.raises(AutonamingError, match="63 characters"):
        make_name(rule, "x", b"s", {}, "propose", "b" * 64)


def test_automatic_names_can_be_switched_off() -> None:
    with pytest.raises(AutonamingError, match="Fix: set `name`"):
        make_name(Rule(), "x", b"s", {}, "disable")

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider.inputs import DEFAULTS, Request, check_inputs
from tapgate.embedded.aws_provider.outputs import previewed, previewed_update
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.inputs import Mode

FUNCTION = "aws:lambda/function:Function"
CODE: Properties = {
    "role": "arn:aws:iam::123456789012:role/r",
    "s3Bucket": "code",
    "s3Key": "code.zip",
    "handler": "app.handler",
    "runtime": "python3.13",
}
LONDON = Settings()
KEY = "aws:kms/key:Key"
ROLE = "aws:iam/role:Role"
TRUST = '{"Version":"2012-10-17","Statement":[]}'


def _check(
    token: str,
    news: Properties,
    olds: Properties | None = None,
    config: Settings = LONDON,
    mode: Mode = "random",
) -> Properties:
    request = Request(token, "thing", news, olds or {}, b"seed", mode, "proposed")
    inputs, failures = check_inputs(request, config)
    assert failures == []
    return inputs


def test_what_pulumi_aws_fills_in_is_filled_in_and_said() -> None:
    inputs = _check(KEY, {"enableKeyRotation": True})
    assert inputs == {
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": True,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
        "region": "eu-west-2",
        "tagsAll": {},
        DEFAULTS: ["customerMasterKeySpec", "isEnabled", "keyUsage"],
    }


def test_what_the_program_says_is_not_filled_in() -> None:
    inputs = _check(KEY, {"isEnabled": False, "region": "us-east-1"})
    assert inputs["isEnabled"] is False
    assert inputs["region"] == "us-east-1"
    assert "isEnabled" not in str(inputs[DEFAULTS])


def test_a_name_is_made_once_and_kept() -> None:
    first = _check("aws:sqs/queue:Queue", {})
    assert re.fullmatch(r"thing-[0-9a-f]{7}", str(first["name"]))
    again, _ = check_inputs(
        Request("aws:sqs/queue:Queue", "thing", {"delaySeconds": 5}, first, b"other seed"), LONDON
    )
    assert again["name"] == first["name"]
    assert "name" in str(again[DEFAULTS])


def test_a_name_of_the_program_s_own_is_not_kept_as_an_automatic_one() -> None:
    olds = _check("aws:sqs/queue:Queue", {"name": "mine"})
    assert "name" not in str(olds[DEFAULTS])
    assert _check("aws:sqs/queue:Queue", {}, olds)["name"] != "mine"


def test_old_inputs_without_a_list_of_defaults_are_all_reusable() -> None:
    assert _check("aws:sqs/queue:Queue", {}, {"name": "imported"})["name"] == "imported"


@pytest.mark.parametrize(
    ("token", "prefix"), [("aws:sqs/queue:Queue", "namePrefix"), ("aws:s3/bucket:Bucket", "bucketPrefix")]
)
def test_a_prefix_leaves_the_name_to_aws(token: str, prefix: str) -> None:
    inputs = _check(token, {prefix: "tap-"})
    assert not {"name", "bucket"} & set(inputs)


def test_a_role_s_inline_policies_are_named_too() -> None:
    news: Properties = {
        "assumeRolePolicy": TRUST,
        "inlinePolicies": [{"policy": TRUST}, {"name": "mine", "policy": TRUST}],
    }
    first = _check(ROLE, news)
    policies = first["inlinePolicies"]
    assert isinstance(policies, list)
    assert isinstance(policies[0], dict)
    assert re.fullmatch(r"thing-[0-9a-f]{7}", str(policies[0]["name"]))
    assert policies[1] == {"name": "mine", "policy": TRUST}
    again: Properties = {"assumeRolePolicy": TRUST, "inlinePolicies": [{"policy": TRUST}]}
    kept = _check(ROLE, again, first)["inlinePolicies"]
    assert isinstance(kept, list)
    assert kept[0] == policies[0]


def test_the_description_that_pulumi_aws_gives() -> None:
    assert _check("aws:ec2/securityGroup:SecurityGroup", {})["description"] == "Managed by Pulumi"
    assert _check("aws:ec2/securityGroup:SecurityGroup", {"description": "d"})["description"] == "d"


def test_a_name_that_cannot_be_made_is_a_failure() -> None:
    request = Request("aws:iam/role:Role", "r" * 80, {"assumeRolePolicy": TRUST}, {}, b"s")
    _, failures = check_inputs(request, LONDON)
    assert "64 characters" in failures[0].reason


def test_tags_of_the_provider_and_of_the_resource_are_merged() -> None:
    config = Settings(
        default_tags={"Team": "tap", "Env": "dev"}, ignored_keys=frozenset({"x"}), ignored_prefixes=("aws:",)
    )
    inputs = _check(KEY, {"tags": {"Env": "prod", "x": "1", "aws:y": "2"}}, config=config)
    assert inputs["tagsAll"] == {"Team": "tap", "Env": "prod"}
    assert inputs["tags"] == {"Env": "prod", "x": "1", "aws:y": "2"}


@pytest.mark.parametrize("tags", [UNKNOWN, {"a": UNKNOWN}])
def test_unknown_tags_make_all_tags_unknown(tags: Properties) -> None:
    assert _check(KEY, {"tags": tags})["tagsAll"] is UNKNOWN


@pytest.mark.parametrize(
    ("token", "news", "path", "words"),
    [
        (KEY, {"deletionWindowInDays": 3}, "deletionWindowInDays", "at least 7 and at most 30"),
        (KEY, {"deletionWindowInDays": 31}, "deletionWindowInDays", "at most 30"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 8}, "retentionInDays", "one of 1, 3"),
        (
            "aws:cloudwatch/metricAlarm:MetricAlarm",
            {"treatMissingData": "notbreaching"},
            "treatMissingData",
            "did you mean notBreaching?",
        ),
        (FUNCTION, {**CODE, "architectures": ["arm65"]}, "architectures[0]", "arm64"),
        (FUNCTION, {**CODE, "role": "r"}, "role", "an ARN"),
        (
            "aws:lambda/eventSourceMapping:EventSourceMapping",
            {
                "functionName": "f",
                "eventSourceArn": "arn:aws:sqs:eu-west-2:123456789012:q",
                "scalingConfig": {"maximumConcurrency": 1},
            },
            "scalingConfig.maximumConcurrency",
            "at least 2",
        ),
    ],
)
def test_values_that_aws_refuses_are_refused(token: str, news: Properties, path: str, words: str) -> None:
    _, failures = check_inputs(Request(token, "thing", news, {}, b"s"), LONDON)
    (failure,) = [failure for failure in failures if "is missing" not in failure.reason]
    assert failure.property == path
    assert words in failure.reason


def test_unknown_values_are_within_every_limit() -> None:
    assert (
        _check("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": UNKNOWN})["retentionInDays"] is UNKNOWN
    )


def test_a_created_resource_echoes_its_inputs_and_the_rest_is_unknown() -> None:
    inputs = _check(KEY, {"enableKeyRotation": True})
    outputs = previewed(KEY, inputs)
    assert outputs["enableKeyRotation"] is True
    assert {name for name, value in outputs.items() if value is UNKNOWN} == {
        "arn",
        "description",
        "keyId",
        "multiRegion",
        "policy",
        "rotationPeriodInDays",
    }
    assert DEFAULTS not in outputs
    assert "deletionWindowInDays" not in outputs


def test_what_aws_fills_in_inside_an_object_is_unknown() -> None:
    news: Properties = {**CODE, "loggingConfig": {"logFormat": "JSON"}}
    outputs = previewed(FUNCTION, _check(FUNCTION, news))
    assert outputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": UNKNOWN}
    news = {
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "replicas": [{"regionName": "eu-west-1"}],
    }
    outputs = previewed("aws:dynamodb/table:Table", _check("aws:dynamodb/table:Table", news))
    replicas = outputs["replicas"]
    assert isinstance(replicas, list)
    assert isinstance(replicas[0], dict)
    assert replicas[0]["regionName"] == "eu-west-1"
    assert replicas[0]["arn"] is UNKNOWN


def test_an_updated_resource_keeps_what_aws_computed() -> None:
    state: Properties = {
        "arn": "arn:x",
        "keyId": "1",
        "description": "old",
        "enableKeyRotation": True,
        "isEnabled": True,
    }
    outputs = previewed_update(KEY, state, {"enableKeyRotation": False})
    assert outputs["arn"] == "arn:x"
    assert outputs["description"] == "old"
    assert outputs["enableKeyRotation"] is False
    assert outputs["policy"] is UNKNOWN
    assert "isEnabled" not in outputs


def test_an_update_renews_what_follows_from_it() -> None:
    token = "aws:lambda/function:Function"
    state: Properties = {"role": "r", "lastModified": "then", "codeSha256": "x", "timeout": 3, "version": "1"}
    changed = previewed_update(token, state, {"role": "r", "timeout": 4})
    assert (changed["lastModified"], changed["codeSha256"]) == (UNKNOWN, "x")
    same = previewed_update(token, state, {"role": "r", "timeout": 3})
    assert (same["lastModified"], same["version"]) == ("then", "1")

"""Limits read out of documentation, and what is not read out of it."""

from __future__ import annotations

import pytest

from tapgate.embedded.aws_provider.published import conflicts_of, of_operations, of_property, widened
from tapgate.embedded.aws_provider.resource_schema import Limit, Type

TEXT, WHOLE = Type("string"), Type("integer")
POLICY = Type("union", args=(TEXT, Type("object", "i:PolicyDocumentArgs")))


@pytest.mark.parametrize(
    ("type_", "said", "limit"),
    [
        (TEXT, "Valid values: `Active`, `PassThrough`.", Limit(choices=("Active", "PassThrough"))),
        (
            TEXT,
            "The mode. Valid values are `A` (default) and `B`. Defaults to `A`.",
            Limit(choices=("A", "B")),
        ),
        (
            TEXT,
            'One of them. Valid values: `"PassThrough"`, `"Active"`.',
            Limit(choices=("PassThrough", "Active")),
        ),
        (TEXT, "For the `binpack` strategy, valid values are `memory` and `cpu`.", None),
        (TEXT, "Valid values are: `sqs` and `sms`. Protocols `email` are also valid.", None),
        (TEXT, "Valid values are `LATEST` or `TRIM_HORIZON` if getting events from Kinesis.", None),
        (TEXT, "Who pays. Can be either `Owner` or `Requester`.", Limit(choices=("Owner", "Requester"))),
        (TEXT, "The policy. This is a JSON formatted string.", Limit(form="json")),
        (TEXT, "The content in JSON or YAML formatted string.", None),
        (TEXT, "Must be less than or equal to 255 characters in length.", Limit(max_length=255)),
        (TEXT, "It must be between 1 and 80 characters long.", Limit(min_length=1, max_length=80)),
        (POLICY, "The policy.", Limit(form="policy")),
        (
            WHOLE,
            "Valid values are `10`, `20`, or any multiple of `60`.",
            Limit(choices=(10, 20), multiple=60),
        ),
        (WHOLE, "Possible values are: 1, 3, 5, and 0.", Limit(choices=(1, 3, 5, 0))),
        (WHOLE, "Valid between 1 and 900.", Limit(minimum=1, maximum=900)),
        (WHOLE, "Valid value between 128 MB to 32,768 MB (32 GB).", Limit(minimum=128, maximum=32768)),
        (WHOLE, "Valid from 1 to 10, and from 20 to 30.", None),
        (WHOLE, "An integer from 60 (1 minute) to 1209600 (14 days).", Limit(minimum=60, maximum=1209600)),
        (WHOLE, "Either -1 or between 60 and 604800.", Limit(choices=(-1,), minimum=60, maximum=604800)),
        (WHOLE, "A value from 1 hour to 12 hours.", None),
        (WHOLE, "Between 1 and 5 when the mode is `x`.", None),
        (WHOLE, "Minimum of 1, maximum of 10.", Limit(minimum=1, maximum=10)),
        (WHOLE, "Must be a non-zero positive integer.", Limit(minimum=1)),
    ],
)
def test_a_sentence_is_read_strictly(type_: Type, said: str, limit: Limit | None) -> None:
    assert of_property("it", type_, said) == limit


@pytest.mark.parametrize(
    ("name", "form"), [("roleArn", "arn"), ("arns", "arn"), ("warn", ""), ("taskArn", "")]
)
def test_arns_are_known_by_name(name: str, form: str) -> None:
    limit = of_property(name, TEXT, "")
    assert (limit.form if limit is not None else "") == form


def test_conflicts_are_read() -> None:
    assert conflicts_of("Conflicts with `image_uri` and `s3_bucket`. So be it.") == (
        "image_uri",
        "s3_bucket",
    )
    assert conflicts_of("Conflicts with `a` configuration block `b`.") == ()


def test_aws_s_newer_values_are_taken() -> None:
    known = widened("lambda", Limit(choices=("Active", "PassThrough")), confirmed=True)
    assert known == Limit(choices=("Active", "PassThrough"))
    newer = widened("kms", Limit(choices=("RSA_2048", "ECC_NIST_P256")), confirmed=True)
    assert newer is not None
    assert {"RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1"} <= set(newer.choices)
    assert widened("lambda", Limit(choices=("No", "Such")), confirmed=True) is None


def test_members_of_operations_are_found_by_path() -> None:
    assert of_operations("lambda", ["create_function_url_config"], "cors.maxAge", None) == Limit(
        minimum=0, maximum=86400
    )
    assert of_operations("lambda", ["CreateFunction"], "role", None) == Limit(form="arn")
    assert of_operations("lambda", ["CreateFunction"], "nothing", None) is None
    assert of_operations("no-such-service", ["Create"], "name", None) is None

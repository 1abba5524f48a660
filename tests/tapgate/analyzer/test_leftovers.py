"""What a state says besides its resources, and states that are larger than they look."""

from __future__ import annotations

import gzip
import json
import resource as limits
import zlib
from typing import Any

import pytest

from tapgate.analyzer.deployment import read_deployment
from tapgate.findings import CouldNotRunError
from tapgate.json_access import SIGNATURE
from tests.tapgate.sample_state import SECRET, exported, resource, root, urn


def notes(*resources: dict[str, object], **more: object) -> tuple[str, ...]:
    body = json.loads(exported([root(), *resources]))
    body["deployment"].update(more)
    return read_deployment(json.dumps(body).encode(), "f").notes


def test_a_plain_state_has_none() -> None:
    assert notes(resource("a", inputs={"x": 1, "t": "a"}, outputs={"x": 1, "t": "a", "more": True})) == ()


def test_what_is_marked_for_deletion_is_named_and_not_evaluated() -> None:
    assert notes(resource("a", delete=True), resource("b")) == (
        "marked for deletion, not evaluated, and possibly there still: a (test:index:Thing)",
    )


def test_pending_operations_are_named() -> None:
    operation = {"type": "creating", "resource": {"urn": urn("new")}}
    assert notes(pending_operations=[operation]) == (
        "pending, so that no one knows whether it is done: creating new (test:index:Thing)",
    )


def test_what_stays_is_named() -> None:
    assert notes(resource("a", retainOnDelete=True)) == (
        "stay in AWS when they leave the program (retainOnDelete): a (test:index:Thing)",
    )


ECHOED: list[tuple[Any, Any, bool]] = [
    (True, False, True),
    (True, "true", False),
    (30, 7, True),
    (30, "30", False),
    ("a", "b", True),
    ('{"a": [1], "b": 2}', '{"b":2,"a":[1]}', False),
    ('{"a": 1}', '{"a": 2}', True),
    (["a"], ["b"], True),
    (["a", "b"], ["b", "a"], False),
    (["a"], ["a", "b"], True),
    ([], ["a"], True),
    ([{"k": 1}, {"k": 2}], [{"k": "2", "id": "y"}, {"k": "1", "id": "x"}], False),
    ([{"k": 1}], [{"k": 3, "id": "x"}], True),
    ([{"k": 1, "mounts": []}], [{"k": 1, "mounts": [{"added": "by whom it is for"}]}], False),
    ([{"k": 1, "mounts": [{"a": 1}]}], [{"k": 1, "mounts": [{"a": 2}, {"a": 3}]}], True),
    (SECRET, "x", False),
    ([SECRET], ["x"], False),
    ("a", SECRET, False),
    ("a", None, False),
    ("", "Managed by Terraform", False),
    ("1234-ab", "arn:aws:kms:eu-west-2:1:key/1234-ab", False),
    ("echo", "b2d21e771d9f86865c5eff193663574dd1796c8f", False),
    ("echo 2", "b2d21e771d9f86865c5eff193663574dd1796c8f", True),
    ("text\n", "text", False),
    # AWS returns a policy in another order, and one action as a text.
    (
        '{"Statement":[{"Action":["a"],"Effect":"Allow"}]}',
        '{"Statement":{"Effect":"Allow","Action":"a"}}',
        False,
    ),
    ('{"Statement":[{"Action":"a"}]}', '{"Statement":[{"Action":"a"},{"Action":"b"}]}', True),
    ('{"Statement":[{"Action":"a","Condition":{"x":1}}]}', '{"Statement":[{"Action":"a"}]}', True),
    # ECS adds defaults to each definition of a container.
    ('[{"name":"web","image":"x"}]', '[{"image":"x","name":"web","cpu":0,"mountPoints":[]}]', False),
    ('[{"name":"web","image":"x"}]', '[{"image":"y","name":"web","cpu":0}]', True),
    ("[" * 2_000, "[" * 2_001, True),
]


@pytest.mark.parametrize(("asked", "there", "drifted"), ECHOED)
def test_outputs_that_are_not_what_was_asked_for(asked: object, there: object, *, drifted: bool) -> None:
    found = notes(
        resource("a", inputs={"x": asked, "__defaults": "y"}, outputs={"x": there, "__defaults": ""})
    )
    words = "other outputs than inputs: changed outside, or by AWS: a (test:index:Thing), `x`"
    assert found == ((words,) if drifted else ())


@pytest.mark.parametrize(
    ("asked", "there", "paths"),
    [
        ({"rule": {"apply": {"alg": "aws:kms"}}}, {"rule": {"apply": {"alg": "AES256"}}}, "`rule.apply.alg`"),
        ({"tags": {"a": "b"}}, {"tags": {"a": "c", "more": "d"}}, "`tags.a`"),
        ({"tags": {"a": "b"}}, {"tags": {}}, ""),
        ({"rule": {"alg": "x", "__defaults": ["a"]}}, {"rule": {"alg": "x", "added": True}}, ""),
        ({"rule": {"alg": "x"}}, {"rule": None}, ""),
        (
            {"rules": [{"days": 7, "to": [{"class": "GLACIER"}]}]},
            {"rules": [{"days": 7, "to": [{"class": "X"}]}]},
            "`rules`",
        ),
        ({"code": {SIGNATURE: "x", "hash": "1"}}, {"code": {SIGNATURE: "x", "hash": "2"}}, ""),
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"a": 2, "b": {"c": 2, "d": 3}}, "`a`, `b.c`, `b.d`"),
    ],
)
def test_what_is_nested_is_compared_where_a_provider_repeats_it(
    asked: dict[str, object], there: dict[str, object], paths: str
) -> None:
    found = notes(resource("a", inputs=asked, outputs=there))
    words = "other outputs than inputs: changed outside, or by AWS: a (test:index:Thing), "
    assert found == ((f"{words}{paths}",) if paths else ())


def test_a_value_nested_without_end_is_compared_in_bounded_depth() -> None:
    asked: object = 1
    there: object = 2
    for _ in range(200):
        asked, there = [{"a": asked}], [{"a": there}]
    assert notes(resource("a", inputs={"x": asked}, outputs={"x": there})) == ()


# As pulumi-aws writes them into a state after a refresh.
STATES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "dynamodb table": (
        {
            "attributes": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}],
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "id",
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-2:1:key/k"},
            "tags": {"a": "b"},
        },
        {
            "arn": "arn:aws:dynamodb:eu-west-2:1:table/t",
            "attributes": [{"name": "at", "type": "N"}, {"name": "id", "type": "S"}],
            "billingMode": "PAY_PER_REQUEST",
            "globalSecondaryIndexes": [],
            "hashKey": "id",
            "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35},
            "readCapacity": 0,
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-2:1:key/k"},
            "tags": {"a": "b"},
            "tagsAll": {"a": "b", "team": "x"},
            "ttl": {"attributeName": "", "enabled": False},
        },
    ),
    "lambda function": (
        {
            "code": {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "path": "./dist"},
            "environment": {"variables": {"TABLE": "t"}},
            "loggingConfig": {"logFormat": "JSON", "logGroup": "/aws/lambda/f"},
            "role": "arn:aws:iam::1:role/r",
            "architectures": ["arm64"],
            "timeout": 30,
            "vpcConfig": {"subnetIds": ["subnet-b", "subnet-a"], "securityGroupIds": ["sg-1"]},
        },
        {
            "architectures": ["arm64"],
            "code": {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "x", "path": "./dist"},
            "environment": {"variables": {"TABLE": "t"}},
            "ephemeralStorage": {"size": 512},
            "loggingConfig": {"applicationLogLevel": "", "logFormat": "JSON", "logGroup": "/aws/lambda/f"},
            "role": "arn:aws:iam::1:role/r",
            "timeout": 30,
            "vpcConfig": {
                "securityGroupIds": ["sg-1"],
                "subnetIds": ["subnet-a", "subnet-b"],
                "vpcId": "vpc-1",
            },
        },
    ),
    "bucket and its lifecycle": (
        {
            "bucket": "b",
            "rules": [{"id": "a", "status": "Enabled", "expiration": {"days": 7}}],
            "forceDestroy": False,
        },
        {
            "bucket": "b",
            "expectedBucketOwner": "",
            "forceDestroy": False,
            "rules": [
                {
                    "expiration": {"days": 7, "expiredObjectDeleteMarker": False},
                    "id": "a",
                    "prefix": "",
                    "status": "Enabled",
                }
            ],
        },
    ),
    "security group": (
        {"ingress": [{"fromPort": 443, "toPort": 443, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/8"]}]},
        {
            "ingress": [
                {
                    "cidrBlocks": ["10.0.0.0/8"],
                    "description": "",
                    "fromPort": 443,
                    "ipv6CidrBlocks": [],
                    "protocol": "tcp",
                    "securityGroups": [],
                    "self": False,
                    "toPort": 443,
                }
            ]
        },
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_as_aws_leaves_it_has_no_drift(name: str) -> None:
    asked, there = STATES[name]
    assert notes(resource("a", inputs=asked, outputs=there)) == ()


def test_the_rest_of_many_is_counted() -> None:
    (note,) = notes(*(resource(f"r{number}", delete=True) for number in range(8)))
    assert note.endswith("r4 (test:index:Thing), and 3 more")


@pytest.mark.parametrize("filling", [b"0", b" ", b"[", b'"a",'])
def test_a_small_file_does_not_take_the_machines_memory(filling: bytes) -> None:
    stream = zlib.compressobj(9, wbits=31)
    block = filling * (16_000_000 // len(filling))
    # After a full flush equal blocks are compressed to equal bytes: that is done once.
    first, again = (stream.compress(block) + stream.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    compressed = first + again * 39
    assert len(compressed) < 3_000_000
    before = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CouldNotRunError, match="state cannot be read"):
        read_deployment(compressed, "f")
    assert limits.getrusage(limits.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_a_state_of_too_many_values_is_refused() -> None:
    with pytest.raises(CouldNotRunError) as caught:
        read_deployment(b"[" + b"0," * 10_000_001 + b"0]", "f")
    assert "more than 10,000,000 values" in caught.value.why


def test_a_compressed_state_is_read() -> None:
    body = exported([root(), *(resource(f"r{number}") for number in range(2_000))])
    assert len(read_deployment(gzip.compress(body), "f").resources) == 2_001


@pytest.mark.parametrize("length", [-9, None])
def test_a_damaged_one_is_not(length: int | None) -> None:
    body = gzip.compress(exported([root()]))
    with pytest.raises(CouldNotRunError, match="state cannot be read"):
        read_deployment(body[:length] if length else body + b"x", "f")

"""The deployed TAP stack does what it is for, on the emulator as on AWS itself."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ClientError

from tests.integration.api import Api
from tests.integration.traces import traces_since
from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.integration.conftest import Tap

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
OUTPUTS = {"kmsKeyId", "dataBucketName", "metadataTableName", "apiHandlerArn", "processorArn", "dlqUrl"}
PROBE = b'{"test": "integration"}'


def test_the_gate_passed_and_deployed(tap: Tap) -> None:
    assert "PASSED" in tap.deployed
    assert "DEPLOYED" in tap.deployed
    assert set(tap.outputs) >= OUTPUTS


def test_a_preview_after_the_deployment_shows_no_change(tap: Tap) -> None:
    assert tap.deployment.changes() == {}
    assert tap.deployment.changes("--refresh") == {}


def test_what_the_tests_deploy_can_be_told_from_everything_else(tap: Tap) -> None:
    tags = tap.target.functions.list_tags(Resource=tap.outputs["processorArn"])["Tags"]
    assert (tags["TestRun"], tags["Environment"]) == (tap.run, tap.suffix)


def test_the_key_rotates(tap: Tap) -> None:
    key = tap.outputs["kmsKeyId"]
    assert tap.target.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    aliases = tap.target.kms.list_aliases(KeyId=key)["Aliases"]
    assert any(tap.suffix in alias.get("AliasName", "") for alias in aliases)


def test_what_is_written_to_the_bucket_is_encrypted_and_versioned(tap: Tap) -> None:
    s3, bucket = tap.target.s3, tap.outputs["dataBucketName"]
    for content in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="integration/object", Body=content)
    head = s3.head_object(Bucket=bucket, Key="integration/object")
    assert head.get("ServerSideEncryption") == "aws:kms"
    assert tap.outputs["kmsKeyId"] in head.get("SSEKMSKeyId", "")
    versions = s3.list_object_versions(Bucket=bucket, Prefix="integration/object").get("Versions", [])
    assert len({version.get("VersionId") for version in versions}) == 2
    first = s3.get_object(Bucket=bucket, Key="integration/object", VersionId=versions[1].get("VersionId", ""))
    assert {first["Body"].read()} <= {b"first", b"second"}


def test_the_bucket_s_policy_refuses_plain_http(tap: Tap) -> None:
    """The refusal itself shows on AWS only: ministack 1.4 keeps a bucket's policy and enforces none."""
    bucket = tap.outputs["dataBucketName"]
    policy = json.loads(tap.target.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    plain = [
        statement
        for statement in policy["Statement"]
        if statement["Effect"] == "Deny"
        and "aws:SecureTransport" in json.dumps(statement.get("Condition", {}))
    ]
    assert plain, policy
    assert plain[0]["Principal"] in ("*", {"AWS": "*"})
    block = tap.target.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(block, True)
    assert len(block) == 4
    if tap.target.emulated:
        # Evidence: this very write is plain HTTP, and the emulator takes it.
        assert tap.target.endpoint.startswith("http://")
        tap.target.s3.put_object(Bucket=bucket, Key="integration/plain", Body=b"x")
        return
    plainly = cast("S3Client", tap.target.client("s3", endpoint="http://s3.eu-west-2.amazonaws.com"))
    with pytest.raises(ClientError, match="AccessDenied"):
        plainly.put_object(Bucket=bucket, Key="integration/plain", Body=b"x")


def test_the_bucket_s_policy_refuses_a_write_that_asks_for_other_encryption(tap: Tap) -> None:
    """The refusal itself shows on AWS only, as with plain HTTP."""
    s3, bucket = tap.target.s3, tap.outputs["dataBucketName"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    (other,) = (item for item in policy["Statement"] if item["Sid"] == "DenyOtherEncryption")
    assert (other["Effect"], other["Action"], other["Principal"]) == ("Deny", "s3:PutObject", "*")
    assert other["Condition"]["StringNotEquals"] == {"s3:x-amz-server-side-encryption": "aws:kms"}
    if tap.target.emulated:
        # Evidence: the emulator takes this very write.
        s3.put_object(Bucket=bucket, Key="integration/other", Body=b"x", ServerSideEncryption="AES256")
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="integration/other", Body=b"x", ServerSideEncryption="AES256")


def test_the_table_takes_items_and_can_be_recovered(tap: Tap) -> None:
    dynamodb, table = tap.target.dynamodb, tap.outputs["metadataTableName"]
    now = str(int(time.time() * 1000))
    key = {"id": {"S": "integration"}, "timestamp": {"N": now}}
    dynamodb.put_item(TableName=table, Item={**key, "data": {"S": "some"}})
    assert dynamodb.get_item(TableName=table, Key=key).get("Item", {}).get("data") == {"S": "some"}
    dynamodb.delete_item(TableName=table, Key=key)
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    assert recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    encryption = dynamodb.describe_table(TableName=table)["Table"].get("SSEDescription", {})
    assert tap.outputs["kmsKeyId"] in encryption.get("KMSMasterKeyArn", "")


@pytest.mark.parametrize("output", ["apiHandlerArn", "processorArn"])
def test_each_function_answers_a_direct_call(tap: Tap, output: str) -> None:
    answer = tap.target.functions.invoke(FunctionName=tap.outputs[output], Payload=PROBE)
    payload = cast("dict[str, object]", json.loads(answer["Payload"].read()))
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert payload["statusCode"] == 200


def test_functions_are_traced(tap: Tap) -> None:
    for output in ("apiHandlerArn", "processorArn"):
        name = tap.outputs[output].rpartition(":")[2]
        configuration = tap.target.functions.get_function_configuration(FunctionName=name)
        assert configuration.get("TracingConfig", {}).get("Mode") == "Active"
        already, before = len(tap.traces.segments), datetime.now(UTC) - timedelta(minutes=1)
        tap.target.functions.invoke(FunctionName=name, Payload=PROBE)
        if tap.target.emulated:
            received = tap.traces.wait_for(already + 1)[already:]
            assert {"DynamoDB", "S3"} & {str(segment["name"]) for segment in received}
            assert all(str(segment["trace_id"]).startswith("1-") for segment in received)
            continue
        eventually(
            lambda name=name, since=before: traces_since(tap.target.xray, name, since, datetime.now(UTC)),
            seconds=120,
            pause=5,
        )


def test_an_item_posted_to_the_api_comes_out_processed(tap: Tap) -> None:
    api = Api(tap.outputs["apiUrl"], tap.target)
    assert api.call("GET", "health").status == 200
    posted = api.call(
        "POST",
        "items",
        {"type": "sensor.reading", "source": "integration", "payload": {"values": [1.5, 2.5]}},
    )
    assert posted.status == 202, posted
    item = str(posted.body["id"])

    def processed() -> dict[str, object] | None:
        answer = api.call("GET", f"items/{item}")
        return answer.body if answer.status == 200 and answer.body.get("status") == "processed" else None

    record = eventually(processed)
    assert record is not None
    assert record["id"] == item
    result = tap.target.s3.get_object(Bucket=tap.outputs["dataBucketName"], Key=f"processed/{item}.json")
    assert result.get("ServerSideEncryption") == "aws:kms"
    assert json.loads(result["Body"].read())


def test_an_item_that_is_none_is_refused(tap: Tap) -> None:
    api = Api(tap.outputs["apiUrl"], tap.target)
    answer = api.call("POST", "items", {"type": "NOT A TYPE", "payload": {}})
    assert answer.status in {400, 422}
    assert "title" in answer.body


@pytest.mark.parametrize("function", ["tap-api-handler", "tap-processor"])
def test_each_log_group_keeps_what_its_function_writes_for_a_while(tap: Tap, function: str) -> None:
    name = f"/aws/lambda/{function}-{tap.suffix}"
    groups = tap.target.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [(group.get("logGroupName"), group.get("retentionInDays")) for group in groups] == [(name, 7)]
    tap.target.functions.invoke(FunctionName=f"{function}-{tap.suffix}", Payload=PROBE)

    def lines() -> list[str]:
        events = tap.target.logs.filter_log_events(logGroupName=name)["events"]
        return [event.get("message", "") for event in events]

    assert eventually(lines)


def test_a_poison_message_ends_in_the_dead_letter_queue(tap: Tap) -> None:
    sqs = tap.target.sqs
    poison = "this is no message of the API handler's"
    sqs.send_message(QueueUrl=tap.outputs["workQueueUrl"], MessageBody=poison)

    def dead() -> list[str]:
        received = sqs.receive_message(
            QueueUrl=tap.outputs["dlqUrl"], WaitTimeSeconds=1, MaxNumberOfMessages=10, VisibilityTimeout=1
        )
        return [
            message.get("Body", "")
            for message in received.get("Messages", [])
            if message.get("Body") == poison
        ]

    assert eventually(dead, seconds=300)
    sqs.purge_queue(QueueUrl=tap.outputs["dlqUrl"])


def test_an_event_whose_asynchronous_invocations_fail_is_kept_apart_from_the_dead_letters(tap: Tap) -> None:
    sqs = tap.target.sqs
    event = {"Records": [{"eventSource": "aws:kinesis"}], "marker": "asynchronous"}
    queue = sqs.get_queue_url(QueueName=f"tap-failed-events-{tap.suffix}")["QueueUrl"]
    function = tap.outputs["processorArn"].rpartition(":")[2]
    payload = json.dumps(event).encode()
    accepted = tap.target.functions.invoke(FunctionName=function, InvocationType="Event", Payload=payload)
    assert accepted["StatusCode"] == 202

    def kept() -> list[dict[str, dict[str, object]]]:
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        return [json.loads(message.get("Body", "{}")) for message in received.get("Messages", [])]

    # AWS tries again after one and after two minutes.
    records = eventually(kept, seconds=60 if tap.target.emulated else 600)
    # The emulator adds members of its own to the event.
    assert [record["requestPayload"].items() >= event.items() for record in records] == [True]
    depth = sqs.get_queue_attributes(
        QueueUrl=tap.outputs["dlqUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert depth["Attributes"]["ApproximateNumberOfMessages"] == "0"
    sqs.purge_queue(QueueUrl=queue)

"""Key, bucket, table and queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_stack.functions import PROCESSOR
from tests.program.recording import ACCOUNT, REGION, Recording, declare, statements

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd"
BUCKET = f"tap-data-dev-{ACCOUNT}-{REGION}"
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def by_sid(policy: object) -> dict[str, Mapping[str, object]]:
    found = {str(statement["Sid"]): statement for statement in statements(policy)}
    assert len(found) == len(statements(policy))
    return found


def test_key_rotates_and_has_an_alias(deployed: Recording) -> None:
    key = deployed.one("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["rotationPeriodInDays"] == 365
    assert key.inputs["deletionWindowInDays"] == 7
    assert deployed.one("aws:kms/alias:Alias").inputs == {
        "name": f"alias/tap-key-dev-{ACCOUNT}-{REGION}",
        "targetKeyId": "0123-abcd",
    }


def test_key_policy_lets_in_who_needs_it_and_no_more(deployed: Recording) -> None:
    policy = by_sid(deployed.one("aws:kms/key:Key").inputs["policy"])
    assert set(policy) == {
        "AccountAdministersKey",
        "FunctionsUseKeyThroughServices",
        "LogGroupsOfFunctions",
        "AlarmsEncryptNotifications",
    }
    assert policy["AccountAdministersKey"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    functions = policy["FunctionsUseKeyThroughServices"]
    assert functions["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert functions["Principal"] == {
        "AWS": [
            f"arn:aws:iam::{ACCOUNT}:role/{role.inputs['name']}"
            for role in sorted(deployed.of_type("aws:iam/role:Role"), key=lambda role: role.name)
        ]
    }
    assert functions["Condition"] == {
        "StringEquals": {
            "kms:ViaService": [f"{service}.{REGION}.amazonaws.com" for service in ("dynamodb", "s3", "sqs")]
        }
    }
    logs = policy["LogGroupsOfFunctions"]
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    groups = sorted(
        str(group.inputs["name"]) for group in deployed.of_type("aws:cloudwatch/logGroup:LogGroup")
    )
    assert logs["Condition"] == {
        "ArnEquals": {
            "kms:EncryptionContext:aws:logs:arn": [
                f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}" for name in sorted(groups)
            ]
        }
    }
    alarms = policy["AlarmsEncryptNotifications"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert all(statement["Effect"] == "Allow" for statement in policy.values())


def test_key_is_made_after_the_roles_that_its_policy_names(deployed: Recording) -> None:
    roles = {role.name for role in deployed.of_type("aws:iam/role:Role")}
    assert roles <= deployed.one("aws:kms/key:Key").dependencies


def test_key_policy_leaves_alarms_out_when_the_topic_is_another(deployed: Recording) -> None:
    other = declare({"notification_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:elsewhere"})
    policies = [
        set(by_sid(recording.one("aws:kms/key:Key").inputs["policy"])) for recording in (deployed, other)
    ]
    assert policies[0] - policies[1] == {"AlarmsEncryptNotifications"}


def test_bucket_and_its_side_resources(deployed: Recording) -> None:
    assert deployed.one("aws:s3/bucket:Bucket").inputs["bucket"] == BUCKET
    sides = {
        declared.type.rsplit(":", 1)[1]: declared.inputs
        for declared in deployed.resources.values()
        if declared.type.startswith("aws:s3/bucket") and declared.type != "aws:s3/bucket:Bucket"
    }
    assert all(inputs.pop("bucket") == BUCKET for inputs in (dict(side) for side in sides.values()))
    assert sides["BucketVersioning"]["versioningConfiguration"] == {"status": "Enabled"}
    assert sides["BucketServerSideEncryptionConfiguration"]["rules"] == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY_ARN},
            "bucketKeyEnabled": True,
        }
    ]
    assert sides["BucketPublicAccessBlock"] == {
        "bucket": BUCKET,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert sides["BucketOwnershipControls"]["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert sides["BucketLifecycleConfiguration"]["rules"] == [
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrentVersionExpiration": {"noncurrentDays": 30},
            "expiration": {"expiredObjectDeleteMarker": True},
        },
        {
            "id": "incomplete-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        },
    ]
    assert set(sides) == {
        "BucketVersioning",
        "BucketServerSideEncryptionConfiguration",
        "BucketPublicAccessBlock",
        "BucketOwnershipControls",
        "BucketLifecycleConfiguration",
        "BucketPolicy",
    }


def test_bucket_policy_refuses_plain_and_old_transport_and_other_encryption(deployed: Recording) -> None:
    policy = by_sid(deployed.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    for sid, condition in (
        ("DenyPlainTransport", TLS_ONLY),
        ("DenyOldTransport", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ):
        assert policy[sid] == {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": everything,
            "Condition": condition,
        }
    encryption = policy["DenyOtherEncryption"]
    assert (encryption["Effect"], encryption["Action"]) == ("Deny", "s3:PutObject")
    assert encryption["Condition"] == {
        "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
        "Null": {"s3:x-amz-server-side-encryption": "false"},
    }
    assert len(policy) == 3


def test_bucket_side_resources_wait_for_one_another(deployed: Recording) -> None:
    resources = deployed.resources
    assert "tap-data-bucket-public-access" in resources["tap-data-bucket-policy"].dependencies
    assert "tap-data-bucket-versioning" in resources["tap-data-bucket-lifecycle"].dependencies


def test_table(deployed: Recording) -> None:
    inputs = dict(deployed.one("aws:dynamodb/table:Table").inputs)
    del inputs["tags"]
    assert inputs == {
        "name": "tap-metadata-dev",
        "hashKey": "id",
        "rangeKey": "timestamp",
        "attributes": [{"name": "id", "type": "S"}, {"name": "timestamp", "type": "N"}],
        "billingMode": "PAY_PER_REQUEST",
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35},
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY_ARN},
        "deletionProtectionEnabled": False,
    }


def test_queues_are_encrypted_and_joined(deployed: Recording) -> None:
    work = deployed.resources["tap-work-queue"].inputs
    dead_letters = deployed.resources["tap-dead-letter-queue"].inputs
    failed_events = deployed.resources["tap-failed-events-queue"].inputs
    assert (work["name"], dead_letters["name"]) == ("tap-work-dev", "tap-dlq-dev")
    assert failed_events["name"] == "tap-failed-events-dev"
    assert {queue["kmsMasterKeyId"] for queue in (work, dead_letters, failed_events)} == {KEY_ARN}
    assert (
        dead_letters["messageRetentionSeconds"] == failed_events["messageRetentionSeconds"] == 14 * 24 * 3600
    )
    assert "redrivePolicy" not in dead_letters
    assert work["visibilityTimeoutSeconds"] == 6 * PROCESSOR.timeout_seconds == 1800
    dead_letter_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:tap-dlq-dev"
    assert json.loads(str(work["redrivePolicy"])) == {
        "deadLetterTargetArn": dead_letter_arn,
        "maxReceiveCount": 5,
    }
    allowed = deployed.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy").inputs
    assert str(allowed["queueUrl"]).endswith("/tap-dlq-dev")
    assert json.loads(str(allowed["redriveAllowPolicy"])) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:{REGION}:{ACCOUNT}:tap-work-dev"],
    }


def test_each_queue_takes_requests_over_tls_only(deployed: Recording) -> None:
    policies = {
        str(declared.inputs["queueUrl"]).rsplit("/", 1)[1]: by_sid(declared.inputs["policy"])
        for declared in deployed.of_type("aws:sqs/queuePolicy:QueuePolicy")
    }
    assert set(policies) == {"tap-work-dev", "tap-dlq-dev", "tap-failed-events-dev"}
    for queue, policy in policies.items():
        assert policy == {
            "DenyPlainTransport": {
                "Sid": "DenyPlainTransport",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": [f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"],
                "Condition": TLS_ONLY,
            }
        }


def test_production_keeps_its_data(production: Recording, deployed: Recording) -> None:
    holders = {"tap-key", "tap-data-bucket", "tap-metadata-table"}
    assert {name for name, declared in production.resources.items() if declared.protect} == holders
    assert not any(declared.protect for declared in deployed.resources.values())
    assert production.one("aws:dynamodb/table:Table").inputs["deletionProtectionEnabled"] is True
    assert production.one("aws:kms/key:Key").inputs["deletionWindowInDays"] == 30
    assert production.one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is False


def test_a_throwaway_stack_gives_its_bucket_away() -> None:
    assert declare({"force_destroy": True}).one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is True

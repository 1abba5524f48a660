"""Simple Queue Service."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:sqs/queue:Queue": Description(
        replaces=frozenset({"fifoQueue", "name", "namePrefix"}),
        defaults={
            "maxMessageSize": 262144,
            "messageRetentionSeconds": 345600,
            "visibilityTimeoutSeconds": 30,
        },
        documents=frozenset({"policy", "redriveAllowPolicy", "redrivePolicy"}),
        limits={
            "delaySeconds": Limit(minimum=0, maximum=900),
            "kmsDataKeyReusePeriodSeconds": Limit(minimum=60, maximum=86_400),
            "maxMessageSize": Limit(minimum=1024, maximum=1_048_576),
            "messageRetentionSeconds": Limit(minimum=60, maximum=1_209_600),
            "visibilityTimeoutSeconds": Limit(minimum=0, maximum=43_200),
        },
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Description(
        replaces=frozenset({"queueUrl"}), documents=frozenset({"policy"})
    ),
    "aws:sqs/redrivePolicy:RedrivePolicy": Description(
        replaces=frozenset({"queueUrl"}), documents=frozenset({"redrivePolicy"})
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Description(
        replaces=frozenset({"queueUrl"}), documents=frozenset({"redriveAllowPolicy"})
    ),
}

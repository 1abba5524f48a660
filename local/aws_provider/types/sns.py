"""Simple Notification Service."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:sns/topic:Topic": Description(
        replaces=frozenset({"fifoTopic", "name", "namePrefix"}),
        documents=frozenset({"archivePolicy", "deliveryPolicy", "policy"}),
        limits={"signatureVersion": Limit(minimum=1, maximum=2)},
    ),
    "aws:sns/topicPolicy:TopicPolicy": Description(
        replaces=frozenset({"arn"}), documents=frozenset({"policy"})
    ),
    "aws:sns/topicSubscription:TopicSubscription": Description(
        replaces=frozenset({"endpoint", "protocol", "topic"}),
        defaults={"confirmationTimeoutInMinutes": 1},
        documents=frozenset({"deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy"}),
        limits={
            "protocol": Limit(
                choices=(
                    "application",
                    "email",
                    "email-json",
                    "firehose",
                    "http",
                    "https",
                    "lambda",
                    "sms",
                    "sqs",
                )
            )
        },
    ),
}

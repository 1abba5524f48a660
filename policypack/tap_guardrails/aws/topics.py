"""SNS topics."""

from __future__ import annotations

from typing import Final

from tap_guardrails.model import ResourceType

TOPIC: Final = ResourceType(
    "SNS topic",
    {
        "aws:sns/topic:Topic": {},
        "aws-native:sns:Topic": {"name": "topicName"},
    },
)

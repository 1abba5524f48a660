"""The kinds of resources that rules ask about, under every type token that providers give them.

The first token of a kind is pulumi-aws's today; its property names are the ones that rules use. The
`aws-native:` tokens are those of Pulumi's Cloud Control provider, whose properties follow CloudFormation.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.model import Kind

KEY: Final = Kind(
    "KMS key",
    {
        "aws:kms/key:Key": {},
        "aws-native:kms:Key": {"customerMasterKeySpec": "keySpec"},
    },
)

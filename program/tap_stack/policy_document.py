"""Policy documents as plain data: every statement has a Sid that says what it is for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NotRequired, TypedDict

Condition = dict[str, dict[str, str | list[str]]]


class Statement(TypedDict):
    """One statement of an IAM, key or resource policy."""

    Sid: str
    Effect: str
    Principal: NotRequired[str | dict[str, str | list[str]]]
    Action: str | list[str]
    Resource: NotRequired[str | list[str]]
    Condition: NotRequired[Condition]


def document(statements: Sequence[Statement]) -> str:
    """Return the statements as the JSON of a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    """Return a statement of an identity's policy that allows actions on resources."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def deny_insecure_transport(actions: str, resources: list[str]) -> Statement:
    """Return a statement of a resource's policy that refuses every request outside TLS.

    Security Hub S3.5, and its like for queues and topics.
    """
    return {
        "Sid": "DenyPlainTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

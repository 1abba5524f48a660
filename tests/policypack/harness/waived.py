"""Resources with something to waive, and the words that waive it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.clock import day

if TYPE_CHECKING:
    from pulumi.runtime.proto import analyzer_pb2 as proto

ROTATION, ERRORS, WILDCARDS, IN_FORCE = (
    "kms-key-rotation",
    "lambda-error-alarm",
    "iam-no-wildcards",
    "waiver-in-force",
)
TERMS = {
    "reason": "Weighed and found bearable.",
    "owner": "team@example.com",
    "finding": "enableKeyRotation",
    "granted": day(-10),
    "expires": day(30),
}
WAIVABLE = {"programWaivable": [ROTATION, ERRORS, WILDCARDS, "lambda-xray-tracing"]}
"""What the operator of these tests lets programs waive."""


def words(**changes: str) -> str:
    return " ".join(f"{name}={value}" for name, value in {**TERMS, **changes}.items())


def tags(policy: str, text: str) -> dict[str, object]:
    return {"tags": {f"tap-guardrails:waive:{policy}": text}}


def key(**props: object) -> CaseResource:
    return CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": False, **props})


WAIVED_KEY = key(**tags(ROTATION, words()))
FUNCTION = CaseResource(
    "fn", "aws:lambda/function:Function", {"name": "fn", **tags(ERRORS, words(finding="name"))}
)
TABLE = CaseResource("table", "aws:dynamodb/table:Table", {"name": "table"})
ROLE_POLICY = CaseResource(
    "rights",
    "aws:iam/rolePolicy:RolePolicy",
    {
        "policy": json.dumps(
            {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::x"}]}
        )
    },
)


def of(response: proto.AnalyzeResponse, name: str) -> list[proto.AnalyzeDiagnostic]:
    return [one for one in response.diagnostics if one.policyName == name]


def levels(response: proto.AnalyzeResponse, name: str) -> list[int]:
    return [one.enforcementLevel for one in of(response, name)]

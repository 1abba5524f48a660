"""Every policy document of the stack and of the guides, read by parliament, an IAM linter."""

from __future__ import annotations

import functools
import importlib
import importlib.resources
import json
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.docs.blocks import blocks
from tests.program.recording import declare
from tests.stack.engine import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Complaint(Protocol):
    """What is read of a finding of parliament's."""

    @property
    def issue(self) -> str: ...
    @property
    def detail(self) -> object: ...


@functools.cache
def _linter() -> Callable[[str], Any]:
    """Import parliament, which finds its data by way of pkg_resources; setuptools has none any more."""

    def resource_filename(package: str, name: str) -> str:
        return str(importlib.resources.files(package) / name)

    stand_in = types.ModuleType("pkg_resources")
    vars(stand_in)["resource_filename"] = resource_filename
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setitem(sys.modules, "pkg_resources", stand_in)
        return importlib.import_module("parliament").analyze_policy_string


PLACEHOLDERS = {
    "ACCOUNT": "123456789012",
    "STATE_KEY_ID": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "ORG": "org",
}

ACCEPTED = {
    # The pipeline has to write the policies of buckets whose objects are none of its business; that it could
    # let itself in by one is why only a reviewed deployment may take its role.
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "arn:aws:s3:::tap-*"),
    # A list of federation sources of its own, without GitHub's.
    ("UNKNOWN_FEDERATION_SOURCE", "token.actions.githubusercontent.com"),
    # What it gives back of composite alarms is asked for on `*`, whatever the reference says of its resource.
    ("RESOURCE_STAR", "cloudwatch:DescribeAlarms"),
    # A condition key that is younger than parliament's data.
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:InvokedViaFunctionUrl"),
    # Younger than parliament's data; `test_deployment_guide.py` asks AWS's reference.
    ("UNKNOWN_CONDITION_FOR_ACTION", "iam:PermissionsBoundary for action iam:UpdateAssumeRolePolicy"),
    ("UNKNOWN_ACTION", "AlarmMuteRule"),
    # As AWS's own examples compare a boundary.
    ("MISMATCHED_TYPE_BUT_USABLE", "Equals requires a value of type String but given Arn"),
    # An alias and its key are asked for in two statements: an alias has no tags.
    ("RESOURCE_MISMATCH", "kms:CreateAlias"),
    # A number in quotes is a number to IAM, and some of the actions of `s3:*` have no TLS version.
    ("MISMATCHED_TYPE", "s3:TlsVersion"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "s3:TlsVersion"),
    # AWS's own statement for encrypted log groups: an ARN in the encryption context, and `kms:Describe*`.
    ("MISMATCHED_TYPE", "ArnEquals requires a value of type Arn"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "kms:EncryptionContext:aws:logs:arn"),
}
WITHOUT_RESOURCE = "Statement contains neither Resource nor NotResource"
"""Asked for by parliament also of the trust of a role, which can have none."""


@pytest.fixture(scope="module")
def of_the_stack() -> Mapping[str, str]:
    """Each document of the stack, by the resource's name and the property's."""
    recording = declare({"notification_email": "ops@example.com"}, stack="TapStackprod")
    return {
        f"{declared.name} {key}": str(declared.inputs[key])
        for declared in recording.resources.values()
        for key in ("policy", "assumeRolePolicy")
        if key in declared.inputs
    }


def of_the_guides() -> Iterator[Any]:
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in blocks(page):
            if block.language == "json" and '"Statement"' in block.body:
                yield pytest.param(block.body, id=str(block))


def findings(document: str) -> list[str]:
    for placeholder, value in PLACEHOLDERS.items():
        document = document.replace(placeholder, value)
    statements = json.loads(document)["Statement"]
    trust = all("sts:AssumeRole" in str(one["Action"]) for one in statements)
    key = all("Principal" in one and "kms:" in str(one["Action"]) for one in statements)
    found: list[str] = []
    complaints: list[Complaint] = _linter()(document).findings
    for one in complaints:
        said = f"{one.issue}: {one.detail}"
        accepted = any(one.issue == issue and part in str(one.detail) for issue, part in ACCEPTED)
        # In a key's own policy `*` is that key.
        accepted |= key and one.issue == "RESOURCE_STAR"
        if not accepted and not (trust and one.detail == WITHOUT_RESOURCE):
            found.append(said)
    return found


def test_parliament_finds_nothing_in_the_stack(of_the_stack: Mapping[str, str]) -> None:
    assert len(of_the_stack) >= 9
    found = {name: findings(document) for name, document in of_the_stack.items()}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize("document", [*of_the_guides()])
def test_parliament_finds_nothing(document: str) -> None:
    assert findings(document) == []


def test_all_documents_are_read() -> None:
    assert len([*of_the_guides()]) >= 5


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"Action": "logs:DescribeLogGroups"}, "RESOURCE_MISMATCH"),
        ({"Action": "lambda:CreateEventSourceMappings"}, "UNKNOWN_ACTION"),
        ({"Condition": {"StringLikes": {"aws:SourceAccount": "123456789012"}}}, "UNKNOWN_OPERATOR"),
    ],
)
def test_a_mistake_is_found(change: dict[str, object], issue: str) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": "arn:aws:sqs:eu-west-2:123456789012:q",
    }
    document = {"Version": "2012-10-17", "Statement": [statement | change]}
    assert any(issue in one for one in findings(json.dumps(document)))

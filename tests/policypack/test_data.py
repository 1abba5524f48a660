"""The generated tables: they say what their sources say, and every path in them is one of the provider's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data.__main__ import (
    FOLDER,
    Table,
    attaches,
    cloudwatch,
    main,
    metric_behaviours,
    names_secret,
    policy_attachments,
    secret_properties,
    stale,
    stray_native_paths,
    taggable,
    takes_failures,
)
from data.sources import LIST, Sdk, ServiceSpec, camel, read_sdk
from tap_guardrails.aws import TAGGABLE, table
from tapgate.embedded.aws_provider.sdk_source import read_resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def committed(name: str) -> Table:
    document = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Table(name, document["sources"], document["entries"])


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return read_sdk()


def test_the_tables_of_sources_at_hand_are_what_those_say(sdk: Sdk) -> None:
    """CI runs `nox -s data -- --check`, which makes the others too, of packages that the tests lack."""
    for made in (
        cloudwatch(),
        metric_behaviours(),
        taggable(sdk),
        policy_attachments(sdk),
        secret_properties(sdk),
    ):
        assert made.text() == (FOLDER / f"{made.name}.json").read_text("utf-8"), (
            f"run `nox -s data` and commit tables/{made.name}.json"
        )


def changed(entries: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Take an entry out, add one, and change one, as a hand would."""
    first = next(iter(entries))
    yield {name: value for name, value in entries.items() if name != first}
    yield {**entries, "added-by-hand": "x"}
    yield {**entries, first: "changed by hand"}


@pytest.mark.parametrize("name", NAMES)
def test_a_table_changed_by_hand_is_found(name: str, tmp_path: Path) -> None:
    source = committed(name)
    path = tmp_path / f"{name}.json"
    path.write_text(source.text(), "utf-8")
    assert path.read_text("utf-8") == (FOLDER / path.name).read_text("utf-8")
    assert stale([source], tmp_path) == []
    for rows in changed(source.rows):
        path.write_text(Table(name, source.sources, rows).text(), "utf-8")
        assert stale([source], tmp_path) == [path.name]
    path.unlink()
    assert stale([source], tmp_path) == [path.name]


def test_a_table_of_no_source_is_found(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("{}")
    assert stale([], tmp_path) == ["own.json"]


def test_every_table_names_its_sources_with_their_versions() -> None:
    for name in NAMES:
        sources = committed(name).sources
        assert sources
        assert all(version[0].isdigit() or version.startswith("https://") for version in sources.values()), (
            name
        )


def leads_somewhere(schema: ResourceSchema, path: str) -> bool:
    """Walk a path through the schema that the stand-in provider makes of the SDK, by a reader of its own."""
    properties = schema.inputs
    for step in path.split("."):
        name = step.removesuffix(LIST)
        if name not in properties:
            return False
        type_ = properties[name].type
        if step.endswith(LIST):
            if type_.base != "list":
                return False
            (type_,) = type_.args
        properties = schema.properties_of(type_)
    return True


def paths_of_the_tables() -> list[tuple[str, str]]:
    with_paths = ("failure_targets", "named_secrets", "policy_attachments", "secret_properties")
    named = {
        (token, path)
        for name in with_paths
        for token, paths in table(name).items()
        if token.startswith("aws:")
        for path in paths
    }
    return sorted(named)


@pytest.mark.parametrize("token", sorted({token for token, _ in paths_of_the_tables()}))
def test_every_path_is_one_of_the_provider_s(token: str) -> None:
    schema = read_resource(token)
    for of_type, path in paths_of_the_tables():
        if of_type == token:
            assert leads_somewhere(schema, path), path
    assert not leads_somewhere(schema, "noSuchProperty")


def test_a_path_that_the_schema_of_cloudformation_lacks_is_found() -> None:
    """`nox -s data -- --check` asks the whole schema, which the tests lack: this one has a single type."""
    plain = {"type": {"type": "string"}}
    schema: dict[str, Any] = {
        "resource": {
            "entities": [{"cloudFormationType": "AWS::SNS::Topic", "properties": {"TopicName": plain}}]
        },
        "typeDefinition": {"entities": []},
    }
    strays = stray_native_paths(ServiceSpec("0", schema))
    assert "aws-native:lambda:Function functionName" in strays
    assert "aws-native:sns:Topic topicName" not in strays


def test_every_taggable_type_is_one_of_the_provider_s(sdk: Sdk) -> None:
    assert set(TAGGABLE) == {
        token for token, one in sdk.types.items() if "Mapping" in one.inputs.get("tags", "")
    }
    assert len(TAGGABLE) > 800


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("redrivePolicy", True),
        ("deadLetterConfig.targetArn", True),
        ("s3Targets[*].dlqEventQueueArn", True),
        ("errorAction.sqs.queueUrl", True),
        ("errorAction.sqs.roleArn", False),
        ("errorAction.http.url", False),
        ("errorAction.kafka.destinationArn", False),
        ("destinationConfig.onSuccess.destination", False),
        ("deadLetterConfig", False),
    ],
)
def test_what_takes_failures(path: str, *, takes: bool) -> None:
    assert takes_failures(tuple(path.split("."))) is takes


@pytest.mark.parametrize(
    ("path", "does"),
    [
        ("policyArn", True),
        ("policyArns[*]", True),
        ("managedPolicyArns[*]", True),
        ("permissionsBoundary.managedPolicyArn", False),
        ("policy", False),
    ],
)
def test_what_attaches_a_policy(path: str, *, does: bool) -> None:
    assert attaches(tuple(path.split("."))) is does


@pytest.mark.parametrize(
    ("path", "does"),
    [
        ("users[*].password", True),
        ("authParameters.apiKey.value", True),
        ("defaultActions[*].authenticateOidc.clientSecret", True),
        ("tokenValidityUnits.accessToken", False),
        ("manageMasterUserPassword", False),
        ("allowUsersToChangePassword", False),
        ("environmentVariables[*].value", False),
        ("creationToken", False),
    ],
)
def test_what_is_a_secret_by_its_name(path: str, *, does: bool) -> None:
    assert names_secret(tuple(path.split("."))) is does


@pytest.mark.parametrize(
    ("cloudformation", "pulumi"),
    [
        ("DeadLetterConfig", "deadLetterConfig"),
        ("DynamoDBStreamParameters", "dynamoDbStreamParameters"),
        ("BucketARN", "bucketArn"),
        ("KMSMasterKeyID", "kmsMasterKeyId"),
        ("S3Targets", "s3Targets"),
    ],
)
def test_names_of_cloudformation_as_aws_native_writes_them(cloudformation: str, pulumi: str) -> None:
    assert camel(cloudformation) == pulumi


def test_the_command_takes_one_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chek"]) == 2
    assert "takes nothing or --check, not --chek" in capsys.readouterr().err

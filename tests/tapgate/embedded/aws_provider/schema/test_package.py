"""The schema of the installed pulumi_aws, against the package itself and Pulumi's own checker of schemas."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider import sdk_source
from tapgate.embedded.aws_provider.package_schema import generate
from tapgate.json_access import mapping, sequence, text
from tests.tapgate.embedded.aws_provider.tokens import function_tokens, resource_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@cache
def schema() -> Mapping[str, object]:
    return mapping(json.loads(json.dumps(generate())))


def member(section: str, token: str) -> Mapping[str, object]:
    return mapping(mapping(schema()[section])[token])


def reference(token: str) -> Mapping[str, str]:
    return {"$ref": f"#/types/{token}"}


def properties(section: str, token: str, key: str = "properties") -> Mapping[str, object]:
    return mapping(member(section, token)[key])


def test_it_has_every_resource_type_and_function() -> None:
    assert list(mapping(schema()["resources"])) == resource_tokens()
    assert list(mapping(schema()["functions"])) == function_tokens()
    assert schema()["name"] == "aws"
    assert schema()["version"] == sdk_source.package_version()


def test_every_reference_leads_somewhere() -> None:
    wanted = {text(node["$ref"]) for node in _nodes(schema()) if "$ref" in node}
    here = {ref.removeprefix("#/types/") for ref in wanted if ref.startswith("#")}
    assert here <= set(mapping(schema()["types"]))
    assert len(here) > 9000
    assert {ref for ref in wanted if not ref.startswith("#")} == {
        "pulumi.json#/Any", "pulumi.json#/Archive", "pulumi.json#/Asset",
    }  # fmt: skip


def _nodes(value: object) -> Iterator[Mapping[str, object]]:
    todo = [value]
    while todo:
        one = todo.pop()
        if node := mapping(one):
            yield node
        todo.extend([*node.values(), *sequence(one)])


def test_a_resource_is_as_pulumi_aws_has_it() -> None:
    inputs = properties("resources", "aws:lambda/function:Function", "inputProperties")
    assert inputs["timeout"] == {"type": "integer"}
    assert inputs["code"] == {"$ref": "pulumi.json#/Archive"}
    assert inputs["runtime"] == {
        "oneOf": [{"type": "string"}, {"$ref": "#/types/aws:lambda/Runtime:Runtime"}]
    }
    assert inputs["tracingConfig"] == {
        "$ref": "#/types/aws:lambda/FunctionTracingConfig:FunctionTracingConfig"
    }
    assert inputs["tags"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert inputs["layers"] == {"type": "array", "items": {"type": "string"}}
    assert "arn" not in inputs
    assert member("resources", "aws:lambda/function:Function")["requiredInputs"] == ["role"]
    assert "arn" in sequence(member("resources", "aws:lambda/function:Function")["required"])
    assert properties("resources", "aws:lambda/function:Function")["arn"] == {"type": "string"}


def test_nested_objects_have_what_programs_give_and_what_they_get() -> None:
    tracing = "aws:lambda/FunctionTracingConfig:FunctionTracingConfig"
    assert member("types", tracing)["required"] == ["mode"]
    assert properties("types", tracing) == {"mode": {"type": "string"}}
    policy = properties("resources", "aws:sqs/queuePolicy:QueuePolicy", "inputProperties")["policy"]
    assert policy == {"oneOf": [{"type": "string"}, reference("aws:sqs/PolicyDocument:PolicyDocument")]}
    # Of another module: `_iam.PolicyStatementArgs`.
    assert properties("types", "aws:sqs/PolicyDocument:PolicyDocument")["Statement"] == {
        "type": "array",
        "items": reference("aws:iam/PolicyStatement:PolicyStatement"),
    }


def test_secrets_are_secret_on_both_sides() -> None:
    for side in ("inputProperties", "properties"):
        given = properties("resources", "aws:rds/instance:Instance", side)
        secret = {name for name, one in given.items() if mapping(one).get("secret")}
        assert secret == {"password", "passwordWo"}
    provider = mapping(mapping(schema()["provider"])["inputProperties"])
    assert {name for name, one in provider.items() if mapping(one).get("secret")} == {
        "accessKey", "secretKey", "token",
    }  # fmt: skip
    assert provider["region"] == {"type": "string"}


def test_former_names_are_aliases() -> None:
    resource = member("resources", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert resource["aliases"] == [
        {"type": "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"}
    ]
    assert "aliases" not in member("resources", "aws:kms/key:Key")


def test_enumerations_have_their_values() -> None:
    values = [
        mapping(one)["value"] for one in sequence(member("types", "aws:lambda/Runtime:Runtime")["enum"])
    ]
    assert "python3.13" in values
    assert "aws:lambda/Function" not in values
    found = [one for one in mapping(schema()["types"]).values() if "enum" in mapping(one)]
    assert len(found) > 20
    assert all(mapping(one)["enum"] for one in found)


@pytest.mark.parametrize(
    ("token", "required", "argument", "output"),
    [
        ("aws:iam/getPolicyDocument:getPolicyDocument", [], "statements", "json"),
        ("aws:index/getArn:getArn", ["arn"], "arn", "account"),
        ("aws:index/getCallerIdentity:getCallerIdentity", [], "", "accountId"),
        ("aws:resourceexplorer/search:Search", ["queryString"], "viewArn", "resources"),
    ],
)
def test_a_function_has_arguments_and_a_result(
    token: str, required: list[str], argument: str, output: str
) -> None:
    function = member("functions", token)
    inputs, outputs = mapping(function["inputs"]), mapping(function["outputs"])
    assert inputs["required"] == required
    assert argument in mapping(inputs["properties"]) or not argument
    assert output in mapping(outputs["properties"])


def test_objects_of_functions_are_named_as_functions_are() -> None:
    inputs = mapping(member("functions", "aws:iam/getPolicyDocument:getPolicyDocument")["inputs"])
    statement = "aws:iam/getPolicyDocumentStatement:getPolicyDocumentStatement"
    assert mapping(inputs["properties"])["statements"] == {"type": "array", "items": reference(statement)}
    assert {"sid", "effect", "actions"} <= set(properties("types", statement))


def test_every_function_has_a_result() -> None:
    for token, function in mapping(schema()["functions"]).items():
        outputs = mapping(mapping(function)["outputs"])
        assert outputs == {"type": "string"} or mapping(outputs["properties"]), token
    assert member("functions", "aws:index/arnBuild:arnBuild")["outputs"] == {"type": "string"}


@pytest.mark.cli
def test_pulumi_s_own_checker_finds_nothing_wrong(engine_env: Mapping[str, str], tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema()))
    checked = subprocess.run(
        ["pulumi", "schema", "check", str(file)],
        env=dict(engine_env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

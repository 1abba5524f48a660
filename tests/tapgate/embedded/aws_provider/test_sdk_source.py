from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec
import pulumi_aws
import pytest

from tapgate.embedded.aws_provider import schema_store, sdk_source
from tapgate.embedded.aws_provider.package_schema import ModuleTypes
from tapgate.embedded.aws_provider.resource_schema import DECODER, ResourceSchema, Type
from tapgate.embedded.aws_provider.sdk_source import UnknownTypeError, is_function, read_resource
from tests.tapgate.embedded.aws_provider.tokens import function_tokens, resource_tokens

if TYPE_CHECKING:
    from pathlib import Path

STRING = Type("string")


def test_a_key_is_read_as_pulumi_aws_has_it() -> None:
    schema = read_resource("aws:kms/key:Key")
    assert schema.inputs["enableKeyRotation"].type == Type("boolean")
    assert schema.inputs["rotationPeriodInDays"].type == Type("integer")
    assert schema.inputs["tags"].type == Type("map", args=(STRING,))
    assert "arn" not in schema.inputs
    assert schema.outputs["arn"].required
    assert not schema.outputs["enableKeyRotation"].required
    assert "tagsAll" in schema.outputs


def test_nested_objects_come_along() -> None:
    schema = read_resource("aws:lambda/function:Function")
    tracing = schema.inputs["tracingConfig"].type
    assert tracing.base == "object"
    assert schema.objects[tracing.name]["mode"].required
    assert schema.inputs["role"].required
    assert not schema.inputs["name"].required
    assert schema.inputs["code"].type == Type("archive")
    assert schema.inputs["runtime"].type == STRING
    logging = schema.outputs["loggingConfig"].type
    assert schema.objects[logging.name]["logFormat"].required
    assert schema.objects[logging.name]["logGroup"].type == STRING


def test_objects_of_another_module_are_found() -> None:
    schema = read_resource("aws:sqs/queuePolicy:QueuePolicy")
    text, document = schema.inputs["policy"].type.args
    assert text == STRING
    statement = schema.objects[document.name]["Statement"].type.args[0]
    assert {"Sid", "Effect", "Action", "Resource", "Principal"} <= set(schema.objects[statement.name])
    principal = schema.objects[statement.name]["Principal"].type
    services = next(choice for choice in principal.args if "Service" in schema.objects.get(choice.name, {}))
    assert schema.objects[services.name]["Service"].required


def test_secret_outputs_are_known() -> None:
    assert read_resource("aws:redshift/cluster:Cluster").secret_outputs == (
        "masterPassword",
        "masterPasswordWo",
    )


def test_what_documentation_says_of_replacement_is_read() -> None:
    schema = read_resource("aws:dynamodb/tableExport:TableExport")
    assert any(prop.replaces for prop in schema.inputs.values())
    assert not any(prop.replaces for prop in read_resource("aws:kms/key:Key").inputs.values())


@pytest.mark.parametrize(
    "token",
    [
        "aws:kms/keys:Keys",
        "aws:nope/key:Key",
        "aws:kms/Key",
        "azure:kms/key:Key",
        "aws:kms/getKey:getKey",
        "aws:lambda/Runtime:Runtime",
        "aws:kms/../key:Key",
    ],
)
def test_what_pulumi_aws_does_not_have_is_refused(token: str) -> None:
    with pytest.raises(UnknownTypeError):
        read_resource(token)


def test_functions_are_told_from_nothing() -> None:
    assert is_function("aws:ssm/getParameter:getParameter")
    assert is_function("aws:index/getRegion:getRegion")
    assert not is_function("aws:ssm/getParameters:getParameters")
    assert not is_function("aws:nope/getX:getX")
    assert not is_function("nonsense")


def test_every_type_of_pulumi_aws_is_read_and_survives_the_cache() -> None:
    tokens = resource_tokens()
    assert len(tokens) > 1500
    assert len(set(tokens)) == len(tokens)
    for token in tokens:
        schema = read_resource(token)
        assert repr(DECODER.decode(msgspec.json.encode(schema))) == repr(schema), "7 is not 7.0 in a message"
        names = {type_.name for type_ in _kinds(schema) if type_.base == "object"}
        assert names <= set(schema.objects), token


def _kinds(schema: ResourceSchema) -> list[Type]:
    found: list[Type] = []
    todo = [prop.type for prop in (*schema.inputs.values(), *schema.outputs.values())]
    while todo:
        type_ = todo.pop()
        found.append(type_)
        todo.extend(type_.args)
    return found


def test_the_provider_s_own_configuration_is_read() -> None:
    schema = sdk_source.read_provider()
    assert schema.inputs["region"].type == STRING
    tags = schema.inputs["defaultTags"].type
    assert "tags" in schema.objects[tags.name]


def test_version_is_that_of_the_installed_package() -> None:
    assert sdk_source.package_folder().joinpath("__init__.py").samefile(str(pulumi_aws.__file__))
    assert sdk_source.package_version().startswith("7.")


def test_without_pulumi_aws_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk_source.package_folder.cache_clear()
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pulumi_aws")
    with pytest.raises(sdk_source.SdkMissingError, match=r"requirements/embedded\.txt"):
        sdk_source.package_folder()
    monkeypatch.undo()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    schema_store.schema_of.cache_clear()
    return tmp_path


def test_a_shape_is_read_once_and_then_cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = schema_store.schema_of("aws:kms/key:Key")
    files = list(cache.rglob("*.json"))
    assert len(files) == 1
    schema_store.schema_of.cache_clear()

    def write_only(token: str) -> object:
        pytest.fail(f"{token} was read again")

    monkeypatch.setattr(sdk_source, "read_resource", write_only)
    assert schema_store.schema_of("aws:kms/key:Key") == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 1}', '{"token":"aws:kms/alias:Alias"}'])
def test_a_broken_cache_entry_is_made_anew(cache: Path, content: str) -> None:
    first = schema_store.schema_of("aws:kms/key:Key")
    next(cache.rglob("*.json")).write_text(content)
    schema_store.schema_of.cache_clear()
    assert schema_store.schema_of("aws:kms/key:Key") == first
    assert len(next(cache.rglob("*.json")).read_text()) > len(content)


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path) -> None:
    (cache / "tap-guardrails").write_text("a file where a folder should be")
    assert schema_store.schema_of("aws:kms/key:Key").token == "aws:kms/key:Key"


def test_functions_are_read_with_what_they_take_and_give() -> None:
    schema = sdk_source.read_function("aws:iam/getPolicyDocument:getPolicyDocument")
    statements = schema.inputs["statements"].type
    assert statements.base == "list"
    assert schema.objects[statements.args[0].name]["actions"].type == Type("list", args=(STRING,))
    assert not schema.inputs["statements"].required
    assert schema.outputs["json"].required
    assert sdk_source.read_function("aws:kms/getAlias:getAlias").inputs["name"].required
    with pytest.raises(UnknownTypeError):
        sdk_source.read_function("aws:kms/getAlias2:getAlias2")
    with pytest.raises(UnknownTypeError):
        sdk_source.read_function("aws:kms/key:Kez")


SINGLE = {
    "aws:index/arnBuild:arnBuild",
    "aws:index/trimIamRolePath:trimIamRolePath",
    "aws:index/userAgent:userAgent",
}
"""The functions that give a single value."""


def test_every_function_of_pulumi_aws_is_read() -> None:
    tokens = function_tokens()
    assert len(tokens) > 600
    for token in tokens:
        assert is_function(token)
        assert bool(sdk_source.read_function(token).outputs) != (token in SINGLE), token


def test_the_shape_of_a_function_is_cached_too(cache: Path) -> None:
    schema_store.function_schema_of.cache_clear()
    first = schema_store.function_schema_of("aws:kms/getAlias:getAlias")
    schema_store.function_schema_of.cache_clear()
    assert schema_store.function_schema_of("aws:kms/getAlias:getAlias") == first
    assert len(list(cache.rglob("*.json"))) == 1


def test_a_file_without_a_function_has_no_arguments(tmp_path: Path) -> None:
    assert sdk_source.function_properties(tmp_path / "none.py", ModuleTypes("kms")) == ({}, {})

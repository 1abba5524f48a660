"""The pulumi_aws that a program uses, of an older major version, in the forms that its source had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider import package_schema, sdk_source
from tapgate.embedded.aws_provider.resource_schema import Type
from tapgate.embedded.environment import sdk_version
from tapgate.embedded.packages import shims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KEY = """\
@pulumi.input_type
class KeyArgs:
    def __init__(__self__, *,
                 alias: pulumi.Input[{builtins}str],
                 vpc: Optional[pulumi.Input[{builtins}bool]] = None):
        pulumi.set(__self__, "alias", alias)

    @property
    @pulumi.getter
    def alias(self) -> pulumi.Input[{builtins}str]:
        return pulumi.get(self, "alias")

    @property
    @pulumi.getter
    def vpc(self) -> Optional[pulumi.Input[{builtins}bool]]:
        return pulumi.get(self, "vpc")


{decorator}class Key(pulumi.CustomResource):
    def _internal_init(__self__):
        super(Key, __self__).__init__(
            'aws:kms/key:Key',
            resource_name)

    @property
    @pulumi.getter(name="keyId")
    def key_id(self) -> pulumi.Output[{builtins}str]:
        return pulumi.get(self, "key_id")
"""
FUNCTION = """\
@pulumi.output_type
class GetKeyResult:
    @property
    @pulumi.getter
    def arn(self) -> {builtins}str:
        return pulumi.get(self, "arn")


def get_key(key_id: Optional[{builtins}str] = None,
            tags: Optional[Sequence[{builtins}str]] = None,
            opts: Optional[pulumi.InvokeOptions] = None) -> AwaitableGetKeyResult:
    __args__ = dict()
    __args__['keyId'] = key_id
    __args__['tags'] = tags
    __ret__ = pulumi.runtime.invoke('aws:kms/getKey:getKey', __args__, opts=opts, typ=GetKeyResult).value
"""
WITH_OUTPUTS = """\


@_utilities.lift_output_func(get_key)
def get_key_output(key_id: Optional[pulumi.Input[{builtins}str]] = None,
                   tags: Optional[pulumi.Input[Optional[Sequence[{builtins}str]]]] = None,
                   opts: Optional[pulumi.InvokeOptions] = None) -> pulumi.Output[GetKeyResult]:
    ...
"""
FORMS = {
    "3.38.1": {"builtins": "", "decorator": ""},
    "5.43.0": {"builtins": "", "decorator": ""},
    "6.83.4": {"builtins": "builtins.", "decorator": '@pulumi.type_token("aws:kms/key:Key")\n'},
}


def sdk(folder: Path, version: str) -> Path:
    """A pulumi_aws with one resource type and one function."""
    form: Mapping[str, str] = FORMS[version]
    package = folder / "lib" / "python3.11" / "site-packages" / "pulumi_aws"
    (package / "kms").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / ("utilities.py" if version.startswith("2") else "_utilities.py")).touch()
    (package.parent / f"pulumi_aws-{version}.dist-info").mkdir()
    (package / "kms" / "key.py").write_text(f"import pulumi\n\n{KEY.format(**form)}")
    function = FUNCTION if version.startswith("3") else FUNCTION + WITH_OUTPUTS
    (package / "kms" / "get_key.py").write_text(f"import pulumi\n\n{function.format(**form)}")
    provider = "class ProviderArgs:\n    def __init__(__self__):\n        ...\n\n\nclass Provider(p.P):\n"
    (package / "provider.py").write_text(f"import pulumi\n\n{provider}")
    if not version.startswith("3"):
        (package / "pulumi-plugin.json").write_text('{"resource": true, "name": "aws"}')
    return package


@pytest.fixture
def installed_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    chosen: list[Path] = []
    monkeypatch.setattr(sdk_source, "_chosen", chosen)
    yield
    chosen.clear()
    sdk_source.package_folder.cache_clear()
    sdk_source.package_version.cache_clear()


@pytest.mark.usefixtures("installed_again")
@pytest.mark.parametrize("version", FORMS)
def test_its_types_are_read_in_every_form(tmp_path: Path, version: str) -> None:
    sdk_source.use(sdk(tmp_path, version))
    assert sdk_source.package_version() == version
    schema = sdk_source.read_resource("aws:kms/key:Key")
    assert {name: (prop.type, prop.required) for name, prop in schema.inputs.items()} == {
        "alias": (Type("string"), True),
        "vpc": (Type("boolean"), False),
    }
    assert schema.outputs["keyId"].type == Type("string")
    function = sdk_source.read_function("aws:kms/getKey:getKey")
    assert {name: prop.type for name, prop in function.inputs.items()} == {
        "keyId": Type("string"),
        "tags": Type("list", args=(Type("string"),)),
    }
    assert list(function.outputs) == ["arn"]
    with pytest.raises(sdk_source.UnknownTypeError):
        sdk_source.read_resource("aws:kms/other:Other")
    whole = json.loads(json.dumps(package_schema.generate()))
    assert whole["version"] == version
    assert [*whole["resources"], *whole["functions"]] == ["aws:kms/key:Key", "aws:kms/getKey:getKey"]


@pytest.mark.parametrize(("version", "served"), [("3.38.1", True), ("6.83.4", True), ("2.13.0", False)])
def test_a_python_program_is_typed_by_the_one_that_it_uses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    served: bool,  # noqa: FBT001 - a case's
) -> None:
    monkeypatch.setitem(FORMS, "2.13.0", FORMS["3.38.1"])
    package = sdk(tmp_path / "venv", version)
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: {name: python, options: {virtualenv: venv}}\n")
    made = shims(tmp_path / "Pulumi.yaml", {"PATH": ""}).get("pulumi-resource-aws", "")
    assert (f"--sdk={package}" in made) == served


def test_one_of_the_installed_major_is_served_by_the_installed_one(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    assert "pulumi-resource-aws" not in shims(tmp_path / "Pulumi.yaml", {"PATH": ""})


@pytest.mark.parametrize(
    ("release", "version"),
    [("2.0.0a4", "2.0.0-alpha.4"), ("3.1.0rc1", "3.1.0-rc.1"), ("1.2.0.post1", "1.2.0")],
)
def test_a_pre_release_is_said_as_the_engine_reads_it(tmp_path: Path, release: str, version: str) -> None:
    (tmp_path / f"pulumi_eks-{release}.dist-info").mkdir()
    assert sdk_version(tmp_path / "pulumi_eks") == version

"""What serves a program's packages, and what a stand-in knows of them."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.proto import provider_pb2

from tapgate.embedded.aws_provider.catalog import Catalog, Known, stood_in
from tapgate.embedded.aws_provider.deploy.fence import Fence
from tapgate.embedded.aws_provider.echo import Other
from tapgate.embedded.aws_provider.failures import InvalidRequestError
from tapgate.embedded.aws_provider.invokes import InvokeError
from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, PROGRAM_FOLDER, contains_mark, marked
from tapgate.embedded.aws_provider.older_functions import older_functions
from tapgate.embedded.aws_provider.resource_schema import Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.sdk_source import is_function, read_resource
from tapgate.embedded.aws_provider.service import Provider
from tapgate.embedded.aws_provider.usage import read, widened
from tapgate.embedded.aws_provider.values import UNKNOWN, Blob, decode, encode
from tapgate.embedded.packages import changes, shims
from tapgate.embedded.program_text import Lookups, lookups

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Properties, Secrets, Value

FOREIGN = Path(__file__).parents[1] / "fixtures" / "foreign"
PROGRAM = FOREIGN / "packages" / "Pulumi.yaml"
SDK = FOREIGN / "packages-python" / "pulumi_random"


def plugin(home: Path, package: str, version: str) -> Path:
    path = home / ".pulumi" / "plugins" / f"resource-{package}-v{version}" / f"pulumi-resource-{package}"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    return path


def test_what_a_program_uses_is_read() -> None:
    usage = read(PROGRAM)
    assert usage.packages() == {"acme", "aws", "awsx", "command", "random", "std", "tls"}
    assert usage.resources["awsx:ec2:Vpc"].outputs == {
        "vpcId": {},
        "privateSubnetIds": {},
        "publicSubnetIds": {0: {}},
    }
    certificate = usage.functions["tls:getCertificate"]
    assert certificate.inputs == {"url"}
    assert certificate.outputs == {"certificates": {0: {"sha1Fingerprint": {}}}}
    assert usage.functions["std:split"].outputs == {"result": {0: {}}}
    assert read(FOREIGN / "older-major" / "Pulumi.yaml").versions == {"aws": {"6.83.0"}}


@pytest.mark.parametrize(
    ("project", "stacks", "region"),
    [
        ("", [], "eu-west-2"),
        ("", ["# aws:region: us-east-1\nconfig:\n  aws:region: eu-north-1"], "eu-north-1"),
        ("", ['config: {"aws:region": sa-east-1}', "config: {a:b: 'aws:region: us-east-1'}"], "sa-east-1"),
        ("", ["config: {aws:region: sa-east-1}", "config: {aws:region: us-east-1}"], None),
        ("config: {aws:region: us-west-1}", ["config: {a:b: 1}"], "us-west-1"),
        ("config: {aws:region: {value: us-west-1}}", [], "us-west-1"),
        ("config: {aws:region: us-west-1}", ["config: {aws:region: us-east-2}"], "us-east-2"),
        ("", ["config: [", "config: {aws:region: {secure: abc}}"], "eu-west-2"),
    ],
)
def test_a_program_reads_its_stacks_region_from_its_environment(
    tmp_path: Path, project: str, stacks: list[str], region: str | None
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: a\nruntime: python\n{project}\n")
    program = tmp_path / "__main__.py"
    program.write_text("import os\nos.environ['AWS_DEFAULT_REGION']\n")
    for number, text in enumerate(stacks):
        (tmp_path / f"Pulumi.{number}.yaml").write_text(text)
    changed = changes(tmp_path / "Pulumi.yaml", {})
    assert (changed.get("AWS_REGION"), changed.get("AWS_DEFAULT_REGION")) == (region, region)
    assert "AWS_REGION" not in changes(tmp_path / "Pulumi.yaml", {"AWS_DEFAULT_REGION": "us-east-1"})
    # A module above the program's folder may make a client of boto3 as it is imported.
    program.write_text("from lib import helper\n")
    assert changes(tmp_path / "Pulumi.yaml", {}).get("AWS_REGION") == region


@pytest.mark.parametrize("text", ["{", "[]", "resources: 3\nvariables: [a]", "resources: {a: {type: 3}}"])
def test_what_is_no_program_uses_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    assert read(tmp_path / "Pulumi.yaml").packages() == set()
    assert read(tmp_path / "none.yaml").packages() == set()


def test_the_users_plugins_come_first_but_rehearse_only_if_they_do_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi-resource-tls").touch(mode=0o755)
    plugin(tmp_path, "random", "4.9.0")
    newest = plugin(tmp_path, "random", "4.21.0")
    command = plugin(tmp_path, "command", "1.0.0")
    base = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    previewing, rehearsing = shims(PROGRAM, base), shims(PROGRAM, base, rehearse=True)
    assert "pulumi-resource-tls" not in {*previewing, *rehearsing}
    assert "pulumi-resource-aws" not in {*previewing, *rehearsing}
    for served in (previewing, rehearsing):
        assert str(newest) in served["pulumi-resource-random"]
        assert "--unseen" in served["pulumi-resource-acme"]
        assert "--unseen" not in served["pulumi-resource-std"]
    assert str(command) in previewing["pulumi-resource-command"]
    assert "--rehearse --echo --package=command" in rehearsing["pulumi-resource-command"]


def test_a_python_programs_packages_are_those_that_it_can_import(tmp_path: Path) -> None:
    served = shims(FOREIGN / "packages-python" / "Pulumi.yaml", {"HOME": str(tmp_path), "PATH": ""})
    assert f"--sdk={SDK}" in served["pulumi-resource-random"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements.txt", "pulumi>=3\npulumi_acme-cloud==1.2  # ours\npulumi-policy\n"),
        ("requirements-dev.txt", "-e git+https://example.com/x#egg=pulumi-acme-cloud"),
        ("pyproject.toml", '[project]\ndependencies = ["pulumi-acme-cloud[extra]>=2"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npulumi_acme_cloud = "^4"\n'),
        ("__main__.py", "import json\nimport pulumi_acme_cloud as acme\n"),
        ("stack/net.py", "def f():\n    from pulumi_acme_cloud.net import Vpc\n"),
    ],
)
def test_a_package_that_is_only_named_is_served(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    served = shims(tmp_path / "Pulumi.yaml", {"PATH": ""})
    assert "--package=acme-cloud --unseen" in served["pulumi-resource-acme-cloud"]
    assert "pulumi-resource-policy" not in served
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: go\n")
    assert "pulumi-resource-acme-cloud" not in shims(tmp_path / "Pulumi.yaml", {"PATH": ""})


@pytest.mark.parametrize("name", ["../../evil", "aws", "", "a b"])
def test_a_name_that_no_package_has_becomes_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    (tmp_path / "pulumi_evil").mkdir()
    (tmp_path / "pulumi_evil" / "pulumi-plugin.json").write_text(json.dumps({"name": name}))
    assert not any("evil" in one for one in shims(tmp_path / "Pulumi.yaml", {"PATH": ""}).values())


def test_an_sdk_beside_a_yaml_program_says_nothing_of_its_packages(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: yaml\nresources: {a: {type: 'acme:index:A'}}\n")
    (tmp_path / "pulumi_acme").mkdir()
    (tmp_path / "pulumi_acme" / "pulumi-plugin.json").write_text('{"name": "acme"}')
    assert "--unseen" in shims(tmp_path / "Pulumi.yaml", {"PATH": ""})["pulumi-resource-acme"]


def test_another_major_of_aws_is_served_by_what_knows_the_program(tmp_path: Path) -> None:
    file = FOREIGN / "older-major" / "Pulumi.yaml"
    served = shims(file, {"HOME": str(tmp_path), "PATH": ""})
    assert f"--program={file}" in served["pulumi-resource-aws"]
    schema = {
        "resources": {"aws:ec2/eip:Eip": {"inputProperties": {"domain": {"type": "string"}}}},
        "functions": {},
    }
    wide = json.loads(widened(json.dumps(schema), file))["resources"]["aws:ec2/eip:Eip"]
    assert wide["inputProperties"]["domain"] == {"type": "string"}
    assert wide["inputProperties"]["vpc"] == {"$ref": "pulumi.json#/Any"}


@pytest.mark.parametrize("options", ["", "      options: {version: 4.38.1}\n"])
@pytest.mark.parametrize("function", ["aws:ec2:getSubnetIds", "aws:ec2/getSubnetIds:getSubnetIds"])
def test_a_function_that_only_an_older_major_has_answers_in_its_form(
    tmp_path: Path, function: str, options: str
) -> None:
    program = tmp_path / "Pulumi.yaml"
    program.write_text(
        f"runtime: yaml\nvariables:\n  found:\n    fn::invoke:\n      function: {function}\n"
        f"      arguments: {{vpcId: vpc-1}}\n{options}"
        "resources: {a: {type: 'aws:lb:LoadBalancer', properties: {subnets: '${found.ids}'}}}\n"
    )
    assert f"--program={program}" in shims(program, {"PATH": ""})["pulumi-resource-aws"]
    token = "aws:ec2/getSubnetIds:getSubnetIds"
    schema = json.loads(widened('{"resources": {}, "functions": {}}', program))["functions"]
    assert set(schema[token]["outputs"]["properties"]) == {"ids"}
    assert set(schema[token]["inputs"]["properties"]) == {"vpcId"}
    served = Provider("", Fence(), program=program)
    answered = served.invoke(provider_pb2.InvokeRequest(tok=token, args=encode({"vpcId": "vpc-1"})))
    answer, _ = decode(getattr(answered, "return"))
    assert answer["vpcId"] == "vpc-1"
    assert isinstance(answer["ids"], list)
    assert all(MARK in str(one) for one in answer["ids"])
    # A Python program asks by an SDK that is too old to be read, so nothing names the program.
    given = Provider("", Fence()).invoke(provider_pb2.InvokeRequest(tok="aws:index/getAmi:getAmi"))
    assert MARK in str(decode(getattr(given, "return"))[0]["id"])
    with pytest.raises(InvokeError, match="no function"):
        Provider("", Fence()).invoke(provider_pb2.InvokeRequest(tok=f"{token}z"))


def test_a_function_that_no_version_has_stays_unknown(tmp_path: Path) -> None:
    program = tmp_path / "Pulumi.yaml"
    program.write_text("runtime: yaml\nvariables: {a: {fn::aws:ec2:getSubnetIdz: {}}}\n")
    assert "pulumi-resource-aws" not in shims(program, {"PATH": ""})
    assert json.loads(widened('{"resources": {}, "functions": {}}', program))["functions"] == {}
    assert not any(map(is_function, older_functions()))


def test_an_sdk_says_what_a_package_has(tmp_path: Path) -> None:
    program = tmp_path / "Pulumi.yaml"
    program.write_text(
        "resources:\n  a: {type: 'random:RandomId', properties: {byteLenght: 4}}\n"
        "  b: {type: 'random:Platform', properties: {size: 1}}\n"
    )
    catalog = Catalog("random", program, SDK)
    schema = json.loads(catalog.schema_text())
    assert schema["version"] == "4.21.4"
    assert schema["resources"]["random:index/randomId:RandomId"] == {
        "inputProperties": {"byteLength": {"type": "integer"}},
        "requiredInputs": ["byteLength"],
        "properties": {"byteLength": {"type": "integer"}, "hex": {"type": "string"}},
        "required": ["byteLength", "hex"],
    }
    platform = schema["resources"]["random:index:Platform"]
    assert platform["isComponent"]
    reference = platform["properties"]["parts"]["items"]["$ref"].removeprefix("#/types/")
    assert schema["types"][reference]["properties"] == {name: {"type": "string"} for name in ("kind", "name")}
    parts = stood_in(catalog.find("random:index:Platform"), "parts", "urn")
    assert isinstance(parts, list)
    assert isinstance(parts[0], dict)
    assert str(parts[0]["name"]).startswith(MARK)


def test_a_resource_stands_in_wherever_it_is() -> None:
    resource = Property(Type("any", stand_in="pulumi_aws.kms.Alias"), required=True)
    outputs = {
        "alone": resource,
        "several": Property(Type("list", args=(resource.type,))),
        "inside": Property(Type("object", "Core")),
    }
    known = Known(ResourceSchema("eks:index:Cluster", {}, outputs, {"Core": {"cluster": resource}}))
    made = {name: stood_in(known, name, name, lambda reference, seed: [reference, seed]) for name in outputs}
    assert made["alone"] == ["pulumi_aws.kms.Alias", "alone"]
    assert made["several"] == [["pulumi_aws.kms.Alias", f"several[{index}]"] for index in range(3)]
    assert made["inside"] == {"cluster": ["pulumi_aws.kms.Alias", "inside.cluster"]}


def test_what_is_one_of_an_enumeration_stands_in_as_a_value_of_it() -> None:
    """Pulumi's Python SDK never comes to an end with a resource that has another one."""
    schema = read_resource("aws:autoscaling/group:Group")
    assert marked(schema.outputs["enabledMetrics"].type, schema, "urn") == ["GroupMinSize"] * 3


FUNCTION = """\
__all__ = ["GetThingResult", "get_thing"]

@pulumi.output_type
class GetThingResult:
    @_builtins.property
    @pulumi.getter(name="theNames")
    def the_names(self) -> Sequence[_builtins.str]:
        return pulumi.get(self, "the_names")

def get_thing(name=None, opts=None):
    __args__ = dict()
    __args__['name'] = name
    __ret__ = pulumi.runtime.invoke('acme:index/getOther:getOther', __args__)
    __ret__ = pulumi.runtime.invoke('acme:index/getThing:getThing', __args__, opts=opts, typ=GetThingResult).value
"""  # noqa: E501 - as SDKs are written
USED = """\
name: a
runtime: yaml
variables:
  thing: {fn::invoke: {function: 'acme:getThing', arguments: {name: x}}}
resources:
  broken: {type: 'acme:Broken', properties: {size: "${thing.theNames[0]}"}}
  cluster: {type: 'acme:Cluster', properties: {of: "${broken.made.of}"}}
"""


def test_functions_of_an_sdk_and_files_that_are_none_of_it(tmp_path: Path) -> None:
    sdk, program = tmp_path / "pulumi_acme", tmp_path / "Pulumi.yaml"
    sdk.mkdir()
    program.write_text(USED)
    (sdk / "pulumi-plugin.json").write_text("[]")
    (sdk / "get_thing.py").write_text(FUNCTION)
    (sdk / "broken.py").write_text('@pulumi.type_token("acme:index/broken:Broken")\nclass Broken(')
    catalog = Catalog("acme", program, sdk)
    schema = json.loads(catalog.schema_text())
    assert schema["version"] == "0.0.0"
    function = schema["functions"]["acme:index/getThing:getThing"]
    assert set(function["inputs"]["properties"]) == {"name"}
    assert function["outputs"]["properties"] == {"theNames": {"type": "array", "items": {"type": "string"}}}
    # Of what its SDK does not say in the form of SDKs, the program does.
    assert schema["resources"]["acme:index/broken:Broken"]["required"] == ["made"]
    made = stood_in(catalog.find("acme:Broken"), "made", "urn")
    assert isinstance(made, dict)
    assert str(made["of"]).startswith(MARK)


def test_without_an_sdk_the_program_says_it() -> None:
    schema = json.loads(Catalog("awsx", PROGRAM).schema_text())
    vpc = schema["resources"]["awsx:ec2:Vpc"]
    assert vpc["isComponent"]
    assert set(vpc["inputProperties"]) == {"natGateways"}
    assert set(vpc["required"]) == {"vpcId", "privateSubnetIds", "publicSubnetIds"}
    random = Catalog("random", PROGRAM)
    assert random.find("random:index/randomPassword:RandomPassword").schema.secret_outputs == ("result",)
    assert "random:index/randomId:RandomId" in json.loads(random.schema_text())["resources"]
    certificates = stood_in(Catalog("tls", PROGRAM).find("tls:getCertificate"), "certificates", "f")
    assert isinstance(certificates, list)
    assert isinstance(certificates[0], dict)
    assert str(certificates[0]["sha1Fingerprint"]).startswith(MARK)


@pytest.mark.parametrize(
    ("args", "secrets", "result"),
    [
        ({"input": '{"a": 1}'}, None, {"a": 1}),
        ({"input": f'{{"a": "{MARK}12"}}'}, None, MARK),
        ({"input": "hush"}, {"input": None}, MARK),
        ({"input": "hush"}, None, InvalidRequestError),
    ],
)
def test_a_pure_function_answers_truly_but_for_what_nobody_knows(
    args: dict[str, Value], secrets: Secrets | None, result: object
) -> None:
    provider = Other("", Fence(), catalog=Catalog("std", PROGRAM))
    request = provider_pb2.InvokeRequest(tok="std:index:jsondecode", args=encode(args, secrets))
    if result is InvalidRequestError:
        with pytest.raises(InvalidRequestError, match=r"std:index:jsondecode has no result: .*Fix:"):
            provider.invoke(request)
        return
    answered, marks = decode(getattr(provider.invoke(request), "return"))
    assert bool(marks) == (secrets is not None)
    if result == MARK:
        assert str(answered["result"]).startswith(MARK)
    else:
        assert answered == {"result": result}


METHODS = """\
@pulumi.type_token("acme:index:Cluster")
class Cluster(pulumi.ComponentResource):
    @_builtins.property
    @pulumi.getter
    def size(self) -> pulumi.Output[_builtins.int]:
        return pulumi.get(self, "size")

    @pulumi.output_type
    class GetConfigResult:
        def __init__(__self__, result=None):
            pulumi.set(__self__, "result", result)

        @_builtins.property
        @pulumi.getter(name="theResult")
        def the_result(self) -> Sequence[_builtins.str]:
            return pulumi.get(self, "the_result")

    def get_config(__self__, *, role: Optional[pulumi.Input[_builtins.str]] = None):
        __args__ = dict()
        return pulumi.runtime.call('acme:index:Cluster/getConfig', __args__, res=__self__, typ=Cluster.GetConfigResult)

    @pulumi.output_type
    class NowResult:
        @_builtins.property
        @pulumi.getter
        def at(self) -> _builtins.int:
            return pulumi.get(self, "at")

    def now(__self__):
        return _utilities.call_plain('acme:index:Cluster/now', __args__, res=__self__, typ=Cluster.NowResult).at

    def stop(__self__):
        pulumi.runtime.call('acme:index:Cluster/stop', __args__, res=__self__)
"""  # noqa: E501 - as SDKs are written


@pytest.mark.parametrize(
    ("method", "preview", "result"),
    [
        ("getConfig", True, {"theResult": UNKNOWN}),
        ("getConfig", False, {"theResult": MARK}),
        ("now", True, {"at": MARKED_NUMBER}),
        ("now", False, {"at": MARKED_NUMBER}),
        ("stop", False, {}),
        ("notThere", False, {}),
    ],
)
def test_a_method_of_a_component_gives_what_its_sdk_says(
    tmp_path: Path, method: str, *, preview: bool, result: dict[str, object]
) -> None:
    (tmp_path / "cluster.py").write_text(METHODS)
    provider = Other("", Fence(), catalog=Catalog("acme", sdk=tmp_path))
    urn = "urn:pulumi:dev::p::acme:index:Cluster::c"
    request = provider_pb2.CallRequest(tok=f"acme:index:Cluster/{method}", dryRun=preview)
    request.args.CopyFrom(encode({"__self__": urn, "role": "r"}, {"role": None}))
    request.argDependencies["role"].urns.append("urn:role")
    answered = provider.call(request)
    values, secrets = decode(getattr(answered, "return"))
    marked_as = {name: [MARK] * 3 if one == MARK else one for name, one in result.items()}
    shown = {
        name: [str(one)[: len(MARK)] for one in value] if isinstance(value, list) else value
        for name, value in values.items()
    }
    assert shown == marked_as
    assert set(secrets) == set(result)
    hangs_on = {name: list(one.urns) for name, one in answered.returnDependencies.items()}
    assert hangs_on == {name: [urn, "urn:role"] for name in result}


@pytest.mark.parametrize(
    ("token", "given", "name"),
    [
        ("kubernetes:core/v1:Namespace", {}, None),
        ("kubernetes:core/v1:Namespace", {"metadata": {"labels": {"a": "b"}}}, "ns-[0-9a-f]{8}"),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "argo"}}, "argo"),
        ("kubernetes:core/v1:Namespace", {"metadata": {"generateName": "a-"}}, None),
        ("kubernetes:core/v1:ServiceList", {"metadata": {}}, None),
        ("kubernetes:core/v1:ServicePatch", {"metadata": {}}, None),
        ("kubernetes:acme.io/v1:Thing", {"metadata": {}}, "ns-[0-9a-f]{8}"),
        ("random:index/randomId:RandomId", {"metadata": {}}, None),
    ],
)
def test_an_object_of_kubernetes_has_a_name(token: str, given: Properties, name: str | None) -> None:
    provider = Other("", Fence(), catalog=Catalog(token.partition(":")[0]))
    urn = f"urn:pulumi:dev::p::{token}::ns"
    inputs, _ = decode(provider.check(provider_pb2.CheckRequest(urn=urn, news=encode(given))).inputs)
    metadata = inputs.get("metadata") or {}
    assert isinstance(metadata, dict)
    assert re.fullmatch(name or "None", str(metadata.get("name")))


@pytest.mark.parametrize(
    ("metadata", "identifier"),
    [
        ({"name": "web", "namespace": "shop"}, "shop/web"),
        ({"name": "shop"}, "shop"),
        ({"generateName": "a-"}, f"{MARK}[0-9a-f]{{8}}"),
    ],
)
def test_the_id_of_an_object_of_kubernetes_says_where_it_is(metadata: Properties, identifier: str) -> None:
    urn = "urn:pulumi:dev::p::kubernetes:core/v1:Service::s"
    request = provider_pb2.CreateRequest(urn=urn, properties=encode({"metadata": metadata}))
    made = Other("", Fence(), catalog=Catalog("kubernetes")).create(request)
    assert re.fullmatch(identifier, made.id)


def test_an_sdk_that_does_not_say_what_it_is_is_found(tmp_path: Path) -> None:
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    for name in ("pulumi_aws_native", "pulumi_aws"):
        (site / name).mkdir(parents=True)
        (site / name / "_utilities.py").touch()
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    served = shims(tmp_path / "Pulumi.yaml", {"PATH": ""})
    assert f"--sdk={site / 'pulumi_aws_native'}" in served["pulumi-resource-aws-native"]


def test_what_is_there_already_has_what_the_program_reads_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.py").write_text(SECRET)
    found = Lookups(("password",), frozenset({"data"}))
    monkeypatch.setattr("tapgate.embedded.aws_provider.marks._lookups", lambda: found)
    provider = Other("", Fence(), catalog=Catalog("kubernetes", sdk=tmp_path))
    urn = "urn:pulumi:dev::p::kubernetes:core/v1:Secret::s"
    read_as, _ = decode(provider.read(provider_pb2.ReadRequest(urn=urn, id="ns/s")).properties)
    data = read_as["data"]
    assert isinstance(data, dict)
    password = str(data["password"])
    assert contains_mark(password)
    assert contains_mark(base64.b64decode(password, validate=True).decode())
    assert "type" not in read_as
    created = provider.create(provider_pb2.CreateRequest(urn=urn, properties=encode({"type": "Opaque"})))
    assert "data" not in created.properties.fields


SECRET = """
class SecretInitArgs:
    def __init__(__self__, *,
                 data: Optional[pulumi.Input[Mapping[str, pulumi.Input[str]]]] = None,
                 type: Optional[pulumi.Input[str]] = None):
        pass

    @property
    @pulumi.getter
    def data(self) -> Optional[pulumi.Input[Mapping[str, pulumi.Input[str]]]]:
        return pulumi.get(self, "data")

    @property
    @pulumi.getter
    def type(self) -> Optional[pulumi.Input[str]]:
        return pulumi.get(self, "type")


class Secret(pulumi.CustomResource):
    def _internal_init(__self__):
        super(Secret, __self__).__init__(
            'kubernetes:core/v1:Secret',
            resource_name)

    @property
    @pulumi.getter
    def data(self) -> pulumi.Output[Optional[Mapping[str, str]]]:
        return pulumi.get(self, "data")

    @property
    @pulumi.getter
    def type(self) -> pulumi.Output[Optional[str]]:
        return pulumi.get(self, "type")
"""


NAMESPACE = """
class Namespace(pulumi.CustomResource):
    def _internal_init(__self__):
        super(Namespace, __self__).__init__(
            'kubernetes:core/v1:Namespace',
            resource_name)

    @property
    @pulumi.getter
    def metadata(self) -> pulumi.Output['_meta.v1.outputs.ObjectMeta']:
        return pulumi.get(self, "metadata")
"""
OBJECT_META = """
@pulumi.output_type
class ObjectMeta(dict):
    @property
    @pulumi.getter
    def name(self) -> Optional[str]:
        return pulumi.get(self, "name")

    @property
    @pulumi.getter
    def labels(self) -> Optional[Mapping[str, str]]:
        return pulumi.get(self, "labels")

    @property
    @pulumi.getter
    def owners(self) -> Optional[Sequence['outputs.Owner']]:
        return pulumi.get(self, "owners")

@pulumi.output_type
class Owner(dict):
    @property
    @pulumi.getter(name="ownerKind")
    def owner_kind(self) -> str:
        return pulumi.get(self, "owner_kind")
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('ns.metadata["name"]', {"name": ""}),
        ("ns.metadata.name", {"name": ""}),
        ('ns.metadata["owners"][0]["owner_kind"]', {"owners": [{"ownerKind": ""}]}),
        ("ns.id", {}),
    ],
)
def test_an_object_of_another_module_of_the_sdk_has_the_fields_that_the_program_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: object
) -> None:
    (tmp_path / "core" / "v1").mkdir(parents=True)
    (tmp_path / "core" / "v1" / "Namespace.py").write_text(NAMESPACE)
    (tmp_path / "meta" / "v1").mkdir(parents=True)
    (tmp_path / "meta" / "v1" / "outputs.py").write_text(OBJECT_META)
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text(text)
    looked_up = lookups(tmp_path / "program")
    monkeypatch.setattr("tapgate.embedded.aws_provider.marks._lookups", lambda: looked_up)
    provider = Other("", Fence(), catalog=Catalog("kubernetes", sdk=tmp_path))
    urn = "urn:pulumi:dev::p::kubernetes:core/v1:Namespace::ns"
    read_as, _ = decode(provider.read(provider_pb2.ReadRequest(urn=urn, id="ns")).properties)
    assert contains_mark(read_as["metadata"]) is bool(found)
    assert json.loads(re.sub(f"{MARK}\\w+", "", json.dumps(read_as["metadata"]))) == found


@pytest.mark.parametrize(
    ("type_", "base"),
    [
        (Type("archive"), "archive"),
        (Type("asset"), "asset"),
        (Type("union", args=(Type("asset"), Type("archive"))), "asset"),
    ],
)
def test_a_file_that_stands_in_is_one_to_the_sdk_and_bears_the_mark_inside(type_: Type, base: str) -> None:
    known = Known(ResourceSchema("command:local:run", {}, {"it": Property(type_)}))
    encoded = encode({"it": stood_in(known, "it", "seed")})
    value, _ = decode(encoded)
    assert isinstance(value["it"], Blob)
    assert value["it"].base == base
    assert MARK in str(encoded)


def test_the_outputs_of_a_state_of_terraform_stand_in_as_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__main__.py").write_text(
        'vpc = state.get_output("vpc_id")\nof = state.get_output("subnet_ids")\n'
    )
    monkeypatch.setenv(PROGRAM_FOLDER, str(tmp_path))
    provider = Other("", Fence(), catalog=Catalog("terraform", unseen=True))
    urn = "urn:pulumi:dev::p::terraform:state:RemoteStateReference::base"
    read_as, _ = decode(provider.read(provider_pb2.ReadRequest(urn=urn, id="base")).properties)
    found = read_as["outputs"]
    assert isinstance(found, dict)
    assert contains_mark(found["vpc_id"])
    assert isinstance(found["subnet_ids"], list)
    assert len(found["subnet_ids"]) == 3


def test_docker_stands_in_where_the_sdk_builds_images_by_itself(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    sdk = tmp_path / "pulumi_docker"
    sdk.mkdir()
    (sdk / "pulumi-plugin.json").write_text('{"name": "docker"}')
    assert "docker" not in shims(tmp_path / "Pulumi.yaml", {"PATH": ""})
    (sdk / "docker.py").touch()
    docker = tmp_path / "docker"
    docker.write_text(shims(tmp_path / "Pulumi.yaml", {"PATH": ""})["docker"])
    docker.chmod(0o755)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([docker, *words], capture_output=True, text=True, check=False)

    assert json.loads(run("version", "-f", "{{json .}}").stdout)["Client"]["Version"]
    inspecting = [
        subprocess.Popen(
            [docker, "image", "inspect", "-f", "{{.Id}}", image], stdout=subprocess.PIPE, text=True
        )
        for image in ("a", "b:1")
    ]
    first, second = (one.communicate()[0] for one in inspecting)
    assert first.startswith(f"sha256:{MARK}")
    assert first != second
    assert run("build", "-t", "a", ".").returncode == run("push", "a").returncode == 0
    assert run("run", "a").returncode == run("pull", "a").returncode == 1

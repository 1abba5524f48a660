"""The stand-in for other packages than `aws`, spoken to as the engine does."""

from __future__ import annotations

import contextlib
import json
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, resource_pb2, resource_pb2_grpc

from tapgate.embedded.aws_provider.catalog import Catalog
from tapgate.embedded.aws_provider.deploy.fence import Fence
from tapgate.embedded.aws_provider.echo import UNSEEN, Other
from tapgate.embedded.aws_provider.failures import NotDeployableError
from tapgate.embedded.aws_provider.marks import MARK, REHEARSED
from tapgate.embedded.aws_provider.values import UNKNOWN, decode, encode
from tapgate.embedded.program_text import Lookups
from tests.tapgate.embedded.aws_provider.conversation import URN, converse

if TYPE_CHECKING:
    from collections.abc import Generator

    from tapgate.embedded.aws_provider.values import Properties
    from tests.tapgate.embedded.aws_provider.conversation import Conversation

FOREIGN = Path(__file__).parents[3] / "tapgate" / "fixtures" / "foreign"
PROGRAM = FOREIGN / "packages" / "Pulumi.yaml"
SDK = FOREIGN / "packages-python" / "pulumi_random"
KUBERNETES = "pulumi:providers:kubernetes"
ID, PASSWORD = "random:index/randomId:RandomId", "random:index/randomPassword:RandomPassword"


def other(package: str, *options: str) -> contextlib.AbstractContextManager[Conversation]:
    return converse("--echo", f"--package={package}", f"--program={PROGRAM}", *options)


def created(provider: Conversation, token: str, inputs: Properties, *, preview: bool) -> Properties:
    request = provider_pb2.CreateRequest(
        urn=f"{URN}{token}::thing", properties=encode(inputs), preview=preview
    )
    made = provider.call("Create", request, provider_pb2.CreateResponse)
    assert bool(made.id) != preview
    return decode(made.properties)[0]


def test_a_preview_knows_what_the_program_said_and_nothing_else() -> None:
    with other("random", f"--sdk={SDK}") as provider:
        provider.configure()
        assert "stand-in provider for package random" in provider.said[0]
        checked = provider.call(
            "CheckConfig", provider_pb2.CheckRequest(news=encode({"a": "b"})), provider_pb2.CheckResponse
        )
        assert decode(checked.inputs)[0] == {"a": "b"}
        assert provider.check(ID, {"byteLength": 4}) == ({"byteLength": 4}, [])
        outputs = created(provider, ID, {"byteLength": 4}, preview=True)
        assert (outputs["byteLength"], outputs["hex"]) == (4, UNKNOWN)
        assert REHEARSED not in outputs
        info = provider.call("GetPluginInfo", empty_pb2.Empty(), plugin_pb2.PluginInfo)
        assert info.version == json.loads((SDK / "pulumi-plugin.json").read_text())["version"]


def test_a_rehearsal_marks_the_rest() -> None:
    with other("random", "--rehearse") as provider:
        schema = provider.call("GetSchema", provider_pb2.GetSchemaRequest(), provider_pb2.GetSchemaResponse)
        assert set(json.loads(schema.schema)["resources"]) == {ID, PASSWORD}
        made = created(provider, PASSWORD, {"length": 16}, preview=False)
        assert MARK in str(made["result"])
        assert made[REHEARSED] == ["result"]
        request = provider_pb2.UpdateRequest(urn=f"{URN}{ID}::t", news=encode({"byteLength": 5}))
        changed = provider.call("Update", request, provider_pb2.UpdateResponse)
        assert decode(changed.properties)[0]["byteLength"] == 5
        kinds = provider_pb2.DiffResponse
        for news, difference in (({"a": 1}, kinds.DIFF_NONE), ({"a": 2}, kinds.DIFF_SOME)):
            asked = provider_pb2.DiffRequest(old_inputs=encode({"a": 1}), news=encode(news))
            assert provider.call("Diff", asked, kinds).changes == difference
        there = provider.call(
            "Read", provider_pb2.ReadRequest(id="x", urn=f"{URN}{ID}::t"), provider_pb2.ReadResponse
        )
        assert there.id == "x"
        assert MARK in str(decode(there.properties)[0]["hex"])
        provider.call("Delete", provider_pb2.DeleteRequest(id="x"), empty_pb2.Empty)
        provider.call("Attach", plugin_pb2.PluginAttach(address=provider.engine), empty_pb2.Empty)


def test_a_function_is_answered_with_its_arguments_and_marked_results() -> None:
    with other("tls", "--rehearse") as provider:
        request = provider_pb2.InvokeRequest(
            tok="tls:index/getCertificate:getCertificate", args=encode({"url": "https://example.com"})
        )
        answer = decode(
            provider.call("Invoke", request, provider_pb2.InvokeResponse).__getattribute__("return")
        )
        (certificate, *_) = cast("list[dict[str, object]]", answer[0]["certificates"])
        assert MARK in str(certificate["sha1Fingerprint"])
        assert any("what depends on them is undecided" in said for said in provider.said)
        request.args.CopyFrom(encode({"url": UNKNOWN}))
        assert not provider.call("Invoke", request, provider_pb2.InvokeResponse).HasField("return")


def test_what_nobody_can_look_into_says_so() -> None:
    with other("acme", "--unseen") as provider:
        inputs, failures = provider.check("acme:platform:Service", {"size": 3})
        assert (failures, inputs["size"]) == ([], 3)
        assert "whether this makes other resources" in str(inputs[UNSEEN])
        with pytest.raises(grpc.RpcError, match=r"takes parameters only.*plugin install resource acme"):
            provider.call(
                "Parameterize", provider_pb2.ParameterizeRequest(), provider_pb2.ParameterizeResponse
            )


def test_a_package_that_an_sdk_was_generated_for_is_unseen(tmp_path: Path) -> None:
    for name in ("netlify", "my_cloud"):
        (tmp_path / f"pulumi_{name}").mkdir()
        (tmp_path / f"pulumi_{name}" / "site.py").write_text(SITE.format(name=name.replace("_", "-")))
    provider = Other("", Fence(), catalog=Catalog("terraform-provider", sdk=tmp_path / "pulumi_netlify"))
    request = provider_pb2.ParameterizeRequest()
    request.value.name, request.value.version = "my-cloud", "0.2.3"
    answered = provider.parameterize(request)
    assert (answered.name, answered.version) == ("my-cloud", "0.2.3")
    urn = f"{URN}my-cloud:index/site:Site::s"
    checked, _ = decode(provider.check(provider_pb2.CheckRequest(urn=urn, news=encode({"a": 1}))).inputs)
    assert checked["a"] == 1
    assert "whether this makes other resources" in str(checked[UNSEEN])
    created = provider.create(provider_pb2.CreateRequest(urn=urn, properties=encode(checked)))
    assert MARK in str(decode(created.properties)[0]["url"])
    request.value.name = "../../evil"
    with pytest.raises(NotDeployableError):
        provider.parameterize(request)


SITE = """
@pulumi.type_token("{name}:index/site:Site")
class Site(pulumi.CustomResource):
    @_builtins.property
    @pulumi.getter
    def url(self) -> pulumi.Output[_builtins.str]:
        return pulumi.get(self, "url")
"""


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The engine's side, which notes what is registered."""

    def __init__(self) -> None:
        self.registered: list[resource_pb2.RegisterResourceRequest] = []
        self.outputs: list[Properties] = []

    def RegisterResource(  # noqa: N802 - gRPC's name
        self,
        request: resource_pb2.RegisterResourceRequest,
        context: object,  # noqa: ARG002 - gRPC's
    ) -> resource_pb2.RegisterResourceResponse:
        self.registered.append(request)
        return resource_pb2.RegisterResourceResponse(urn=f"{URN}{request.type}::{request.name}")

    def ReadResource(  # noqa: N802 - gRPC's name
        self,
        request: resource_pb2.ReadResourceRequest,
        context: object,  # noqa: ARG002 - gRPC's
    ) -> resource_pb2.ReadResourceResponse:
        return resource_pb2.ReadResourceResponse(urn=f"{URN}{request.type}::{request.name}")

    def RegisterResourceOutputs(  # noqa: N802 - gRPC's name
        self,
        request: resource_pb2.RegisterResourceOutputsRequest,
        context: object,  # noqa: ARG002 - gRPC's
    ) -> empty_pb2.Empty:
        self.outputs.append(decode(request.outputs)[0])
        return empty_pb2.Empty()


@contextlib.contextmanager
def monitoring() -> Generator[tuple[_Monitor, str]]:
    monitor = _Monitor()
    server: Any = grpc.server(futures.ThreadPoolExecutor(2))  # pyright: ignore[reportUnknownMemberType]
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)  # type: ignore[arg-type]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield monitor, f"127.0.0.1:{port}"
    server.stop(None)


def test_a_component_is_registered_without_what_it_is_made_of() -> None:
    with other("awsx") as provider, monitoring() as (monitor, address):
        request = provider_pb2.ConstructRequest(
            type="awsx:ec2:Vpc",
            name="vpc",
            inputs=encode({"natGateways": {"strategy": "None"}}),
            monitorEndpoint=address,
            dryRun=True,
        )
        made = provider.call("Construct", request, provider_pb2.ConstructResponse)
        assert made.urn == f"{URN}awsx:ec2:Vpc::vpc"
        (registered,) = monitor.registered
        assert "no one knows what it is made of" in str(decode(registered.object)[0][UNSEEN])
        assert monitor.outputs == [decode(made.state)[0]]
        assert decode(made.state)[0]["vpcId"] == UNKNOWN


# As SDKs were until 2021: without a class of arguments, and without a file that says what they are.
CLUSTER = """
class Cluster(pulumi.ComponentResource):
    def __init__(__self__, resource_name, opts=None):
        super(Cluster, __self__).__init__(
            'acme:index:Cluster',
            resource_name)

    @property
    @pulumi.getter
    def provider(self) -> pulumi.Output['pulumi_kubernetes.Provider']:
        return pulumi.get(self, "provider")

    @property
    @pulumi.getter
    def idle(self) -> pulumi.Output['pulumi_kubernetes.Provider']:
        return pulumi.get(self, "idle")

    @property
    @pulumi.getter
    def role(self) -> pulumi.Output['pulumi_aws.iam.Role']:
        return pulumi.get(self, "role")
"""


@pytest.mark.parametrize("preview", [True, False])
def test_a_program_can_give_a_components_provider_to_other_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, preview: bool
) -> None:
    for name in ("acme", "kubernetes"):
        (tmp_path / f"pulumi_{name}").mkdir()
        (tmp_path / f"pulumi_{name}-2.9.1.dist-info").mkdir()
    (tmp_path / "pulumi_acme" / "cluster.py").write_text(CLUSTER)
    (tmp_path / "pulumi_kubernetes" / "provider.py").write_text("class Provider(pulumi.ProviderResource):\n")
    lookups = Lookups((), frozenset({"provider", "role"}))
    monkeypatch.setattr("tapgate.embedded.aws_provider.marks._lookups", lambda: lookups)
    catalog = Catalog("acme", sdk=tmp_path / "pulumi_acme")
    with monitoring() as (monitor, address):
        request = provider_pb2.ConstructRequest(
            type="acme:index:Cluster", name="c", monitorEndpoint=address, dryRun=preview
        )
        made, _ = decode(Other("", Fence(), catalog=catalog).construct(request).state)
    component, *providers = monitor.registered
    assert component.type == "acme:index:Cluster"
    names = {"provider"} if preview else {"provider", "idle"}
    assert {one.name for one in providers} == {f"c-{name}" for name in names}
    assert {(one.type, one.custom, one.version) for one in providers} == {(KUBERNETES, True, "2.9.1")}
    reference = made["provider"]
    assert isinstance(reference, dict)
    assert reference["urn"] == f"{URN}{KUBERNETES}::c-provider"
    assert "packageVersion" not in reference  # Older SDKs of Pulumi fail on it.
    role = made["role"]
    assert (role == UNKNOWN) if preview else (isinstance(role, dict) and "aws:iam" in str(role["urn"]))

"""What stands between the engine and a language host: stack references mean stacks that are there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from concurrent import futures
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, language_pb2, resource_pb2

from tapgate.embedded import environment
from tapgate.embedded.answers import ANSWERED, ASKED
from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.language_host import References
from tapgate.embedded.packages import shims
from tapgate.embedded.stacks import EmbeddedStacks, outputs_of

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from google.protobuf.message import Message

Resolved = Callable[[str], tuple[str, dict[str, object], list[str], list[str]]]
REFERENCE = "pulumi:pulumi:StackReference"
MONITOR = "/pulumirpc.ResourceMonitor/"
PROGRAM = 'import pulumi\nnet = pulumi.StackReference("acme/network/prod")\nnet.get_output("vpcId")\n'
ANSWERS = {
    "version": 1,
    "recorded": "2026-01-01",
    "stacks": {"acme/network/prod": {"vpcId": "vpc-0123"}, "organization/data/prod": {"arn": "given"}},
}


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


class Peers:
    """The engine with its monitor, and the language host: all that talks to the process in between."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.run: language_pb2.RunRequest | None = None
        self.asked: list[tuple[str, Any]] = []
        library = cast("Any", grpc)
        self._server = library.server(futures.ThreadPoolExecutor(4))
        answers: dict[str, tuple[Callable[[bytes], Message], Callable[[Any, Any], Message]]] = {
            "/pulumirpc.Engine/Log": (engine_pb2.LogRequest.FromString, self._log),
            "/pulumirpc.LanguageRuntime/Run": (language_pb2.RunRequest.FromString, self._run),
            f"{MONITOR}RegisterResource": (resource_pb2.RegisterResourceRequest.FromString, self._register),
            f"{MONITOR}ReadResource": (resource_pb2.ReadResourceRequest.FromString, self._read),
            f"{MONITOR}Invoke": (resource_pb2.ResourceInvokeRequest.FromString, self._invoke),
        }

        class Handler(library.GenericRpcHandler):  # type: ignore[misc,name-defined]
            def service(self, details: object) -> object:
                read, answer = answers[cast("Any", details).method]
                return library.unary_unary_rpc_method_handler(
                    answer, request_deserializer=read, response_serializer=_bytes
                )

        self._server.add_generic_rpc_handlers((Handler(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None)

    def _log(self, request: engine_pb2.LogRequest, _context: object) -> Message:
        self.said.append(request.message)
        return empty_pb2.Empty()

    def _run(self, request: language_pb2.RunRequest, _context: object) -> Message:
        self.run = request
        return language_pb2.RunResponse(bail=True)

    def _register(self, request: resource_pb2.RegisterResourceRequest, context: object) -> Message:
        self.asked.append((request.type, request))
        if request.type == "test:index:Refused":
            cast("Any", context).set_trailing_metadata((("why", "policy"),))
            cast("Any", context).abort(grpc.StatusCode.PERMISSION_DENIED, "it may not be made")
        return resource_pb2.RegisterResourceResponse(urn="urn", object=request.object)

    def _read(self, request: resource_pb2.ReadResourceRequest, _context: object) -> Message:
        self.asked.append((request.id, request))
        return resource_pb2.ReadResourceResponse(urn="urn", properties=request.properties)

    def _invoke(self, request: resource_pb2.ResourceInvokeRequest, _context: object) -> Message:
        self.asked.append((request.tok, request))
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").update(dict(request.args))
        return answer


@pytest.fixture
def peers() -> Generator[Peers]:
    made = Peers()
    yield made
    made.close()


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedStacks:
    """A folder backend, its answers file, and a Python program that refers to stacks."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "back end").as_uri())
    (tmp_path / "answers.json").write_text(json.dumps(ANSWERS))
    monkeypatch.setenv(environment.ANSWERS, str(tmp_path / "answers.json"))
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("{name: shop, runtime: python}")
    (program / "__main__.py").write_text(PROGRAM)
    return EmbeddedStacks(tmp_path / "back end")


def between(tmp_path: Path, host: str, engine: str) -> subprocess.Popen[str]:
    """Start what the engine finds as the program's language host, which is this shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    real = folder / "pulumi-language-python"
    real.write_text(f"#!/bin/sh\n{host}\n")
    real.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    script = tmp_path / "host"
    script.write_text(shims(tmp_path / "program" / "Pulumi.yaml", {"PATH": path})["pulumi-language-python"])
    return subprocess.Popen(["/bin/sh", script, "--some-flag", engine], stdout=subprocess.PIPE, text=True)


def call(address: str, method: str, request: Message, answer: type[Any]) -> Any:  # noqa: ANN401 - whichever was asked for
    """Call a method of a process as the engine or a program does."""
    with grpc.insecure_channel(address) as channel:
        return cast("Any", channel).unary_unary(
            method,
            request_serializer=_bytes,
            response_deserializer=answer.FromString,
        )(request, timeout=20)


def known(backend: EmbeddedStacks, name: str) -> dict[str, object]:
    """The outputs of the stack that the engine finds by a name."""
    organization, project, stack = name.split("/")
    assert organization == "organization"
    return outputs_of(backend.path(project, stack))


def test_a_program_reaches_stacks_through_it(peers: Peers, backend: EmbeddedStacks, tmp_path: Path) -> None:
    port = peers.address.rpartition(":")[2]
    with between(tmp_path, f'echo {port}; echo "$@"; exec sleep 600', peers.address) as process:
        assert process.stdout is not None
        address = f"127.0.0.1:{process.stdout.readline().strip()}"
        assert address != peers.address
        assert process.stdout.readline() == f"--some-flag {peers.address}\n"
        run = language_pb2.RunRequest(
            project="shop", pwd=str(tmp_path / "program"), monitor_address=peers.address, args=["a"]
        )
        answer = call(address, "/pulumirpc.LanguageRuntime/Run", run, language_pb2.RunResponse)
        assert answer.bail
        assert peers.run is not None
        assert (peers.run.args, peers.run.monitor_address) == (["a"], address)

        def register(kind: str, name: str) -> tuple[str, str]:
            request = resource_pb2.RegisterResourceRequest(type=kind, name="it")
            request.object.update({"name": name})
            method = f"{MONITOR}RegisterResource"
            result = call(address, method, request, resource_pb2.RegisterResourceResponse)
            return str(peers.asked[-1][1].object["name"]), str(result.object["name"])

        meant, told = register(REFERENCE, "acme/network/prod")
        assert told == "acme/network/prod"
        assert known(backend, meant) == {**known(backend, meant), "vpcId": "vpc-0123"}
        # Others, even those that name the type, are none of its business.
        assert register("aws:sqs/queue:Queue", REFERENCE) == (REFERENCE, REFERENCE)
        read = resource_pb2.ReadResourceRequest(type=REFERENCE, name="it", id="acme/network/prod")
        result = call(address, f"{MONITOR}ReadResource", read, resource_pb2.ReadResourceResponse)
        assert (peers.asked[-1][0], str(peers.asked[-1][1].properties["name"])) == (meant, meant)
        assert str(result.properties["name"]) == "acme/network/prod"
        invoke = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:readStackOutputs")
        invoke.args.update({"name": "acme/network/prod"})
        result = call(address, f"{MONITOR}Invoke", invoke, resource_pb2.ResourceInvokeResponse)
        assert str(peers.asked[-1][1].args["name"]) == meant
        assert str(getattr(result, "return")["name"]) == "acme/network/prod"
        # Said once, though it was asked three times.
        assert [one for one in peers.said if one.startswith(ANSWERED)] == [
            f'{ANSWERED}stacks["acme/network/prod"]'
        ]
        with pytest.raises(grpc.RpcError) as refused:
            register("test:index:Refused", "")
        error = cast("Any", refused.value)
        assert (error.code(), error.details()) == (grpc.StatusCode.PERMISSION_DENIED, "it may not be made")
        assert dict(error.trailing_metadata())["why"] == "policy"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) != 0


def test_a_component_whose_language_has_no_host_is_served_by_what_stands_in_for_it(tmp_path: Path) -> None:
    project, path = tmp_path / "Pulumi.yaml", str(tmp_path / "bin")
    text = "name: a\nruntime: yaml\nresources: {n: {type: 'net:index:Net'}}\npackages: "
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "PulumiPlugin.yaml").write_text("runtime: nodejs")
    for packages in ("{net: ./net@0.0.0}", "{net: {source: net}}", "{net: ./net}"):
        project.write_text(f"{text}{packages}\n")
        made = shims(project, {"PATH": path})
        assert "nodejs" in " ".join(made)
    assert "--unseen" in made["pulumi-resource-net"]
    script, plugin = tmp_path / "host", tmp_path / "bin" / "pulumi-resource-net"
    script.write_text(made["pulumi-language-nodejs"])
    plugin.parent.mkdir()
    plugin.write_text('#!/bin/sh\necho "$@"; exit 3\n')
    plugin.chmod(0o755)
    environment = {**os.environ, "PATH": path}
    with subprocess.Popen(
        ["/bin/sh", script, "engine:1"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = f"127.0.0.1:{process.stdout.readline().strip()}"
        info = language_pb2.ProgramInfo(program_directory=str(tmp_path / "net"))
        request = language_pb2.RunPluginRequest(args=["engine:1"], info=info)
        assert run_plugin(address, request) == [b"engine:1\n", 3]
        with pytest.raises(grpc.RpcError, match="no language host that could start"):
            run_plugin(address, language_pb2.RunPluginRequest(info=language_pb2.ProgramInfo()))
        process.communicate()
    hosts, python = tmp_path / "hosts", "name: a\nruntime: python\npackages: {net: ./net}\n"
    hosts.mkdir()
    (tmp_path / "__main__.py").write_text("import pulumi_net")

    def served(text: str) -> set[str]:
        project.write_text(text)
        return {name for name in shims(project, {"PATH": str(hosts)}) if "language" in name}

    assert served(python) == {"pulumi-language-nodejs"}
    # It serves no program, and no component that nothing uses or whose host is there.
    assert served(python.replace("python", "nodejs")) == set()
    assert served("name: a\nruntime: yaml\npackages: {net: ./net}\n") == set()
    (hosts / "pulumi-language-nodejs").symlink_to(plugin)
    assert served(python) == set()
    (tmp_path / "net" / "PulumiPlugin.yaml").write_text("runtime: python")
    assert served(python) == set()


def run_plugin(address: str, request: language_pb2.RunPluginRequest) -> list[object]:
    """Start a component as the engine does, and return what it prints and its exit code."""
    with grpc.insecure_channel(address) as channel:
        said = cast("Any", channel).unary_stream(
            "/pulumirpc.LanguageRuntime/RunPlugin",
            request_serializer=_bytes,
            response_deserializer=language_pb2.RunPluginResponse.FromString,
        )(request, timeout=20)
        return [getattr(one, one.WhichOneof("output")) for one in said]


def test_a_host_that_does_not_start_says_so_itself(backend: EmbeddedStacks, tmp_path: Path) -> None:
    assert backend
    with between(tmp_path, "echo no python here; echo and nowhere else; exit 3", "") as process:
        assert process.stdout is not None
        assert process.stdout.read() == "no python here\nand nowhere else\n"
        assert process.wait(20) == 3


@pytest.fixture
def resolved(backend: EmbeddedStacks, tmp_path: Path) -> Resolved:
    """Resolves a name: the engine's name, the outputs there, what users and what the log are told."""

    def resolve(name: str) -> tuple[str, dict[str, object], list[str], list[str]]:
        said: list[str] = []
        noted: list[str] = []
        references = References(said.append, noted.append)
        references.project, references.folder = "shop", tmp_path / "program"
        meant = references.resolve(name)
        return meant, known(backend, meant), said, noted

    return resolve


def test_what_an_answers_file_says_of_a_stack_goes_before_what_its_text_tells(resolved: Resolved) -> None:
    meant, outputs, said, noted = resolved("acme/network/prod")
    assert meant.startswith("organization/tapgate-answers/")
    assert outputs["vpcId"] == "vpc-0123"
    assert said == []
    assert noted == [
        f'{ASKED}{{"kind": "stack", "of": "acme/network/prod"}}',
        f'{ANSWERED}stacks["acme/network/prod"]',
    ]


def test_outputs_of_a_stack_that_no_one_knows_stand_in_and_that_is_said(resolved: Resolved) -> None:
    meant, outputs, said, noted = resolved("acme/network/dev")
    assert meant != resolved("acme/network/prod")[0]
    assert MARK in str(outputs["vpcId"])
    (one,) = said
    assert one.startswith('no one asks a backend here: the outputs of stack "acme/network/dev" stand in')
    assert "Fix: give them by --answers FILE" in one
    assert noted == [f'{ASKED}{{"kind": "stack", "of": "acme/network/dev"}}']


def test_a_stack_of_the_backend_is_itself(backend: EmbeddedStacks, resolved: Resolved) -> None:
    backend.create("network", "prod", {"vpcId": "vpc-of-the-backend"})
    backend.create("shop", "shared", {"own": 1})
    backend.create("data", "prod", {"arn": "of the backend", "more": [1]})
    # By a full name, and by the short one of a stack of this project.
    assert resolved("organization/network/prod")[0] == "organization/network/prod"
    meant, outputs, said, _ = resolved("shared")
    assert (meant, outputs, said) == ("organization/shop/shared", {"own": 1}, [])
    # Answers about it are laid over what it has.
    meant, outputs, said, noted = resolved("organization/data/prod")
    assert meant.startswith("organization/tapgate-answers/")
    assert (outputs, said) == ({"arn": "given", "more": [1]}, [])
    assert noted[-1] == f'{ANSWERED}stacks["organization/data/prod"]'


def test_a_backend_that_is_no_folder_is_the_engines(
    backend: EmbeddedStacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert backend
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    noted: list[str] = []
    references = References(noted.append, noted.append)
    references.folder = tmp_path / "program"
    assert (references.resolve("acme/network/prod"), noted) == ("acme/network/prod", [])

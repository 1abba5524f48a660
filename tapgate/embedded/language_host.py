"""Stands between the engine and a language host, so that a program can refer to stacks of any backend.

Where there is none, and components of the project are in that language, it stands in for the host: in place
of each component it starts what stands in for its package.

The engine itself resolves a StackReference, by its backend; one in a folder knows no organization but
`organization`, and none of the stacks elsewhere. So a program that refers to stacks talks to the engine
through this process. It gives the engine the name of a stack in the folder backend that has the outputs of
the one that is meant: as the answers file says them, else marked.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from tapgate.embedded.aws_provider.__main__ import load_without_sdk

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from pulumi.runtime.proto import language_pb2

_OPTIONS: Final = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
]
_THREADS: Final = 256
_MONITOR: Final = "/pulumirpc.ResourceMonitor/"
_RUN: Final = "/pulumirpc.LanguageRuntime/Run"
_SERVICE: Final = "pulumirpc.LanguageRuntime"
_PLUGIN: Final = "pulumi-resource-"
_TYPE: Final = "pulumi:pulumi:StackReference"
_FUNCTION: Final = "pulumi:pulumi:readStackOutputs"
_PROJECT: Final = "tapgate-answers"
"""The project of the stacks that stand in."""
_PARTS: Final = 3


class _Call(NamedTuple):
    """A method of the monitor: its messages, and the field of each that has the stack's properties."""

    request: str
    asked: str
    response: str
    answered: str


_CALLS: Final = {
    "ReadResource": _Call("ReadResourceRequest", "properties", "ReadResourceResponse", "properties"),
    "RegisterResource": _Call("RegisterResourceRequest", "object", "RegisterResourceResponse", "object"),
    "Invoke": _Call("ResourceInvokeRequest", "args", "ResourceInvokeResponse", "return"),
}


class References:
    """Finds, or writes, the stack in the folder backend that has the outputs of the one that is meant.

    Args:
        say: Shows the user a warning.
        note: Leaves a message in the log.
    """

    def __init__(self, say: Callable[[str], None], note: Callable[[str], None]) -> None:
        """Take the two ways to say something."""
        self._say, self._note = say, note
        self.project = ""
        self.folder = Path()

    def resolve(self, name: str) -> str:
        """Return the name by which the engine finds the stack."""
        from tapgate.embedded.answers import ANSWERED, asked, given, stack_name  # noqa: PLC0415 - after the SDK was put aside
        from tapgate.embedded.program_text import outputs  # noqa: PLC0415
        from tapgate.embedded.stacks import EmbeddedStacks, outputs_of  # noqa: PLC0415

        *before, stack = name.split("/")
        project = before[-1] if len(before) == _PARTS - 1 else self.project
        url = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
        if url.scheme != "file":
            return name
        backend = EmbeddedStacks(Path(unquote(url.path)))
        answered = given().file.stacks.get(name)
        self._note(asked("stack", name))
        there = backend.has(project, stack) if project and stack else False
        if answered is not None:
            self._note(f"{ANSWERED}{stack_name(name)}")
        elif there:
            return f"organization/{project}/{stack}"
        else:
            self._say(
                f'no one asks a backend here: the outputs of stack "{name}" stand in, and what depends on '
                "them is undecided. Fix: give them by --answers FILE (`tapgate answers` makes it)"
            )
        known = outputs_of(backend.path(project, stack)) if there else outputs(self.folder, name)
        known.update(answered or {})
        digest = hashlib.sha256(json.dumps([name, known], sort_keys=True).encode()).hexdigest()[:16]
        backend.create(_PROJECT, digest, known)
        return f"organization/{_PROJECT}/{digest}"


class _Between:
    """Serves what a language host and the engine's monitor serve, by asking them.

    Args:
        host: The address of the language host.
        references: Resolves the names of stacks.
    """

    def __init__(self, host: str, references: References) -> None:
        import grpc  # noqa: PLC0415 - after the SDK was put aside

        self._grpc = cast("Any", grpc)
        self._references = references
        self._host = self._grpc.insecure_channel(host, options=_OPTIONS)
        self._monitor: Any = None
        self._server = self._grpc.server(futures.ThreadPoolExecutor(_THREADS), options=_OPTIONS)
        between = self

        class Handler(self._grpc.GenericRpcHandler):  # type: ignore[misc,name-defined]
            def service(self, handler_call_details: Any) -> object:  # noqa: ANN401 - grpc's own, untyped
                return between.handler(handler_call_details.method)

        self._server.add_generic_rpc_handlers((Handler(),))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def handler(self, method: str) -> object:
        """Return what serves a method: the same one on the other side, with what is changed on the way."""

        def serve(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:  # noqa: ANN401 - grpc's own
            channel = self._monitor if method.startswith(_MONITOR) else self._host
            name = ""

            def changed() -> Iterator[bytes]:
                nonlocal name
                for request in requests:
                    body, name = self._outward(method, request)
                    yield body

            metadata = [one for one in context.invocation_metadata() if not one.key.startswith("grpc-")]
            call = channel.stream_stream(method)(changed(), metadata=metadata)
            context.add_callback(call.cancel)
            try:
                for response in call:
                    yield self._inward(method, response, name)
            except self._grpc.RpcError as error:
                context.set_trailing_metadata(error.trailing_metadata() or ())
                context.abort(error.code(), error.details())

        return self._grpc.stream_stream_rpc_method_handler(serve)

    def _outward(self, method: str, request: bytes) -> tuple[bytes, str]:
        """Return a request as it goes on, and the name of a stack that was replaced in it."""
        from pulumi.runtime.proto import language_pb2, resource_pb2  # noqa: PLC0415

        if method == _RUN:
            run = language_pb2.RunRequest.FromString(request)
            self._monitor = self._grpc.insecure_channel(run.monitor_address, options=_OPTIONS)
            run.monitor_address = f"127.0.0.1:{self.port}"
            self._references.project = run.project
            self._references.folder = Path(run.info.root_directory or run.pwd or ".")
            return run.SerializeToString(), ""
        call = _CALLS.get(method.removeprefix(_MONITOR))
        if call is None or (_TYPE.encode() not in request and _FUNCTION.encode() not in request):
            return request, ""
        body = getattr(resource_pb2, call.request).FromString(request)
        if (body.tok if method.endswith("/Invoke") else body.type) not in {_TYPE, _FUNCTION}:
            return request, ""
        properties = getattr(body, call.asked)
        name = str(properties["name"]) if "name" in properties.fields else str(getattr(body, "id", ""))
        meant = self._references.resolve(name)
        properties["name"] = meant
        if method.endswith("/ReadResource"):
            body.id = meant
        return body.SerializeToString(), name

    def _inward(self, method: str, response: bytes, name: str) -> bytes:
        """Return a response with the name of the stack as the program gave it."""
        if not name:
            return response
        from pulumi.runtime.proto import resource_pb2  # noqa: PLC0415

        call = _CALLS[method.removeprefix(_MONITOR)]
        answer = getattr(resource_pb2, call.response).FromString(response)
        properties = getattr(answer, call.answered)
        if "name" in properties.fields:
            properties["name"] = name
        return answer.SerializeToString()


class _StandIn:
    """Serves of a language host what the engine asks to start a component.

    Args:
        components: The packages of components, by their folders.
    """

    def __init__(self, components: dict[str, str]) -> None:
        import grpc  # noqa: PLC0415 - after the SDK was put aside
        from google.protobuf import empty_pb2  # noqa: PLC0415
        from pulumi.runtime.proto import language_pb2, plugin_pb2  # noqa: PLC0415

        self._components = components
        self._response = language_pb2.RunPluginResponse
        self._not_found = grpc.StatusCode.NOT_FOUND
        library, started = cast("Any", grpc), language_pb2.RunPluginRequest.FromString
        handlers = {
            "Handshake": language_pb2.LanguageHandshakeResponse,
            "GetPluginInfo": plugin_pb2.PluginInfo,
            "Cancel": empty_pb2.Empty,
        }
        served = {
            name: library.unary_unary_rpc_method_handler(_answer(message))
            for name, message in handlers.items()
        }
        served["RunPlugin"] = library.unary_stream_rpc_method_handler(
            self.run_plugin, request_deserializer=started, response_serializer=_bytes
        )
        self.server = library.server(futures.ThreadPoolExecutor(_THREADS), options=_OPTIONS)
        self.server.add_generic_rpc_handlers((library.method_handlers_generic_handler(_SERVICE, served),))
        self.port: int = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def run_plugin(self, request: language_pb2.RunPluginRequest, context: Any) -> Iterator[Message]:  # noqa: ANN401
        """Start what stands in for a component, and pass on what it says until it ends."""
        folder = Path(request.info.program_directory).resolve()
        package = self._components.get(str(folder))
        program = shutil.which(f"{_PLUGIN}{package}") if package else None
        if program is None:
            context.abort(self._not_found, f"there is no language host that could start {folder}")
            return
        with subprocess.Popen([program, *request.args], stdout=subprocess.PIPE) as plugin:
            context.add_callback(plugin.terminate)
            assert plugin.stdout is not None  # noqa: S101 - a pipe
            for line in plugin.stdout:
                yield self._response(stdout=line)
            yield self._response(exitcode=plugin.wait())


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _answer(message: Callable[[], Message]) -> Callable[[bytes, object], bytes]:
    return lambda _request, _context: message().SerializeToString()


def main(program: str, arguments: list[str]) -> int:
    """Start a language host, and serve in its place until it ends.

    Args:
        program: The language host; empty where there is none.
        arguments: Its arguments; the last is the engine's address. Where there is no host, the components
            that it would start come first, each as PACKAGE=FOLDER.
    """
    load_without_sdk()
    if not program:
        components = [one.partition("=") for one in arguments if "=" in one and not one.startswith("-")]
        host = _StandIn({folder: package for package, _, folder in components})
        sys.stdout.write(f"{host.port}\n")
        sys.stdout.flush()
        # The engine ends it by a signal, and by closing its standard input where it is killed.
        sys.stdin.read()
        return 0
    from tapgate.embedded.aws_provider.server import EngineLog  # noqa: PLC0415 - after the SDK was put aside

    # Not this process's standard output: the engine reads the port there.
    with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True) as host:

        def end(_number: int, _frame: object) -> None:
            host.terminate()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        assert host.stdout is not None  # noqa: S101 - a pipe
        first = host.stdout.readline()
        if first.strip().isdecimal():
            log = EngineLog(arguments[-1] if arguments else "")
            references = References(log.warn_once, log.note_once)
            between = _Between(f"127.0.0.1:{first.strip()}", references)
            first = f"{between.port}\n"
        for line in chain([first], host.stdout):
            sys.stdout.write(line)
            sys.stdout.flush()
        return host.wait()

"""A running policy pack, started the way the engine does: by the language host of its runtime."""

from __future__ import annotations

import shutil
import subprocess
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final, Self, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    analyzer_pb2,
    analyzer_pb2_grpc,
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
)

from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sanitized_lines, text
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from google.protobuf.message import Message

OPTIONS: Final = (
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
)


def struct(values: Mapping[str, object]) -> struct_pb2.Struct:
    """Return JSON-like values as a protobuf Struct."""
    message = struct_pb2.Struct()
    message.update(cast("dict[str, Any]", values))
    return message


_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
# Longer than any sound policy takes on any stack; a pack that hangs must not hang an audit.
_CALL_SECONDS: Final = 300.0
_GONE: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


def _details(error: grpc.RpcError) -> str:
    return str(cast("grpc.Call", error).details())


class _Engine(engine_pb2_grpc.EngineServicer):
    """What a pack needs of an engine: somewhere to log to."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        if request.severity >= engine_pb2.WARNING:
            self.messages.append(request.message)
        return empty_pb2.Empty()


class PackProcess:
    """A policy pack that runs until it is closed.

    Raises:
        CouldNotRunError: it does not start, with its own words.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._environment = None if environment is None else dict(environment)
        self.alive = True
        self._engine = _Engine()
        self._output: list[str] = []
        self._host: subprocess.Popen[str] | None = None
        self._channels: list[grpc.Channel] = []
        make = cast("Callable[..., grpc.Server]", vars(grpc)["server"])
        self._server = make(futures.ThreadPoolExecutor(max_workers=2), options=OPTIONS)
        engine_pb2_grpc.add_EngineServicer_to_server(self._engine, self._server)
        self._address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        try:
            self._pack = self._start()
            self.info: analyzer_pb2.AnalyzerInfo = self._pack.GetAnalyzerInfo(
                empty_pb2.Empty(), timeout=_START_SECONDS
            )
        except grpc.RpcError as error:
            self.close()
            raise self._failure(_details(error)) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, method: str, request: Message) -> Any:  # noqa: ANN401 - the method's answer
        """Call a method of the pack.

        Raises:
            CouldNotRunError: it refuses what it is given, a policy raised, or the pack has died.
        """
        try:
            return getattr(self._pack, method)(request, timeout=_CALL_SECONDS)
        except grpc.RpcError as error:
            code = cast("grpc.Call", error).code()
            # Packs of before 2025 have no such method, and the engine goes on without it.
            if method == "ConfigureStack" and code is grpc.StatusCode.UNIMPLEMENTED:
                return None
            self.alive = self.alive and code not in _GONE
            raise self._failure(_details(error)) from error

    def close(self) -> None:
        """End the pack and its language host."""
        for channel in reversed(self._channels):
            channel.close()
        self._channels.clear()
        if self._host is not None:
            self._host.terminate()
            try:
                self._host.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._host.kill()
                self._host.wait()
            for stream in (self._host.stdin, self._host.stdout):
                if stream is not None:
                    stream.close()
            self._host = None
        self._server.stop(None)

    def _start(self) -> Any:  # noqa: ANN401 - a stub, untyped in pulumi
        body = read_yaml(self.folder / "PulumiPolicy.yaml", "policy pack's project file")
        runtime = body.get("runtime")
        name = text(runtime) or text(mapping(runtime).get("name"))
        host = self._start_host(name)
        options = struct(mapping(mapping(runtime).get("options")))
        folder = str(self.folder)
        language_host: Any = language_pb2_grpc.LanguageRuntimeStub(self._connect(host))
        stream = language_host.RunPlugin(
            language_pb2.RunPluginRequest(
                pwd=folder,
                args=[self._address],
                kind="analyzer",
                info=language_pb2.ProgramInfo(
                    root_directory=folder, program_directory=folder, entry_point=".", options=options
                ),
            )
        )
        pack: Any = analyzer_pb2_grpc.AnalyzerStub(self._connect(self._port_of_the_pack(stream)))
        pack.Handshake(
            analyzer_pb2.AnalyzerHandshakeRequest(
                engine_address=self._address, root_directory=folder, program_directory=folder
            ),
            timeout=_START_SECONDS,
        )
        return pack

    def _start_host(self, runtime: str) -> str:
        program = shutil.which(f"pulumi-language-{runtime}")
        if program is None:
            raise CouldNotRunError(
                f"The language host for {runtime} is missing.",
                where="PATH",
                why="the policy pack is started through it.",
                fix="install the full Pulumi CLI; `tapgate doctor` shows what is there.",
            )
        self._host = subprocess.Popen(
            [program, self._address],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )
        assert self._host.stdout is not None  # noqa: S101 - it was asked for
        port = self._host.stdout.readline().strip()
        if not port.isdecimal():
            raise self._failure(f"the language host {program} did not say its port")
        return port

    def _connect(self, port: str) -> grpc.Channel:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS)
        self._channels.append(channel)
        return channel

    def _port_of_the_pack(self, stream: Iterable[language_pb2.RunPluginResponse]) -> str:
        """Read the pack's first line; what it says later is kept for messages."""
        line = ""
        responses = iter(stream)
        for response in responses:
            if response.HasField("exitcode"):
                break
            line += response.stdout.decode(errors="replace")
            self._output.append(response.stderr.decode(errors="replace"))
            if "\n" in line:
                break
        port = line.split("\n", 1)[0].strip()
        if not port.isdecimal():
            raise self._failure("it ended before it was ready")
        threading.Thread(target=self._listen, args=(responses,), daemon=True).start()
        return port

    def _listen(self, responses: Iterable[language_pb2.RunPluginResponse]) -> None:
        try:
            for response in responses:
                self._output.append(response.stderr.decode(errors="replace"))
        except grpc.RpcError:
            pass

    def _failure(self, problem: str) -> CouldNotRunError:
        from tapgate.diagnose import without_traceback  # noqa: PLC0415 - only of a pack that failed

        output = "".join([*self._output, *(f"{message}\n" for message in self._engine.messages)])
        return CouldNotRunError(
            "The policy pack does not run.",
            where=str(self.folder),
            why="a pack that does not run protects nothing, so this is never a pass.",
            fix="correct the pack (its own words are below); its requirements must be installed.",
            details=(problem, *without_traceback(sanitized_lines(output))[-12:]),
        )

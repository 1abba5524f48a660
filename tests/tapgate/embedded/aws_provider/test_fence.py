"""What a provider may still do once its engine is gone, and what the next run of the stack waits for."""

from __future__ import annotations

import contextlib
import fcntl
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, cast

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tapgate.embedded.aws_provider.deploy.aws import Api
from tapgate.embedded.aws_provider.deploy.fence import Fence
from tapgate.embedded.aws_provider.failures import ApiError
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.values import encode
from tapgate.embedded.paths import cache_root
from tests.tapgate.embedded.aws_provider.conversation import ROOT, URN, Conversation

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

STACK = "urn:pulumi:dev::tap"
EMULATOR = "http://127.0.0.1:4566"


@pytest.fixture
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_root() / "leases"


def _enter(fence: Fence, stack: str = STACK, endpoint: str = EMULATOR) -> list[str]:
    warned: list[str] = []
    fence.enter(stack, endpoint, warned.append)
    return warned


def test_a_lease_is_kept_until_the_end(leases: Path) -> None:
    fence = Fence("127.0.0.1:1", 1)
    assert _enter(fence) == []
    assert _enter(fence) == []
    assert len(list(leases.iterdir())) == 1
    fence.leave()
    assert list(leases.iterdir()) == []


@pytest.mark.parametrize(
    ("engine", "stack", "endpoint"),
    [
        ("127.0.0.1:1", STACK, EMULATOR),
        ("127.0.0.1:2", f"{STACK}2", EMULATOR),
        ("127.0.0.1:2", STACK, "http://127.0.0.1:4567"),
    ],
    ids=["the same run", "another stack", "another emulator"],
)
@pytest.mark.usefixtures("leases")
def test_nobody_waits_for(engine: str, stack: str, endpoint: str) -> None:
    with contextlib.closing(_Held()):
        fence = Fence(engine, 1, wait_seconds=0)
        _enter(fence, stack, endpoint)
        fence.leave()


class _Held:
    """The lease of an earlier run, in its provider's process."""

    def __init__(self) -> None:
        code = (
            "import sys; from tapgate.embedded.aws_provider.deploy.fence import Fence; "
            f"Fence('127.0.0.1:1', 1).enter({STACK!r}, {EMULATOR!r}, print); "
            "print(flush=True); sys.stdin.read()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def close(self) -> None:
        with self.process:
            self.process.kill()


@pytest.mark.usefixtures("leases")
def test_an_earlier_run_that_does_not_end_is_named() -> None:
    with contextlib.closing(_Held()) as earlier:
        said = rf"still at work.* process {earlier.process.pid}\..*Fix: wait for it to end"
        with pytest.raises(ApiError, match=said):
            _enter(Fence("127.0.0.1:2", 1, wait_seconds=0.1))


def test_an_earlier_run_is_waited_for_until_it_is_killed(leases: Path) -> None:
    with contextlib.closing(_Held()) as earlier:
        waited = threading.Timer(0.3, earlier.process.kill)
        waited.start()
        fence, before = Fence("127.0.0.1:2", 1), time.monotonic()
        _enter(fence)
        assert time.monotonic() - before > 0.2
        assert len(list(leases.iterdir())) == 1
        fence.leave()


def test_where_no_lease_can_be_kept_that_is_said(leases: Path) -> None:
    leases.parent.mkdir(parents=True)
    leases.write_text("in the way", "utf-8")
    (warning,) = _enter(Fence("127.0.0.1:1", 1))
    assert re.search("lease of this run cannot be kept in .*leases", warning)


def test_without_its_engine_a_provider_calls_nobody() -> None:
    fence = Fence("127.0.0.1:1", os.getppid() + 1)
    api = Api(Settings(endpoint="http://127.0.0.1:1"), fence.require_open)
    with pytest.raises(ApiError, match=r"engine of this run has ended.*Fix: run the command again"):
        api.call("kms", "eu-west-2", "create_key", {})


def test_a_provider_that_ends_calls_nobody() -> None:
    fence = Fence("127.0.0.1:1", os.getppid())
    fence.require_open()
    fence.close()
    with pytest.raises(ApiError, match="engine of this run has ended"):
        fence.require_open()


class _Stalling(http.server.ThreadingHTTPServer):
    """An emulator that takes its time over the first request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self.asked = threading.Event()
        self.goes_on = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        emulator = cast("_Stalling", self.server)
        emulator.seen.append(self.headers["X-Amz-Target"])
        emulator.asked.set()
        emulator.goes_on.wait(30)
        body = json.dumps({"Keys": []}).encode()
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextlib.contextmanager
def _stalling() -> Generator[_Stalling]:
    with _Stalling() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


ENGINE = """
import subprocess, sys
command = [sys.executable, "-m", "tapgate.embedded.aws_provider", "127.0.0.1:1"]
provider = subprocess.Popen(command, stdout=subprocess.PIPE)
print(provider.stdout.readline().decode().strip(), flush=True)
sys.stdin.read()
"""


def test_a_killed_engine_s_provider_creates_nothing_any_more(leases: Path) -> None:
    """The engine dies between the look for what is there and the creation: no creation follows."""
    with _stalling() as emulator:
        environment = {**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{emulator.server_port}"}
        with subprocess.Popen(
            [sys.executable, "-c", ENGINE],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as engine:
            assert engine.stdout is not None
            address = f"127.0.0.1:{engine.stdout.readline().decode().strip()}"
            with grpc.insecure_channel(address) as channel:
                conversation = Conversation(provider_pb2_grpc.ResourceProviderStub(channel))
                conversation.configure()
                creation = threading.Thread(target=_create_key, args=[conversation])
                creation.start()
                assert emulator.asked.wait(60)
                (lease,) = leases.iterdir()
                assert _held(lease)
                engine.send_signal(signal.SIGKILL)
                deadline = time.monotonic() + 60
                while _held(lease) and time.monotonic() < deadline:
                    time.sleep(0.05)
                assert not _held(lease)
                creation.join(60)
        emulator.goes_on.set()
        time.sleep(0.3)
        assert emulator.seen == ["TrentService.ListKeys"]


def _create_key(conversation: Conversation) -> None:
    key = provider_pb2.CreateRequest(urn=f"{URN}aws:kms/key:Key::k", properties=encode({}))
    with contextlib.suppress(grpc.RpcError):
        conversation.call("Create", key, provider_pb2.CreateResponse)


def _held(lease: Path) -> bool:
    with lease.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import boto3
import pytest

from tapgate.embedded.emulator import ACCOUNT, REGION, Emulator, EmulatorError, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sts import STSClient

ROOT = Path(__file__).parents[4]
pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(environment={"MORE": "yes"}) as running:
        yield running


def _client(emulator: Emulator, service: str) -> object:
    return cast("Callable[..., object]", boto3.client)(
        service,
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="stand-in",
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


def test_it_is_the_stand_in_s_account_and_region(emulator: Emulator) -> None:
    sts = cast("STSClient", _client(emulator, "sts"))
    assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_it_listens_on_the_loopback_address_only(emulator: Emulator) -> None:
    assert _listens(emulator.port)
    with socket.socket() as other:
        other.settimeout(2)
        # An address of this machine that is not 127.0.0.1: nothing may listen there.
        assert other.connect_ex(("127.0.0.2", emulator.port)) != 0


def test_it_leads_sdks_to_itself_and_to_no_credentials_of_the_user(emulator: Emulator) -> None:
    environment = emulator.environment()
    assert environment["AWS_ENDPOINT_URL"] == emulator.endpoint
    assert environment["AWS_REGION"] == REGION
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_it_keeps_its_state_out_of_the_checkout(emulator: Emulator) -> None:
    assert emulator.folder.is_dir()
    assert not emulator.folder.is_relative_to(ROOT)


def test_it_ends_with_its_block_and_leaves_nothing() -> None:
    with Emulator() as running:
        pid, port, folder = running.pid, running.port, running.folder
        assert _alive(pid)
    _wait_until_gone(pid)
    assert not _listens(port)
    assert not folder.exists()
    assert running.pid == 0
    running.stop()
    running.kill()


def test_a_killed_one_can_be_ended() -> None:
    with Emulator() as running:
        pid = running.pid
        running.kill()
        _wait_until_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_process_that_started_it(number: signal.Signals) -> None:
    code = (
        "import sys, time; from tapgate.embedded.emulator import Emulator; e = Emulator(); e.start();"
        "print(e.pid, e.folder, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        assert _alive(int(pid))
        owner.send_signal(number)
        owner.wait(60)
    _wait_until_gone(int(pid))
    for path in sorted(Path(folder).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    Path(folder).rmdir()


def test_a_taken_port_is_named_and_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"port {port} of 127.0.0.1: the port is taken.*Fix: "):
            Emulator(port).start()


def test_without_ministack_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # An isolated interpreter finds no site packages.
    monkeypatch.setattr(sys, "executable", _without_packages())
    with pytest.raises(EmulatorError, match=r"no module ministack.*requirements/embedded\.txt"):
        Emulator().start()


def _without_packages() -> str:
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(base)


def test_an_emulator_that_fails_otherwise_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho all is lost >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(EmulatorError, match="all is lost"):
        Emulator().start()


def test_a_command_runs_with_an_emulator(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; print(os.environ['AWS_ENDPOINT_URL'])"
    assert main(["run", "--", sys.executable, "-c", code]) == 0
    shown = capfd.readouterr()
    assert shown.out.startswith("http://127.0.0.1:")
    assert shown.out.strip() in shown.err
    assert "what was deployed to it is gone" in shown.err


@pytest.mark.parametrize("prepared", [True, False])
def test_the_state_of_what_is_deployed_ends_with_the_emulator(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, prepared: bool
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///elsewhere")
    monkeypatch.setenv("TAP_LOCAL_AWS", "embedded" if prepared else "real")
    script = 'echo "$TAP_EMULATOR_STATE"; echo "$PULUMI_BACKEND_URL"; ls -RA "$TAP_EMULATOR_STATE"'
    assert main(["run", "--", "sh", "-c", f"{script}; true"]) == 0
    folder, backend, *listed = capfd.readouterr().out.splitlines()
    assert not Path(folder).exists()
    assert backend == (f"file://{folder}" if prepared else "file:///elsewhere")
    assert ("dev.json" in listed) == prepared


def test_an_interrupt_leaves_the_command_its_emulator_until_it_ends(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C reaches the command too, and what it does about it takes a while."""
    code = (
        "import os, signal, time, urllib.request as r; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.5);"
        "print(r.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/_ministack/ready').status)"
    )
    assert main(["run", "--", sys.executable, "-c", code]) == 0
    assert capfd.readouterr().out == "200\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--", "false"], 1, ""),
        (["run", "--", "no-such-command"], 2, "'no-such-command' is not a command"),
    ],
)
def test_the_command_s_exit_code_is_taken(
    arguments: list[str], code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    assert words in capfd.readouterr().err


def test_a_taken_port_is_no_traceback(capfd: pytest.CaptureFixture[str], emulator: Emulator) -> None:
    assert main(["run", "--port", str(emulator.port), "--", "true"]) == 2
    assert "error: The AWS emulator cannot listen" in capfd.readouterr().err


def test_a_command_has_to_be_given(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run"])
    assert ended.value.code == 2
    assert "no command is given" in capfd.readouterr().err


def test_what_a_killed_client_has_sent_is_seen_by_the_next_look(emulator: Emulator) -> None:
    """Decision 0009 rests on it: no creation comes after a look that was sent after it."""
    request = (
        "POST / HTTP/1.1\r\nHost: kms\r\nX-Amz-Target: TrentService.CreateKey\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/kms/aws4_request\r\n"
        "Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}"
    )
    created = 0
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", emulator.port)) as killed:
            killed.sendall(request.encode())
        # A connection of its own, as the next run has: what is sent on one is answered in turn anyway.
        kms = cast("KMSClient", _client(emulator, "kms"))
        seen = len(kms.list_keys()["Keys"])
        time.sleep(0.05)
        assert len(kms.list_keys()["Keys"]) == seen
        created = seen
    assert created > 0


def test_half_a_request_makes_nothing(emulator: Emulator) -> None:
    head = (
        "POST / HTTP/1.1\r\nHost: monitoring\r\n"
        "X-Amz-Target: GraniteServiceVersion20100801.PutMetricAlarm\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/monitoring/aws4_request\r\n"
        "Content-Type: application/x-amz-json-1.0\r\nContent-Length: 400\r\n\r\n"
    )
    for sent in ("", "{", '{"AlarmName": "errors"}'):
        with socket.create_connection(("127.0.0.1", emulator.port)) as killed:
            killed.sendall((head + sent).encode())
    cloudwatch = cast("CloudWatchClient", _client(emulator, "cloudwatch"))
    time.sleep(0.1)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []

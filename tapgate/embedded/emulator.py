"""The AWS emulator: ministack on a loopback port, owned and ended by whoever started it.

`python -m tapgate.embedded.emulator run [--port N] -- CMD…` runs a command with an emulator of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self, cast

from tapgate.embedded.environment import ACCOUNT, AWS_NOWHERE, EMULATOR_STATE, MARK
from tapgate.embedded.environment import DEFAULT_REGION as REGION

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

_ROOT = Path(__file__).parents[2]
_ATTEMPTS = 5
_START_SECONDS = 60
_STOP_SECONDS = 5
_POLL_SECONDS = 0.05
_CANNOT_RUN = 2
_STANDARD_INPUT = 0


class EmulatorError(RuntimeError):
    """The emulator does not start; the message says why and what to do."""


class Emulator:
    """One emulator, as a context manager.

    It listens on 127.0.0.1 only, keeps its state in a temporary folder and has no way to Docker. It ends
    with the `with` block, and with the process that started it, however that ends.

    Attributes:
        port: The port it listens on; 0 before the start.
        folder: Its temporary folder; its log is `emulator.log` in there.
    """

    def __init__(self, port: int = 0, environment: Mapping[str, str] | None = None) -> None:
        """Prepare an emulator.

        Args:
            port: The port to listen on; 0 for any free one.
            environment: More variables for it and for the Lambda functions that it runs.
        """
        self.port = 0
        self.folder = Path()
        self._wanted = port
        self._more = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            EmulatorError: It does not start, or the port that was asked for is taken.
        """
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it and remove its folder."""
        self.stop()

    @property
    def endpoint(self) -> str:
        """Its address, e.g. `http://127.0.0.1:41234`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of its process; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def environment(self) -> dict[str, str]:
        """Return the variables that lead AWS's SDKs and the stand-in provider to it and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **AWS_NOWHERE,
        }

    def start(self) -> None:
        """Start it, on another free port when somebody else took the first one in the meantime.

        Raises:
            EmulatorError: It does not start, or the port that was asked for is taken.
        """
        if self._wanted and _listens(self._wanted):
            # Asked for its readiness, whoever has the port could answer in the new emulator's place.
            raise EmulatorError(_port_in_use(self._wanted))
        self.folder = Path(tempfile.mkdtemp(prefix="tap-emulator-"))
        try:
            for _ in range(1 if self._wanted else _ATTEMPTS):
                self.port = self._wanted or _free_port()
                self._launch()
                if self._wait_until_ready():
                    return
                self._end_process()
            raise EmulatorError(self._why_not())  # noqa: TRY301 - ended like any other failure
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, with the functions that it runs, and remove its folder."""
        self._end_process()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder, self.port = Path(), 0

    def kill(self) -> None:
        """End it at once and without warning, as a crash would; its state is lost."""
        if self._process is not None:
            _send_to_group(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _launch(self) -> None:
        # Its own session, so that its functions end with it; its standard input tells it that we live.
        with (self.folder / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tapgate.embedded.emulator", "serve"],
                cwd=_ROOT,
                env=self._own_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _own_environment(self) -> dict[str, str]:
        foreign = ("AWS_", "LOCALSTACK_", "MINISTACK_", "PULUMI_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **inherited,
            **self.environment(),
            "BIND_HOST": "127.0.0.1",
            "DOCKER_HOST": f"unix://{self.folder}/no-docker",
            "GATEWAY_PORT": str(self.port),
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_STATE_TRANSITION_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "0",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(self.folder),
            **self._more,
        }

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            if _ready(self.port):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _why_not(self) -> str:
        log = (self.folder / "emulator.log").read_text("utf-8", errors="replace").strip()
        if "already in use" in log:
            return _port_in_use(self.port)
        if re.search(r"No module named '?ministack", log):
            return (
                "The AWS emulator is not installed: there is no module ministack. "
                "Fix: pip install -r requirements/embedded.txt"
            )
        last = log.splitlines()[-1] if log else "it said nothing"
        return f"The AWS emulator did not start on port {self.port}. It said: {last}. Fix: see what it said"

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        _send_to_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        # Functions that outlive the emulator's own process are in its group still.
        _send_to_group(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _port_in_use(port: int) -> str:
    return (
        f"The AWS emulator cannot listen on port {port} of 127.0.0.1: the port is taken. "
        "Fix: end what listens there, or leave the port out to get a free one"
    )


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        return listener.connect_ex(("127.0.0.1", port)) == 0


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _send_to_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end_with_owner() -> None:
    # Not through sys.stdin: its lock, held by this thread, would end a failing interpreter with a core dump.
    while os.read(_STANDARD_INPUT, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def serve() -> None:
    """Run ministack until it is told to end, or its owner is gone: standard input ends.

    What it started ends with it.
    """
    threading.Thread(target=_end_with_owner, daemon=True).start()
    # In the emulator's own process alone. It has no types.
    ministack = cast("Any", importlib.import_module("ministack.app"))
    sys.argv = ["ministack"]
    ministack.app = _refusing_half_a_request(ministack.app)
    ministack.main()


def _refusing_half_a_request(application: Application) -> Application:
    # ministack takes the end of a connection for the end of the request: of a client that was killed while it
    # sent an alarm it would make one without a name. AWS carries out nothing of it.
    async def answer(connection: dict[str, Any], receive: Receive, send: Send) -> None:
        incomplete = connection["type"] == "http"

        async def receive_all() -> dict[str, Any]:
            nonlocal incomplete
            message = await receive()
            if incomplete and message["type"] == "http.disconnect":
                raise ConnectionAbortedError("the client went away in the middle of its request")
            incomplete = incomplete and message.get("more_body", False)
            return message

        await application(connection, receive_all, send)

    return answer


def main(arguments: list[str]) -> int:
    """Run a command with an emulator.

    Returns:
        The command's exit code; 2 when there is no emulator or no such command.
    """
    if arguments == ["serve"]:
        serve()
        return 0
    from tapgate.embedded.console import Failure  # noqa: PLC0415 - the emulator's own process does without
    from tapgate.embedded.run import run_to_end  # noqa: PLC0415

    about = "Run a command with its own AWS emulator."
    parser = argparse.ArgumentParser(prog="python -m tapgate.embedded.emulator", description=about)
    actions = parser.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="run a command with an emulator that ends with it")
    running.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    running.add_argument("command", nargs=argparse.REMAINDER, help="the command, after --")
    options = parser.parse_args(arguments)
    command = options.command
    if command[:1] == ["--"]:
        command = [word for word in command if word != "--"]
    if not command:
        running.error("no command is given. Fix: python -m tapgate.embedded.emulator run -- CMD")
    try:
        with Emulator(options.port) as emulator:
            _say(f"AWS emulator at {emulator.endpoint} (127.0.0.1 only), for as long as the command runs")
            code = run_to_end(command, _environment(emulator))
    except (EmulatorError, Failure) as error:
        _say(f"error: {error}")
    except KeyboardInterrupt:
        return 130
    else:
        _say("the AWS emulator has ended, and what was deployed to it is gone")
        return code
    return _CANNOT_RUN


def _environment(emulator: Emulator) -> dict[str, str]:
    """Lead AWS's SDKs to the emulator, and the state of what is deployed to it to where it ends with it."""
    from tapgate.embedded import prepare  # noqa: PLC0415 - as above

    state = emulator.folder / "stacks"
    environment = {**os.environ, **emulator.environment(), EMULATOR_STATE: str(state)}
    if os.environ.get(MARK) == "embedded":
        # The command is inside of a prepared environment already.
        prepare.ensure_stacks(prepare.configured_stacks(), state=state)
        environment["PULUMI_BACKEND_URL"] = state.as_uri()
    return environment


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

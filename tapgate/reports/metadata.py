"""Asks a Python policy pack what it says of its policies: titles, links and the controls that they answer.

The engine's events carry none of that. A pack is a server of Pulumi's Analyzer protocol, so it is started as
the engine would start it, asked once and stopped. Reports do without where that does not work (a pack in
another language, a pack that needs more than this): they say less, never something wrong.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from tapgate.document import mapping, text
from tapgate.failure import CouldNotRunError
from tapgate.project import read_yaml
from tapgate.reports.controls import PolicyInfo, policies_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

PATIENCE: Final = 20.0
"""Seconds that a pack may take to start and answer; one of this project's takes a third of one."""
_NO_ENGINE: Final = "127.0.0.1:1"


def described(folders: Iterable[Path], *, patience: float = PATIENCE) -> tuple[PolicyInfo, ...]:
    """Return what the packs in these folders say of their policies; nothing for one that does not answer."""
    return tuple(info for folder in folders for info in _described(folder.absolute(), patience))


def _described(folder: Path, patience: float) -> tuple[PolicyInfo, ...]:
    python = _interpreter(folder)
    if python is None:
        return ()
    try:
        with _started(python, folder, patience) as port:
            return _asked(port, patience) if port else ()
    except OSError:
        return ()


def _interpreter(folder: Path) -> str | None:
    """Return the Python of a Python pack: that of its virtual environment if it names one that is there."""
    try:
        runtime = read_yaml(folder / "PulumiPolicy.yaml", "policy pack's project file").get("runtime")
    except CouldNotRunError:
        return None
    if (text(runtime) or text(mapping(runtime).get("name"))) != "python":
        return None
    environment = text(mapping(mapping(runtime).get("options")).get("virtualenv"))
    own = folder / environment / "bin" / "python"
    return str(own) if environment and own.is_file() else sys.executable


@contextmanager
def _started(python: str, folder: Path, patience: float) -> Generator[str]:
    """Start a pack and yield its port, or nothing if it does not come up; it is stopped at the end."""
    command = [python, "-u", "-m", "pulumi.policy", _NO_ENGINE, str(folder)]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        deadline = threading.Timer(patience, process.kill)
        deadline.start()
        try:
            line = process.stdout.readline() if process.stdout is not None else b""
            yield line.decode(errors="replace").strip() if line.strip().isdigit() else ""
        finally:
            deadline.cancel()
            process.kill()


def _asked(port: str, patience: float) -> tuple[PolicyInfo, ...]:
    import grpc  # noqa: PLC0415  # a tenth of a second that a run without reports does not pay
    from google.protobuf.empty_pb2 import Empty  # noqa: PLC0415
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415
    from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub  # noqa: PLC0415

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = cast("Any", AnalyzerStub(channel)).GetAnalyzerInfo(Empty(), timeout=patience)
        except grpc.RpcError:
            return ()
    return policies_of(cast("dict[str, object]", MessageToDict(answer)))

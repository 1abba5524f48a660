"""Look at one `pulumi` executable: its version, and the language hosts beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.places import cache_root, write_atomically
from local.toolchain.version import MINIMUM, Version

LANGUAGE_HOSTS = ("pulumi-language-python", "pulumi-language-yaml")
PROBE_SECONDS = 20.0
_REMEMBERED = 32


@dataclass(frozen=True)
class Cli:
    """A usable Pulumi CLI: the folder of its executables, its version, and how it was found."""

    folder: Path
    version: Version
    way: str


@dataclass(frozen=True)
class Unusable:
    """An executable that cannot be used, and why."""

    path: Path
    reason: str


def inspect(path: Path, way: str) -> Cli | Unusable:
    """Say what the executable is; asks it for its version only when it has changed since the last time."""
    try:
        real = path.resolve(strict=True)
        stamp = _stamp(real)
    except OSError as error:
        return Unusable(path, f"it cannot be read: {error.strerror}")
    if not os.access(real, os.X_OK) or real.is_dir():
        return Unusable(path, "it is not an executable file")
    printed = _remembered(stamp)
    if printed is None:
        printed = _ask(real)
        if isinstance(printed, Unusable):
            return Unusable(path, printed.reason)
        _remember(stamp, printed)
    version = Version.parse(printed)
    if version is None:
        return Unusable(path, f"`pulumi version` printed {printed[:80]!r}, which is not a version")
    if not version.at_least(MINIMUM):
        return Unusable(path, f"it is version {version}; {MINIMUM} or newer is needed")
    missing = [host for host in LANGUAGE_HOSTS if not _has_host(host, path, real)]
    if missing:
        return Unusable(path, f"its language hosts are missing ({', '.join(missing)})")
    return Cli(path.parent, version, way)


def _has_host(host: str, path: Path, real: Path) -> bool:
    beside = (path.parent / host, real.parent / host)
    return any(os.access(one, os.X_OK) for one in beside) or shutil.which(host) is not None


def _ask(path: Path) -> str | Unusable:
    """Run `pulumi version`, without the update check that would go to the network."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [path, "version"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Unusable(path, f"`pulumi version` did not answer within {PROBE_SECONDS:.0f} s")
    except (OSError, UnicodeDecodeError) as error:
        return Unusable(path, f"it cannot be run: {error}")
    if answer.returncode:
        return Unusable(path, f"`pulumi version` failed with exit code {answer.returncode}")
    return answer.stdout.strip()


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path}|{status.st_dev}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}"


def _memory() -> Path:
    return cache_root() / "versions.json"


def _read_memory() -> dict[str, str]:
    try:
        content: object = json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    entries: list[tuple[object, object]] = list(content.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return {key: value for key, value in entries if isinstance(key, str) and isinstance(value, str)}


def _remembered(stamp: str) -> str | None:
    return _read_memory().get(stamp)


def _remember(stamp: str, printed: str) -> None:
    """Keep the newest answers only; two runs at once may lose one, which is then asked again."""
    memory = _read_memory()
    memory[stamp] = printed
    newest = dict(list(memory.items())[-_REMEMBERED:])
    write_atomically(_memory(), json.dumps(newest, indent=0))

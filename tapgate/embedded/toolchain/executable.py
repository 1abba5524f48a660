"""Look at one `pulumi` executable: its version, and the language hosts beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tapgate.embedded.paths import cache_root, read_object, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_PRINTED = re.compile(
    r"v?(?P<major>0|[1-9]\d{0,8})\.(?P<minor>0|[1-9]\d{0,8})\.(?P<patch>0|[1-9]\d{0,8})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Version:
    """A semantic version; build metadata is not kept, since it does not order versions."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `pulumi version` prints (`v3.259.0`); None when it is anything else."""
        match = _PRINTED.fullmatch(text.strip())
        if match is None:
            return None
        return cls(int(match["major"]), int(match["minor"]), int(match["patch"]), match["pre"] or "")

    def at_least(self, other: Version) -> bool:
        """Say whether this is `other` or newer; a pre-release comes before its release.

        Two pre-releases of one release count as equal: they differ by a build's time, which says nothing
        about what the CLI can do.
        """
        mine, theirs = (self.major, self.minor, self.patch), (other.major, other.minor, other.patch)
        if mine != theirs:
            return mine > theirs
        return not self.pre or bool(other.pre)

    def __str__(self) -> str:
        """As the CLI prints it, without the leading v."""
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


MINIMUM = Version(3, 255, 0)
"""The oldest CLI that understands `packages:` with a local folder, `policy analyze` and today's RunPlugin."""
ENTRY_PREFIX = "pulumi-official-"
"""How the cache entries begin that the official installer filled."""
LANGUAGE_HOSTS = ("pulumi-language-python", "pulumi-language-yaml")
PROBE_SECONDS = 20.0
_REMEMBERED = 32
# A smaller file is a wrapper, which may start another version tomorrow without changing itself.
_SMALLEST_BINARY = 1 << 20


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


class _RefusedError(Exception):
    """Why the executable cannot be used."""


def inspect(path: Path, way: str) -> Cli | Unusable:
    """Say what the executable is; asks it for its version only when it has changed since the last time."""
    try:
        version = _version(path)
        _require_hosts(path)
    except _RefusedError as refused:
        return Unusable(path, str(refused))
    return Cli(path.parent, version, way)


def _version(path: Path) -> Version:
    printed = _printed(path)
    version = Version.parse(printed)
    if version is None:
        raise _RefusedError(f"`pulumi version` printed {printed[:80]!r}, which is not a version")
    if not version.at_least(MINIMUM):
        raise _RefusedError(f"it is version {version}; {MINIMUM} or newer is needed")
    return version


def _require_hosts(path: Path) -> None:
    folders = {path.parent, path.resolve().parent}
    missing = [
        host
        for host in LANGUAGE_HOSTS
        if not any(os.access(folder / host, os.X_OK) for folder in folders) and shutil.which(host) is None
    ]
    if missing:
        raise _RefusedError(f"its language hosts are missing ({', '.join(missing)})")


def _printed(path: Path) -> str:
    """What `pulumi version` prints: remembered for this very file, else asked."""
    try:
        status = path.stat()
    except OSError as error:
        raise _RefusedError(f"it cannot be read: {error.strerror}") from error
    if path.is_dir() or not os.access(path, os.X_OK):
        raise _RefusedError("it is not an executable file")
    stamp = f"{path}|{status.st_dev}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}"
    memory = read_object(_memory(), str)
    if stamp in memory:
        return memory[stamp]
    printed = _ask(path)
    if status.st_size >= _SMALLEST_BINARY:
        newest = [*memory.items(), (stamp, printed)][-_REMEMBERED:]
        write_atomically(_memory(), json.dumps(dict(newest), indent=0))
    return printed


def _memory() -> Path:
    """Answers of earlier runs; of two runs at once one's may be lost, which is then asked again."""
    return cache_root() / "versions.json"


def _ask(path: Path) -> str:
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
    except subprocess.TimeoutExpired as error:
        raise _RefusedError(f"`pulumi version` did not answer within {PROBE_SECONDS:.0f} s") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _RefusedError(f"it cannot be run: {error}") from error
    if answer.returncode:
        raise _RefusedError(f"`pulumi version` failed with exit code {answer.returncode}")
    return answer.stdout.strip()

"""Find a Pulumi CLI that can be used: the user's own, the official installer's, or one built with Go."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tapgate.embedded.console import Failure, say
from tapgate.embedded.environment import is_stand_in_folder
from tapgate.embedded.paths import cache_root, is_complete, is_sealed, read_object, write_atomically

FORCED = "TAP_PULUMI"
"""Environment variable that names the CLI to use: the executable, or the folder that it is in."""
INSTALLED = "installed by the official installer"
BUILT = "built with Go"
SOURCES = Path(__file__).parent / "cli"
DIGESTS = Path(__file__).with_name("digests.json")
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"


_NUMBER = r"(?:0|[1-9]\d{0,8})"
_PRINTED = re.compile(
    rf"v?(?P<version>{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
MINIMUM = "3.255.0"
"""The oldest CLI that understands `packages:` with a local folder, `policy analyze` and today's RunPlugin."""
ENTRY_PREFIX = "pulumi-official-"
"""How the cache entries begin that the official installer filled."""
LANGUAGE_HOSTS = ("pulumi-language-python", "pulumi-language-yaml")
VERSION_SECONDS = 20.0
_REMEMBERED = 32
# A smaller file is a wrapper, which may start another version tomorrow without changing itself.
_SMALLEST_BINARY = 1 << 20


def version_in(printed: str) -> str | None:
    """Return the version that `pulumi version` printed (`v3.259.0`), without its build; else None."""
    match = _PRINTED.fullmatch(printed.strip())
    return match["version"] if match is not None else None


def order(version: str) -> tuple[list[int], bool]:
    """Return what puts versions in order: a pre-release comes before its release.

    Two pre-releases of one release count as equal: they differ by a build's time, which says nothing about
    what the CLI can do.
    """
    numbers, _, pre_release = version.partition("-")
    return [*map(int, numbers.split("."))], not pre_release


@dataclass(frozen=True)
class Cli:
    """A usable Pulumi CLI: the folder of its executables, its version, and how it was found."""

    folder: Path
    version: str
    way: str


@dataclass(frozen=True)
class Unusable:
    """An executable that cannot be used, and why."""

    path: Path
    reason: str


class _RefusedError(Exception):
    """Why the executable cannot be used."""


def find() -> Cli:
    """Return a usable CLI, installing or building one where there is none.

    What is there already goes before what would have to be downloaded.
    """
    cli = find_forced() or at_hand()
    if cli is not None:
        return cli
    from tapgate.embedded.toolchain import go_build, official  # noqa: PLC0415 - where there is none

    cli = official.install() or go_build.build()
    if cli is None:
        raise Failure(
            "No Pulumi CLI is there, and none can be got on this machine",
            why="the gate runs the real engine; its download cannot be reached, and no Go is there to build "
            "it",
            fix=f"install the Pulumi CLI {MINIMUM} or newer (https://www.pulumi.com/docs/install/) and put "
            f"it on PATH, or name it in {FORCED}; or install Go (https://go.dev/dl/) and run the command "
            "again",
        )
    return cli


def at_hand() -> Cli | None:
    """A usable CLI that needs no download: on PATH, or in the cache."""
    return _on_path() or installed() or built()


def require_unchanged(path: str) -> None:
    """Refuse a CLI of the cache that is on PATH already and is not what was put there.

    Args:
        path: PATH of an environment that was prepared earlier.

    Raises:
        Failure: it was changed since.
    """
    for folder in (Path(entry) for entry in path.split(os.pathsep) if entry):
        if folder.parent.parent != cache_root() or not (folder / "pulumi").exists():
            continue
        if not is_sealed(folder.parent, vouched_for(folder.parent.name)):
            raise Failure(
                "The Pulumi CLI in the cache is not what was put there",
                where=str(folder.parent),
                why="whatever wrote to it would decide every verdict from here on",
                fix="run the command outside of the prepared environment (leave its shell): it is made again",
            )


def find_forced() -> Cli | None:
    """The CLI that the user names, None when none is named; one that cannot be used is not passed over."""
    named = os.environ.get(FORCED)
    if not named:
        return None
    path = Path(named, "pulumi") if Path(named).is_dir() else Path(named)
    cli = inspect(path.absolute(), f"named by {FORCED}")
    if isinstance(cli, Cli):
        return cli
    raise Failure(
        "The Pulumi CLI that was asked for cannot be used",
        where=f"{FORCED}={named}",
        why=cli.reason,
        fix=f"name a Pulumi CLI {MINIMUM} or newer, or unset {FORCED} to let one be found",
    )


def _on_path() -> Cli | None:
    for path in _candidates():
        cli = inspect(path, "found on PATH")
        if isinstance(cli, Cli):
            return cli
        say(f"passing over {path}: {cli.reason}")
    return None


def _candidates() -> list[Path]:
    """Return every `pulumi` on PATH, each once, in PATH's order, without the stand-ins'."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = dict.fromkeys(Path(entry, "pulumi") for entry in folders if not is_stand_in_folder(entry))
    return [path for path in paths if os.access(path, os.X_OK) and not path.is_dir()]


def installed() -> Cli | None:
    """The newest CLI that an earlier run installed and that is still whole."""
    for entry in sorted(cache_root().glob(f"{ENTRY_PREFIX}*"), reverse=True):
        if is_complete(entry) and is_sealed(entry):
            cli = inspect(executable_of(entry), INSTALLED)
            if isinstance(cli, Cli):
                return cli
    return None


def executable_of(entry: Path) -> Path:
    """Return the CLI of an entry of the cache."""
    return entry / "bin" / "pulumi"


def built() -> Cli | None:
    """The CLI that an earlier run built from these very sources, if it is still whole."""
    entry = entry_folder()
    if not is_complete(entry) or not is_sealed(entry, vouched_for(entry.name)):
        return None
    cli = inspect(executable_of(entry), BUILT)
    return cli if isinstance(cli, Cli) else None


def vouched_for(name: str) -> frozenset[str]:
    """Return the digests of the entry of this name, as releases of Go build it: the same bytes everywhere."""
    pinned = cast("dict[str, dict[str, str]]", json.loads(DIGESTS.read_text("utf-8")))
    return frozenset(pinned.get(name, {}).values())


def is_build(folder: Path) -> bool:
    """Say whether the executables in this folder were built here, at whatever version."""
    entry = folder.resolve().parent
    return entry.parent == cache_root().resolve() and not entry.name.startswith(ENTRY_PREFIX)


def pulumi_version() -> str:
    """The version of the CLI that go.mod names, as in `v3.259.0`."""
    match = re.search(rf"^\s*{re.escape(SDK_MODULE)} (v\S+)", go_mod(), re.MULTILINE)
    if match is None:
        raise Failure(f"go.mod does not name {SDK_MODULE}", where=str(SOURCES / "go.mod"))
    return match[1]


def go_mod() -> str:
    """Return what names the version of the CLI that is built."""
    return (SOURCES / "go.mod").read_text(encoding="utf-8")


def entry_folder() -> Path:
    """One entry for each state of the sources, bytecode aside: an edit, or a newer version, is another."""
    digest = hashlib.sha256()
    for path in sorted(path for path in SOURCES.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(SOURCES)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return cache_root() / f"pulumi-{pulumi_version().removeprefix('v')}-{digest.hexdigest()[:12]}"


def inspect(path: Path, way: str) -> Cli | Unusable:
    """Say what the executable is; asks it for its version only when it has changed since the last time."""
    try:
        version = _version(path)
        _require_hosts(path)
    except _RefusedError as refused:
        return Unusable(path, str(refused))
    return Cli(path.parent, version, way)


def _version(path: Path) -> str:
    printed = _printed(path)
    version = version_in(printed)
    if version is None:
        raise _RefusedError(f"`pulumi version` printed {printed[:80]!r}, which is not a version")
    if order(version) < order(MINIMUM):
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
            timeout=VERSION_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _RefusedError(f"`pulumi version` did not answer within {VERSION_SECONDS:.0f} s") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _RefusedError(f"it cannot be run: {error}") from error
    if answer.returncode:
        raise _RefusedError(f"`pulumi version` failed with exit code {answer.returncode}")
    return answer.stdout.strip()

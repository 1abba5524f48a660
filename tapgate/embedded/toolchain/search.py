"""Find a Pulumi CLI: the user's own, else the official installer's, else one built with Go."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.console import Failure, elapsed, say, still_going
from tapgate.embedded.environment import is_stand_in_folder
from tapgate.embedded.paths import cache_root, get_or_make, is_sealed, is_whole
from tapgate.embedded.toolchain import go_build
from tapgate.embedded.toolchain.executable import ENTRY_PREFIX, MINIMUM, Cli, Unusable, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

FORCED = "TAP_PULUMI"
"""Environment variable that names the CLI to use: the executable, or the folder that it is in."""
REACH_SECONDS = 4.0
INSTALLER_URL = "https://get.pulumi.com/install.sh"
INSTALL_SECONDS = 600.0
_WAY = "installed by the official installer"
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


def find() -> Cli:
    """Return a usable CLI, installing or building one where there is none.

    What is there already goes before what would have to be downloaded.
    """
    found = find_forced() or at_hand() or install() or go_build.build()
    if found is None:
        raise _nothing()
    return found


def at_hand() -> Cli | None:
    """A usable CLI that needs no download: on PATH, or in the cache."""
    return _on_path() or installed() or go_build.built()


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
        if not is_sealed(folder.parent, go_build.vouched_for(folder.parent.name)):
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
    found = inspect(path.absolute(), f"named by {FORCED}")
    if isinstance(found, Cli):
        return found
    raise Failure(
        "The Pulumi CLI that was asked for cannot be used",
        where=f"{FORCED}={named}",
        why=found.reason,
        fix=f"name a Pulumi CLI {MINIMUM} or newer, or unset {FORCED} to let one be found",
    )


def _on_path() -> Cli | None:
    for path in _candidates():
        found = inspect(path, "found on PATH")
        if isinstance(found, Cli):
            return found
        say(f"passing over {path}: {found.reason}")
    return None


def _candidates() -> Iterator[Path]:
    """Every `pulumi` on PATH, each once, in PATH's order."""
    seen: set[Path] = set()
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(entry, "pulumi")
        if is_stand_in_folder(entry):
            continue  # It starts the CLI that is searched for.
        if path not in seen and os.access(path, os.X_OK) and not path.is_dir():
            seen.add(path)
            yield path


def _nothing() -> Failure:
    return Failure(
        "No Pulumi CLI is there, and none can be got on this machine",
        why="the gate runs the real engine; its download cannot be reached, and no Go is there to build it",
        fix=f"install the Pulumi CLI {MINIMUM} or newer (https://www.pulumi.com/docs/install/) and put it on "
        f"PATH, or name it in {FORCED}; or install Go (https://go.dev/dl/) and run the command again",
    )


def obstacle(url: str, *, seconds: float = REACH_SECONDS, grace_seconds: float = 1.0) -> str:
    """Return what keeps the address from being read; empty when nothing does.

    The attempt runs beside, because looking up a host's name has no time limit of its own.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_attempt(url, seconds)), daemon=True).start()
    try:
        return answers.get(timeout=seconds + grace_seconds)
    except queue.Empty:
        return "no answer"


def _attempt(url: str, seconds: float) -> str:
    import urllib.error  # noqa: PLC0415 - as `metadata` below
    import urllib.request  # noqa: PLC0415

    if not url.startswith(("https://", "http://127.0.0.1:")):
        return "its address is not https"
    try:
        with urllib.request.urlopen(url, timeout=seconds):  # noqa: S310 - the scheme is checked above
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__


class _NotInstalledError(Exception):
    """The installer did not get to its end; the message says why."""


def installed() -> Cli | None:
    """The newest CLI that an earlier run installed and that is still whole."""
    for entry in sorted(cache_root().glob(f"{ENTRY_PREFIX}*"), reverse=True):
        if is_whole(entry) and is_sealed(entry):
            found = inspect(_executable(entry), _WAY)
            if isinstance(found, Cli):
                return found
    return None


def install(url: str = INSTALLER_URL) -> Cli | None:
    """Download and install the CLI; None, with a line that says why, when that cannot be done here."""
    # Only a machine without a CLI needs it, and it is half of this package's start.
    from importlib import metadata  # noqa: PLC0415

    in_the_way = obstacle(url)
    if in_the_way:
        say(f"the official installer cannot be reached ({in_the_way}); trying the next way")
        return None
    say("installing the Pulumi CLI with the official installer: about a minute, once")
    started = time.monotonic()
    try:
        # The installer takes the CLI that matches the SDK.
        version = metadata.version("pulumi")
        entry = get_or_make(cache_root() / f"{ENTRY_PREFIX}{version}", run_installer, ())
    except (_NotInstalledError, metadata.PackageNotFoundError) as error:
        say(f"the official installer failed ({error}); trying the next way")
        return None
    found = inspect(_executable(entry), _WAY)
    if isinstance(found, Unusable):
        say(f"what the official installer installed cannot be used: {found.reason}; trying the next way")
        return None
    say(f"installed in {elapsed(time.monotonic() - started)}")
    return found


def run_installer(folder: Path) -> None:
    """Install into the folder, in a process of its own, which can be given up when it hangs."""
    try:
        with still_going("installing the Pulumi CLI"):
            outcome = subprocess.run(
                [sys.executable, "-c", _INSTALL, folder],
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise _NotInstalledError(f"no end after {elapsed(INSTALL_SECONDS)}") from error
    if outcome.returncode:
        lines = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise _NotInstalledError(lines[-1] if lines else f"exit code {outcome.returncode}")


def _executable(entry: Path) -> Path:
    return entry / "bin" / "pulumi"

"""The official installer, by way of Pulumi's own Automation API."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib import metadata
from typing import TYPE_CHECKING

from local.places import cache_root
from local.toolchain.entry import get_or_make, is_whole
from local.toolchain.executable import Cli, Unusable, inspect
from local.toolchain.progress import elapsed, say, still_going

if TYPE_CHECKING:
    from pathlib import Path

INSTALLER_URL = "https://get.pulumi.com/install.sh"
REACH_SECONDS = 4.0
INSTALL_SECONDS = 600.0
WAY = "the official installer's copy"

_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


class _NotInstalledError(Exception):
    """The installer did not get to its end; the message says why."""


def installed() -> Cli | None:
    """The CLI that an earlier run installed, if it is still whole."""
    entry = _entry()
    if not is_whole(entry):
        return None
    found = inspect(entry / "bin" / "pulumi", WAY)
    return found if isinstance(found, Cli) else None


def install(url: str = INSTALLER_URL) -> Cli | None:
    """Download and install the CLI; None, with a line that says why, when that cannot be done here."""
    obstacle = _obstacle(url)
    if obstacle:
        say(f"the official installer cannot be reached ({obstacle}); trying the next way")
        return None
    say("installing the Pulumi CLI with the official installer (about a minute, once)")
    started = time.monotonic()
    try:
        entry = get_or_make(_entry(), _run_installer)
    except _NotInstalledError as error:
        say(f"the official installer failed ({error}); trying the next way")
        return None
    found = inspect(entry / "bin" / "pulumi", WAY)
    if isinstance(found, Unusable):
        say(f"what the official installer installed cannot be used: {found.reason}; trying the next way")
        return None
    say(f"installed in {elapsed(time.monotonic() - started)}")
    return found


def _entry() -> Path:
    """One entry for each version of the SDK, since the installer takes the CLI that matches it."""
    try:
        version = metadata.version("pulumi")
    except metadata.PackageNotFoundError:
        version = "none"
    return cache_root() / f"pulumi-official-{version}"


def _obstacle(url: str) -> str:
    """What keeps the installer from being downloaded; empty when nothing does.

    The attempt runs beside, because looking up a host's name has no time limit of its own.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_try_to_reach(url)), daemon=True).start()
    try:
        return answers.get(timeout=REACH_SECONDS + 1.0)
    except queue.Empty:
        return "no answer"


def _try_to_reach(url: str) -> str:
    if not url.startswith("https://"):
        return "its address is not https"
    try:
        with urllib.request.urlopen(url, timeout=REACH_SECONDS):  # noqa: S310 - https is checked above
            return ""
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)


def _run_installer(folder: Path) -> None:
    """Run the installer in a process of its own, which can be given up when it hangs."""
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

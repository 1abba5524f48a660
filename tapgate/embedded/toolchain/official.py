"""Install the Pulumi CLI with the official installer."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from tapgate.embedded.console import elapsed, say, still_going
from tapgate.embedded.paths import cache_root, get_or_make
from tapgate.embedded.toolchain.search import ENTRY_PREFIX, INSTALLED, Cli, Unusable, executable_of, inspect

if TYPE_CHECKING:
    from pathlib import Path

CONNECT_SECONDS = 4.0
INSTALLER_URL = "https://get.pulumi.com/install.sh"
INSTALL_SECONDS = 600.0
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


def obstacle(url: str, *, seconds: float = CONNECT_SECONDS, grace_seconds: float = 1.0) -> str:
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
    cli = inspect(executable_of(entry), INSTALLED)
    if isinstance(cli, Unusable):
        say(f"what the official installer installed cannot be used: {cli.reason}; trying the next way")
        return None
    say(f"installed in {elapsed(time.monotonic() - started)}")
    return cli


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

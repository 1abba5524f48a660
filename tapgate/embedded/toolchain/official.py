"""The official installer, by way of Pulumi's own Automation API."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tapgate.embedded.console import elapsed, say, still_going
from tapgate.embedded.paths import cache_root, get_or_make, is_sealed, is_whole
from tapgate.embedded.toolchain.executable import Cli, Unusable, inspect

if TYPE_CHECKING:
    from pathlib import Path

INSTALLER_URL = "https://get.pulumi.com/install.sh"
INSTALL_SECONDS = 600.0
WAY = "installed by the official installer"
ENTRY_PREFIX = "pulumi-official-"

_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


class _NotInstalledError(Exception):
    """The installer did not get to its end; the message says why."""


def installed() -> Cli | None:
    """The newest CLI that an earlier run installed and that is still whole."""
    for entry in sorted(cache_root().glob(f"{ENTRY_PREFIX}*"), reverse=True):
        if is_whole(entry) and is_sealed(entry):
            found = inspect(_executable(entry), WAY)
            if isinstance(found, Cli):
                return found
    return None


def install(url: str = INSTALLER_URL) -> Cli | None:
    """Download and install the CLI; None, with a line that says why, when that cannot be done here."""
    # Only a machine without a CLI needs these, and they are half of this package's start.
    from importlib import metadata  # noqa: PLC0415

    from tapgate.embedded.toolchain.connectivity import obstacle  # noqa: PLC0415

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
    found = inspect(_executable(entry), WAY)
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

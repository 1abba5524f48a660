"""Chromium without a window: opens files, with every name resolved to nowhere."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), "")
MISSING = "needs Chromium or Chrome on PATH (apt-get install chromium)"


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a file, in a profile that goes away again.

    Raises:
        RuntimeError: there is no browser.
        subprocess.CalledProcessError: it failed.
    """
    if not BROWSER:
        raise RuntimeError(MISSING)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        return subprocess.run(
            [
                BROWSER,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-component-update",
                "--disable-background-networking",
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                f"--user-data-dir={profile}",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )


def screenshot(page: Path, picture: Path, *, width: int, height: int, dark: bool = False) -> None:
    """Take a picture of a page, as wide and high as said, for a reader who prefers light or dark."""
    browse(
        page,
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
    )

"""Chromium without a window: opens files, with every name resolved to nowhere."""

from __future__ import annotations

import html
import json
import re
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


NARROWEST = 500
"""Pixels: the narrowest window that Chromium opens."""


def screenshot(page: Path, picture: Path, *, width: int, height: int, dark: bool = False) -> None:
    """Take a picture of a page, as wide and high as said, for a reader who prefers light or dark.

    A page that is narrower than a window can be is shown in a frame of its width.
    """
    if width < NARROWEST:
        frame = page.with_name(f"{page.stem}-frame.html")
        frame.write_text(
            f'<!doctype html><meta name="color-scheme" content="light dark"><body style="margin: 0">'
            f'<iframe src="{page.name}" style="border: 0; width: {width}px; height: {height}px"></iframe>',
            encoding="utf-8",
        )
        page = frame
    browse(
        page,
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
    )


def asked(folder: Path, *questions: tuple[str, str, int]) -> tuple[list[object], list[str]]:
    """Ask a script of each page, all in one start of the browser.

    Args:
        folder: where the pages are put for that.
        questions: a page, the script, which returns its answer, and the width of the page in pixels.

    Returns:
        The answers, and what the browser complained of on its console.
    """
    frames: list[str] = []
    for number, (page, script, width) in enumerate(questions):
        (folder / f"asked-{number}.html").write_text(page, encoding="utf-8")
        frames.append(
            f'<iframe src="asked-{number}.html" style="border: 0; width: {width}px; height: 800px"></iframe>'
            f"<script>scripts.push((page) => {{ {script} }});</script>"
        )
    outer = folder / "asked.html"
    outer.write_text(
        f"""<!doctype html><script>const scripts = [];</script>{"".join(frames)}<output id="said"></output>
        <script>addEventListener("load", () => {{
          const frames = [...document.querySelectorAll("iframe")];
          document.getElementById("said").textContent = JSON.stringify(
            frames.map((frame, number) => scripts[number](frame.contentDocument)));
        }});</script>""",
        encoding="utf-8",
    )
    done = browse(outer, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom")
    (said,) = re.findall(r'<output id="said">(.*?)</output>', done.stdout, flags=re.DOTALL)
    return json.loads(html.unescape(said)), [line for line in done.stderr.splitlines() if "CONSOLE" in line]

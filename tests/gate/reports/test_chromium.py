"""The page in a real browser: nothing blocked, nothing fetched, nothing run, the theme followed."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gate.reports import Dossier
from gate.reports.page import to_html
from tests.gate.reports import realistic
from tests.gate.reports.strategies import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(
    not BROWSER, reason="needs Chromium or Chrome on PATH (apt-get install chromium)"
)


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a file, with every name resolved to nowhere."""
    return subprocess.run(
        [
            BROWSER,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-component-update",
            "--disable-background-networking",
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


def hostile() -> Dossier:
    found = [
        replace(one, summary=words, name=words, urn=words, found=words, why=words, fix=words, policy=words)
        for words in HOSTILE
        for one in realistic.findings("kms-key-rotation", "sqs-encryption")
    ]
    return Dossier.of("preview", [replace(realistic.report(found), project=HOSTILE[0], notes=HOSTILE)])


@pytest.mark.parametrize("name", ["blocked", "audit", "hostile"])
def test_the_browser_has_nothing_to_complain_about(name: str, tmp_path: Path) -> None:
    dossier = hostile() if name == "hostile" else getattr(realistic, name)()
    path = tmp_path / "report.html"
    path.write_text(to_html(dossier, earlier=realistic.earlier_audit()), encoding="utf-8")
    done = browse(path, tmp_path / "profile", "--dump-dom")
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    tags = set(re.findall(r"<([a-z]+)[ >]", re.sub(r"<style>.*?</style>", "", done.stdout, flags=re.DOTALL)))
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "input", "link", "base"}
    assert done.stdout.count("<h1>") == 1


@pytest.mark.parametrize(("theme", "darker"), [(0, True), (1, False)], ids=["dark", "light"])
def test_the_page_follows_the_readers_theme(theme: int, darker: bool, tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / "report.html"
    path.write_text(to_html(realistic.blocked()), encoding="utf-8")
    shot = tmp_path / "shot.png"
    browse(
        path,
        tmp_path / "profile",
        f"--blink-settings=preferredColorScheme={theme}",
        "--window-size=900,700",
        f"--screenshot={shot}",
    )
    assert shot.stat().st_size > 10_000
    assert (first_pixel(shot) < 128) == darker


def first_pixel(png: Path) -> int:
    """The red of the upper left pixel of a PNG with 8 bits a channel: the page's ground."""
    body = png.read_bytes()
    data, at = b"", 8
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if body[at + 4 : at + 8] == b"IDAT":
            data += body[at + 8 : at + 8 + size]
        at += size + 12
    row = zlib.decompress(data)
    # Of the first pixel of the first row, every filter of PNG leaves the bytes as they are.
    return row[1]

"""The page in a real browser: nothing blocked, nothing fetched, nothing run, the theme followed."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tapgate.reports.page import to_html
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.browser import BROWSER, MISSING, browse, measured, screenshot
from tests.tapgate.reports.strategies import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

# What makes the page is counted where the page is read without a browser.
pytestmark = [pytest.mark.skipif(not BROWSER, reason=MISSING), pytest.mark.uncounted]


def hostile() -> VerdictFile:
    found = [
        replace(one, summary=words, name=words, urn=words, found=words, why=words, fix=words, policy=words)
        for words in HOSTILE
        for one in realistic.findings("kms-key-rotation", "sqs-encryption")
    ]
    return VerdictFile.of("preview", [replace(realistic.report(found), project=HOSTILE[0], notes=HOSTILE)])


@pytest.mark.parametrize("name", ["blocked", "audit", "hostile"])
def test_the_browser_has_nothing_to_complain_about(name: str, tmp_path: Path) -> None:
    verdicts = hostile() if name == "hostile" else getattr(realistic, name)()
    path = tmp_path / "report.html"
    path.write_text(to_html(verdicts, earlier=realistic.earlier_audit()), encoding="utf-8")
    done = browse(path, "--dump-dom")
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    tags = set(re.findall(r"<([a-z]+)[ >]", re.sub(r"<style>.*?</style>", "", done.stdout, flags=re.DOTALL)))
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "link", "base"}
    assert done.stdout.count("<h1>") == 1


CUT_OFF = """
  const wide = page.documentElement.scrollWidth > page.documentElement.clientWidth;
  for (const one of page.querySelectorAll("details")) one.open = true;
  const cut = [...page.querySelectorAll("main *, header *")].filter((one) =>
    one.scrollWidth > one.clientWidth + 1 &&
    getComputedStyle(one).overflowX !== "visible" && !one.closest("caption, thead, .unseen"));
  return [wide, cut.map((one) => one.tagName + "." + one.className)];
"""
FILTERED = """
  const shown = (what) => [...page.querySelectorAll(what)].filter((one) => one.offsetParent !== null).length;
  const count = () => [shown("tr.of-violation"), shown("tr.of-waived"), shown("section.stack")];
  const first = count();
  page.getElementById("show-violation").click();
  const second = count();
  page.getElementById("only-findings").click();
  return [first, second, count()];
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off(width: int, tmp_path: Path) -> None:
    for verdicts in (realistic.blocked(), realistic.audit(), hostile()):
        path = tmp_path / "report.html"
        path.write_text(to_html(verdicts, earlier=realistic.earlier_audit()), encoding="utf-8")
        assert json.loads(measured(path, CUT_OFF, width=width)) == [False, []]


def test_the_boxes_filter_findings_and_stacks(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(to_html(realistic.audit()), encoding="utf-8")
    everything, without_violations, with_findings = json.loads(measured(path, FILTERED, width=1280))
    violations, waived, stacks = everything
    assert violations > 0
    assert without_violations == [0, waived, stacks]
    assert with_findings == [0, waived, 4]
    assert stacks == 6


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_the_page_follows_the_readers_theme(dark: bool, tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / "report.html"
    path.write_text(to_html(realistic.blocked()), encoding="utf-8")
    shot = tmp_path / "shot.png"
    screenshot(path, shot, width=900, height=700, dark=dark)
    assert shot.stat().st_size > 10_000
    assert (first_pixel(shot) < 128) == dark


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

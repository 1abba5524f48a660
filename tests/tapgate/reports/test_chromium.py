"""The page in a real browser: nothing blocked, nothing fetched, nothing run, the theme followed."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.reports.page import to_html
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.browser import BROWSER, MISSING, asked, screenshot
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


def pages(verdicts: VerdictFile) -> tuple[str, str]:
    """A report as it is, and without the policy that keeps scripts of a test from changing it."""
    page = to_html(verdicts, earlier=realistic.earlier_audit())
    return page, re.sub(r"<meta http-equiv=[^>]*>", "", page)


PARTS = """
  return [page.querySelectorAll("h1").length, [...page.querySelectorAll("*")].map((one) => one.localName)];
"""
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


def test_the_browser_has_nothing_to_complain_about_and_cuts_nothing_off(tmp_path: Path) -> None:
    whole, open_ones = zip(*map(pages, (realistic.blocked(), realistic.audit(), hostile())), strict=True)
    wide, narrow = ([(one, CUT_OFF, width) for one in open_ones] for width in (1280, 390))
    parts = [(one, PARTS, 1280) for one in whole]
    answers, console = asked(tmp_path, *parts, *wide, *narrow, (open_ones[1], FILTERED, 1280))
    assert console == []
    for headings, tags in cast("list[tuple[int, list[str]]]", answers[:3]):
        assert headings == 1
        assert "tr" in tags
        assert not {*tags} & {"script", "img", "iframe", "object", "embed", "form", "link", "base"}
    assert answers[3:9] == [[False, []]] * 6
    # The boxes filter findings and stacks.
    everything, without_violations, with_findings = cast("list[list[int]]", answers[9])
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

"""The pictures under docs/images show the product as it is."""

from __future__ import annotations

import json
import re

from tests.docs.pictures import DEVICES, IMAGES, SOURCES, made_of
from tests.stack.engine import ROOT

STALE = "run `nox -s docs` and commit docs/images"


def test_they_are_of_these_policies_and_this_page() -> None:
    assert json.loads(SOURCES.read_text(encoding="utf-8")) == made_of(), STALE


def test_each_is_there_and_shown_in_a_page() -> None:
    made = {
        f"{name}-{device}-{theme}.png"
        for name in ("preview", "audit")
        for device in DEVICES
        for theme in ("light", "dark")
    }
    kept = {path.name for path in IMAGES.iterdir()} - {SOURCES.name}
    assert kept == made | {"blocked.png"}, STALE
    pages = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/org-wide.md"))
    assert set(re.findall(r"images/([a-z-]+\.png)", pages)) == kept

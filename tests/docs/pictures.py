"""Makes the pictures under docs/images again: `nox -s docs`.

They show the gate on the TAP stack with key rotation turned off, as a terminal and as a page show it, and the
page of an audit of ten stacks. What they were made of is written beside them, so that a test can tell when
they have gone stale.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tap_guardrails.assembly import find_rules
from tests.bench.audit_states import write_states
from tests.stack.engine import PACK, ROOT, copy_project
from tests.stack.mutation import apply, read_mutants
from tests.tapgate.reports.browser import screenshot

IMAGES = ROOT / "docs" / "images"
SOURCES = IMAGES / "sources.json"
STACKS = 10
BREACHES = {
    3: ("aws:kms/key:Key", "enableKeyRotation", False),
    6: ("aws:dynamodb/table:Table", "pointInTimeRecovery", {"enabled": False}),
    8: ("aws:lambda/function:Function", "tracingConfig", {"mode": "PassThrough"}),
}
"""By number of the stack: what is wrong with it."""
DEVICES = {"laptop": (1280, 1180), "phone": (390, 1180)}
COLOURS = {"31": "#ff8f85", "32": "#7bd88f", "33": "#f2c063", "36": "#6fd0d8", "1": "bold", "2": "#93a1b0"}
STYLE = """
body { margin: 0; padding: 22px 26px; background: #11161d; color: #dfe6ee; width: max-content; }
pre { margin: 0; font: 14px/1.42 "DejaVu Sans Mono", monospace; }
"""


def main() -> None:
    """Run the gate once, and take the pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        project = copy_project(folder)
        (project / "policypack").symlink_to(PACK)
        (mutant,) = [one for one in read_mutants() if one.name == "rotation off"]
        apply(mutant.edits, project / "program" / "tap_stack")
        report = folder / "report.html"
        said = in_terminal(project, "preview", "--html", str(report))
        screen = folder / "screen.html"
        screen.write_text(drawn(said.replace(f"{project}/", "").replace(f"{ROOT}/", "")), encoding="utf-8")
        screenshot(screen, IMAGES / "blocked.png", width=960, height=44 + 20 * said.count("\n"))
        take(report, "preview")
        states, audited = folder / "states", folder / "audit.html"
        write_states(states, STACKS, resources=50)
        for number, (kind, name, value) in BREACHES.items():
            breach(states / f"s{number:04d}.json", kind, name, value)
        in_terminal(project, "audit", str(states), "--html", str(audited))
        take(audited, "audit")
        SOURCES.write_text(json.dumps(made_of(), indent=2) + "\n", encoding="utf-8")


def breach(state: Path, kind: str, name: str, value: object) -> None:
    """Give a property of all resources of a type another value."""
    document = json.loads(state.read_text(encoding="utf-8"))
    for resource in document["deployment"]["resources"]:
        if resource["type"] == kind:
            resource["inputs"][name] = resource["outputs"][name] = value
    state.write_text(json.dumps(document), encoding="utf-8")


def take(page: Path, name: str) -> None:
    """Take a page's pictures: as wide as a laptop and as a phone, light and dark."""
    for theme in ("light", "dark"):
        for device, (width, height) in DEVICES.items():
            picture = IMAGES / f"{name}-{device}-{theme}.png"
            screenshot(page, picture, width=width, height=height, dark=theme == "dark")


def made_of() -> dict[str, object]:
    """Return what the pictures show of the product: the pack's policies and the page's form."""
    page = ROOT / "tapgate" / "reports" / "page"
    form = b"".join(
        path.read_bytes() for path in [page / "report.css", *sorted((page / "templates").iterdir())]
    )
    policies = sorted(rule.name for rule in find_rules())
    return {"policies": policies, "form": hashlib.sha256(form).hexdigest(), "stacks": STACKS}


def in_terminal(project: Path, *arguments: str) -> str:
    """Run the gate as in a terminal, and return what it wrote to standard output."""
    mine, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tapgate", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=subprocess.DEVNULL,
    )
    os.close(its)
    written = bytearray()
    try:
        while part := os.read(mine, 65536):
            written += part
    except OSError:
        pass  # This is how Linux says that no one holds the other end any more.
    os.close(mine)
    if process.wait() != 1:
        sys.exit(f"the gate was to block, and answered {process.returncode}:\n{written.decode()}")
    return written.decode().replace("\r\n", "\n")


def drawn(said: str) -> str:
    """Return a terminal's text, with its colours, as a page."""
    parts = ["<!doctype html><meta charset=utf-8><style>", STYLE, "</style><pre>"]
    open_tags = 0
    for index, part in enumerate(re.split(r"\x1b\[([\d;]*)m", said)):
        if index % 2 == 0:
            parts.append(html.escape(part))
            continue
        if part in {"", "0"}:
            parts.append("</span>" * open_tags)
            open_tags = 0
            continue
        styles = [COLOURS[number] for number in part.split(";")]
        css = ";".join("font-weight:700" if one == "bold" else f"color:{one}" for one in styles)
        parts.append(f'<span style="{css}">')
        open_tags += 1
    return "".join([*parts, "</pre>"])


if __name__ == "__main__":
    main()

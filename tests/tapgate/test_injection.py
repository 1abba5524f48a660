"""What a program or a state may call its resources never acts in what the gate writes, in any format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tapgate.cli import main
from tests.tapgate.reports.page_reader import check_accessible, read_page
from tests.tapgate.reports.readers import validate
from tests.tapgate.reports.test_markdown import TAGS, Rendered
from tests.tapgate.reports.test_page import check_safe
from tests.tapgate.reports.test_sarif import OFFICIAL
from tests.tapgate.sample_state import exported, resource, root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
NAME = (
    "</code><script>alert(1)</script>\"'><img src=x onerror=alert(1)>[x](javascript:alert(1))"
    "![p](https://evil.example/x.png) | <!-- `x` ]]> @octocat \x1b]0;title\x07\x1b[2J\u202e"
    "\r\nPASSED\nVerdict: waived ##[error]PASSED ##vso[task.complete result=Succeeded;]"
    + 20
    * " ::add-mask::BLOCKED"
)
"""Markup of every format, escape sequences, lines that look like a verdict, commands to a runner."""
PROGRAM = f"""
import pulumi

pulumi.ComponentResource("test:index:Thing", {NAME!r}, {{}}, pulumi.ResourceOptions())
"""


@pytest.fixture
def arguments(tmp_path: Path, pack: Callable[[str], str]) -> list[str]:
    """A pack that repeats names, and every report."""
    targets = [f"--{name}={tmp_path / name}" for name in ("html", "markdown", "sarif", "junit", "verdict")]
    return ["--policy-pack", pack("mirror"), *targets]


def check(folder: Path, said: str) -> None:
    """Read every report as its readers do."""
    assert not set(said) & {"\x1b", "\x07", "\u202e", "\r"}
    assert not any(line.startswith("PASSED") for line in said.splitlines())
    assert not re.search(r"(?m)^\s*::|##\[|##vso\[", said)
    verdict = (folder / "verdict").read_text(encoding="utf-8")
    assert "alert(1)" in verdict
    page = read_page((folder / "html").read_text(encoding="utf-8"))
    check_safe(page)
    check_accessible(page)
    assert "<script>alert(1)</script>" in page.text
    rendered = Rendered((folder / "markdown").read_text(encoding="utf-8"))
    assert set(rendered.tags) <= TAGS
    assert not [link for link in rendered.links if "evil" in link or "alert" in link]
    assert "<script>alert(1)</script>" in rendered.text
    sarif = json.loads((folder / "sarif").read_text(encoding="utf-8"))
    validate(sarif, OFFICIAL)
    assert ET.parse(folder / "junit").getroot().tag == "testsuites"  # noqa: S314 - our own document


def test_a_resource_of_a_program(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: plain\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("config: {}\n")
    (project / "__main__.py").write_text(PROGRAM)
    code = main(["preview", "-C", str(project), *arguments])
    out, err = capsys.readouterr()
    assert code == 1, out + err
    assert "##\\[error]" in out
    check(tmp_path, out + err)


def test_a_resource_of_a_state(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / f"{NAME.replace('/', ' ')[:80]}.json"
    state.write_bytes(exported([root(), resource(NAME)]))
    torn = tmp_path / f"torn {state.name}"
    torn.write_bytes(b"{")
    code = main(["audit", str(state), str(torn), *arguments, "--fresh", "--workers", "1"])
    out, err = capsys.readouterr()
    assert code == 2, out + err
    assert "1 blocked, 1 not audited" in out
    check(tmp_path, out + err)

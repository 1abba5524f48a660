"""The threat model claims what a test shows, and README no more than the threat model."""

from __future__ import annotations

import ast
import re
from itertools import groupby

import pytest

from tests.stack.engine import ROOT

PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ATTACKERS = (
    "A careless team",
    "A hurried team",
    "A team with the repository in its hand",
    "A stranger in a pull request",
    "A compromised runner",
)
SECTIONS = dict(part.split("\n", 1) for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
ROWS = [
    (title, line)
    for title, body in SECTIONS.items()
    for is_table, lines in groupby(body.splitlines(), lambda line: line.startswith("|"))
    if is_table
    for line in [*lines][2:]
]


def test_each_attacker_has_promises_and_all_but_the_first_has_limits() -> None:
    assert tuple(SECTIONS) == ATTACKERS
    assert {title for title, _ in ROWS} == set(ATTACKERS)
    assert [title for title, body in SECTIONS.items() if "**Only others can:**" in body] == [*ATTACKERS[1:]]


@pytest.mark.parametrize(("title", "row"), ROWS, ids=lambda one: one[:40])
def test_each_row_names_a_test_that_exists(title: str, row: str) -> None:
    named = re.fullmatch(r"\|[^|]+\|[^|]+\| `(?P<file>tests/[\w/]+\.py)::(?P<test>\w+)` \|", row)
    assert named, f"{title}: the last column names no test: {row}"
    tree = ast.parse((ROOT / named["file"]).read_text(encoding="utf-8"))
    assert named["test"] in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}


def test_readme_claims_no_more() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, _, _ = readme.partition("## Two commands")
    assert "docs/threat-model.md" in first
    assert not re.search(r"\b(?:impossible|tamper-?proof|cannot be bypassed|unbreakable|guarantee)", readme)


def test_the_tool_installs_by_hash() -> None:
    script = (ROOT / ".ci" / "gate").read_text(encoding="utf-8")
    assert "--require-hashes" in script
    lock = (ROOT / "requirements" / "embedded.txt").read_text(encoding="utf-8")
    names = re.findall(r"^[a-z0-9._-]+==", lock, re.MULTILINE | re.IGNORECASE)
    assert names
    assert len(
        re.findall(r"^[a-z0-9._-]+==[^\n]*\\\n +--hash=sha256:", lock, re.MULTILINE | re.IGNORECASE)
    ) == len(names)

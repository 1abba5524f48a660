"""The published reference is the one that the rules declare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tap_guardrails.assembly import find_rules
from tap_guardrails.model import ResourceRule
from tap_guardrails.reference import cell, main, reference
from tap_guardrails.waivers import STACK_KEY, TAG_PREFIX

if TYPE_CHECKING:
    import pytest

PUBLISHED = Path(__file__).parents[2] / "docs" / "policies.md"


def test_published_reference_is_current() -> None:
    assert PUBLISHED.read_text() == reference(find_rules()), "run `nox -s docs` and commit docs/policies.md"


def test_every_rule_has_a_chapter_with_its_fix_and_settings() -> None:
    for rule in find_rules():
        chapter = reference([rule]).split(f"## {rule.name}\n")[1]
        assert rule.fix in chapter
        assert all(f"`{setting.name}`" in chapter for setting in rule.settings)
        assert all(cell(control.identifier) in chapter for control in rule.answered)


def test_what_every_policy_can_be_told_is_said_once() -> None:
    head, chapters = reference(find_rules()).split("## All policies")
    for name in ("`onUnknown`", "`waivers`", TAG_PREFIX, STACK_KEY):
        assert name in head
    assert "| `onUnknown` |" not in chapters


def test_what_a_policy_puts_right_is_said() -> None:
    for rule in find_rules():
        remediation = rule.remediation if isinstance(rule, ResourceRule) else ""
        chapter = reference([rule]).split(f"## {rule.name}\n")[1]
        assert ("At level `remediate`" in chapter) == bool(remediation)
        assert not remediation or remediation in chapter


def test_a_bar_does_not_end_a_cell() -> None:
    assert cell("a|b\nc") == "a\\|b c"


def test_writes_the_file_that_is_named(tmp_path: Path) -> None:
    target = tmp_path / "policies.md"
    assert main([str(target)]) == 0
    assert target.read_text() == reference(find_rules())


def test_names_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err

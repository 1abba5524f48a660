"""Programs that use other packages than `aws`, on the real engine, with none of those installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tapgate.embedded.paths import cache_root

pytestmark = pytest.mark.cli

FIXTURES = Path(__file__).parent / "fixtures" / "foreign"
ANSWERS = FIXTURES / "older-major" / "answers.json"
Preview = Callable[..., tuple[int, set[tuple[str, str, str]], str]]


@pytest.fixture
def preview(
    evaluated: Callable[..., tuple[int, set[tuple[str, str, str]], str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Preview:
    """Previews where the home has no plug-ins; what is kept of AWS's schemas is no part of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_root().parent))
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(name: str, *options: str) -> tuple[int, set[tuple[str, str, str]], str]:
        code, findings, said = evaluated(Path(shutil.copytree(FIXTURES / name, tmp_path / name)), *options)
        return code, findings, " ".join(said.split())

    return run


def test_a_yaml_program_with_other_packages_has_a_verdict(preview: Preview) -> None:
    code, findings, said = preview("packages")
    assert (code, findings) == (
        1,
        {
            ("no-unseen-resources", "vpc", "undecided"),
            ("no-unseen-resources", "platform", "undecided"),
            ("no-unseen-resources", "script", "violation"),
        },
    ), said
    for policy in ("kms-key-rotation", "log-group-encryption", "log-group-retention"):
        assert f"✓ {policy}" in said
    # Of the encrypted parameter's value no one says more than that another resource makes it.
    assert "- no-plaintext-secrets not applicable" in said
    assert "stand-in provider for package random" in said


def test_a_component_is_unseen_and_what_no_one_gives_the_program_stands_in(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "their-own")
    code, findings, said = preview("packages-python")
    assert (code, findings) == (
        1,
        {("no-unseen-resources", "platform", "undecided"), ("log-group-retention", "logs", "undecided")},
    ), said
    assert "✓ kms-key-rotation" in said
    assert "stand in: AWS_ACCOUNT_ID, DB_PASSWORD, RETENTION_DAYS" in said
    assert (
        "config that the program requires stands in: packages-python:network, packages-python:owner" in said
    )
    assert "their-own" not in said


def test_a_program_for_an_older_major_is_judged_with_a_note_and_refers_to_stacks(preview: Preview) -> None:
    code, findings, said = preview("older-major", "--answers", str(ANSWERS))
    assert (code, findings) == (1, {("sqs-encryption", "unknown", "undecided")}), said
    assert "asks for version 6.83.0 of the AWS provider; the stand-in knows the types of 7." in said

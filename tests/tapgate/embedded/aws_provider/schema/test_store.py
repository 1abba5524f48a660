from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider import package_schema, sdk_source

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: dict[str, object] = {"name": "aws", "version": "7", "resources": {"ü": {}}}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the schema is made, in an empty cache."""
    times: list[int] = []

    def generate() -> dict[str, object]:
        times.append(1)
        return dict(SCHEMA)

    monkeypatch.setattr(package_schema, "generate", generate)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return times


def test_a_schema_is_made_once(made: list[int], tmp_path: Path) -> None:
    for _ in range(3):
        assert json.loads(package_schema.schema_text()) == SCHEMA
    assert len(made) == 1
    (file,) = tmp_path.rglob("*.json")
    assert file == package_schema.cache_file()


@pytest.mark.parametrize("keep", [0, 5, 9, 30, -1])
def test_half_of_a_schema_is_never_taken(made: list[int], keep: int) -> None:
    package_schema.schema_text()
    file = package_schema.cache_file()
    file.write_bytes(file.read_bytes()[:keep])
    assert json.loads(package_schema.schema_text()) == SCHEMA
    assert len(made) == 2
    assert json.loads(package_schema.schema_text()) == SCHEMA
    assert len(made) == 2


def test_what_is_no_text_is_made_anew(made: list[int]) -> None:
    package_schema.schema_text()
    package_schema.cache_file().write_bytes(b"\xff\xfe")
    assert json.loads(package_schema.schema_text()) == SCHEMA
    assert len(made) == 2


def test_another_pulumi_aws_has_another_schema(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    package_schema.schema_text()
    monkeypatch.setattr(sdk_source, "package_version", lambda: "8.0.0")
    package_schema.schema_text()
    assert len(made) == 2


def test_a_change_of_what_makes_it_is_another_entry(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_schema.schema_text()
    changed = tmp_path / "package_schema.py"
    changed.write_text("# another way")
    monkeypatch.setattr(package_schema, "__file__", str(changed))
    package_schema.schema_text()
    assert len(made) == 2


def test_a_cache_that_cannot_be_written_is_no_error(made: list[int], tmp_path: Path) -> None:
    (tmp_path / "tap-guardrails").write_text("a file where a folder should be")
    assert json.loads(package_schema.schema_text()) == SCHEMA
    assert json.loads(package_schema.schema_text()) == SCHEMA
    assert len(made) == 2

from __future__ import annotations

from pathlib import Path

import pytest

from tapgate.embedded.aws_provider import package_schema
from tapgate.embedded.aws_provider.schema_store import (
    NOTED,
    cache_folder,
    function_schema_of,
    keep_file,
    keep_noted,
    schema_of,
)
from tapgate.embedded.stacks import Theatre


def test_a_file_that_cannot_be_put_in_place_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "things" / "one.json"
    keep_file(path, "old")

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    keep_file(path, "new")
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]
    assert path.read_text() == "old"


def test_what_a_sandbox_could_not_keep_is_kept_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv(NOTED, str(notes))
    for name in ("aws.kms.key.Key.json", "aws.kms.getAlias.getAlias.json"):
        keep_file(Path("/proc/nowhere") / name, "whatever the program says")
    with notes.open("a") as more:
        more.write("aws.kms.key.None.json\n../../x\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(package_schema, "schema_text", lambda: "")
    schema_of.cache_clear()
    function_schema_of.cache_clear()
    keep_noted(notes)
    kept = {path.name: path.read_text() for path in cache_folder().iterdir()}
    assert kept.keys() == {"aws.kms.key.Key.json", "aws.kms.getAlias.getAlias.json"}
    assert "enableKeyRotation" in kept["aws.kms.key.Key.json"]


@pytest.mark.parametrize(("runtime", "wanted"), [("yaml", 1), ("python", 0)])
def test_the_schema_of_yaml_programs_is_made_once_before_sandboxes_that_cannot_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, wanted: int
) -> None:
    made: list[Path] = []

    def schema_text() -> str:
        made.append(package_schema.cache_file())
        keep_file(made[-1], "made")
        return ""

    monkeypatch.setattr(package_schema, "schema_text", schema_text)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "Pulumi.yaml"
    project.write_text(f"name: app\nruntime: {runtime}\n")
    for stack in ("dev", "prod"):
        Theatre().stage(tmp_path / stack, "app", stack, tmp_path / f"Pulumi.{stack}.yaml", project)
    assert len(made) == wanted

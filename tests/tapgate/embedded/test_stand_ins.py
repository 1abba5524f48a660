"""The stand-in on PATH: it starts the provider with this very interpreter, from any folder."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.environment import is_stand_in_folder, stand_in_folder
from tapgate.embedded.paths import ROOT
from tests.tapgate.embedded.toolchain import fakes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("cache")

TELL = 'echo "$PYTHONPATH"; for word; do echo "$word"; done'


@pytest.mark.parametrize(
    "name", ["plain", "with space", "with 'quote'", 'with "double"', "with $HOME `id`", "ü"]
)
def test_the_provider_is_started_with_its_arguments(tmp_path: Path, name: str) -> None:
    python = fakes.script(tmp_path / name / "python", TELL)
    root = tmp_path / name / "root"
    shim = stand_in_folder(root, str(python)) / "pulumi-resource-aws"
    outcome = subprocess.run(
        [shim, "127.0.0.1:1234", "two words"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "/theirs"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = outcome.stdout.splitlines()
    assert said == [
        f"{root}:/theirs",
        "-P",
        "-m",
        "tapgate.embedded.aws_provider",
        "127.0.0.1:1234",
        "two words",
    ]


def test_the_module_is_found_from_any_folder(tmp_path: Path) -> None:
    """A folder called `tapgate` where the engine runs is not taken for ours."""
    (tmp_path / "tapgate").mkdir()
    (tmp_path / "tapgate" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    shim = stand_in_folder() / "pulumi-resource-aws"
    tell = f"{sys.executable} -P -c 'import tapgate; print(tapgate.__file__)'"
    start = shim.read_text().replace(
        f"exec {sys.executable} -P -m tapgate.embedded.aws_provider", f"exec {tell}"
    )
    outcome = subprocess.run(
        ["/bin/sh", "-c", start], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.strip() == str(ROOT / "tapgate" / "__init__.py")


def test_another_pulumi_aws_is_another_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine keeps the schema of a plugin until it finds a newer one."""
    before = stand_in_folder(tmp_path)

    def newer(_name: str) -> str:
        return "8.0.0"

    monkeypatch.setattr(metadata, "version", newer)
    assert stand_in_folder(tmp_path) != before

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert "(not installed)" in (stand_in_folder(tmp_path) / "pulumi-resource-aws").read_text()


def test_what_was_changed_among_the_stand_ins_is_put_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stand_in_folder(tmp_path)
    before = (folder / "pulumi-resource-aws").read_text()
    (folder / "pulumi-resource-aws").write_text("#!/bin/sh\nexec evil\n")
    (folder / "pulumi-language-python").write_text("#!/bin/sh\nexec evil\n")
    (folder / "python").mkdir()
    assert stand_in_folder(tmp_path) == folder
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("pulumi-resource-aws", before)]
    assert "pulumi-language-python, which is none of the stand-ins" in capsys.readouterr().err


def test_two_interpreters_in_one_checkout_keep_apart(tmp_path: Path) -> None:
    one, other = (stand_in_folder(tmp_path, python) for python in ("/a/python", "/b/python"))
    assert one != other
    assert stand_in_folder(tmp_path, "/a/python") == one
    assert is_stand_in_folder(str(one))
    assert not is_stand_in_folder("/usr/bin")
    assert not is_stand_in_folder("")

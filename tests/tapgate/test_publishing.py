from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.cli import main
from tapgate.publishing import examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapgate.doctor import Check

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).parent / "fixtures" / "packs" / "probe"
pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Copies the probe pack, with some of its text replaced."""

    def change(*replacements: tuple[str, str], requirements: bool = False) -> Path:
        copy = Path(shutil.copytree(PROBE, tmp_path / "pack"))
        for old, new in replacements:
            for file in (copy / "__main__.py", copy / "PulumiPolicy.yaml"):
                file.write_text(file.read_text().replace(old, new))
        if requirements:
            (copy / "requirements.txt").write_text("pulumi-policy>=1.21,<2\n")
        else:
            (copy / "requirements.txt").unlink()
        return copy

    return change


def found(name: str, folder: Path, changelog: Path | None = None) -> Check:
    """The check of that name; those after it are not made."""
    return next(check for check in examine(folder, changelog) if check.name == name)


DOCUMENTED = "python -m tapgate publishable policypack --changelog CHANGELOG.md"


def test_this_pack_can_be_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changelog, config = tmp_path / "CHANGELOG.md", tmp_path / "advise.json"
    monkeypatch.chdir(ROOT)
    documented = DOCUMENTED.replace("CHANGELOG.md", str(changelog)).split()[3:]
    changelog.write_text("# Changelog\n\n## [0.1.0] - 2026-11-26\n")
    config.write_text('{"all": "advisory", "kms-key-rotation": {"maximumRotationDays": 180}}')
    code = main([*documented, "--config", str(config)])
    out = capsys.readouterr().out
    assert code == 0, out
    assert "policies with nothing but its requirements" in out
    assert "✓ policies" in out
    assert "✓ config file" in out
    assert out.endswith("PUBLISHABLE  nothing is missing\n")


def test_a_pack_that_imports_what_it_does_not_require(changed: Callable[..., Path]) -> None:
    check = found("on its own", changed(("import os\n", "import boto3\n"), requirements=True))
    assert check.status == "missing"
    assert "No module named 'boto3'" in check.said


def test_a_pack_that_needs_the_folder_that_it_is_developed_in(
    changed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    check = found("on its own", changed(("import os\n", "import tapgate\n")))
    assert check.status == "missing"
    assert "No module named 'tapgate'" in check.said


@pytest.mark.parametrize(
    ("installer", "said"),
    [
        ("uv", "The pack's requirements cannot be installed. "),
        ("none", "The pack's requirements cannot be installed: there is no uv."),
    ],
)
def test_requirements_that_cannot_be_installed(
    changed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installer: str, said: str
) -> None:
    if installer == "none":
        monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
        monkeypatch.setenv("PATH", str(tmp_path))
    pack = changed(requirements=True)
    (pack / "requirements.txt").write_text("no such requirement\n")
    check = found("on its own", pack)
    assert check.status == "missing"
    assert check.said.startswith(said)


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "01.0.0", "''"])
def test_a_version_that_is_none(changed: Callable[..., Path], version: str) -> None:
    assert found("version", changed(("version: 1.2.3", f"version: {version}"))).status == "missing"


def test_a_changelog_that_says_nothing_of_the_version(tmp_path: Path, changed: Callable[..., Path]) -> None:
    changelog, pack = tmp_path / "CHANGELOG.md", changed()
    changelog.write_text("## [Unreleased]\n\n## [1.2.30] - 2026-01-01\n")
    check = found("changelog", pack, changelog)
    assert (check.status, check.said) == ("missing", "CHANGELOG.md says nothing of 1.2.3")
    changelog.write_bytes(b"\xff")
    assert found("changelog", pack, changelog).status == "missing"
    changelog.write_text("## [1.2.3]\n")
    assert found("changelog", pack, changelog).status == "there"


def test_policies_that_do_not_say_enough(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    pack = changed(('"probe-stack"', '"Probe Stack"'))
    assert main(["publishable", str(pack)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Probe Stack is no name" in said
    assert "probe-resource has no displayName" in said
    assert "NOT PUBLISHABLE 1 missing" in said


def test_config_files_that_do_not_fit(changed: Callable[..., Path], tmp_path: Path) -> None:
    bodies = ({"probe-stak": "mandatory"}, {"probe-stack": {"say": "odd"}})
    configs = [tmp_path / f"{number}.json" for number in range(len(bodies))]
    for config, body in zip(configs, bodies, strict=True):
        config.write_text(json.dumps(body))
    unknown, odd = (check for check in examine(changed(), None, configs) if check.name == "config file")
    assert (unknown.status, odd.status) == ("missing", "missing")
    assert f"{configs[0]}: The pack has no policy 'probe-stak'." in unknown.said
    assert "The policy pack's config does not match what the pack accepts." in odd.said


def test_a_folder_that_is_no_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publishable", str(tmp_path)]) == 2
    assert "it has no PulumiPolicy.yaml" in capsys.readouterr().err

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate import doctor
from tapgate.cli import main
from tapgate.doctor import Check, check_line, examine
from tapgate.embedded.doctor import packages
from tapgate.terminal import Ink

if TYPE_CHECKING:
    from collections.abc import Callable

PACKS = Path(__file__).parent / "fixtures" / "packs"


def statuses(folder: Path, *packs: Path) -> dict[str, Check]:
    return {check.name: check for check in examine(folder, packs)}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a `pulumi` on PATH that is this shell script, and nothing else."""

    def write(script: str) -> None:
        program = tmp_path / "pulumi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    return write


@pytest.mark.cli
@pytest.mark.usefixtures("backend")
def test_everything_is_there(
    capsys: pytest.CaptureFixture[str], project: Callable[[str], Path], pack: Callable[[str], str]
) -> None:
    documented = "python -m tapgate doctor --project PROJECT".replace("PROJECT", str(project("plain")))
    code = main([*documented.split()[3:], "--policy-pack", pack("probe")])
    out = capsys.readouterr().out
    assert code == 0
    assert "✓ project                plain (yaml)" in out
    assert "✓ policy pack            2 policies in" in out
    assert "✓ yaml language host" in out
    assert "✓ boto3" in out
    assert "✓ distributed" in out
    assert out.endswith("READY  nothing is missing\n")


def test_what_serves_the_packages_of_a_program(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        "{name: x, runtime: yaml, resources: {a: {type: 'aws:sqs:Queue'}, b: {type: 'awsx:ec2:Vpc'}, "
        "c: {type: 'random:RandomId'}, d: {type: 'own:index:Part'}}, packages: {own: ./own}}"
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "PulumiPlugin.yaml").write_text("runtime: python")
    lines = {line.name: line for line in packages(tmp_path)}
    assert {name: line.there for name, line in lines.items()} == {
        "package aws": True,
        "package awsx": False,
        "package own": True,
        "package random": True,
    }
    assert "pulumi plugin install resource awsx" in lines["package awsx"].fix
    assert not lines["package awsx"].needed
    assert lines["package own"].found == f"the component in {tmp_path / 'own'}"
    python = tmp_path / "python"
    python.mkdir()
    (python / "Pulumi.yaml").write_text("{name: x, runtime: python}")
    (python / "__main__.py").write_text("import pulumi_aws as aws\nfrom pulumi_unheard_of import Thing\n")
    lines = {line.name: line for line in packages(python)}
    assert lines["package aws"].there
    assert lines["package unheard-of"].needed
    assert "--install" in lines["package unheard-of"].fix


@pytest.mark.cli
@pytest.mark.usefixtures("backend")
def test_a_pack_that_does_not_start_and_a_folder_without_project(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    code = main(["doctor", "-C", str(tmp_path), "--policy-pack", str(PACKS / "broken")])
    out = capsys.readouterr().out
    assert code == 2
    assert "✗ policy pack" in out
    assert "- project" in out
    assert "- secrets passphrase     not set" in out
    assert out.endswith("NOT READY  1 missing\n")


def test_nothing_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = statuses(tmp_path)
    assert found["pulumi CLI"].status == "missing"
    assert found["python language host"].status == "missing"
    assert found["policy pack"].status == "missing"
    assert "backend" not in found


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo v3.100.0", "v3.100.0 at "),
        ("echo dev", "does not tell its version: dev"),
        ("exec sleep 9", "TimeoutExpired"),
    ],
)
def test_a_cli_that_will_not_do(
    cli: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(doctor, "_SECONDS", 0.5)
    cli(script)
    check = statuses(tmp_path)["pulumi CLI"]
    assert check.status == "missing"
    assert said in check.said
    assert check.fix


@pytest.mark.parametrize("answer", ["error: no login", "{}"])
def test_nobody_is_logged_in(cli: Callable[[str], None], tmp_path: Path, answer: str) -> None:
    cli(f"[ $1 = version ] && echo v3.259.0 || echo '{answer}'")
    found = statuses(tmp_path)
    assert found["pulumi CLI"].status == "there"
    assert (found["backend"].status, found["backend"].said) == ("missing", answer)


@pytest.mark.parametrize("there", [True, False])
def test_the_environment_of_a_python_program(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    if there:
        (tmp_path / ".venv").mkdir()
    check = statuses(tmp_path)["program's environment"]
    assert check.status == ("there" if there else "missing")
    assert ("pulumi install" in check.fix) != there


def test_optional_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    def find_nothing(_name: str) -> None: ...

    monkeypatch.setattr("importlib.util.find_spec", find_nothing)
    check = statuses(tmp_path)["distributed"]
    assert (check.status, check.fix) == ("optional", "pip install distributed")


def test_nothing_hidden_is_shown() -> None:
    lines = list(check_line(Check("x", "missing", "a\x1b[2J", "b\u202e"), Ink(colour=False, unicode=False)))
    assert lines == ["  XX x                      a\\x1b[2J", "                           b\\u202e"]

"""The component's own `venv`, which only an official language host asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.prepare import ensure_component_environment
from tapgate.embedded.toolchain.search import Cli
from tests.tapgate.embedded.toolchain import fakes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "checkout" / "program").mkdir(parents=True)
    (tmp_path / "checkout" / "program" / "PulumiPlugin.yaml").write_text("runtime: python\n")
    return tmp_path / "checkout"


def official(folder: Path, then: str = "mkdir -p program/venv/bin; : > program/venv/bin/python") -> Cli:
    """A CLI that installs what `pulumi install` installs, and counts."""
    fakes.script(folder / "pulumi", f'echo "$* in $PWD with $WORD" >> "{folder}/asked"; {then}')
    return Cli(folder, "3.300.0", "for a test")


@pytest.mark.usefixtures("cache")
def test_the_official_host_gets_a_venv_once(checkout: Path, tmp_path: Path) -> None:
    cli = official(tmp_path / "bin")
    environment = {"PATH": "/usr/bin:/bin", "WORD": "hello"}
    ensure_component_environment(cli, environment, checkout)
    ensure_component_environment(cli, environment, checkout)
    asked = (tmp_path / "bin" / "asked").read_text().splitlines()
    assert asked == [f"install --non-interactive in {checkout} with hello"]


def test_the_host_that_is_built_here_does_without(checkout: Path, cache: Path) -> None:
    cli = official(cache / "pulumi-3.259.0-abc" / "bin")
    ensure_component_environment(cli, {}, checkout)
    assert not (cli.folder / "asked").exists()


@pytest.mark.usefixtures("cache")
def test_without_a_component_nothing_is_installed(checkout: Path, tmp_path: Path) -> None:
    (checkout / "program" / "PulumiPlugin.yaml").unlink()
    cli = official(tmp_path / "bin")
    ensure_component_environment(cli, {}, checkout)
    assert not (cli.folder / "asked").exists()


@pytest.mark.usefixtures("cache")
def test_a_failed_installation_says_what_to_do(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure) as failure:
        ensure_component_environment(official(tmp_path / "bin", "exit 9"), {"PATH": "/bin"}, checkout)
    assert str(failure.value).startswith("`pulumi install` failed with exit code 9.\n")

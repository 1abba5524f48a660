"""One executable: what it says of itself, and what keeps it from being used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.toolchain.search import Cli, Unusable, inspect
from tests.tapgate.embedded.toolchain import fakes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("cache")


def refusal(path: Path) -> str:
    found = inspect(path, "for a test")
    assert isinstance(found, Unusable)
    assert found.path == path
    return found.reason


def test_a_compatible_cli_with_its_hosts_can_be_used(tmp_path: Path) -> None:
    path = fakes.cli(tmp_path / "bin")
    assert inspect(path, "for a test") == Cli(tmp_path / "bin", "3.300.1", "for a test")


def test_hosts_may_be_anywhere_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fakes.cli(tmp_path / "bin", hosts=())
    fakes.cli(tmp_path / "hosts")
    monkeypatch.setenv("PATH", str(tmp_path / "hosts"), prepend=":")
    assert isinstance(inspect(path, "for a test"), Cli)


def test_hosts_may_be_beside_what_a_link_points_to(tmp_path: Path) -> None:
    link = tmp_path / "links" / "pulumi"
    link.parent.mkdir()
    link.symlink_to(fakes.cli(tmp_path / "bin"))
    assert isinstance(inspect(link, "for a test"), Cli)


def test_a_missing_language_host_is_named(tmp_path: Path) -> None:
    path = fakes.cli(tmp_path / "bin", hosts=["pulumi-language-yaml"])
    assert refusal(path) == "its language hosts are missing (pulumi-language-python)"


@pytest.mark.parametrize(
    ("prints", "reason"),
    [
        ("v3.254.9", "it is version 3.254.9; 3.255.0 or newer is needed"),
        ("v3.255.0-alpha.1", "it is version 3.255.0-alpha.1; 3.255.0 or newer is needed"),
        ("hello", "`pulumi version` printed 'hello', which is not a version"),
        ("", "`pulumi version` printed '', which is not a version"),
    ],
)
def test_what_it_prints_decides(tmp_path: Path, prints: str, reason: str) -> None:
    assert refusal(fakes.cli(tmp_path, prints)) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 3", "`pulumi version` failed with exit code 3"),
        ("sleep 30", "`pulumi version` did not answer within 0 s"),
        (r"printf '\377'", "it cannot be run: 'utf-8' codec can't decode byte 0xff in position 0"),
    ],
)
def test_one_that_does_not_answer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    monkeypatch.setattr("tapgate.embedded.toolchain.search.VERSION_SECONDS", 0.4)
    assert refusal(fakes.script(tmp_path / "pulumi", body)).startswith(reason)


def test_a_file_of_another_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pulumi"
    path.write_bytes(b"\x7fELF\x02" + bytes(60))
    path.chmod(0o755)
    assert refusal(path).startswith("it cannot be run: ")


def test_what_is_no_executable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    assert refusal(tmp_path / "absent") == "it cannot be read: No such file or directory"
    assert refusal(tmp_path / "plain") == "it is not an executable file"
    assert refusal(tmp_path) == "it is not an executable file"


def counting_cli(folder: Path, size: int) -> Path:
    path = fakes.cli(folder)
    fakes.script(path, f"echo asked >> {folder}/count; echo v3.300.1; exit 0\n#{'x' * size}")
    return path


def times_asked(folder: Path) -> int:
    return len((folder / "count").read_text().splitlines())


def test_a_binary_is_asked_once_until_it_changes(tmp_path: Path, cache: Path) -> None:
    path = counting_cli(tmp_path / "bin", 1 << 20)
    assert inspect(path, "first") == inspect(path, "first")
    assert times_asked(path.parent) == 1
    fakes.script(path, path.read_text().split("\n", 1)[1] + "x")
    inspect(path, "changed")
    assert times_asked(path.parent) == 2
    (cache / "versions.json").write_text("[broken")
    inspect(path, "forgotten")
    assert times_asked(path.parent) == 3


def test_a_wrapper_is_asked_every_time(tmp_path: Path) -> None:
    path = counting_cli(tmp_path / "bin", 0)
    inspect(path, "once")
    inspect(path, "twice")
    assert times_asked(path.parent) == 2

"""Stacks of the embedded backend, and the stack files of the checkout while it is in use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapgate.embedded.environment import state_folder
from tapgate.embedded.failure import Failure
from tapgate.embedded.stack_files import salted, unsalted
from tapgate.embedded.stacks import SALT, configured_stacks, ensure_stacks

ROOT = Path(__file__).parents[3]
SALT_LINE = f"encryptionsalt: {SALT}\n"
CONFIG = "config:\n  tap:size: 3\n"

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project with two stacks."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "Pulumi.yaml").write_text('name: "a-project"\nruntime: yaml\n')
    (root / "Pulumi.dev.yaml").write_text(CONFIG)
    (root / "Pulumi.prod.yaml").write_text(CONFIG)
    return root


def stack_file(root: Path, name: str) -> Path:
    return state_folder(root) / ".pulumi" / "stacks" / "a-project" / f"{name}.json"


def test_configured_stacks_are_those_with_a_file(checkout: Path, tmp_path: Path) -> None:
    assert configured_stacks(checkout) == ["dev", "prod"]
    assert configured_stacks(tmp_path / "absent") == []


def test_stacks_are_made_empty_and_only_once(checkout: Path) -> None:
    ensure_stacks(["dev", "TapStackpr12"], checkout)
    assert (state_folder(checkout) / ".pulumi" / "meta.yaml").read_text() == "version: 1\n"
    content = json.loads(stack_file(checkout, "TapStackpr12").read_text())
    assert content["checkpoint"]["stack"] == "organization/a-project/TapStackpr12"
    stack_file(checkout, "dev").write_text("in use")
    ensure_stacks(["dev"], checkout)
    assert stack_file(checkout, "dev").read_text() == "in use"
    assert not stack_file(checkout, "prod").exists()


@pytest.mark.parametrize("name", ["", ".", "../other", "a/b", "-dev", "a b", "x" * 101, "dév", "dev\n"])
def test_what_cannot_be_a_stack_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(Failure, match="cannot be the name of a stack"):
        ensure_stacks([name], checkout)
    assert list((state_folder(checkout) / ".pulumi").glob("**/*.json")) == []


@pytest.mark.parametrize("text", [None, "runtime: yaml\n", "# name: x\n"])
def test_without_a_project_no_stack_is_made(checkout: Path, text: str | None) -> None:
    (checkout / "Pulumi.yaml").unlink()
    if text is not None:
        (checkout / "Pulumi.yaml").write_text(text)
    ensure_stacks(["dev"], checkout)
    assert not state_folder(checkout).exists()


def test_the_salt_is_there_during_a_run_and_gone_after(checkout: Path) -> None:
    with salted(checkout):
        for name in ("dev", "prod"):
            assert (checkout / f"Pulumi.{name}.yaml").read_text() == CONFIG + SALT_LINE
        assert (checkout / "Pulumi.yaml").read_text() == 'name: "a-project"\nruntime: yaml\n'
    assert (checkout / "Pulumi.dev.yaml").read_text() == CONFIG


@settings(max_examples=40)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_stack_file_comes_out_as_it_went_in(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    if text.strip() in {"", "{}"} or "secure:" in text:
        return
    root = tmp_path_factory.mktemp("example")
    path = root / "Pulumi.dev.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    with salted(root):
        pass
    with path.open(encoding="utf-8", newline="") as file:
        assert file.read().rstrip("\n") == text.rstrip("\n")


def test_the_file_of_a_run_before_that_was_killed_is_cleared_up(checkout: Path) -> None:
    path = checkout / "Pulumi.dev.yaml"
    path.write_text(CONFIG + SALT_LINE)
    unsalted(checkout)
    assert path.read_text() == CONFIG
    unsalted(checkout)
    assert path.read_text() == CONFIG


def test_a_file_that_has_nothing_but_the_salt_goes(checkout: Path) -> None:
    path = checkout / "Pulumi.TapStackpr12.yaml"
    with salted(checkout):
        path.write_text(SALT_LINE)
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "encryptionsalt: v1:their:salt\n",
        "secretsprovider: awskms://alias/pulumi\nencryptedkey: abc\n" + CONFIG,
    ],
)
def test_a_provider_of_the_users_own_is_left_alone(
    checkout: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = checkout / "Pulumi.prod.yaml"
    path.write_text(text)
    with salted(checkout):
        assert path.read_text() == text
    assert path.read_text() == text
    assert "Pulumi.prod.yaml names secrets of your own" in capsys.readouterr().err


def test_a_secret_that_was_set_meanwhile_keeps_the_salt_it_needs(checkout: Path) -> None:
    path = checkout / "Pulumi.dev.yaml"
    with salted(checkout):
        path.write_text(path.read_text() + "  tap:token:\n    secure: v1:abc\n")
    assert SALT_LINE in path.read_text()


def test_of_two_runs_the_last_one_to_leave_takes_the_salt_out(checkout: Path) -> None:
    path = checkout / "Pulumi.dev.yaml"
    inner = (
        "import sys; from pathlib import Path; from tapgate.embedded.stack_files import salted\n"
        "with salted(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", inner, str(checkout)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    with salted(checkout):
        pass
    unsalted(checkout)
    assert SALT_LINE in path.read_text()
    other.communicate()
    assert path.read_text() == CONFIG


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_files_that_are_committed_are_free_of_it() -> None:
    found = subprocess.run(
        ["git", "grep", "--files-with-matches", "encryptionsalt", "HEAD", "--", "Pulumi.*.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (1, "")

"""Stacks of the embedded backend, which are files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PASSPHRASE, state_folder
from tapgate.embedded.stacks import EmbeddedStacks, configured_stacks, ensure_stacks

ROOT = Path(__file__).parents[3]
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


def test_a_stack_is_made_and_removed_once(tmp_path: Path) -> None:
    backend = EmbeddedStacks(tmp_path)
    assert not backend.has("shop", "org/shop/dev")
    assert backend.create("shop", "org/shop/dev")
    assert not backend.create("shop", "dev")
    assert backend.has("shop", "dev")
    backend.remove("shop", "dev")
    backend.remove("shop", "dev")
    assert not backend.has("shop", "dev")


def test_a_stack_with_resources_is_not_removed(tmp_path: Path) -> None:
    backend = EmbeddedStacks(tmp_path)
    backend.create("shop", "dev")
    path = tmp_path / ".pulumi" / "stacks" / "shop" / "dev.json"
    state = json.loads(path.read_text())
    state["checkpoint"]["latest"]["resources"] = [{"urn": "urn:pulumi:dev::shop::a:b:C::d"}]
    for text in (json.dumps(state), "torn", "[]", '{"checkpoint": {}}'):
        path.write_text(text)
        backend.remove("shop", "dev")
        assert path.read_text() == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAP_LOCAL_AWS", "real"),
        ("PULUMI_BACKEND_URL", "s3://state"),
        ("PULUMI_BACKEND_URL", ""),
        ("PULUMI_CONFIG_PASSPHRASE", "theirs"),
    ],
)
def test_only_the_backend_that_was_prepared_is_ours(name: str, value: str) -> None:
    prepared = {
        "TAP_LOCAL_AWS": "embedded",
        "PULUMI_BACKEND_URL": "file:///a%20b",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
    }
    assert EmbeddedStacks.of(prepared) is not None
    assert EmbeddedStacks.of({**prepared, name: value}) is None


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

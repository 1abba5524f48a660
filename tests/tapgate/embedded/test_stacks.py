"""Stacks of the embedded backend, which are files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PASSPHRASE, shim_folder, state_folder
from tapgate.embedded.packages import LANGUAGE
from tapgate.embedded.prepare import configured_stacks, ensure_stacks
from tapgate.embedded.stacks import SALT, EmbeddedStacks, main, outputs_of

if TYPE_CHECKING:
    from collections.abc import Callable

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
    assert (list(backend.names("shop")), list(backend.names("other"))) == (["dev"], [])
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


@pytest.fixture
def became(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Calls the CLI's stand-in in the checkout; gives the arguments of what this process would become."""
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(checkout.parent / "home"))

    def call(arguments: str) -> list[str]:
        found: list[str] = []

        def become(program: str, words: list[str]) -> None:
            assert program == "/bin/pulumi"
            found.extend(words)

        with monkeypatch.context() as patched:
            patched.setattr(os, "execv", become)
            main("/bin/pulumi", checkout, arguments.split())
        return found

    return call


def select(checkout: Path, text: str) -> None:
    """Have a stack selected, as `pulumi stack select` does it."""
    digest = hashlib.sha1(os.fsencode(checkout / "Pulumi.yaml"), usedforsecurity=False).hexdigest()
    folder = checkout.parent / "home" / "workspaces"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"a-project-{digest}-workspace.json").write_text(text)


@pytest.mark.parametrize(
    ("arguments", "variable", "selected", "stack"),
    [
        ("preview --stack dev", "prod", "", "dev"),
        ("up -s organization/a-project/prod", "", '{"stack": "dev"}', "prod"),
        ("up --yes --stack=prod --diff", "", "", "prod"),
        ("destroy --yes", "prod", '{"stack": "dev"}', "prod"),
        ("preview", "", '{"stack": "organization/a-project/dev"}', "dev"),
        ("preview", "", '{"stacks": {"file:///state": "prod"}}', "prod"),
        # What is for the CLI to say: no stack, half an option, settings that are torn or of another shape.
        ("preview", "", "", ""),
        ("preview --stack", "", '{"stack": "dev"}', ""),
        ("preview", "", "{", ""),
        ("preview", "", "[]", ""),
        ("preview", "", '{"stacks": {}}', ""),
    ],
)
def test_the_cli_works_on_a_copy_of_the_stacks_file(
    checkout: Path,
    became: Callable[[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    variable: str,
    selected: str,
    stack: str,
) -> None:
    if variable:
        monkeypatch.setenv("PULUMI_STACK", variable)
    if selected:
        select(checkout, selected)
    first, operation, *rest = became(arguments)
    wanted, *given = arguments.split()
    assert [first, operation] == ["/bin/pulumi", wanted]
    if not stack:
        assert rest == given
        return
    option, copy, *others = rest
    assert (option, others) == ("--config-file", given)
    assert Path(copy).name == f"Pulumi.{stack}.yaml"
    assert f"encryptionsalt: {SALT}" in Path(copy).read_text()
    assert (checkout / f"Pulumi.{stack}.yaml").read_text() == CONFIG


def test_a_stacks_file_that_is_no_yaml_is_for_the_engine_to_refuse(
    checkout: Path, became: Callable[[str], list[str]]
) -> None:
    (checkout / "Pulumi.dev.yaml").write_text("config: [")
    assert Path(became("preview -s dev")[3]).read_text() == "config: ["


@pytest.mark.parametrize(
    "text",
    [
        *(
            "torn",
            "[]",
            "{}",
            '{"checkpoint": {"latest": null}}',
            '{"checkpoint": {"latest": {"resources": []}}}',
        ),
        '{"checkpoint": {"latest": {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": [1]}]}}}',
    ],
)
def test_what_is_no_state_has_no_outputs(tmp_path: Path, text: str) -> None:
    (tmp_path / "dev.json").write_text(text)
    assert outputs_of(tmp_path / "dev.json") == {}
    assert outputs_of(tmp_path / "none.json") == {}


def test_a_backend_whose_stacks_others_stand_in_for_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the program refers to stacks: the shim of its language host is on PATH."""
    backend = EmbeddedStacks(tmp_path / "state")
    backend.create("shop", "dev", {"a": 1})
    assert backend.moved_into(tmp_path / "first") == {}
    monkeypatch.setenv("PATH", f"{shim_folder({f'{LANGUAGE}go': 'exit 1'})}{os.pathsep}{os.environ['PATH']}")
    assert backend.moved_into(tmp_path / "scratch") == {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'scratch' / 'backend'}"
    }
    assert backend.path("shop", "dev").is_relative_to(tmp_path / "scratch")
    assert outputs_of(backend.path("shop", "dev")) == {"a": 1}
    backend.create("shop", "prod")
    assert not (tmp_path / "state" / ".pulumi" / "stacks" / "shop" / "prod.json").exists()


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

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tapgate.audit import states
from tapgate.audit.states import backend_state, file_state, states_in, states_of
from tapgate.findings import CouldNotRunError
from tests.tapgate.sample_state import checkpoint, root

if TYPE_CHECKING:
    from pathlib import Path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def names(folder: Path, *asked: Path) -> list[str]:
    return [os.path.relpath(one.name, folder) for one in states_in(asked)]


def test_files_and_folders_of_exported_states(tmp_path: Path) -> None:
    touch(tmp_path, "a/one.json", "a/b/two.json.gz", "a/notes.txt", "three.state")
    assert names(tmp_path, tmp_path / "a", tmp_path / "three.state", tmp_path / "a" / "one.json") == [
        "a/b/two.json.gz",
        "a/one.json",
        "three.state",
    ]


@pytest.mark.parametrize("inside", ["", ".pulumi"])
def test_a_backends_current_states_and_none_of_its_history(tmp_path: Path, inside: str) -> None:
    touch(
        tmp_path,
        ".pulumi/stacks/shop/dev.json",
        ".pulumi/stacks/shop/dev.json.bak",
        ".pulumi/stacks/shop/dev.json.attrs",
        ".pulumi/stacks/old.json.gz",
        ".pulumi/stacks/shop/qa.json.zst",
        ".pulumi/history/shop/dev/dev-1.checkpoint.json",
        ".pulumi/meta.yaml",
    )
    assert names(tmp_path, tmp_path / inside) == [
        ".pulumi/stacks/old.json.gz",
        ".pulumi/stacks/shop/dev.json",
        ".pulumi/stacks/shop/qa.json.zst",
    ]


def test_nothing_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CouldNotRunError, match="There is no state"):
            states_in([path])


def test_reading_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.json")
    state = file_state(tmp_path / "a.json")
    assert (state.name, state.read()) == (str(tmp_path / "a.json"), b"{}")
    monkeypatch.setattr(states, "LARGEST_BYTES", 1)
    with pytest.raises(CouldNotRunError) as caught:
        state.read()
    assert caught.value.why == "it has 2 bytes, more than 1"
    with pytest.raises(CouldNotRunError) as caught:
        file_state(tmp_path / "none").read()
    assert caught.value.why == "No such file or directory"


@pytest.mark.cli
def test_any_backend_through_the_cli(backend: Path) -> None:
    url = os.environ["PULUMI_BACKEND_URL"]
    with pytest.raises(CouldNotRunError, match="The backend has no stack"):
        states_of(url)
    stacks = backend / ".pulumi" / "stacks" / "shop"
    stacks.mkdir(parents=True)
    for stack in ("dev", "prod"):
        (stacks / f"{stack}.json").write_bytes(checkpoint([root(stack)], f"organization/shop/{stack}"))
    found = states_of(url)
    assert [one.name for one in found] == ["organization/shop/dev", "organization/shop/prod"]
    assert json.loads(found[0].read())["version"] == 3
    with pytest.raises(CouldNotRunError) as caught:
        backend_state(url, "organization/shop/none").read()
    assert caught.value.where.endswith("stack organization/shop/none")
    with pytest.raises(CouldNotRunError, match="The Pulumi backend cannot be opened"):
        states_of(f"file://{backend}/none")


def test_a_backend_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\nexec sleep 30\n")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(states, "_EXPORT_SECONDS", 0.2)
    with pytest.raises(CouldNotRunError, match="The backend does not answer"):
        states_of("s3://nowhere")
    pulumi.write_text("#!/bin/sh\necho words\n")
    with pytest.raises(CouldNotRunError, match="The backend has no stack"):
        states_of("s3://nowhere")

"""Programs are evaluated as they would be deployed: on the real engine, with the stand-ins rehearsing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.stacks import Theatre
from tests.tapgate.sample_state import SECRET, STACK, checkpoint, resource, urn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.cli

FIXTURES = Path(__file__).parent / "fixtures" / "rehearsal"


def write_network(backend: Path, outputs: Mapping[str, object]) -> None:
    """Put the stack `network/prod` with these outputs into a folder backend."""
    root = {**resource("network-prod", STACK, stack="prod"), "outputs": outputs}
    root["urn"] = urn("network-prod", STACK, stack="prod", project="network")
    state = json.loads(checkpoint([root], "organization/network/prod"))
    state["checkpoint"]["latest"]["manifest"] = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    stacks = backend / ".pulumi" / "stacks" / "network"
    stacks.mkdir(parents=True)
    (backend / ".pulumi" / "meta.yaml").write_text("version: 1\n")
    (stacks / "prod.json").write_text(json.dumps(state))


def test_what_a_preview_does_not_know_or_see_is_decided(
    tmp_path: Path,
    evaluated: Callable[..., tuple[int, set[tuple[str, str, str]], str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a program does only at `up`; outputs of resources, answers of functions, what another stack gives.

    One run: all that is found is of what the program does only at `up`, or only in a dry run.
    """
    monkeypatch.setenv("REACHED", str(tmp_path / "reached"))
    write_network(tmp_path / "backend", {"bucketArn": "arn:aws:s3:::shared"})
    # In a sandbox nothing could be reached, whatever provider runs.
    code, findings, said = evaluated(
        Path(shutil.copytree(FIXTURES / "otherwise", tmp_path / "otherwise")), "--sandbox", "off"
    )
    assert code == 1, said
    assert findings == {
        ("kms-key-rotation", "not-in-a-dry-run", "violation"),
        ("kms-key-rotation", "within-apply", "violation"),
        ("kms-key-rotation", "where-one-is-found", "violation"),
        ("kms-key-rotation", "where-none-is-found", "violation"),
        ("sqs-encryption", "only-at-up", "violation"),
        ("dynamodb-throttle-alarm", "watched-in-a-dry-run", "violation"),
        ("no-unseen-resources", "dynamic", "violation"),
    }, said
    assert "[undecided]" not in said
    assert not (tmp_path / "reached").exists(), (tmp_path / "reached").read_text()
    assert "the program goes on where aws:kms/getKey:getKey finds nothing" in " ".join(said.split())


def test_another_stacks_secrets_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_network(tmp_path / "backend", {"plain": ["a"], "hidden": {"inner": SECRET}})
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "backend").as_uri())
    project = FIXTURES / "otherwise" / "Pulumi.yaml"
    stage = Theatre().stage(tmp_path / "stage", "known", "dev", tmp_path / "none.yaml", project)
    carried = tmp_path / "stage" / "backend" / ".pulumi" / "stacks" / "network" / "prod.json"
    (root,) = json.loads(carried.read_text())["checkpoint"]["latest"]["resources"]
    assert root["outputs"]["plain"] == ["a"]
    assert MARK in root["outputs"]["hidden"]["inner"]
    assert stage.state.is_file()

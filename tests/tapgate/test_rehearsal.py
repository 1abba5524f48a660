"""Programs are evaluated as they would be deployed: on the real engine, with the stand-ins rehearsing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.stacks import Theatre
from tests.tapgate.sample_state import SECRET, STACK, checkpoint, resource, urn

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.cli

FIXTURES = Path(__file__).parent / "fixtures" / "rehearsal"
Preview = Callable[[str], tuple[int, set[tuple[str, str, str]], str]]


@pytest.fixture
def preview(
    evaluated: Callable[..., tuple[int, set[tuple[str, str, str]], str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Preview:
    monkeypatch.setenv("REACHED", str(tmp_path / "reached"))

    def run(name: str) -> tuple[int, set[tuple[str, str, str]], str]:
        project = Path(shutil.copytree(FIXTURES / name, tmp_path / name))
        # In a sandbox nothing could be reached, whatever provider runs.
        return evaluated(project, "--sandbox", "off")

    return run


def test_what_a_program_does_only_at_up_is_judged(tmp_path: Path, preview: Preview) -> None:
    code, findings, said = preview("otherwise")
    assert code == 1, said
    assert {
        ("kms-key-rotation", "not-in-a-dry-run", "violation"),
        ("kms-key-rotation", "within-apply", "violation"),
        ("kms-key-rotation", "where-one-is-found", "violation"),
        ("kms-key-rotation", "where-none-is-found", "violation"),
        ("sqs-encryption", "only-at-up", "violation"),
        ("dynamodb-throttle-alarm", "watched-in-a-dry-run", "violation"),
        ("no-unseen-resources", "dynamic", "violation"),
    } <= findings, said
    assert not (tmp_path / "reached").exists(), (tmp_path / "reached").read_text()
    assert "the program goes on where aws:kms/getKey:getKey finds nothing" in " ".join(said.split())


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


def test_values_that_a_preview_does_not_know_are_decided(tmp_path: Path, preview: Preview) -> None:
    """Outputs of resources, answers of functions, and what another stack gives."""
    write_network(tmp_path / "backend", {"bucketArn": "arn:aws:s3:::shared"})
    code, findings, said = preview("known")
    assert (code, findings) == (0, set()), said
    assert "[undecided]" not in said


def test_another_stacks_secrets_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_network(tmp_path / "backend", {"plain": ["a"], "hidden": {"inner": SECRET}})
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "backend").as_uri())
    project = FIXTURES / "known" / "Pulumi.yaml"
    stage = Theatre().stage(tmp_path / "stage", "known", "dev", tmp_path / "none.yaml", project)
    carried = tmp_path / "stage" / "backend" / ".pulumi" / "stacks" / "network" / "prod.json"
    (root,) = json.loads(carried.read_text())["checkpoint"]["latest"]["resources"]
    assert root["outputs"]["plain"] == ["a"]
    assert MARK in root["outputs"]["hidden"]["inner"]
    assert stage.state.is_file()

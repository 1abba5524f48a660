"""Take one control away: the gate deploys nothing of it, and what would happen without the gate.

One row of each kind of `tests/stack/mutants.yaml`, by the command that deploys, against an emulator that
would take it; every row is blocked by a preview in `tests/stack/test_sabotage.py`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.emulator import Emulator
from tapgate.findings import Exit
from tapgate.reports.verdict_file import from_json
from tests.integration.deployment import Deployment, prepare
from tests.integration.inventory import inventory
from tests.integration.target import Target
from tests.stack.mutation import Mutant, apply, read_mutants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.findings import Report

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
MUTANTS = {mutant.name: mutant for mutant in read_mutants()}
KINDS = {
    "a resource policy": "rotation off",
    "a stack policy": "errors of the api handler unwatched",
    "unknown until deployment, and wrong then": "bucket policy unknown until deployment",
    "refused by the provider as well": "retention that AWS does not know",
    "a waiver that does not hold": "waiver that has expired",
}
"""By its kind, a row of the table."""
STACK = "TapStacksabotage"
_BLOCKED = re.compile(r"^BLOCKED  ([a-z0-9-]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One emulator for all mutants: whatever one of them made would be there for all to see."""
    with Emulator() as emulator:
        yield Target(emulator.endpoint, emulator.environment())


@pytest.fixture(scope="module")
def pristine(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The stack as it is, known to the backend and not deployed."""
    deployment = prepare(tmp_path_factory.mktemp("sabotage"), STACK, target)
    made = deployment.pulumi("stack", "init")
    assert made.returncode == 0, made.stderr
    return deployment


def _sabotaged(pristine: Deployment, folder: Path, *mutants: Mutant) -> Deployment:
    """Copy the project and take controls away there; the backend stays the same."""
    copy = Path(shutil.copytree(pristine.folder, folder / "project", symlinks=True))
    apply((edit for mutant in mutants for edit in mutant.edits), copy / "program" / "tap_stack")
    return dataclasses.replace(pristine, folder=copy)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_deploys_nothing_of_a_mutant(
    kind: str, pristine: Deployment, target: Target, tmp_path: Path
) -> None:
    mutant = MUTANTS[KINDS[kind]]
    sabotaged = _sabotaged(pristine, tmp_path, mutant)
    done = sabotaged.gate("deploy")
    assert set(_BLOCKED.findall(done.stdout)) == mutant.blocked_by, done.stdout + done.stderr
    if kind == "refused by the provider as well":
        assert done.returncode == Exit.COULD_NOT_RUN
        assert "COULD NOT RUN" in done.stderr
    else:
        assert done.returncode == Exit.BLOCKED
        assert done.stdout.endswith("Nothing was deployed.\n")
    assert "DEPLOYED" not in done.stdout
    assert sabotaged.resources() == []
    assert inventory(target) == set()


def _deployed(sabotaged: Deployment, folder: Path, file: str, body: object) -> Report:
    """Deploy by an operator's guardrails, a folder with one file; return the verdict."""
    guardrails = folder / "guardrails"
    guardrails.mkdir()
    (guardrails / file).write_text(json.dumps(body))
    verdict = folder / "deployed.json"
    done = sabotaged.gate("deploy", "--guardrails", str(guardrails), "--verdict", str(verdict))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEPLOYED" in done.stdout
    (report,) = from_json(verdict.read_bytes()).stacks
    assert report.guardrails is not None
    assert report.guardrails.folder == str(guardrails)
    return report


def _findings(report: Report) -> list[tuple[str, ...]]:
    """What was found and what of it is waived."""
    return sorted((one.policy, one.urn, one.property_path, one.verdict, one.level) for one in report.findings)


def test_what_is_waived_is_deployed_as_it_is_and_audited_so(
    pristine: Deployment, target: Target, tmp_path: Path
) -> None:
    sabotaged = _sabotaged(pristine, tmp_path, MUTANTS["tracing passed through"])
    waiver = {
        "policy": "lambda-xray-tracing",
        "urn": "aws:lambda/function:Function::*",
        "finding": "tracingConfig.mode",
        "reason": "Tracing costs too much in this environment.",
        "owner": "team@example.com",
        "granted": str(datetime.now(UTC).date()),
        "expires": str((datetime.now(UTC) + timedelta(days=30)).date()),
    }
    deployed = _deployed(sabotaged, tmp_path, "waivers.yaml", {"waivers": [waiver]})
    assert _findings(deployed)
    assert all(one.verdict == "waived" for one in deployed.findings)
    assert deployed.findings[0].more["Reason"] == "Tracing costs too much in this environment."
    state, verdict = tmp_path / "state.json", tmp_path / "audited.json"
    assert sabotaged.pulumi("stack", "export", "--file", str(state)).returncode == 0
    by = ("--guardrails", str(tmp_path / "guardrails"))
    done = sabotaged.audit(str(state), "--fresh", *by, "--verdict", str(verdict))
    assert done.returncode == 0, done.stdout + done.stderr
    (audited,) = from_json(verdict.read_bytes()).stacks
    assert _findings(audited) == _findings(deployed)
    assert audited.guardrails == deployed.guardrails
    processor = sabotaged.outputs()["processorArn"]
    function = target.functions.get_function_configuration(FunctionName=processor)
    assert function.get("TracingConfig") == {"Mode": "PassThrough"}
    assert sabotaged.destroy().returncode == 0
    assert inventory(target) == set()


def test_what_is_remediated_is_deployed_so(pristine: Deployment, target: Target, tmp_path: Path) -> None:
    sabotaged = _sabotaged(pristine, tmp_path, MUTANTS["rotation absent"])
    _deployed(sabotaged, tmp_path, "policy-config.json", {"kms-key-rotation": "remediate"})
    key = sabotaged.outputs()["kmsKeyId"]
    assert target.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert sabotaged.destroy().returncode == 0
    assert inventory(target) == set()


def test_without_the_gate_a_stack_policy_comes_too_late(tmp_path: Path) -> None:
    """The hole that `gate deploy` closes: the engine evaluates a stack when its resources exist."""
    mutant = MUTANTS[KINDS["a stack policy"]]
    with Emulator() as emulator:
        target = Target(emulator.endpoint, emulator.environment())
        sabotaged = prepare(tmp_path, STACK, target)
        apply(mutant.edits, sabotaged.folder / "program" / "tap_stack")
        made = sabotaged.pulumi("stack", "init")
        assert made.returncode == 0, made.stderr

        late = sabotaged.up("--policy-pack", str(sabotaged.folder / "policypack"))
        assert late.returncode != 0
        assert "lambda-error-alarm" in late.stdout
        assert len(sabotaged.resources()) > 30
        left = inventory(target)
        assert any(name.startswith("function ") for name in left)
        assert any(name.startswith("table ") for name in left)

        refused = sabotaged.gate("deploy")
        assert refused.returncode == 1
        assert inventory(target) == left

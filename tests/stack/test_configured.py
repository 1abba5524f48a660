"""The pack as operators set it up: profiles, waivers, remediation; on the whole stack, by the real CLI."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.stack.engine import PACK, copy_project, preview
from tests.stack.mutation import apply, read_mutants

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]
MUTANTS = {mutant.name: mutant for mutant in read_mutants()}
PROFILES = sorted((PACK / "profiles").glob("*.json"))
TERMS = {
    "reason": "The key is replaced in spring.",
    "owner": "team@example.com",
    "finding": "enableKeyRotation",
    "granted": datetime.now(UTC).date(),
    "expires": (datetime.now(UTC) + timedelta(days=30)).date(),
}
REPAIRING = (
    "kms-key-rotation",
    "dynamodb-point-in-time-recovery",
    "lambda-xray-tracing",
    "log-group-retention",
)


def sabotaged(into: Path, *names: str) -> Path:
    """A copy of the project with some controls taken away."""
    project = copy_project(into)
    apply((edit for name in names for edit in MUTANTS[name].edits), project / "program" / "tap_stack")
    return project


def told_to(address: str, into: Path) -> Path:
    """A copy of the project whose production notifies an address."""
    project = copy_project(into)
    with (project / "Pulumi.prod.yaml").open("a") as settings:
        settings.write(f"  tap-stack:notificationEmail: {address}\n")
    return project


def test_strict_takes_the_placeholder_for_nobody(tmp_path: Path, stack_env: dict[str, str]) -> None:
    strict = str(PACK / "profiles" / "strict.json")
    result = preview(copy_project(tmp_path), stack_env, "--policy-pack-config", strict, stack="prod")
    assert "alarm-effective" in result.mandatory, result.output
    assert all("alarm" in policy for policy in result.mandatory), result.output


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_the_stack_passes_each_profile_in_production(
    profile: Path, tmp_path: Path, stack_env: dict[str, str]
) -> None:
    project = told_to("on-call@tap-operations.co.uk", tmp_path)
    result = preview(project, stack_env, "--policy-pack-config", str(profile), stack="prod")
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.code == 0, result.output


def test_waivers_in_the_stacks_configuration_and_in_the_policies_let_findings_stand(
    tmp_path: Path, stack_env: dict[str, str]
) -> None:
    project = sabotaged(tmp_path, "rotation off", "tracing passed through")
    entry = {"policy": "kms-key-rotation", "urn": "aws:kms/key:Key::tap-key", **TERMS}
    settings = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())
    settings["config"]["tap-guardrails:waivers"] = [entry]
    # A day without quotes, as people write it.
    (project / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings))
    config = tmp_path / "config.json"
    operators = {name: str(value) for name, value in TERMS.items()}
    operators |= {"urn": "aws:lambda/function:Function::*", "finding": "tracingConfig.mode"}
    waivable = {"waiver-in-force": {"programWaivable": ["kms-key-rotation"]}}
    config.write_text(json.dumps({"lambda-xray-tracing": {"waivers": [operators]}, **waivable}))
    result = preview(project, stack_env, "--policy-pack-config", str(config))
    assert (result.mandatory, result.advisory) == (
        frozenset(),
        {"kms-key-rotation", "lambda-xray-tracing"},
    ), result.output
    assert result.code == 0, result.output
    for word in ("Verdict: waived", "Reason: The key is replaced in spring.", "Owner: team@example.com"):
        assert word in result.output


def test_what_can_be_put_right_is_and_the_preview_shows_it(tmp_path: Path, stack_env: dict[str, str]) -> None:
    project = sabotaged(tmp_path, "rotation absent", "recovery off", "tracing absent", "retention absent")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(dict.fromkeys(REPAIRING, "remediate")))
    result = preview(project, stack_env, "--policy-pack-config", str(config), "--diff")
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.remediated == {
        ("kms-key-rotation", "tap-key"),
        ("dynamodb-point-in-time-recovery", "tap-metadata-table"),
        ("lambda-xray-tracing", "tap-api-handler"),
        ("lambda-xray-tracing", "tap-processor"),
        ("log-group-retention", "tap-api-handler-logs"),
        ("log-group-retention", "tap-processor-logs"),
    }
    assert "[remediate]  kms-key-rotation" in result.output
    assert result.code == 0, result.output

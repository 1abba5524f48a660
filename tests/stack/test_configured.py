"""The pack as operators set it up: profiles, waivers, remediation; on the whole stack, by the real CLI."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.docs.architecture import PAGE, mermaid, page, planned
from tests.stack.engine import PACK, copy_project, found_in, preview
from tests.stack.mutation import apply, read_mutants

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]
MUTANTS = {mutant.name: mutant for mutant in read_mutants()}
BASELINE, STRICT = (str(PACK / "profiles" / f"{profile}.json") for profile in ("baseline", "strict"))
TERMS = {
    "reason": "The key is replaced in spring.",
    "owner": "team@example.com",
    "granted": datetime.now(UTC).date(),
    "expires": (datetime.now(UTC) + timedelta(days=30)).date(),
}
REPAIRING = (
    "kms-key-rotation",
    "dynamodb-point-in-time-recovery",
    "lambda-xray-tracing",
    "log-group-retention",
)


def test_the_stack_passes_the_baseline_and_is_as_drawn(tmp_path: Path, stack_env: dict[str, str]) -> None:
    """The drawing in docs/architecture.md is of what this preview plans."""
    options = ("--json", "--policy-pack-config", BASELINE)
    result = preview(copy_project(tmp_path), stack_env, *options)
    assert (result.mandatory, result.advisory) == (frozenset(), frozenset()), result.output
    assert result.code == 0, result.output
    again = (
        "run `python -m tapgate exec -- python -m tests.docs.architecture` and commit docs/architecture.md"
    )
    assert PAGE.read_text(encoding="utf-8") == page(mermaid(planned(result))), again


def test_production_passes_strict_which_takes_the_placeholder_for_nobody(
    tmp_path: Path, stack_env: dict[str, str]
) -> None:
    """The stack notifies its operator's address; another beside it the one that the program comes with."""
    project = copy_project(tmp_path)
    with (project / "Pulumi.prod.yaml").open("a") as settings:
        settings.write("  tap-stack:notificationEmail: on-call@tap-operations.co.uk\n")
    program = yaml.safe_load((project / "Pulumi.yaml").read_text())
    placeholder = {
        "environmentSuffix": "beside",
        "notificationEmail": program["config"]["notificationEmail"]["default"],
    }
    program["resources"]["beside"] = {"type": "tap:index:TapStack", "properties": placeholder}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    result = preview(project, stack_env, "--policy-pack-config", STRICT, stack="prod")
    beside = {policy for policy, _ in found_in(result, "beside")}
    assert beside >= {"alarm-effective", "lambda-error-alarm"}, result.output
    # Its logs are kept as those of any stack but production are.
    assert all("alarm" in policy for policy in beside - {"log-group-retention"}), result.output
    assert found_in(result, "tap") == frozenset(), result.output
    assert (result.mandatory, result.advisory) == (beside, frozenset()), result.output
    assert result.code not in {0, 127}
    assert "tap-guardrails@v" in result.output
    told = [line for line in result.output.splitlines() if "[mandatory]" in line]
    assert all(any(policy in line for line in told) for policy in beside), told


def test_what_is_waived_stands_and_what_can_be_put_right_is_which_the_preview_shows(
    tmp_path: Path, stack_env: dict[str, str]
) -> None:
    """Waivers in the stack's configuration and in a policy's; remediation by all the policies that can."""
    project = copy_project(tmp_path)
    sabotaged = (
        *("versions suspended", "runtime without security updates"),
        *("rotation absent", "recovery off", "tracing absent", "retention absent"),
    )
    apply((edit for name in sabotaged for edit in MUTANTS[name].edits), project / "program" / "tap_stack")
    bucket = "aws:s3/bucketVersioning:BucketVersioning::tap-data-bucket-versioning"
    waiver = {"policy": "s3-versioning", "urn": bucket, "finding": "versioningConfiguration.status", **TERMS}
    settings = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())
    settings["config"]["tap-guardrails:waivers"] = [waiver]
    # A day without quotes, as people write it.
    (project / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings))
    operators = {name: str(value) for name, value in TERMS.items()}
    operators |= {"urn": "aws:lambda/function:Function::*", "finding": "runtime"}
    config: dict[str, object] = {
        **dict.fromkeys(REPAIRING, "remediate"),
        "lambda-supported-runtime": {"waivers": [operators]},
        "waiver-in-force": {"programWaivable": ["s3-versioning"]},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = preview(project, stack_env, "--policy-pack-config", str(tmp_path / "config.json"), "--diff")
    assert (result.mandatory, result.advisory) == (
        frozenset(),
        {"s3-versioning", "lambda-supported-runtime"},
    ), result.output
    for word in ("Verdict: waived", "Reason: The key is replaced in spring.", "Owner: team@example.com"):
        assert word in result.output
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

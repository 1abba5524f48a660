"""What somebody changes behind the program's back shows, is evaluated, and is corrected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tapgate.reports.verdict_file import from_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Tap

pytestmark = [pytest.mark.cli, pytest.mark.emulator]


def _rotation_off(tap: Tap) -> None:
    tap.target.kms.disable_key_rotation(KeyId=tap.outputs["kmsKeyId"])


def _retention_removed(tap: Tap) -> None:
    tap.target.logs.delete_retention_policy(logGroupName=f"/aws/lambda/tap-processor-{tap.suffix}")


def _alarm_deleted(tap: Tap) -> None:
    tap.target.cloudwatch.delete_alarms(AlarmNames=[f"tap-api-handler-errors-{tap.suffix}"])


def _tracing_off(tap: Tap) -> None:
    name = f"tap-api-handler-{tap.suffix}"
    tap.target.functions.update_function_configuration(
        FunctionName=name, TracingConfig={"Mode": "PassThrough"}
    )


def _recovery_off(tap: Tap) -> None:
    tap.target.dynamodb.update_continuous_backups(
        TableName=tap.outputs["metadataTableName"],
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )


DRIFTS: dict[str, Callable[[Tap], None]] = {
    "kms-key-rotation": _rotation_off,
    "log-group-retention": _retention_removed,
    "lambda-error-alarm": _alarm_deleted,
    "lambda-xray-tracing": _tracing_off,
    "dynamodb-point-in-time-recovery": _recovery_off,
}
"""By the policy that finds it, each a change of another resource."""


def _audit(tap: Tap, folder: Path) -> tuple[int, str, list[str]]:
    """Audit the state as it is; give the exit code, what was said, and the policy of each finding."""
    state = folder / "state.json"
    exported = tap.deployment.pulumi("stack", "export", "--file", str(state))
    assert exported.returncode == 0, exported.stderr
    verdict = folder / "verdict.json"
    audited = tap.deployment.audit(str(state), "--fresh", "--verdict", str(verdict))
    (report,) = from_json(verdict.read_bytes()).stacks
    policies = sorted(finding.policy for finding in report.findings)
    return audited.returncode, audited.stdout + audited.stderr, policies


def test_drift_shows_blocks_and_is_corrected(tap: Tap, tmp_path: Path) -> None:
    """All of them in one run of each command: each is told of by its own policy and resource."""
    code, said, _ = _audit(tap, tmp_path)
    assert code == 0, said
    for change in DRIFTS.values():
        change(tap)

    refreshed = tap.deployment.pulumi("refresh", "--yes", "--skip-preview")
    assert refreshed.returncode == 0, refreshed.stdout
    assert f"{len(DRIFTS) - 1} updated" in refreshed.stdout, refreshed.stdout
    assert "1 deleted" in refreshed.stdout, refreshed.stdout
    code, said, policies = _audit(tap, tmp_path)
    assert code == 1, said
    # A function whose logs are kept for ever has none of its own, as another policy has it.
    assert policies == sorted([*DRIFTS, "lambda-log-group"]), said

    assert tap.deployment.changes() == {"update": len(DRIFTS) - 1, "create": 1}
    corrected = tap.deployment.gate("deploy")
    assert corrected.returncode == 0, corrected.stdout + corrected.stderr
    code, said, _ = _audit(tap, tmp_path)
    assert code == 0, said
    assert tap.deployment.changes("--refresh") == {}


def test_a_refresh_without_drift_changes_nothing(tap: Tap) -> None:
    refreshed = tap.deployment.pulumi("refresh", "--yes", "--skip-preview", "--json")
    assert refreshed.returncode == 0, refreshed.stderr
    last = json.loads(refreshed.stdout.strip().splitlines()[-1])
    changes = last.get("summaryEvent", {}).get("resourceChanges", {})
    assert set(changes) <= {"same", "refresh"}, changes

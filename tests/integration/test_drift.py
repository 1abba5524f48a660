"""What somebody changes behind the program's back shows, is judged, and is repaired."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Tap

pytestmark = [pytest.mark.cli, pytest.mark.emulator, pytest.mark.xdist_group("tap")]


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


DRIFTS: list[tuple[Callable[[Tap], None], str, dict[str, int]]] = [
    (_rotation_off, "kms-key-rotation", {"update": 1}),
    (_retention_removed, "log-group-retention", {"update": 1}),
    (_alarm_deleted, "lambda-error-alarm", {"create": 1}),
    (_tracing_off, "lambda-xray-tracing", {"update": 1}),
    (_recovery_off, "dynamodb-point-in-time-recovery", {"update": 1}),
]


def _audit(tap: Tap, folder: Path) -> tuple[int, str]:
    state = folder / "state.json"
    exported = tap.deployment.pulumi("stack", "export", "--file", str(state))
    assert exported.returncode == 0, exported.stderr
    verdict = folder / "verdict.json"
    audited = tap.deployment.audit(str(state), "--fresh", "--verdict", str(verdict))
    return audited.returncode, audited.stdout + audited.stderr


@pytest.mark.parametrize(("change", "policy", "summary"), DRIFTS, ids=[row[1] for row in DRIFTS])
def test_drift_shows_blocks_and_is_repaired(
    tap: Tap, tmp_path: Path, change: Callable[[Tap], None], policy: str, summary: dict[str, int]
) -> None:
    code, said = _audit(tap, tmp_path)
    assert code == 0, said
    change(tap)

    refreshed = tap.deployment.pulumi("refresh", "--yes", "--skip-preview")
    assert refreshed.returncode == 0, refreshed.stdout
    assert "1 updated" in refreshed.stdout or "1 deleted" in refreshed.stdout, refreshed.stdout
    code, said = _audit(tap, tmp_path)
    assert code == 1, said
    assert policy in said

    assert tap.deployment.changes() == summary
    repaired = tap.deployment.gate("deploy")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    code, said = _audit(tap, tmp_path)
    assert code == 0, said
    assert tap.deployment.changes("--refresh") == {}


def test_a_refresh_without_drift_changes_nothing(tap: Tap) -> None:
    refreshed = tap.deployment.pulumi("refresh", "--yes", "--skip-preview", "--json")
    assert refreshed.returncode == 0, refreshed.stderr
    last = json.loads(refreshed.stdout.strip().splitlines()[-1])
    changes = last.get("summaryEvent", {}).get("resourceChanges", {})
    assert set(changes) <= {"same", "refresh"}, changes

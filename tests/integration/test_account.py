"""How the tests behave in an account that is not theirs alone: what they look at, mark and leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from tapgate.embedded.emulator import Emulator
from tests.integration.deployment import prepare
from tests.integration.inventory import inventory
from tests.integration.target import REGION, Target
from tests.integration.traces import traces_since

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_xray import XRayClient

pytestmark = [pytest.mark.cli, pytest.mark.emulator]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Emulator() as emulator:
        yield Target(emulator.endpoint, emulator.environment())


def test_the_inventory_is_the_environments_and_whole(target: Target) -> None:
    ours = {f"/aws/lambda/tap-{number}-here" for number in range(70)}
    for name in (*ours, "/aws/lambda/tap-1-elsewhere", "/aws/lambda/shop-here", "/aws/lambda/tap-1-here-2"):
        target.logs.create_log_group(logGroupName=name)
    bucket = f"tap-data-here-123456789012-{REGION}"
    for name in (bucket, "tap-data-not-here-either"):
        target.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    tags = [{"TagKey": "Project", "TagValue": "tap-stack"}, {"TagKey": "Environment", "TagValue": "here"}]
    key = target.kms.create_key(Tags=cast("Any", tags))["KeyMetadata"]["KeyId"]
    target.kms.create_key()
    assert inventory(target, "here") == {
        *(f"log group {name}" for name in ours),
        f"bucket {bucket}",
        f"key {key}",
    }
    assert inventory(target) > inventory(target, "here")


def test_traces_are_asked_for_by_function() -> None:
    client = cast("XRayClient", cast("Any", boto3.Session(region_name=REGION)).client("xray"))
    start = datetime(2026, 11, 26, tzinfo=UTC)
    with Stubber(cast("Any", client)) as stub:
        expected = {"StartTime": start, "EndTime": start, "FilterExpression": 'service("tap-processor-here")'}
        stub.add_response("get_trace_summaries", {"TraceSummaries": []}, expected)
        assert traces_since(client, "tap-processor-here", start, start) == []


def test_a_stack_of_the_tests_is_marked_and_leaves_nothing_not_even_itself(
    target: Target, tmp_path: Path
) -> None:
    deployment = prepare(tmp_path, "TapStackmarked", target, run="run-1")
    assert deployment.pulumi("stack", "init").returncode == 0
    shown = deployment.pulumi("config", "get", "--path", "tags.TestRun")
    assert shown.stdout.strip() == "run-1", shown.stderr
    removed = deployment.remove()
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert "TapStackmarked" not in deployment.pulumi("stack", "ls", "--json").stdout

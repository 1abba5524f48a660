"""An audit of a whole backend in S3, against the emulator; also by way of the CLI, as of other storage."""

from __future__ import annotations

import gc
import gzip
import json
import os
from typing import TYPE_CHECKING, cast

import boto3
import pytest

from tapgate.audit import bucket as bucket_module
from tapgate.audit.bucket import Bucket, object_state, states_in_bucket
from tapgate.audit.states import backend_state, states_of
from tapgate.cli import main
from tapgate.embedded.emulator import Emulator
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence, text
from tests.tapgate.audit.test_audit import PROBE
from tests.tapgate.sample_state import checkpoint, resource, root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
DEV = checkpoint([root(), resource("a")])
OBJECTS = {
    ".pulumi/meta.yaml": b"version: 1\n",
    ".pulumi/stacks/shop/dev.json": DEV,
    ".pulumi/stacks/shop/dev.json.bak": b"not looked at",
    ".pulumi/history/shop/dev/dev-1.checkpoint.json": b"not looked at",
    ".pulumi/stacks/shop/prod.json.gz": gzip.compress(
        checkpoint([root("prod"), resource("a", stack="prod")], "organization/shop/prod")
    ),
    ".pulumi/stacks/shop/torn.json": b'{"version": 3, "checkpoint": {"stack"',
    "team/.pulumi/meta.yaml": b"version: 1\n",
    "team/.pulumi/stacks/shop/dev.json": DEV,
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """S3 with a bucket that holds two self-managed backends."""
    with Emulator() as emulator:
        session = boto3.Session("x", "x", region_name="eu-west-2")
        make = cast("Callable[..., S3Client]", session.client)
        s3 = make("s3", endpoint_url=emulator.endpoint)
        s3.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        for key, body in OBJECTS.items():
            s3.put_object(Bucket="states", Key=key, Body=body)
        yield emulator


@pytest.fixture
def query(emulator: Emulator, backend: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What leads the backend's address to the emulator, with the credentials in the environment."""
    assert backend
    for name, value in emulator.environment().items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    return f"region=eu-west-2&endpoint={emulator.endpoint}&s3ForcePathStyle=true"


def test_every_stack_of_a_bucket_is_audited_and_a_torn_state_harms_no_other(
    query: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = tmp_path / "verdict.json"
    fixed = ["--policy-pack", str(PROBE), "--results", str(tmp_path / "results"), "--workers", "1"]
    code = main(["audit", "--backend", f"s3://states?{query}", *fixed, "--verdict", str(verdict)])
    out, err = capsys.readouterr()
    assert code == 2, out + err
    assert "Traceback" not in out + err
    body = mapping(json.loads(verdict.read_text()))
    stacks = [mapping(one) for one in sequence(body["stacks"])]
    assert sorted((text(one["project"]), text(one["stack"])) for one in stacks) == [
        ("shop", "dev"),
        ("shop", "prod"),
    ]
    (bad,) = [mapping(one) for one in sequence(body["unaudited"])]
    assert text(bad["name"]) == "organization/shop/torn"
    assert "torn" in text(bad["where"])


def test_a_backend_in_a_folder_of_a_bucket(query: str) -> None:
    bucket = Bucket.of(f"s3://states/team?{query}")
    assert bucket is not None
    (state,) = states_in_bucket(bucket)
    assert (state.name, state.read()) == ("organization/shop/dev", DEV)


def test_a_bucket_that_cannot_be_listed_or_holds_nothing(
    query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, what in (
        (f"s3://none?{query}", "The backend cannot be listed."),
        (f"s3://states/empty?{query}", "The backend has no stack."),
    ):
        assert main(["audit", "--backend", url, "--policy-pack", str(PROBE)]) == 2
        assert what in capsys.readouterr().err


def test_an_object_that_cannot_be_read(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket.of(f"s3://states?{query}")
    assert bucket is not None
    with pytest.raises(CouldNotRunError, match="The state cannot be read") as caught:
        object_state(bucket, "none").read()
    assert caught.value.where == "s3://states/none"
    monkeypatch.setattr(bucket_module, "LARGEST_BYTES", 1)
    with pytest.raises(CouldNotRunError) as caught:
        object_state(bucket, ".pulumi/stacks/shop/dev.json").read()
    assert caught.value.why == f"it has {len(DEV):,} bytes, more than 1"
    # A connection that is left open is an error of pytest's when it is collected.
    del caught
    gc.collect()


def test_the_cli_reads_the_same_backend_and_says_what_keeps_it_from_listing(query: str) -> None:
    assert [one.name for one in states_of(f"s3://states/team?{query}")] == ["organization/shop/dev"]
    exported = mapping(json.loads(backend_state(f"s3://states?{query}", "organization/shop/dev").read()))
    deployment = mapping(exported["deployment"])
    assert len(sequence(deployment["resources"])) == 2
    with pytest.raises(CouldNotRunError, match="The backend cannot be listed") as caught:
        states_of(f"s3://states?{query}")
    assert "audit a copy of the backend's folder" in caught.value.fix


def test_the_address_as_pulumi_login_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = ".pulumi/stacks/"
    assert Bucket.of("s3://states") == Bucket("states", stacks)
    assert Bucket.of("s3://states/a/b/?region=eu-west-2&awssdk=v2&profile=audit") == Bucket(
        "states", f"a/b/{stacks}", region="eu-west-2", profile="audit"
    )
    assert Bucket.of("s3://states?endpoint=host:9000&disableSSL=true&s3ForcePathStyle=true") == Bucket(
        "states", stacks, endpoint="http://host:9000", path_style=True
    )
    assert Bucket.of("s3://states?endpoint=host:9000&use_path_style=false") == Bucket(
        "states", stacks, endpoint="https://host:9000"
    )
    for other in ("gs://states", "https://api.pulumi.com", f"file://{os.sep}x", "s3://states?role=x"):
        assert Bucket.of(other) is None
    monkeypatch.setattr(bucket_module, "installed", lambda: False)
    assert Bucket.of("s3://states") is None


def test_the_name_of_a_stack_that_is_older_than_projects() -> None:
    bucket = Bucket("states", ".pulumi/stacks/")
    assert object_state(bucket, ".pulumi/stacks/dev.json").name == "dev"
    assert object_state(bucket, ".pulumi/stacks/shop/dev.json.gz").name == "organization/shop/dev"

"""A pack that is called as a function says what it says over the protocol."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.analyzer.deployment import Deployment, begin, read_deployment, root_of
from tapgate.analyzer.direct import called, called_apart, offers_itself, request_for, take
from tapgate.analyzer.running import RunningPack, evaluate
from tapgate.findings import CouldNotRunError
from tapgate.packs import RequestedPack
from tests.tapgate.sample_state import SECRET, exported, resource, root, urn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.events import EventLog

ROOT = Path(__file__).parents[3]
PACK = ROOT / "policypack"
KEY, BUCKET, TABLE, FUNCTION = (
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:dynamodb/table:Table",
    "aws:lambda/function:Function",
)
PROVIDER = {
    "urn": urn("default", "pulumi:providers:aws"),
    "type": "pulumi:providers:aws",
    "custom": True,
    "inputs": {"region": "eu-west-2", "defaultTags": {"tags": {"Project": "x"}}},
}


def aws(name: str, kind: str, inputs: Mapping[str, object], **more: object) -> dict[str, object]:
    provider = f"{PROVIDER['urn']}::id"
    outputs = {**inputs, "arn": f"arn:aws:x:::{name}"}
    body: dict[str, object] = {"provider": provider, "inputs": inputs, "outputs": outputs, **more}
    return {**resource(name, kind, parent=urn("shop-dev", "pulumi:pulumi:Stack")), **body}


STATE = exported([
    root(),
    PROVIDER,
    aws("rotated", KEY, {"enableKeyRotation": True, "__defaults": []}),
    aws("plain", KEY, {"description": "no rotation"}),
    aws("closed", KEY, {"enableKeyRotation": True, "customerMasterKeySpec": SECRET}),
    aws("gone", KEY, {}, delete=True),
    aws("b", BUCKET, {"bucket": "tap-b", "tags": {"Environment": "dev"}}),
    aws(
        "t",
        TABLE,
        {"name": "tap-t", "hashKey": "id", "pointInTimeRecovery": {"enabled": True}},
        propertyDependencies={"serverSideEncryption": [urn("rotated", KEY)]},
    ),
    aws("f", FUNCTION, {"name": "f", "role": "r", "runtime": "python3.8", "environment": {
        "variables": {"DB_PASSWORD": "correct-horse-battery-1"}}}),
    resource("c", "aws:s3/bucketVersioning:BucketVersioning", custom=False, outputs={"bucket": "tap-b"}),
    resource("other", "random:index/randomPassword:RandomPassword", outputs={"result": SECRET}),
])  # fmt: skip


def over_the_protocol(deployment: Deployment, pack: RequestedPack) -> EventLog:
    running = RunningPack(pack)
    try:
        return evaluate(begin(deployment), deployment, [running], {})
    finally:
        running.close()


@pytest.mark.cli
@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    "config",
    [{}, {"all": "advisory", "required-tags": {"enforcementLevel": "mandatory", "keys": ["Owner"]}},
     {"kms-key-rotation": "disabled", "s3-encryption": {"onUnknown": "warn"}}],
)  # fmt: skip
def test_both_ways_say_the_same(config: Mapping[str, object]) -> None:
    pack, deployment = RequestedPack(PACK, None, config), read_deployment(STATE, "f")
    request = request_for(deployment, pack, {})
    theirs, here, apart = over_the_protocol(deployment, pack), begin(deployment), begin(deployment)
    take(here, pack.folder, called(pack.folder, request), root_of(deployment))
    take(apart, pack.folder, called_apart(pack, request), root_of(deployment))
    assert here == apart
    assert Counter(here.findings) == Counter(theirs.findings)
    assert len(here.findings) > 10
    assert Counter(here.analyzed) == Counter(theirs.analyzed)
    assert here.stack_analyzed == theirs.stack_analyzed
    assert here.offered == theirs.offered
    assert here.packs == theirs.packs
    looked = "tags" if config.get("kms-key-rotation") == "disabled" else "control"
    assert here.coverage["tap-guardrails"][urn("plain", KEY)] == looked


def test_a_pack_that_cannot_be_called_is_asked_over_the_protocol() -> None:
    assert offers_itself(RequestedPack(PACK, None))
    assert not offers_itself(RequestedPack(ROOT / "tests/tapgate/fixtures/packs/probe", None))


def test_a_config_that_the_pack_refuses_is_told() -> None:
    pack = RequestedPack(PACK, None, {"kms-key-rotation": {"maximumRotationDays": "soon"}})
    request = request_for(read_deployment(STATE, "f"), pack, {})
    for call in (lambda: called(pack.folder, request), lambda: called_apart(pack, request)):
        with pytest.raises(CouldNotRunError) as caught:
            call()
        assert "maximumRotationDays" in " ".join(caught.value.details)
        assert "Traceback" not in " ".join(caught.value.details)


def test_a_pack_of_another_folder_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "tap_guardrails").mkdir()
    (tmp_path / "tap_guardrails" / "state.py").touch()
    request = request_for(read_deployment(STATE, "f"), RequestedPack(PACK, None), {})
    called(PACK, request)
    with pytest.raises(CouldNotRunError, match="does not run"):
        called(tmp_path, request)

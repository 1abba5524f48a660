from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import json_format

from tapgate.analyzer.deployment import UNKNOWN, Deployment, read_deployment
from tapgate.analyzer.running import analyze_requests, analyze_stack_request
from tests.tapgate.sample_state import SECRET, exported, resource, root, urn

if TYPE_CHECKING:
    from google.protobuf.message import Message

PROVIDER = "pulumi:providers:aws"
REFERENCE = {"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e", "urn": "urn:x"}


def state() -> Deployment:
    return read_deployment(
        exported(
            [
                root(),
                resource("default", PROVIDER, inputs={"region": "eu-west-2"}),
                resource(
                    "a",
                    inputs={
                        "password": SECRET,
                        "__defaults": [],
                        "n": None,
                        "ref": REFERENCE,
                        "l": [{"__x": 1}],
                    },
                    outputs={"arn": "arn:1", "ref": {**REFERENCE, "id": "i-1"}},
                    parent=urn("shop-dev", "pulumi:pulumi:Stack"),
                    provider=f"{urn('default', PROVIDER)}::an-id",
                    protect=True,
                    dependencies=[urn("b")],
                    propertyDependencies={"password": [urn("b")], "none": []},
                    customTimeouts={"create": 300, "update": "odd"},
                    aliases=["urn:old"],
                    ignoreChanges=["tags"],
                    additionalSecretOutputs=["arn"],
                ),
            ]
        ),
        "f",
    )


def body(message: Message) -> dict[str, object]:
    return json_format.MessageToDict(message)


def test_resource_policies_see_inputs_with_secrets_closed() -> None:
    requests = list(analyze_requests(state()))
    assert [one.name for one in requests] == ["shop-dev", "default", "a"]
    assert body(requests[2].properties) == {
        "password": {
            "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
            "value": UNKNOWN,
        },
        "n": None,
        "ref": "urn:x",
        "l": [{}],
    }
    assert body(requests[2].provider) == {
        "type": PROVIDER,
        "name": "default",
        "urn": urn("default", PROVIDER),
        "properties": {"region": "eu-west-2"},
    }
    assert not requests[0].HasField("provider")


def test_stack_policies_see_outputs_and_relations() -> None:
    one = analyze_stack_request(state()).resources[2]
    assert body(one.properties) == {"arn": "arn:1", "ref": "i-1"}
    assert list(one.dependencies) == [urn("b")]
    assert {key: list(value.urns) for key, value in one.propertyDependencies.items()} == {
        "password": [urn("b")]
    }
    assert one.parent == urn("shop-dev", "pulumi:pulumi:Stack")
    options = body(one.options)
    assert options["protect"] is True
    assert options["customTimeouts"] == {"create": 300.0}
    assert options["aliases"] == ["urn:old"]
    assert options["ignoreChanges"] == ["tags"]
    assert options["additionalSecretOutputs"] == ["arn"]

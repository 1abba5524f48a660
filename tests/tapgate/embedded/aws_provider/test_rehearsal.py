"""What the stand-in says that a resource would be: derived by AWS's forms, or marked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from tapgate.embedded.aws_provider.invokes import invoke, stood_in
from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, REHEARSED, contains_mark
from tapgate.embedded.aws_provider.outputs import all_forms, rehearsed, rehearsed_read
from tapgate.embedded.aws_provider.schema_store import function_schema_of, schema_of
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.values import Properties, Value, contains_unknown, decode, encode
from tests.tapgate.embedded.aws_provider.conversation import URN, converse
from tests.tapgate.embedded.aws_provider.documented import documented, matches
from tests.tapgate.embedded.aws_provider.tokens import resource_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type

KEY, QUEUE, BUCKET = "aws:kms/key:Key", "aws:sqs/queue:Queue", "aws:s3/bucket:Bucket"
FIELD = re.compile(r"\{([^}]*)\}")
OF_THE_PROVIDER = {":account", ":partition", ":region", ":suffix", "?"}
KNOWN = cast(
    "list[dict[str, dict[str, str]]]",
    yaml.load(Path(__file__).with_name("derived.yaml").read_text(), yaml.CSafeLoader),
)


def of(token: str, inputs: Properties, *, name: str = "x", region: str = "eu-west-2") -> Properties:
    identifier, outputs = rehearsed(token, f"{URN}{token}::{name}", inputs, Settings(region=region))
    return {"id": identifier, **outputs}


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: str(case["type"]))
def test_outputs_by_awss_forms(case: Mapping[str, Mapping[str, str]]) -> None:
    outputs = of(str(case["type"]), dict(case["inputs"]))
    for name, pattern in case["outputs"].items():
        assert re.fullmatch(pattern, str(outputs[name])), f"{name}: {outputs[name]}"


# Reads the documentation of 1,700 types, which takes some seconds: each form is held to its own source.
def test_every_form_fits_its_type_and_the_examples_in_the_documentation() -> None:
    forms = all_forms()
    types = {one.schema.token: one for one in documented()}
    assert forms.keys() <= types.keys()
    assert len(forms) > 1_300
    for token, outputs in forms.items():
        one = types[token]
        properties = {*one.schema.inputs, *one.schema.outputs, "id"}
        for name, form in outputs.items():
            assert name == "id" or one.schema.outputs[name].type.base == "string"
            for field in FIELD.findall(form):
                known = field in OF_THE_PROVIDER or field.partition("=")[0] in properties
                assert known or re.fullmatch(r"#(uuid|(hex|lower|upper|mixed)\d+)", field), (token, form)
        if re.fullmatch(r"arn:aws:[\w-]+:[\w-]*:\d*:[\w/.:-]+", one.example) and outputs.get("id") == "{arn}":
            assert matches(outputs["arn"], one.example), (token, outputs["arn"], one.example)


# Creates one of each of the 1,700 types: the only way to know that none is left without a value.
def test_every_output_of_every_type_has_a_value_of_its_kind() -> None:
    derived = 0
    for token in resource_tokens():
        schema = schema_of(token)
        inputs: Properties = {
            name: "given" for name, prop in schema.inputs.items() if prop.type.base == "string"
        }
        outputs = of(token, inputs)
        listed = cast("list[str]", outputs.pop(REHEARSED, []))
        assert all(not contains_unknown(value) for value in outputs.values())
        missing = [name for name, prop in schema.outputs.items() if prop.required and name not in outputs]
        assert missing == []
        for name, value in outputs.items():
            if name in schema.outputs:
                assert fits(value, schema.outputs[name].type, schema), (token, name, value)
            if name in listed and isinstance(value, str):
                assert MARK in value, (token, name)
        derived += MARK not in str(outputs["id"])
    assert derived > 1_000


def fits(value: Value, type_: Type, schema: ResourceSchema) -> bool:
    if type_.base == "list":
        return isinstance(value, list) and all(fits(item, type_.args[0], schema) for item in value)
    if type_.base in {"map", "object"}:
        return isinstance(value, dict)
    if type_.base in {"integer", "number"}:
        return value == MARKED_NUMBER
    return isinstance(value, bool) if type_.base == "boolean" else isinstance(value, str)


def test_what_aws_makes_up_differs_from_resource_to_resource_and_not_from_run_to_run() -> None:
    assert of(KEY, {}, name="a")["id"] == of(KEY, {}, name="a")["id"]
    assert of(KEY, {}, name="a")["id"] != of(KEY, {}, name="b")["id"]
    assert of(KEY, {}, name="a")["keyId"] == of(KEY, {}, name="a")["id"]


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("us-gov-west-1", "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:q"),
        ("cn-north-1", "arn:aws-cn:sqs:cn-north-1:123456789012:q"),
    ],
)
def test_partitions(region: str, arn: str) -> None:
    assert of(QUEUE, {"name": "q"}, region=region)["arn"] == arn
    assert of(QUEUE, {"name": "q", "region": region})["arn"] == arn


def test_what_nobody_knows_is_marked_and_listed() -> None:
    outputs = of("aws:lambda/function:Function", {"name": "f", "role": "r", "runtime": "python3.13"})
    assert "codeSha256" in cast("list[str]", outputs[REHEARSED])
    assert "runtime" not in cast("list[str]", outputs[REHEARSED])
    assert MARK in str(outputs["codeSha256"])
    assert outputs["sourceCodeSize"] == MARKED_NUMBER


def test_a_map_that_aws_fills_in_is_not_taken_for_empty() -> None:
    found = stood_in(function_schema_of("aws:ec2/getInstance:getInstance"), {"instanceId": "i-1"})
    tags = cast("Properties", found["tags"])
    assert tags
    assert all(MARK in name and MARK in str(value) for name, value in tags.items())
    assert contains_mark([{"tags": tags}])
    assert not contains_mark([{"tags": {}}])


def test_an_output_that_is_made_of_a_marked_one_is_marked() -> None:
    arn = str(of("aws:lambda/layerVersion:LayerVersion", {"layerName": "l"})["arn"])
    assert arn.startswith(f"arn:aws:lambda:eu-west-2:123456789012:layer:l:{MARK}")


def test_what_the_program_only_takes_is_known_by_its_id() -> None:
    outputs = rehearsed_read(BUCKET, "urn", "given", Settings(), {})
    assert (outputs["bucket"], outputs["arn"]) == ("given", "arn:aws:s3:::given")
    assert "versioning" in cast("list[str]", outputs[REHEARSED])


def test_a_function_that_only_aws_can_answer_is_answered_with_marked_values() -> None:
    result = invoke("aws:ssm/getParameter:getParameter", {"name": "/a"}, Settings())
    assert result["name"] == "/a"
    assert MARK in str(result["value"])
    assert result["version"] == MARKED_NUMBER
    again = invoke("aws:ssm/getParameter:getParameter", {"name": "/b"}, Settings())
    assert again["value"] != result["value"]


def test_the_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with converse(mode="--rehearse") as provider:
        provider.configure({"region": "eu-west-2"})
        assert "for rehearsals" in provider.said[0]
        inputs, failures = provider.check(KEY, {"enableKeyRotation": True})
        assert failures == []
        made = provider.call(
            "Create",
            provider_pb2.CreateRequest(urn=f"{URN}{KEY}::k", properties=encode(inputs)),
            provider_pb2.CreateResponse,
        )
        outputs, _ = decode(made.properties)
        assert outputs["arn"] == f"arn:aws:kms:eu-west-2:123456789012:key/{made.id}"
        changed = provider.call(
            "Update",
            provider_pb2.UpdateRequest(
                id=made.id, urn=f"{URN}{KEY}::k", olds=made.properties, news=encode(inputs)
            ),
            provider_pb2.UpdateResponse,
        )
        assert decode(changed.properties)[0] == outputs
        read = provider.call(
            "Read", provider_pb2.ReadRequest(urn=f"{URN}{QUEUE}::q", id="u"), provider_pb2.ReadResponse
        )
        assert read.id == "u"
        assert decode(read.properties)[0]["url"] == "u"
        difference = provider.call(
            "Diff",
            provider_pb2.DiffRequest(
                urn=f"{URN}{QUEUE}::q", olds=read.properties, news=encode({"delaySeconds": 3})
            ),
            provider_pb2.DiffResponse,
        )
        # What is imported becomes what the program says.
        assert difference.changes == provider_pb2.DiffResponse.DIFF_SOME
        provider.call(
            "Delete",
            provider_pb2.DeleteRequest(urn=f"{URN}{KEY}::k", id=made.id, properties=made.properties),
            empty_pb2.Empty,
        )


def test_what_an_image_is_asked_to_be_is_known_of_it() -> None:
    filters: list[Value] = [
        {"name": "name", "values": ["al2023-ami-*-arm64"]},
        {"name": "virtualization-type", "values": ["hvm"]},
        {"name": "root-device-type", "values": ["ebs", "instance-store"]},
        {"name": "owner-id", "values": ["0*"]},
    ]
    image = invoke("aws:ec2/getAmi:getAmi", {"filters": filters, "owners": ["amazon"]}, Settings())
    known = ("architecture", "virtualizationType", "state", "owners")
    assert [image[one] for one in known] == ["arm64", "hvm", "available", ["amazon"]]
    assert all(MARK in str(image[one]) for one in ("id", "arn", "rootDeviceType", "ownerId"))
    assert MARK in str(image["tags"])


def test_what_the_program_says_of_an_imported_resource_comes_first() -> None:
    answered = {"description": "there", "enableKeyRotation": False}
    read = rehearsed_read(KEY, "urn", "given", Settings(), answered)
    assert (read["description"], read["enableKeyRotation"]) == ("there", False)
    assert {"description", "enableKeyRotation"}.isdisjoint(cast("list[str]", read[REHEARSED]))
    assert "rotationPeriodInDays" in cast("list[str]", read[REHEARSED])
    imported = rehearsed_read(KEY, "urn", "given", Settings(), answered, {"enableKeyRotation": True})
    assert (imported["description"], imported["enableKeyRotation"]) == ("there", True)
    assert imported["arn"] == "arn:aws:kms:eu-west-2:123456789012:key/given"

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from tapgate.embedded.aws_provider import sdk_source
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties, decode, encode
from tests.tapgate.embedded.aws_provider.conversation import ROOT, URN, Conversation, converse

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "aws:kms/key:Key"
PropertyDiff = provider_pb2.PropertyDiff


@pytest.fixture(scope="module")
def provider() -> Iterator[Conversation]:
    with converse() as conversation:
        conversation.configure({"region": "eu-west-2"})
        yield conversation


def test_it_says_once_that_it_is_a_stand_in() -> None:
    with converse() as conversation:
        conversation.configure()
        conversation.configure()
        assert conversation.said == [
            (
                "stand-in AWS provider for previews: nothing here reaches AWS "
                "(account 123456789012, region eu-west-2)"
            )
        ]


def test_it_serves_without_an_engine_until_one_attaches() -> None:
    with converse(with_engine=False) as conversation:
        conversation.configure()
        assert conversation.said == []
        conversation.call("Attach", plugin_pb2.PluginAttach(address="127.0.0.1:1"), empty_pb2.Empty)
        conversation.configure()


def test_it_speaks_to_the_engine_that_shakes_hands() -> None:
    with converse(with_engine=False) as conversation:
        request = provider_pb2.ProviderHandshakeRequest(engine_address=conversation.engine)
        conversation.call("Handshake", request, provider_pb2.ProviderHandshakeResponse)
        conversation.configure()
        assert len(conversation.said) == 1


def test_handshake_says_what_it_understands(provider: Conversation) -> None:
    request = provider_pb2.ProviderHandshakeRequest(engine_address="")
    response = provider.call("Handshake", request, provider_pb2.ProviderHandshakeResponse)
    assert response.accept_secrets
    assert response.supports_autonaming_configuration
    assert not response.accept_resources


def test_its_version_is_pulumi_aws_s(provider: Conversation) -> None:
    info = provider.call("GetPluginInfo", empty_pb2.Empty(), plugin_pb2.PluginInfo)
    assert info.version == sdk_source.package_version()
    provider.call("Cancel", empty_pb2.Empty(), empty_pb2.Empty)


def test_it_gives_the_schema_by_which_yaml_programs_are_typed(provider: Conversation) -> None:
    answer = provider.call("GetSchema", provider_pb2.GetSchemaRequest(), provider_pb2.GetSchemaResponse)
    schema = json.loads(answer.schema)
    assert schema["name"] == "aws"
    assert KEY in schema["resources"]


@pytest.mark.parametrize(
    ("method", "request_", "said"),
    [
        ("GetSchema", provider_pb2.GetSchemaRequest(subpackage_name="mine"), "no package `mine`"),
        ("GetSchema", provider_pb2.GetSchemaRequest(version=1), "format 0, not 1"),
        (
            "Parameterize",
            provider_pb2.ParameterizeRequest(
                value=provider_pb2.ParameterizeRequest.ParametersValue(name="mine", version="1.0.0")
            ),
            "no package `mine`.*Fix: take the parameters of `aws` out",
        ),
        (
            "Parameterize",
            provider_pb2.ParameterizeRequest(
                args=provider_pb2.ParameterizeRequest.ParametersArgs(args=["hashicorp/aws", "5"])
            ),
            "no package `hashicorp/aws 5`",
        ),
    ],
)
def test_it_has_no_other_packages_and_no_other_format(
    provider: Conversation, method: str, request_: provider_pb2.GetSchemaRequest, said: str
) -> None:
    with pytest.raises(grpc.RpcError, match=said):
        provider.call(method, request_, object)


@pytest.mark.parametrize(("version", "warns"), [("7.1.0", False), ("v7.99.0", False), ("6.83.2", True)])
def test_a_program_for_another_major_version_is_warned(version: str, warns: bool) -> None:  # noqa: FBT001
    with converse() as conversation:
        conversation.configure({"version": version})
        warnings = [line for line in conversation.said if "asks for version" in line]
        assert bool(warnings) == warns
        assert all(version in line and sdk_source.package_version() in line for line in warnings)


def test_check_fills_in_and_names(provider: Conversation) -> None:
    inputs, failures = provider.check("aws:sqs/queue:Queue", {"delaySeconds": "5"}, name="Jobs")
    assert failures == []
    assert inputs["delaySeconds"] == 5
    assert re.fullmatch("Jobs-[0-9a-f]{7}", str(inputs["name"]))


def test_check_refuses_with_path_and_reason(provider: Conversation) -> None:
    _, failures = provider.check(KEY, {"enableKeyRotations": True, "tags": {"a": [1]}})
    assert [path for path, _ in failures] == ["enableKeyRotations", "tags.a"]


def test_a_type_that_does_not_exist_is_named(provider: Conversation) -> None:
    with pytest.raises(grpc.RpcError, match=r"pulumi_aws 7.* has no resource type aws:kms/kee:Kee"):
        provider.check("aws:kms/kee:Kee", {})


@pytest.mark.parametrize(("mode", "name"), [("PROPOSE", "mine"), ("ENFORCE", "mine")])
def test_the_project_s_own_naming_is_followed(provider: Conversation, mode: str, name: str) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions(
        proposed_name="mine", mode=provider_pb2.CheckRequest.AutonamingOptions.Mode.Value(mode)
    )
    request = provider_pb2.CheckRequest(
        urn=f"{URN}aws:sqs/queue:Queue::q", news=encode({}), autonaming=options
    )
    response = provider.call("Check", request, provider_pb2.CheckResponse)
    assert decode(response.inputs)[0]["name"] == name


def test_secret_tags_stay_secret_wherever_they_go(provider: Conversation) -> None:
    news = encode({"tags": {"a": "hush", "b": "open"}}, {"tags": {"a": None}})
    checked = provider.call(
        "Check", provider_pb2.CheckRequest(urn=f"{URN}{KEY}::k", news=news), provider_pb2.CheckResponse
    )
    assert decode(checked.inputs)[1] == {"tags": {"a": None}, "tagsAll": {"a": None}}
    request = provider_pb2.CreateRequest(urn=f"{URN}{KEY}::k", properties=checked.inputs, preview=True)
    created = provider.call("Create", request, provider_pb2.CreateResponse)
    values, secrets = decode(created.properties)
    assert secrets == {"tags": {"a": None}, "tagsAll": {"a": None}}
    assert values["arn"] is UNKNOWN


def test_a_secret_becomes_no_plain_text_by_an_update(provider: Conversation) -> None:
    olds = encode({"tags": {"a": "hush"}, "policy": "{}", "arn": "x"}, {"tags": {"a": None}, "policy": None})
    news = encode({"tags": {"a": "hush2"}, "tagsAll": {"a": "hush2"}}, {"tags": {"a": None}})
    request = provider_pb2.UpdateRequest(id="1", urn=f"{URN}{KEY}::k", olds=olds, news=news, preview=True)
    updated = provider.call("Update", request, provider_pb2.UpdateResponse)
    values, secrets = decode(updated.properties)
    assert secrets == {"tags": {"a": None}, "tagsAll": {"a": None}, "policy": None}
    assert values["policy"] == "{}"


def _diff(
    provider: Conversation, token: str, state: Properties, news: Properties, *ignored: str
) -> provider_pb2.DiffResponse:
    request = provider_pb2.DiffRequest(
        id="1",
        urn=f"{URN}{token}::x",
        olds=encode(state),
        old_inputs=encode(state),
        news=encode(news),
        ignoreChanges=ignored,
    )
    return provider.call("Diff", request, provider_pb2.DiffResponse)


def test_diff_says_what_changes_in_place(provider: Conversation) -> None:
    response = _diff(provider, KEY, {"enableKeyRotation": False}, {"enableKeyRotation": True})
    assert response.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert response.hasDetailedDiff
    assert {path: change.kind for path, change in response.detailedDiff.items()} == {
        "enableKeyRotation": PropertyDiff.UPDATE
    }
    assert not response.replaces


def test_diff_says_what_takes_a_new_resource(provider: Conversation) -> None:
    news: Properties = {"name": "b", "__defaults": []}
    response = _diff(provider, "aws:sqs/queue:Queue", {"name": "a"}, news)
    assert list(response.replaces) == ["name"]
    assert response.detailedDiff["name"].kind == PropertyDiff.UPDATE_REPLACE
    assert response.deleteBeforeReplace
    news = {"name": "b", "__defaults": ["name"]}
    assert not _diff(provider, "aws:sqs/queue:Queue", {"name": "a"}, news).deleteBeforeReplace


def test_diff_ignores_what_it_is_told_to(provider: Conversation) -> None:
    response = _diff(provider, KEY, {"description": "a"}, {"description": "b"}, "description")
    assert response.changes == provider_pb2.DiffResponse.DIFF_NONE


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("Create", provider_pb2.CreateRequest(urn=f"{URN}{KEY}::k", properties=encode({}))),
        ("Update", provider_pb2.UpdateRequest(id="1", urn=f"{URN}{KEY}::k")),
        ("Delete", provider_pb2.DeleteRequest(id="1", urn=f"{URN}{KEY}::k")),
    ],
)
def test_without_an_emulator_nothing_is_deployed(
    provider: Conversation, method: str, request_: provider_pb2.CreateRequest
) -> None:
    with pytest.raises(
        grpc.RpcError, match=f"no emulator to {method.lower()} {KEY} on.*tapgate.embedded.emulator run"
    ):
        provider.call(method, request_, object)


def _invoke(
    provider: Conversation, token: str, args: Properties, *, secret: bool = False
) -> tuple[Properties, object]:
    marks = dict.fromkeys(args) if secret else {}
    request = provider_pb2.InvokeRequest(tok=token, args=encode(args, marks))
    response = provider.call("Invoke", request, provider_pb2.InvokeResponse)
    return decode(getattr(response, "return"))


def test_functions_are_answered_and_secrets_kept(provider: Conversation) -> None:
    plain, marks = _invoke(provider, "aws:index/getArn:getArn", {"arn": "arn:aws:s3:::b"})
    assert (plain["service"], marks) == ("s3", {})
    _, marks = _invoke(provider, "aws:index/getArn:getArn", {"arn": "arn:aws:s3:::b"}, secret=True)
    assert marks == dict.fromkeys(plain)


def test_a_function_that_only_aws_can_answer_is_named(provider: Conversation) -> None:
    token = "aws:ssm/getParameter:getParameter"
    result, _ = _invoke(provider, token, {"name": "x"})
    assert result["name"] == "x"
    assert any(f"the results of {token} are stand-ins" in said for said in provider.said)
    with pytest.raises(grpc.RpcError, match="pulumi_aws has no function aws:ssm/getParam:getParam"):
        _invoke(provider, "aws:ssm/getParam:getParam", {"name": "x"})


@pytest.mark.parametrize(
    ("config", "failures"), [({"region": "eu-west-2"}, 0), ({"regin": "eu-west-2", "maxRetries": "x"}, 2)]
)
def test_configuration_is_checked(provider: Conversation, config: Properties, failures: int) -> None:
    request = provider_pb2.CheckRequest(urn="urn:pulumi:d::t::pulumi:providers:aws::d", news=encode(config))
    response = provider.call("CheckConfig", request, provider_pb2.CheckResponse)
    assert len(response.failures) == failures


def test_another_configuration_takes_no_new_provider(provider: Conversation) -> None:
    for news, expected in (({"region": "a"}, "DIFF_NONE"), ({"region": "b"}, "DIFF_SOME")):
        request = provider_pb2.DiffRequest(old_inputs=encode({"region": "a"}), news=encode({**news}))
        response = provider.call("DiffConfig", request, provider_pb2.DiffResponse)
        assert response.changes == provider_pb2.DiffResponse.DiffChanges.Value(expected)
        assert not response.replaces


def test_it_does_not_load_the_whole_sdk() -> None:
    """Which would take it longer than all the rest of a preview."""
    code = (
        "import sys, tapgate.embedded.aws_provider.__main__ as w; w.load_without_sdk();"
        "import tapgate.embedded.aws_provider.server;"
        "print(sorted(n for n in sys.modules if n.startswith('pulumi') and 'proto' not in n),"
        " 'pulumi_aws' in sys.modules, 'boto3' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "['pulumi', 'pulumi.runtime'] False False"

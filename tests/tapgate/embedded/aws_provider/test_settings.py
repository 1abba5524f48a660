from __future__ import annotations

import pytest

from tapgate.embedded.aws_provider.invokes import InvokeError, invoke
from tapgate.embedded.aws_provider.settings import Settings, check_config, decoded_config, read
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties
from tapgate.embedded.environment import ACCOUNT


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_configuration_it_is_london() -> None:
    assert read({}) == Settings(region="eu-west-2")


@pytest.mark.parametrize(
    ("config", "environment", "region"),
    [
        ({"region": "us-east-1"}, {"AWS_REGION": "eu-west-1"}, "us-east-1"),
        ({}, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}, "eu-west-1"),
        ({}, {"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"),
    ],
)
def test_the_region_comes_from_configuration_then_from_the_environment(
    config: Properties, environment: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert read(config).region == region


@pytest.mark.parametrize(
    "config",
    [
        {
            "defaultTags": '{"tags":{"a":"b"}}',
            "ignoreTags": '{"keys":["k"],"keyPrefixes":["p:"]}',
            "endpoints": '[{"s3":"http://127.0.0.1:1"}]',
        },
        {
            "defaultTags": {"tags": {"a": "b"}},
            "ignoreTags": {"keys": ["k"], "keyPrefixes": ["p:"]},
            "endpoints": [{"s3": "http://127.0.0.1:1"}],
        },
    ],
)
def test_nested_configuration_is_read_in_both_of_the_engine_s_forms(config: Properties) -> None:
    assert read(config) == Settings(
        default_tags={"a": "b"},
        ignored_keys=frozenset({"k"}),
        ignored_prefixes=("p:",),
        endpoints={"s3": "http://127.0.0.1:1"},
    )
    assert check_config(config) == []


@pytest.mark.parametrize("config", [{"defaultTags": "{broken"}, {"defaultTags": 3}, {"endpoints": "x"}])
def test_nonsense_is_refused_and_not_acted_upon(config: Properties) -> None:
    assert read(config) == Settings()
    assert check_config(config)


def test_misspelt_configuration_is_refused() -> None:
    (failure,) = check_config({"regoin": "x", "version": "7.51.1"})
    assert "did you mean `region`?" in failure.reason


def test_numbers_and_booleans_come_as_texts() -> None:
    assert check_config({"maxRetries": "3", "skipMetadataApiCheck": "true"}) == []
    assert check_config({"maxRetries": "many"})


CN = Settings(region="cn-north-1")


def test_who_am_i() -> None:
    result = invoke("aws:index/getCallerIdentity:getCallerIdentity", {}, Settings())
    assert result["accountId"] == ACCOUNT
    assert str(result["arn"]).startswith(f"arn:aws:iam::{ACCOUNT}:")


@pytest.mark.parametrize(
    ("token", "args", "config", "expected"),
    [
        (
            "getRegion",
            {},
            Settings(),
            {"region": "eu-west-2", "name": "eu-west-2", "endpoint": "ec2.eu-west-2.amazonaws.com"},
        ),
        ("getRegion", {"region": "us-east-1"}, Settings(), {"id": "us-east-1"}),
        (
            "getPartition",
            {},
            Settings(),
            {"partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"},
        ),
        ("getPartition", {}, CN, {"partition": "aws-cn", "dnsSuffix": "amazonaws.com.cn"}),
        ("getPartition", {}, Settings(region="us-gov-west-1"), {"partition": "aws-us-gov"}),
        (
            "getAvailabilityZones",
            {"state": "available"},
            Settings(),
            {"names": ["eu-west-2a", "eu-west-2b", "eu-west-2c"], "state": "available"},
        ),
        (
            "getAvailabilityZones",
            {"region": "us-east-1"},
            Settings(),
            {"zoneIds": ["ue1-az1", "ue1-az2", "ue1-az3"]},
        ),
        ("getDefaultTags", {}, Settings(default_tags={"a": "b"}), {"tags": {"a": "b"}}),
        (
            "getServicePrincipal",
            {"serviceName": "logs"},
            Settings(),
            {"name": "logs.amazonaws.com", "id": "logs.eu-west-2.amazonaws.com"},
        ),
        (
            "getArn",
            {"arn": "arn:aws:s3:::b/c:d"},
            Settings(),
            {"service": "s3", "region": "", "resource": "b/c:d"},
        ),
        (
            "arnParse",
            {"arn": "arn:aws:sns:eu-west-2:123456789012:t"},
            Settings(),
            {"accountId": "123456789012", "region": "eu-west-2", "service": "sns", "resource": "t"},
        ),
        (
            "arnBuild",
            {"partition": "aws", "service": "s3", "region": "", "accountId": "", "resource": "b/*"},
            Settings(),
            {"result": "arn:aws:s3:::b/*"},
        ),
        (
            "getAvailabilityZone",
            {"zoneId": "ew2-az2"},
            Settings(),
            {"name": "eu-west-2b", "nameSuffix": "b", "region": "eu-west-2"},
        ),
        (
            "trimIamRolePath",
            {"arn": "arn:aws:iam::123456789012:role/a/b/reader"},
            Settings(),
            {"result": "arn:aws:iam::123456789012:role/reader"},
        ),
    ],
)
def test_functions(token: str, args: Properties, config: Settings, expected: Properties) -> None:
    result = invoke(f"aws:index/{token}:{token}", args, config)
    assert {name: result[name] for name in expected} == expected


def test_a_zone_that_the_region_does_not_have() -> None:
    token = "aws:index/getAvailabilityZone:getAvailabilityZone"
    with pytest.raises(InvokeError, match=r"eu-west-2 has no us-east-1a\. Fix: name one of eu-west-2a"):
        invoke(token, {"name": "us-east-1a"}, Settings())


def test_a_policy_document() -> None:
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    args: Properties = {"statements": [{"actions": ["a"], "resources": ["*"]}]}
    assert '"Action":"a"' in str(invoke(token, args, Settings())["minifiedJson"])
    with pytest.raises(InvokeError, match="no JSON"):
        invoke(token, {"sourceJson": "{"}, Settings())


def test_an_unknown_argument_gives_an_unknown_result() -> None:
    args: Properties = {"statements": [{"resources": [UNKNOWN]}]}
    assert invoke("aws:iam/getPolicyDocument:getPolicyDocument", args, Settings()) == {}


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("aws:ssm/getParameterz:getParameterz", "pulumi_aws has no function aws:ssm/getParameterz"),
        ("nonsense", "pulumi_aws has no function nonsense"),
    ],
)
def test_functions_that_do_not_exist_are_named(token: str, words: str) -> None:
    with pytest.raises(InvokeError, match=words):
        invoke(token, {}, Settings())


@pytest.mark.parametrize("name", ["getArn", "arnParse", "trimIamRolePath"])
def test_what_is_no_arn_is_refused(name: str) -> None:
    with pytest.raises(InvokeError, match="`x:y` is no ARN"):
        invoke(f"aws:index/{name}:{name}", {"arn": "x:y"}, Settings())


@pytest.mark.parametrize("resource", ["user/x", "role", "policy/role/x"])
def test_what_is_no_role_has_no_path(resource: str) -> None:
    arn = f"arn:aws:iam::123456789012:{resource}"
    with pytest.raises(InvokeError, match="is no role's ARN"):
        invoke("aws:index/trimIamRolePath:trimIamRolePath", {"arn": arn}, Settings())


def test_configuration_as_python_programs_write_it_is_understood() -> None:
    config: Properties = {
        "assumeRoles": '[{"role_arn":"arn:aws:iam::210987654321:role/x","session_name":"s"}]',
        "defaultTags": {"tags": {"cost_center": "7"}},
        "ignoreTags": '{"key_prefixes":["p:"]}',
    }
    assert check_config(config) == []
    settings_ = read(decoded_config(config))
    assert settings_.default_tags == {"cost_center": "7"}
    assert settings_.ignored_prefixes == ("p:",)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"assumeRoles": '[{"role_arm":"x"}]'}, "assumeRoles[0].role_arm"),
        ({"assumeRole": {"roleArn": "x"}}, "assumeRole"),
        ({"defaultTags": "{"}, "defaultTags"),
    ],
)
def test_configuration_that_means_nothing_is_refused(config: Properties, path: str) -> None:
    assert [failure.property for failure in check_config(config)] == [path]


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        (
            "iam/getPolicyDocument:getPolicyDocument",
            {"statments": []},
            "no property `statments`. Pulumi AWS would answer without it. Fix: did you mean `statements`",
        ),
        (
            "iam/getPolicyDocument:getPolicyDocument",
            {"statements": [{"effect": "Allow", "actoins": ["kms:*"]}]},
            "`statements\\[0\\].actoins`",
        ),
        ("index/getArn:getArn", {}, "`arn` is missing. AWS cannot answer without it"),
        ("index/getRegion:getRegion", {"region": ["x"]}, "wrong type"),
    ],
)
def test_arguments_of_a_function_are_checked(name: str, args: Properties, words: str) -> None:
    with pytest.raises(InvokeError, match=words):
        invoke(f"aws:{name}", args, Settings())

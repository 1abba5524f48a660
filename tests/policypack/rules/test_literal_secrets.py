"""Properties that every SDK marks as secret: what they were made from tells a literal, in the whole stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.trees import UNKNOWN_MARK, secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.policypack.harness.pack import Pack

POLICY = "no-plaintext-secrets"
RANDOM = CaseResource(
    "random", "random:index/randomPassword:RandomPassword", {"result": secret("x7Gh2kLpQ9wz")}
)


def database(password: object, *made_from: str) -> CaseResource:
    return CaseResource(
        "db", "aws:rds/instance:Instance", {"password": password}, {"password": list(made_from)}
    )


def found(pack: Pack, resource: CaseResource, config: Mapping[str, object] | None = None) -> list[str]:
    pack.configure(POLICY, config or {})
    response = pack.analyze_stack((RANDOM, resource))
    return [one.message for one in response.diagnostics if one.policyName == POLICY]


def test_a_literal_is_found_although_it_is_marked(pack: Pack) -> None:
    (message,) = found(pack, database(secret("correct-horse-battery-1")))
    assert "by the provider's schema" in message
    assert "correct-horse" not in message


def test_what_is_in_it_by_names_is_found_besides(pack: Pack) -> None:
    text = secret('{"username": "app", "password": "correct-horse-battery-1"}')
    resource = CaseResource("v", "aws:secretsmanager/secretVersion:SecretVersion", {"secretString": text})
    messages = found(pack, resource)
    assert ["`secretString`" in messages[0], "`secretString.password`" in messages[1]] == [True, True]


@pytest.mark.parametrize(
    ("resource", "config"),
    [
        (database(secret("x7Gh2kLpQ9wz"), RANDOM.urn), {}),
        (database(UNKNOWN_MARK), {}),
        (database(secret("arn:aws:secretsmanager:eu-west-2:1:secret:a")), {}),
        (database(secret("correct-horse-battery-1")), {"pulumiSecrets": "allow"}),
        (database(secret("correct-horse-battery-1")), {"allowedNames": ["password"]}),
    ],
    ids=["made from another resource", "unknown", "a reference", "allowed", "allowed by its name"],
)
def test_what_is_no_literal_passes(resource: CaseResource, config: Mapping[str, object], pack: Pack) -> None:
    assert found(pack, resource, config) == []


def test_secret_configuration_is_no_literal(pack: Pack) -> None:
    pack.configure_stack({"tap:db": "correct-horse-battery-1", "tap:x": "a"}, ["tap:db", "tap:x"])
    try:
        assert found(pack, database(secret("correct-horse-battery-1"))) == []
        assert found(pack, database(secret('{"p": "correct-horse-battery-1"}'))) == []
        assert len(found(pack, database(secret("another-literal-12")))) == 1
    finally:
        pack.configure_stack()


def test_what_aws_made_is_no_literal(pack: Pack) -> None:
    made = CaseResource("api", "aws:apigateway/apiKey:ApiKey", {"value": secret("Zx81-Qm7rTn2Xv6LpBk")})
    pack.configure(POLICY, {})
    pack.analyze(replace(made, props={"name": "tap"}))
    assert not [one for one in pack.analyze_stack([made]).diagnostics if one.policyName == POLICY]
    pack.analyze(made)
    assert [one for one in pack.analyze_stack([made]).diagnostics if one.policyName == POLICY]

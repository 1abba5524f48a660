"""Whether two resources are in one location: yes, no, or undecided."""

from __future__ import annotations

import pytest

from tap_guardrails.aws.sub_resources import same_location
from tap_guardrails.model import UNKNOWN, Provider, Resource, Value

WEST = Provider("west", {"region": "eu-west-2"})
WEST_TOO = Provider("west-too", {"region": "eu-west-2"})
EAST = Provider("east", {"region": "us-east-1"})
SOMEWHERE = Provider("somewhere")
OTHER_PROFILE = Provider("profile", {"region": "eu-west-2", "profile": "other"})
OTHER_PROXY = Provider("proxy", {"region": "eu-west-2", "httpsProxy": "http://localhost:1"})
OTHER_TOKEN = Provider("token", {"region": "eu-west-2", "token": "t"})
UNKNOWN_ROLE = Provider("role", {"region": "eu-west-2", "assumeRoles": [{"roleArn": UNKNOWN}]})


def resource(provider: Provider | None, region: Value = None, *, made: bool = False) -> Resource:
    dependencies = {"region": ("urn",)} if made else {}
    return Resource("urn", "aws:x:Y", "x", {"region": region}, provider, "", dependencies)


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (resource(WEST), resource(WEST), True),
        (resource(WEST), resource(WEST_TOO), True),
        (resource(WEST), resource(EAST), False),
        (resource(WEST, "us-east-1"), resource(EAST), True),
        (resource(WEST, "us-east-1"), resource(WEST), False),
        (resource(SOMEWHERE), resource(SOMEWHERE), True),
        (resource(SOMEWHERE), resource(WEST), None),
        (resource(SOMEWHERE, "eu-west-2"), resource(SOMEWHERE), None),
        (resource(SOMEWHERE, "eu-west-2"), resource(SOMEWHERE, "eu-west-2"), True),
        (resource(SOMEWHERE, "eu-west-2"), resource(SOMEWHERE, "eu-west-1"), False),
        (resource(WEST), resource(OTHER_PROFILE), None),
        (resource(WEST), resource(OTHER_PROXY), None),
        (resource(OTHER_TOKEN), resource(WEST), None),
        (resource(UNKNOWN_ROLE), resource(UNKNOWN_ROLE), True),
        (resource(UNKNOWN_ROLE), resource(Provider("role-2", UNKNOWN_ROLE.properties)), None),
        (resource(WEST, UNKNOWN), resource(WEST), True),
        (resource(WEST, UNKNOWN, made=True), resource(WEST), None),
        (resource(None, "eu-west-2"), resource(WEST), None),
        (resource(None), resource(None), None),
    ],
)
def test_whether_two_resources_are_in_one_place(one: Resource, other: Resource, *, near: bool | None) -> None:
    assert same_location(one, other) is near
    assert same_location(other, one) is near

"""Waivers in configuration: of a policy, and of the stack, which is for what has no tags."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import jsonschema
import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails.model.settings import WAIVERS
from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.clock import day
from tests.policypack.harness.waived import (
    ERRORS,
    IN_FORCE,
    ROLE_POLICY,
    ROTATION,
    TERMS,
    WILDCARDS,
    key,
    levels,
    of,
)

if TYPE_CHECKING:
    from tests.policypack.harness.pack import Pack

ROOT = CaseResource("tap-dev", "pulumi:pulumi:Stack")
KEY = key()
STACK_KEY = "tap-guardrails:waivers"


def entry(urn: str, **changes: str) -> dict[str, str]:
    return {"urn": urn, **TERMS, **changes}


@pytest.mark.parametrize(
    ("urn", "level"),
    [
        (KEY.urn, proto.ADVISORY),
        ("urn:pulumi:*::tap::*::key", proto.ADVISORY),
        ("urn:pulumi:dev::*::*$aws:kms/key:Key::*", proto.MANDATORY),
        ("urn:pulumi:dev::*::aws:kms/key:Key::*", proto.ADVISORY),
        ("*::*", proto.MANDATORY),
        ("*kms/key:Key::k*", proto.MANDATORY),
        ("urn:pulumi:*::*::*::*", proto.MANDATORY),
        ("aws:kms/key:Key::key", proto.ADVISORY),
        ("*::k*y", proto.MANDATORY),
        ("aws:kms/key:Key::k*y", proto.ADVISORY),
        ("aws:kms/key:Key::ke", proto.MANDATORY),
        ("kms/key:Key::key", proto.MANDATORY),
        ("urn:pulumi:prod::tap::*::key", proto.MANDATORY),
        ("urn:pulumi:dev::tap::*::other", proto.MANDATORY),
        ("urn:pulumi:dev::tap::key", proto.MANDATORY),
        ("*::k.y", proto.MANDATORY),
        ("key", proto.MANDATORY),
        ("*", proto.MANDATORY),
        ("", proto.MANDATORY),
    ],
)
def test_an_entry_covers_what_its_pattern_matches(urn: str, level: int, pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry(urn)]})
    assert levels(pack.analyze(KEY), ROTATION) == [level]


def test_a_short_pattern_names_the_resources_own_type() -> None:
    from tap_guardrails.waivers.terms import pattern_of  # noqa: PLC0415

    short, whole = pattern_of("aws:kms/key:Key::key"), pattern_of("urn:pulumi:dev::tap::aws:kms/key:Key::key")
    inside = "urn:pulumi:dev::tap::tap:index:TapStack$aws:kms/key:Key::key"
    assert short
    assert whole
    assert short.matches(inside)
    assert not whole.matches(inside)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (entry("*::key", expires=day(-1)), "expired on"),
        (entry("*::key", expires=day(400)), "more than 365 days"),
        (entry("*::key", expires="tomorrow"), "has an `expires` that is not a day"),
        (entry("*::key", owner=""), "lacks `owner`, so it waives nothing"),
        (entry("*::key", until="2027-01-01"), "has `until`, which is no field of a waiver"),
        (entry("everything"), "has no `urn` of the form"),
        (entry("*::*"), "`*` in both type and name"),
        (entry("aws:kms/key:Key::k\u0435y"), "letters beyond ASCII"),
        (entry("aws:kms/key:Key::key\u200b"), "invisible characters"),
        (entry("*::key", finding=""), "lacks `finding`"),
        (entry("*::key", granted=day(2)), "is not granted before"),
        ("*::key", "lacks `finding`, `granted`, `expires`, `owner`, `reason`"),
    ],
)
def test_an_entry_that_is_not_in_force_waives_nothing_and_is_reported(
    wrong: object, text: str, pack: Pack
) -> None:
    pack.configure(ROTATION, {"waivers": [wrong]})
    assert levels(pack.analyze(KEY), ROTATION) == [proto.MANDATORY]
    (finding,) = of(pack.analyze_stack([ROOT, KEY]), IN_FORCE)
    assert (finding.urn, finding.enforcementLevel) == (ROOT.urn, proto.MANDATORY)
    assert text in finding.message.split("\n")[0]
    assert "property `kms-key-rotation.waivers[0]`" in finding.message


def test_waivers_that_are_no_list_stop_the_run(pack: Pack) -> None:
    with pytest.raises(grpc.RpcError, match="`waivers` must be a list, not"):
        pack.configure(ROTATION, {"waivers": {"urn": "*::key"}})


def test_the_published_schema_takes_what_waives_and_nothing_less() -> None:
    schema = {"type": "object", "properties": {"waivers": WAIVERS.schema()}}
    jsonschema.validate({"waivers": [entry("*::key")]}, schema)
    for wrong in (entry("*::key", expires="soon"), {"urn": "*::key"}, entry("*::key", more="x"), "*::key"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"waivers": [wrong]}, schema)


def test_an_entry_for_this_stack_with_nothing_to_let_stand_is_reported(pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry("urn:pulumi:dev::tap::*::key")]})
    pack.analyze(key(enableKeyRotation=True))
    (finding,) = of(pack.analyze_stack([ROOT, KEY]), IN_FORCE)
    assert finding.message.startswith("The waiver of `kms-key-rotation` lets nothing stand.")


@pytest.mark.parametrize("urn", ["*::key", "urn:pulumi:*::tap::*::key", "urn:pulumi:prod::tap::*::key"])
def test_an_entry_that_other_stacks_may_need_is_left_to_them(urn: str, pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry(urn)]})
    pack.analyze(key(enableKeyRotation=True))
    assert not of(pack.analyze_stack([ROOT, KEY]), IN_FORCE)


def test_an_entry_of_another_stack_may_expire_there(pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry("urn:pulumi:prod::tap::*::key", expires=day(-1))]})
    assert not of(pack.analyze_stack([ROOT, KEY]), IN_FORCE)


def test_nobody_calls_an_entry_useless_whose_resources_were_not_all_looked_at(pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry("urn:pulumi:dev::tap::aws:kms/key:Key::key*")]})
    other = replace(KEY, name="key-2")
    pack.analyze(key(enableKeyRotation=True))
    assert not of(pack.analyze_stack([ROOT, KEY, other]), IN_FORCE)


def test_an_entry_of_a_stack_policy_waives_and_can_be_useless(pack: Pack) -> None:
    function = CaseResource("fn", "aws:lambda/function:Function", {"name": "fn"})
    pack.configure(ERRORS, {"waivers": [entry("urn:pulumi:dev::tap::*::fn", finding="name")]})
    needed = pack.analyze_stack([ROOT, function])
    assert (levels(needed, ERRORS), of(needed, IN_FORCE)) == ([proto.ADVISORY], [])
    assert levels(pack.analyze_stack([ROOT, KEY]), IN_FORCE) == [proto.MANDATORY]


def test_the_stacks_configuration_waives_what_has_no_tags(pack: Pack) -> None:
    assert levels(pack.analyze(ROLE_POLICY), WILDCARDS) == [proto.MANDATORY]
    waiver = {
        "policy": WILDCARDS,
        **entry("aws:iam/rolePolicy:RolePolicy::rights", finding="policy.Statement[0].Action"),
    }
    pack.configure_stack({STACK_KEY: json.dumps([waiver])})
    assert levels(pack.analyze(ROLE_POLICY), WILDCARDS) == [proto.ADVISORY]
    assert not of(pack.analyze_stack([ROOT, ROLE_POLICY]), IN_FORCE)


def test_a_day_without_quotes_in_the_stacks_configuration_is_a_day(pack: Pack) -> None:
    bare = entry("*::key", expires=f"{TERMS['expires']} 00:00:00 +0000 UTC")
    pack.configure_stack({STACK_KEY: json.dumps([{"policy": ROTATION, **bare}])})
    assert levels(pack.analyze(KEY), ROTATION) == [proto.ADVISORY]


def test_in_the_stacks_configuration_any_pattern_is_about_this_stack(pack: Pack) -> None:
    pack.configure_stack({STACK_KEY: json.dumps([{"policy": ROTATION, **entry("*::key")}])})
    pack.analyze(key(enableKeyRotation=True))
    assert levels(pack.analyze_stack([ROOT, KEY]), IN_FORCE) == [proto.MANDATORY]


@pytest.mark.parametrize(
    ("config", "secret_keys", "text"),
    [
        ("[{", [], "is no list of waivers"),
        ("[" * 100_000, [], "is no list of waivers"),
        ('{"policy": "x"}', [], "is no list of waivers"),
        (json.dumps([entry("*::key")]), [], "names no `policy`"),
        (
            json.dumps([{"policy": "rotation", **entry("*::key")}]),
            [],
            "names no policy that can be waived",
        ),
        (json.dumps([{"policy": ROTATION, **entry("*::key")}]), [STACK_KEY], "is a secret"),
        ("[3]", [], "lacks `finding`"),
    ],
)
def test_a_stacks_configuration_that_holds_no_waivers_is_reported(
    config: str,
    secret_keys: list[str],
    text: str,
    pack: Pack,
) -> None:
    pack.configure_stack({STACK_KEY: config}, secret_keys)
    assert levels(pack.analyze(KEY), ROTATION) == [proto.MANDATORY]
    (finding,) = of(pack.analyze_stack([ROOT, KEY]), IN_FORCE)
    assert text in finding.message
    assert not secret_keys or "bearable" not in finding.message
    assert f"property `{STACK_KEY}" in finding.message


def test_without_a_root_the_configuration_is_evaluated_with_the_first_resource(pack: Pack) -> None:
    pack.configure(ROTATION, {"waivers": [entry("nothing")]})
    assert [one.urn for one in of(pack.analyze_stack([KEY]), IN_FORCE)] == [KEY.urn]

"""The ready configuration files name every policy, and fit what the pack publishes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import jsonschema
import pytest
from google.protobuf.json_format import MessageToDict

from tap_guardrails.assembly import find_rules
from tap_guardrails.tightening import tighten
from tests.policypack.harness.pack import PACK_FOLDER
from tests.policypack.rules.test_cases import MISSION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.policypack.harness.pack import Pack

PROFILES = sorted((PACK_FOLDER / "profiles").glob("*.json"))
LEVELS = {"advisory", "mandatory", "remediate", "disabled"}

each_profile = pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)


def read(profile: Path) -> dict[str, dict[str, object]]:
    return cast("dict[str, dict[str, object]]", json.loads(profile.read_text()))


def test_there_are_the_two_that_are_promised() -> None:
    assert [profile.stem for profile in PROFILES] == ["baseline", "strict"]


@each_profile
def test_a_profile_names_every_policy_with_its_level(profile: Path) -> None:
    body = read(profile)
    assert body.keys() == {rule.name for rule in find_rules()}
    assert {one["enforcementLevel"] for one in body.values()} <= LEVELS


@each_profile
def test_a_profile_fits_the_published_schemas_and_the_pack(profile: Path, pack: Pack) -> None:
    for policy in pack.info().policies:
        settings = {
            key: value for key, value in read(profile)[policy.name].items() if key != "enforcementLevel"
        }
        properties = MessageToDict(policy.configSchema.properties)
        jsonschema.validate(settings, {"properties": properties, "additionalProperties": False})
        pack.configure(policy.name, settings)


def test_the_missions_controls_block_in_each() -> None:
    for profile in PROFILES:
        assert {name for name in MISSION if read(profile)[name]["enforcementLevel"] != "mandatory"} == set()


def test_strict_advises_nothing_and_is_nowhere_softer_than_baseline() -> None:
    baseline, strict = (read(profile) for profile in PROFILES)
    assert {one["enforcementLevel"] for one in strict.values()} == {"mandatory"}
    assert not any(len(baseline[name]) > 1 for name in baseline)
    # Nor than the pack is by itself: what passes it passes without a configuration.
    assert tighten({}, strict).keys() == strict.keys()

"""A team may tighten what the operator set, and nothing else: never is the verdict laxer than the floor's."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_guardrails import evaluate
from tap_guardrails.evaluation import LEVEL, ConfigurationError
from tap_guardrails.model.settings import (
    ON_UNKNOWN,
    WAIVERS,
    Boolean,
    Enum,
    Integer,
    ObjectList,
    Setting,
    StringList,
)
from tap_guardrails.tightening import main, tighten
from tests.policypack.harness.cases import RULES, Case, all_cases
from tests.policypack.harness.records import records
from tests.policypack.harness.waived import TERMS

if TYPE_CHECKING:
    from pathlib import Path

ROTATION = "kms-key-rotation"
WORDS = ["Environment", "AWS/Lambda:New", "s3:Get*", "python3.8", "DB_PASSWORD", "command:*", "*", "team"]
NOT_WAIVED = ("waiver-in-force", WAIVERS.name)
LEVELS = ["advisory", "mandatory", "disabled", "remediate"]


def values(setting: Setting) -> st.SearchStrategy[object]:
    """Whatever a setting takes."""
    match setting:
        case Boolean():
            return st.booleans()
        case Integer():
            return st.integers(setting.minimum, setting.maximum)
        case Enum():
            return st.sampled_from(setting.choices)
        case StringList():
            words = st.sampled_from(setting.choices or WORDS)
            return st.lists(words, min_size=setting.at_least, max_size=3, unique=True)
        case ObjectList():
            entry = {**TERMS, "urn": "*::it"}
            return st.just([]) | st.just([entry])


def own(case: Case) -> st.SearchStrategy[dict[str, object]]:
    """Whatever can be said of a case's policy, the level among it."""
    # The policy that evaluates waivers cannot be waived.
    fields = {
        one.name: values(one) for one in case.rule.all_settings if (case.rule.name, one.name) != NOT_WAIVED
    }
    return st.fixed_dictionaries({}, optional={**fields, LEVEL: st.sampled_from(LEVELS)})


def blocking(case: Case, policy: str, config: dict[str, object]) -> set[str]:
    """The resources of a case that a policy blocks under a config."""
    said = evaluate(records(case.resources), {"all": "disabled", policy: config})
    return {one.urn for one in said.findings if one.level == "mandatory" and one.policy == policy}


CASES = all_cases()
SETTINGS = [
    (policy, one.name)
    for policy, rule in sorted(RULES.items())
    for one in rule.all_settings
    if (policy, one.name) != NOT_WAIVED
]


def telling(policy: str, name: str) -> list[Case]:
    """The policy's cases that set something, or else those with what it is about."""
    cases = [one for one in CASES if one.rule.name == policy]
    if name == WAIVERS.name:
        return [one for one in cases if one.findings][:4]
    return (
        [one for one in cases if name in one.config]
        or [one for one in CASES if name in one.config and name != ON_UNKNOWN.name]
        or [one for one in cases if any(found.verdict == "undecided" for found in one.findings)]
        or [one for one in cases if one.findings]
    )[:4]


def waived(policy: str, case: Case) -> list[dict[str, str]]:
    """Waivers of all that a policy finds in a case."""
    said = evaluate(records(case.resources), {"all": "disabled", policy: {**case.config, LEVEL: "mandatory"}})
    return [
        {**TERMS, "urn": f"*::{one.urn.rpartition('::')[2]}", "finding": one.property}
        for one in said.findings
    ]


def ends(policy: str, setting: Setting, cases: list[Case]) -> list[object]:
    """The values of a setting that its cases have, and those at the ends of what it takes."""
    found = [setting.default, *(one.config[setting.name] for one in cases if setting.name in one.config)]
    match setting:
        case Boolean():
            found += [True, False]
        case Integer():
            found += [setting.minimum, setting.maximum]
        case Enum():
            found += setting.choices
        case StringList():
            found += [
                list(setting.choices or ["*"]),
                ["team"] if not setting.choices else [setting.choices[0]],
            ]
        case ObjectList():
            found += [waived(policy, one) for one in cases]
    texts = dict.fromkeys(json.dumps(one) for one in found)
    return [
        one
        for one in map(json.loads, texts)
        if not isinstance(one, list) or len(cast("list[object]", one)) >= least(setting)
    ]


def least(setting: Setting) -> int:
    return setting.at_least if isinstance(setting, StringList) else 0


@pytest.mark.parametrize(("policy", "name"), SETTINGS)
def test_what_a_team_may_change_a_setting_to_is_never_laxer(policy: str, name: str) -> None:
    """Every pair of values, over the cases that the setting is for."""
    cases = telling(policy, name)
    (setting,) = [one for one in RULES[policy].all_settings if one.name == name]
    values = ends(policy, setting, cases)
    allowed = [(floor, team) for floor, team in product(range(len(values)), repeat=2)
               if may_change(policy, name, values[floor], values[team])]  # fmt: skip
    for case in cases:
        blocked = [blocking(case, policy, {**case.config, LEVEL: "mandatory", name: one}) for one in values]
        for floor, team in allowed:
            assert blocked[floor] <= blocked[team], f"{case.name}: {values[floor]}, {values[team]}"


def may_change(policy: str, name: str, floor: object, team: object) -> bool:
    try:
        tighten({policy: {name: floor}}, {policy: {name: team}})
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("policy", sorted(RULES))
@settings(max_examples=4, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_a_team_says_is_never_laxer(policy: str, data: st.DataObject) -> None:
    """Whatever is said over whatever floor, each setting by itself and all together."""
    case = data.draw(st.sampled_from([one for one in CASES if one.rule.name == policy]))
    floor = {LEVEL: case.rule.level, **case.config, **data.draw(own(case))}
    blocked, merged = blocking(case, policy, floor), {policy: floor}
    for name, value in data.draw(own(case)).items():
        with suppress(ConfigurationError):
            merged = {policy: cast("dict[str, object]", tighten(merged, {policy: {name: value}})[policy])}
            assert blocked <= blocking(case, policy, merged[policy]), f"{floor} blocks, {merged} does not"


def test_what_is_stricter_is_taken_over_what_the_operator_set() -> None:
    floor = {ROTATION: {LEVEL: "advisory", "maximumRotationDays": 300}, "required-tags": {"keys": ["Owner"]}}
    merged = tighten(floor, {ROTATION: {"maximumRotationDays": 90}, "required-tags": "mandatory"})
    assert merged[ROTATION] == {LEVEL: "advisory", "maximumRotationDays": 90}
    assert merged["required-tags"] == {LEVEL: "mandatory", "keys": ["Owner"]}
    assert merged.keys() == RULES.keys()


@pytest.mark.parametrize(
    ("team", "text"),
    [
        (
            {ROTATION: "advisory"},
            '`enforcementLevel` "advisory" is looser than "mandatory", which only the operator',
        ),
        (
            {"all": "disabled"},
            '`all` (policy `alarm-effective` and 26 more): `enforcementLevel` "disabled" is looser than "man',
        ),
        ({"all": "advisory"}, '`enforcementLevel` "advisory" is looser than "mandatory", which only the'),
        ({"all": {"enforcementLevel": "advisory"}}, "`all` (policy"),
        (
            {"all": "disabled", ROTATION: "advisory"},
            'policy `kms-key-rotation`: `enforcementLevel` "advisory" is looser',
        ),
        ({ROTATION: {"onUnknown": "warn"}}, '`onUnknown` "warn" is looser than "deny"'),
        ({ROTATION: {"maximumRotationDays": 400}}, "`maximumRotationDays` 400 is looser than 365"),
        ({ROTATION: {"waivers": [{**TERMS, "urn": "*::key"}]}}, "`waivers` [{"),
        ({"no-unseen-resources": {"allow": ["command:*"]}}, "`allow`"),
        ({"waiver-in-force": {"programWaivable": [ROTATION]}}, "`programWaivable`"),
        ({"lambda-supported-runtime": {"allowed": ["python3.8"]}}, "`allowed`"),
        ({"s3-public-access-block": {"accountBlock": "assume"}}, "`accountBlock`"),
        ({"no-plaintext-secrets": {"entropy": False}}, "`entropy` false is looser than true"),
        ({"required-tags": {"keys": []}}, "`keys` []"),
        ({"s3-encryption": {"key": "s3"}}, '`key` "s3" is looser than "customer"'),
        ({"no-such-policy": "mandatory"}, "there is no policy"),
    ],
)
def test_what_is_looser_is_refused_with_the_setting_and_both_values(
    team: dict[str, object], text: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        tighten({}, team)
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_setting_declares_which_way_is_stricter() -> None:
    for rule in RULES.values():
        for setting in rule.all_settings:
            assert setting.is_as_strict(setting.default, setting.default)


def test_two_files_are_merged_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    floor, team = tmp_path / "floor.json", tmp_path / "team.json"
    floor.write_text("{}")
    team.write_text(json.dumps({ROTATION: {"maximumRotationDays": 90}}))
    assert main([str(floor), str(team)]) == 0
    merged = cast("dict[str, object]", json.loads(capsys.readouterr().out))
    assert merged[ROTATION] == {LEVEL: "mandatory", "maximumRotationDays": 90}
    team.write_text(json.dumps({ROTATION: "disabled"}))
    assert main([str(floor), str(team)]) == 2
    assert "only the operator may change" in capsys.readouterr().err
    assert main([]) == 2
    assert main([str(floor), str(tmp_path / "none.json")]) == 2

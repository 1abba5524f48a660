"""A team may tighten what the operator set, and nothing else: never is the verdict laxer than the floor's."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_guardrails import evaluate
from tap_guardrails.evaluation import LEVEL, ConfigurationError
from tap_guardrails.model.settings import Boolean, Enum, Integer, ObjectList, Setting, StringList
from tap_guardrails.tightening import main, tighten
from tests.policypack.harness.cases import RULES, Case, all_cases
from tests.policypack.harness.records import records
from tests.policypack.harness.waived import TERMS

if TYPE_CHECKING:
    from pathlib import Path

ROTATION = "kms-key-rotation"
WORDS = ["Environment", "AWS/Lambda:New", "s3:Get*", "python3.8", "DB_PASSWORD", "command:*", "*", "team"]
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
    fields = {one.name: values(one) for one in case.rule.all_settings}
    return st.fixed_dictionaries({}, optional={**fields, LEVEL: st.sampled_from(LEVELS)})


def tightened(case: Case, floor: dict[str, object], team: dict[str, object]) -> dict[str, object]:
    """What the team's part comes to, each setting that is taken by itself."""
    name, merged = case.rule.name, {case.rule.name: floor}
    for key, value in team.items():
        with suppress(ConfigurationError):
            merged = {name: tighten(merged, {name: {key: value}})[name]}
    return cast("dict[str, object]", merged[name])


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_tightening_is_never_laxer_than_the_floor(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    floor, team = data.draw(own(case)), data.draw(own(case))
    name, stack, merged = case.rule.name, records(case.resources), tightened(case, floor, team)
    blocked, still = (
        [
            one
            for one in evaluate(stack, {"all": "disabled", name: config}).findings
            if one.level == "mandatory"
        ]
        for config in ({LEVEL: case.rule.level, **one} for one in (floor, merged))
    )
    assert not blocked or still, f"{floor} blocks {blocked}, {merged} does not"


CASES = all_cases()


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
        ({"all": "disabled"}, "policy `alarm-effective`: `enforcementLevel`"),
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

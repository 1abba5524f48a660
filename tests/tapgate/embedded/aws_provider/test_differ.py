from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.differ import Difference, compare, equivalent_documents, replaced_first
from tapgate.embedded.aws_provider.inputs import DEFAULTS
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import MODULES, describe, described
from tapgate.embedded.aws_provider.values import UNKNOWN, Blob, Properties

KEY = "aws:kms/key:Key"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TABLE = "aws:dynamodb/table:Table"
QUEUE = "aws:sqs/queue:Queue"
FUNCTION = "aws:lambda/function:Function"
WORDS = st.text(alphabet="abcdef:*", min_size=1, max_size=5)
DOCUMENTS: st.SearchStrategy[object] = st.recursive(
    WORDS | st.booleans() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def _changes(token: str, state: Properties, news: Properties) -> list[tuple[str, str, bool]]:
    return [(found.path, found.change, found.replaces) for found in compare(token, state, news)]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "description": st.text(max_size=4),
            "enableKeyRotation": st.booleans(),
            "deletionWindowInDays": st.integers(7, 30),
            "tags": st.dictionaries(WORDS, WORDS, max_size=3),
            "policy": DOCUMENTS.map(json.dumps),
        },
    )
)
def test_what_is_the_same_is_no_change(inputs: Properties) -> None:
    computed: Properties = {"arn": "arn:x", "keyId": "1", "rotationPeriodInDays": 365, "tagsAll": {}}
    assert compare(KEY, {**computed, **inputs}, inputs) == []


@pytest.mark.parametrize(
    ("state", "news", "expected"),
    [
        ({"enableKeyRotation": True}, {"enableKeyRotation": False}, ("enableKeyRotation", "update", False)),
        ({}, {"enableKeyRotation": True}, ("enableKeyRotation", "add", False)),
        ({"enableKeyRotation": True}, {}, ("enableKeyRotation", "delete", False)),
        ({"tags": {"a": "1"}}, {"tags": {"a": "2"}}, ("tags.a", "update", False)),
        ({"tags": {"a": "1"}}, {"tags": {}}, ("tags.a", "delete", False)),
        ({"keyUsage": "A"}, {"keyUsage": "B"}, ("keyUsage", "update", True)),
        ({"region": "a"}, {"region": "b"}, ("region", "update", True)),
        ({"description": "a"}, {"description": UNKNOWN}, ("description", "update", False)),
        ({}, {"customKeyStoreId": UNKNOWN}, ("customKeyStoreId", "add", True)),
    ],
)
def test_each_kind_of_change(state: Properties, news: Properties, expected: tuple[str, str, bool]) -> None:
    assert _changes(KEY, state, news) == [expected]


@pytest.mark.parametrize(
    ("token", "state", "news"),
    [
        (KEY, {"rotationPeriodInDays": 365}, {}),
        (KEY, {"enableKeyRotation": False}, {}),
        (KEY, {}, {"enableKeyRotation": False}),
        (KEY, {}, {"tags": {}}),
        (KEY, {"multiRegion": False}, {"region": "eu-west-2"}),
        (TABLE, {"tableClass": "STANDARD"}, {}),
        (
            TABLE,
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "a"}},
            {"serverSideEncryption": {"enabled": True}},
        ),
        (ALARM, {"alarmActions": ["a", "b"]}, {"alarmActions": ["b", "a"]}),
        (FUNCTION, {"layers": []}, {}),
        (FUNCTION, {"code": Blob("archive", "h", path="a")}, {"code": Blob("archive", "h", path="b")}),
    ],
)
def test_what_pulumi_aws_does_not_count_as_a_change(token: str, state: Properties, news: Properties) -> None:
    assert _changes(token, state, news) == []


def test_lists_with_an_order_change_by_place() -> None:
    state: Properties = {"layers": ["a", "b"]}
    assert _changes(FUNCTION, state, {"layers": ["b", "a"]}) == [
        ("layers[0]", "update", False),
        ("layers[1]", "update", False),
    ]
    assert _changes(FUNCTION, state, {"layers": ["a"]}) == [("layers[1]", "delete", False)]
    assert _changes(FUNCTION, state, {"layers": ["a", "b", "c"]}) == [("layers[2]", "add", False)]


def test_sets_change_by_element() -> None:
    old: Properties = {"attributes": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}]}
    new: Properties = {"attributes": [{"name": "at", "type": "N"}, {"name": "id", "type": "N"}]}
    assert _changes(TABLE, old, new) == [("attributes[1]", "add", False), ("attributes[0]", "delete", False)]


def test_code_changes_with_its_content() -> None:
    state: Properties = {"code": Blob("archive", "h1", path="a")}
    assert _changes(FUNCTION, state, {"code": Blob("archive", "h2", path="a")}) == [("code", "update", False)]
    assert _changes(FUNCTION, {"code": Blob("archive", path="a")}, {"code": Blob("archive", path="b")})


def test_an_unknown_element_of_a_set_is_a_change() -> None:
    assert _changes(ALARM, {"alarmActions": ["a"]}, {"alarmActions": [UNKNOWN]})


@given(DOCUMENTS, st.integers(0, 99))
def test_documents_are_compared_by_meaning(document: object, seed: int) -> None:
    shuffled = _shuffled(document, random.Random(seed))  # noqa: S311 - an order, no secret
    assert equivalent_documents(json.dumps(document), json.dumps(shuffled, indent=1))


def _shuffled(document: object, chance: random.Random) -> object:
    if isinstance(document, dict):
        keys = [*document]  # pyright: ignore[reportUnknownVariableType]
        chance.shuffle(keys)  # pyright: ignore[reportUnknownArgumentType]
        return {key: _shuffled(document[key], chance) for key in keys}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(document, list):
        items = [_shuffled(item, chance) for item in document]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        chance.shuffle(items)
        return items
    return document


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('{"a": ["x"]}', '{"a": "x"}', True),
        ('{"a": ["x", "y"]}', '{"a": "x"}', False),
        ('{"a": 1}', '{"a": 2}', False),
        ("no json", "no json", True),
        ("no json", '{"a": 1}', False),
    ],
)
def test_documents_that_mean_the_same(old: str, new: str, *, same: bool) -> None:
    assert equivalent_documents(old, new) is same


def test_a_reformatted_policy_is_no_change_but_another_one_is() -> None:
    state: Properties = {"policy": '{"Statement":[{"Action":["a","b"]}]}'}
    assert not _changes(KEY, state, {"policy": '{ "Statement": {"Action": ["b", "a"]} }'})
    assert _changes(KEY, state, {"policy": '{"Statement":[{"Action":["a"]}]}'}) == [
        ("policy", "update", False)
    ]


def test_a_nested_change_is_of_the_top_level_property() -> None:
    assert Difference("metricQueries[0].id", "update", replaces=False).property == "metricQueries"
    assert Difference("tags.a", "update", replaces=False).property == "tags"


@pytest.mark.parametrize(
    ("token", "news", "expected"),
    [
        (QUEUE, {"name": "q", DEFAULTS: ["name"]}, False),
        (QUEUE, {"name": "q", DEFAULTS: []}, True),
        (QUEUE, {"name": "q"}, False),
        (KEY, {DEFAULTS: []}, False),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {DEFAULTS: []}, True),
    ],
)
def test_the_old_one_goes_first_when_two_cannot_be_at_once(
    token: str, news: Properties, *, expected: bool
) -> None:
    assert replaced_first(token, news) is expected


@pytest.mark.parametrize("module", MODULES)
def test_descriptions_name_only_properties_that_pulumi_aws_has(module: str) -> None:
    for token in described(module):
        schema, description = schema_of(token), describe(token)
        assert description is described(module)[token]
        known = set(schema.inputs)
        assert set(description.defaults) <= known, token
        assert {name for names in description.changes_with.values() for name in names} <= set(schema.outputs)
        paths = {
            *description.replaces,
            *description.absent,
            *description.sets,
            *description.documents,
            *description.limits,
            *description.computed,
        }
        for path in paths:
            assert _exists(token, path), f"{token}: {path}"


def _exists(token: str, path: str) -> bool:
    schema = schema_of(token)
    properties = {**schema.inputs, **schema.outputs}
    for name in path.split("."):
        if name not in properties:
            return False
        type_ = properties[name].type
        while type_.base == "list":
            type_ = type_.args[0]
        properties = dict(schema.properties_of(type_))
    return True


def test_types_without_a_description_have_an_empty_one() -> None:
    assert describe("aws:ec2/vpc:Vpc") == describe("aws:sqs/nothing:Nothing")

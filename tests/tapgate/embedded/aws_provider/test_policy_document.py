from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.policy_document import PolicyDocumentError, render

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Properties

ACTIONS = st.lists(st.from_regex(r"s3:[A-Z][a-z]{1,5}", fullmatch=True), min_size=1, max_size=4)


def _minified(args: Properties) -> str:
    result = render(args)
    assert json.loads(str(result["json"])) == json.loads(str(result["minifiedJson"]))
    return str(result["minifiedJson"])


def test_one_element_is_no_list_and_several_come_in_reverse() -> None:
    args: Properties = {
        "statements": [
            {
                "sid": "Read",
                "actions": ["s3:GetObject", "s3:ListBucket", "s3:HeadBucket"],
                "resources": ["arn:aws:s3:::b"],
                "principals": [{"type": "AWS", "identifiers": ["a", "b"]}],
                "conditions": [{"test": "StringEquals", "variable": "aws:x", "values": ["b", "a"]}],
            }
        ]
    }
    assert _minified(args) == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow",'
        '"Action":["s3:ListBucket","s3:HeadBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b",'
        '"Principal":{"AWS":["b","a"]},"Condition":{"StringEquals":{"aws:x":["b","a"]}}}]}'
    )


def test_the_indented_form_is_go_s() -> None:
    args: Properties = {"statements": [{"actions": ["a:B"], "resources": ["*"]}]}
    assert render(args)["json"] == (
        '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Effect": "Allow",\n'
        '      "Action": "a:B",\n      "Resource": "*"\n    }\n  ]\n}'
    )


@given(ACTIONS)
def test_the_order_in_the_program_means_nothing(actions: list[str]) -> None:
    def document(order: list[str]) -> str:
        return _minified({"statements": [{"actions": [*order], "resources": ["*"]}]})

    assert document(actions) == document(actions[::-1])
    rendered = json.loads(document(actions))["Statement"][0]["Action"]
    assert (
        {rendered} == set(actions)
        if isinstance(rendered, str)
        else rendered == sorted({*actions}, reverse=True)
    )


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        ([{"type": "*", "identifiers": ["*"]}], "*"),
        ([{"type": "AWS", "identifiers": ["*"]}], {"AWS": "*"}),
        (
            [{"type": "Service", "identifiers": ["b"]}, {"type": "AWS", "identifiers": ["a"]}],
            {"AWS": "a", "Service": "b"},
        ),
        (
            [{"type": "AWS", "identifiers": ["a"]}, {"type": "AWS", "identifiers": ["b", "c"]}],
            {"AWS": ["a", "c", "b"]},
        ),
        (
            [{"type": "AWS", "identifiers": ["b", "c"]}, {"type": "AWS", "identifiers": ["a"]}],
            {"AWS": ["c", "b", "a"]},
        ),
    ],
)
def test_principals(principals: list[Properties], expected: object) -> None:
    args: Properties = {"statements": [{"actions": ["a"], "principals": [*principals]}]}
    assert json.loads(_minified(args))["Statement"][0]["Principal"] == expected


def test_conditions_of_one_test_are_gathered() -> None:
    conditions: list[Properties] = [
        {"test": "StringLike", "variable": "b", "values": ["1"]},
        {"test": "StringLike", "variable": "a", "values": ["1", "2"]},
        {"test": "StringLike", "variable": "a", "values": ["3", "4"]},
        {"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]},
    ]
    args: Properties = {
        "statements": [
            {"effect": "Deny", "notActions": ["a"], "notResources": ["r"], "conditions": [*conditions]}
        ]
    }
    assert json.loads(_minified(args))["Statement"] == [
        {
            "Effect": "Deny",
            "NotAction": "a",
            "NotResource": "r",
            "Condition": {
                "Bool": {"aws:SecureTransport": "false"},
                "StringLike": {"a": ["1", "2", "3", "4"], "b": "1"},
            },
        }
    ]


def test_policy_variables_are_written_as_iam_wants_them() -> None:
    args: Properties = {"statements": [{"actions": ["a"], "resources": ["home/&{aws:username}"]}]}
    assert "home/${aws:username}" in _minified(args)
    with pytest.raises(PolicyDocumentError, match="2008-10-17"):
        render({**args, "version": "2008-10-17"})


def test_documents_are_merged_by_sid() -> None:
    source = json.dumps(
        {"Id": "i", "Statement": {"Sid": "A", "Effect": "Allow", "Action": "a", "Resource": "*"}}
    )
    override = json.dumps({"Statement": [{"Sid": "B", "Effect": "Deny", "Action": "b", "Resource": "*"}]})
    args: Properties = {
        "sourcePolicyDocuments": [source],
        "statements": [
            {"sid": "B", "actions": ["b"], "resources": ["r"]},
            {"actions": ["c"], "resources": ["*"]},
        ],
        "overridePolicyDocuments": [override],
    }
    document = json.loads(_minified(args))
    assert [(item.get("Sid"), item["Effect"]) for item in document["Statement"]] == [
        ("A", "Allow"),
        ("B", "Deny"),
        (None, "Allow"),
    ]
    assert document["Id"] == "i"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            {"statements": [{"sid": "A", "actions": ["a"]}, {"sid": "A", "actions": ["b"]}]},
            r"duplicate Sid \(A\)",
        ),
        ({"sourcePolicyDocuments": ["{"]}, "no JSON"),
        ({"version": "2012-10-18"}, "one of 2008-10-17, 2012-10-17"),
        ({"statements": [{"effect": "Permit", "actions": ["a"]}]}, "one of Allow, Deny"),
        ({"overrideJson": "[]"}, "no JSON object"),
        (
            {"sourcePolicyDocuments": ['{"Statement":{"Sid":"A"}}', '{"Statement":{"Sid":"A"}}']},
            "duplicate Sid",
        ),
    ],
)
def test_what_makes_no_document_is_refused(args: Properties, words: str) -> None:
    with pytest.raises(PolicyDocumentError, match=words):
        render(args)


def test_an_empty_document_has_its_version_and_id() -> None:
    assert _minified({}) == '{"Version":"2012-10-17"}'
    assert _minified({"policyId": "mine"}) == '{"Version":"2012-10-17","Id":"mine"}'

"""Metric math and Metrics Insights: what is read, and what is refused."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.aws.alarms.syntax import (
    Call,
    Chain,
    Expression,
    ExpressionError,
    Insights,
    Name,
    Number,
    Text,
    parse,
    parse_insights,
    parts,
)

A, B = Name("a"), Name("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", Chain(Number(1), (("+", Chain(Number(2), (("*", Number(3)),))),))),
        ("1 - 2 - 3", Chain(Number(1), (("-", Number(2)), ("-", Number(3))))),
        ("(1 - 2) ^ 3", Chain(Chain(Number(1), (("-", Number(2)),)), (("^", Number(3)),))),
        ("-a", Call("negative", (A,))),
        ("-a + b", Chain(Call("negative", (A,)), (("+", B),))),
        ("sum([a, b])", Call("SUM", (Call("[", (A, B)),))),
        ("METRICS('er')", Call("METRICS", (Text("er"),))),
        ("()", Call("[", ())),
        ("(a, b)", Call("[", (A, B))),
        ("a OR b AND a", Chain(A, (("OR", Chain(B, (("AND", A),))),))),
        (
            "a<.5||b>=1e3",
            Chain(Chain(A, (("<", Number(0.5)),)), (("||", Chain(B, ((">=", Number(1000)),))),)),
        ),
    ],
)
def test_an_expression_is_read(text: str, tree: Expression) -> None:
    assert parse(text) == tree


def test_the_parts_of_an_expression() -> None:
    assert {part for part in parts(parse("SUM([a, -b]) / 2")) if not isinstance(part, (Call, Chain))} == {
        A,
        B,
        Number(2),
    }


@pytest.mark.parametrize(
    "text",
    [
        "", "m1 +", "SUM(", "SUM(a", "a b", "#", "1e999", "9" * 400, ")", "[a", "a,", "a % 2", "a = b",
        "(" * 60 + "a" + ")" * 60, "-" * 60 + "a",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def written(tree: Expression) -> str:
    """Write a tree with all its parentheses."""
    match tree:
        case Number(value):
            return repr(value)
        case Name(value):
            return value
        case Call("negative", (inner,)):
            return f"-({written(inner)})"
        case Call(function, arguments):
            return f"{function}({', '.join(map(written, arguments))})"
        case Chain(first, rest):
            return f"({written(first)})" + "".join(f" {sign} ({written(one)})" for sign, one in rest)
        case _:
            raise AssertionError(tree)


LEVELS = (("+", "-"), ("*", "/"), ("^",), ("AND",), ("OR",), ("<", ">="))


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    chains = [
        st.builds(
            Chain,
            inner,
            st.lists(st.tuples(st.sampled_from(level), inner), min_size=1, max_size=3).map(tuple),
        )
        for level in LEVELS
    ]
    calls = st.builds(Call, st.sampled_from(["SUM", "ABS", "negative"]), st.tuples(inner))
    return st.one_of(calls, *chains)


leaves: st.SearchStrategy[Expression] = st.one_of(
    st.sampled_from([A, B]),
    st.floats(0, 1e6, allow_subnormal=False).map(lambda value: Number(float(f"{value:.3f}"))),
)
expressions = st.recursive(leaves, grown, max_leaves=8)


@given(expressions)
def test_a_tree_is_read_as_it_was_written(tree: Expression) -> None:
    assert parse(written(tree)) == tree


@given(st.text(alphabet=string.printable + "é\u0000", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse, parse_insights):
        with suppress(ExpressionError):
            read(text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (
            'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)',
            Insights("Sum", "Errors", "AWS/Lambda", frozenset({"FunctionName"}), (), (), frozenset()),
        ),
        (
            (
                "select max(CPUUtilization) from 'AWS/EC2' where InstanceId != 'i-1' and (AZ = 'a') "
                "group by InstanceId, AZ order by max() desc limit 10"
            ),
            Insights(
                "Maximum", "CPUUtilization", "AWS/EC2", None, (("AZ", "a"),), (("InstanceId", "i-1"),),
                frozenset({"InstanceId", "AZ"}),
            ),
        ),
        (
            'SELECT COUNT("my metric") FROM SCHEMA("Own/Name")',
            Insights("SampleCount", "my metric", "Own/Name", frozenset(), (), (), frozenset()),
        ),
    ],
)  # fmt: skip
def test_a_query_of_metrics_insights_is_read(text: str, query: Insights) -> None:
    assert parse_insights(text) == query


@pytest.mark.parametrize(
    "text",
    [
        "SELECT", "SELECT Errors FROM AWS/Lambda", "SELECT P99(Errors) FROM x", "SELECT SUM(Errors)",
        "SELECT SUM(Errors) FROM x WHERE", "SELECT SUM(Errors) FROM x WHERE a > 1", "SELECT SUM(a) FROM x y",
        "SELECT SUM(a) FROM SCHEMA(x", "SELECT SUM(a) FROM x GROUP",
        "SELECT SUM(a) FROM x WHERE a = 'b' OR c = 'd'",
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_insights(text)

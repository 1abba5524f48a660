"""What AWS refuses is refused before it is deployed, and nothing that it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tapgate.embedded.aws_provider.description import Description
from tapgate.embedded.aws_provider.inputs import Request, check_inputs
from tapgate.embedded.aws_provider.limits import check_limits
from tapgate.embedded.aws_provider.marks import MARKED_NUMBER, STAND_IN_SECRET, marked_text
from tapgate.embedded.aws_provider.resource_schema import Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = cast(
    "dict[str, dict[str, object]]",
    yaml.load(Path(__file__).with_name("refused.yaml").read_text("utf-8"), yaml.CSafeLoader),
)


def _cases(type_: str) -> list[object]:
    return list(_each(type_))


def _each(type_: str) -> Iterator[object]:
    for token, entry in TABLE.items():
        good = cast("Properties", entry["good"])
        for number, change in enumerate(cast("list[Properties]", entry[type_])):
            own = {name: value for name, value in change.items() if name != "source"}
            inputs = {name: value for name, value in {**good, **own}.items() if value is not None}
            yield pytest.param(token, inputs, id=f"{token.rpartition(':')[2]}-{number}-{next(iter(own))}")


def _reasons(token: str, inputs: Properties, secrets: frozenset[str] = frozenset()) -> list[str]:
    request = Request(token, "thing", inputs, {}, b"seed", secrets=secrets)
    return [failure.reason for failure in check_inputs(request, Settings())[1]]


@pytest.mark.parametrize(("token", "inputs"), _cases("bad"))
def test_what_aws_refuses_is_refused(token: str, inputs: Properties) -> None:
    reasons = _reasons(token, inputs)
    assert reasons
    assert all("Fix: " in reason for reason in reasons)


@pytest.mark.parametrize(("token", "inputs"), _cases("fine"))
def test_what_aws_takes_is_taken(token: str, inputs: Properties) -> None:
    assert _reasons(token, inputs) == []


@pytest.mark.parametrize("token", TABLE)
def test_the_inputs_that_cases_change_are_taken(token: str) -> None:
    assert _reasons(token, cast("Properties", TABLE[token]["good"])) == []


@pytest.mark.parametrize(("token", "inputs"), _cases("bad"))
def test_the_unknown_is_taken(token: str, inputs: Properties) -> None:
    unknown: Properties = dict.fromkeys([*cast("Properties", TABLE[token]["good"]), *inputs], UNKNOWN)
    assert _reasons(token, unknown) == []


@pytest.mark.parametrize(
    ("name", "value"), [("role", marked_text("x")), ("role", STAND_IN_SECRET), ("timeout", MARKED_NUMBER)]
)
def test_what_a_rehearsal_made_up_is_taken(name: str, value: Value) -> None:
    function = "aws:lambda/function:Function"
    assert _reasons(function, {**cast("Properties", TABLE[function]["good"]), name: value}) == []


def test_a_property_is_at_odds_with_others_and_never_with_itself() -> None:
    """In pulumi_aws 5 `tags` of an auto scaling group stood for two arguments that exclude it."""
    text = Type("string")
    properties = {
        "tags": Property(text, conflicts=("tags", "other")),
        "other": Property(text, conflicts=("tags",)),
        "third": Property(text, conflicts=("tags",)),
    }
    schema = ResourceSchema("test:index:One", properties, {})

    def paths(inputs: Properties) -> list[str]:
        return [failure.property for failure in check_limits(schema, inputs, Description(), {})]

    assert paths({"tags": "a"}) == []
    assert paths({"tags": "a", "other": "b"}) == ["other"]
    assert paths({"tags": "a", "third": "b"}) == ["third"]


def test_the_list_is_long_enough_and_names_its_sources() -> None:
    bad = [change for entry in TABLE.values() for change in cast("list[Properties]", entry["bad"])]
    assert len(bad) >= 110
    assert {str(change["source"]) for change in bad} == {"docs", "model", "provider", "naming"}


@pytest.mark.parametrize("value", ["hush", {"maxReceiveCount": "hush"}])
def test_no_message_shows_a_secret(value: Value) -> None:
    reasons = _reasons("aws:sqs/queue:Queue", {"redrivePolicy": value}, frozenset({"redrivePolicy"}))
    assert reasons
    assert "hush" not in " ".join(reasons)

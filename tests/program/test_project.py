"""`Pulumi.yaml` and the stacks' config against the component's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tap_stack import TapStackArgs
from tap_stack.checks import schema_name
from tap_stack.settings import read_settings
from tests.program.recording import CODE, OUTPUTS, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = PROGRAM.parent
STACKS = ("dev", "staging", "prod")


def load(name: str) -> dict[str, dict[str, dict[str, object]]]:
    return cast("dict[str, dict[str, dict[str, object]]]", yaml.safe_load((ROOT / name).read_text("utf-8")))


PROJECT = load("Pulumi.yaml")
PREFIX = f"{PROJECT['name']}:"
DECLARED = {key: value for key, value in PROJECT["config"].items() if ":" not in key}


def arguments(config: Mapping[str, object]) -> dict[str, object]:
    """The component's arguments, by Python name, for the values of a stack's config."""
    values = {**{key: value["default"] for key, value in DECLARED.items()}, **config}
    return {
        "api_handler_code": CODE,
        "processor_code": CODE,
        **{
            argument: values[schema_name(argument)]
            for argument in TapStackArgs.__annotations__
            if schema_name(argument) in values
        },
    }


def test_the_program_is_one_component_from_this_folder() -> None:
    assert PROJECT["packages"] == {"tap": "./program"}
    (component,) = PROJECT["resources"].values()
    assert component["type"] == "tap:index:TapStack"


def test_config_reaches_the_argument_of_the_same_name() -> None:
    (component,) = PROJECT["resources"].values()
    assert component["properties"] == {key: f"${{{key}}}" for key in DECLARED}


def test_every_output_of_the_component_is_one_of_the_stack() -> None:
    (name,) = PROJECT["resources"]
    assert PROJECT["outputs"] == {output: f"${{{name}.{output}}}" for output in OUTPUTS}


def test_defaults_are_the_component_s() -> None:
    bare = {"api_handler_code": CODE, "processor_code": CODE}
    assert read_settings("tap", arguments({}), project="p", stack="dev") == read_settings(
        "tap", bare, project="p", stack="dev"
    )


def test_the_region_has_a_default() -> None:
    assert PROJECT["config"]["aws:region"] == {"value": "eu-west-2"}


def typed(value: object) -> object:
    """Return a config value as the engine reads it; the CLI writes every value as text."""
    return cast("object", yaml.safe_load(str(value)))


@pytest.mark.parametrize("stack", STACKS)
def test_stack_config_is_known_and_good(stack: str) -> None:
    config = {
        key.removeprefix(PREFIX): typed(value)
        for key, value in load(f"Pulumi.{stack}.yaml")["config"].items()
    }
    assert config.keys() <= DECLARED.keys()
    settings = read_settings("tap", arguments(config), project="p", stack=stack)
    assert settings.suffix == stack
    assert settings.log_retention_in_days == {"dev": 7, "staging": 14, "prod": 30}[stack]
    assert settings.deletion_protection == (stack == "prod")
    assert settings.force_destroy == (stack == "dev")
    assert (settings.notification_email is not None) == (stack == "prod")

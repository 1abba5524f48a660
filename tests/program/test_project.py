"""`Pulumi.yaml` and the stacks' config against the component's schema."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tap_stack import TapStackArgs
from tap_stack.arguments import CONFIGURED, schema_name
from tap_stack.settings import read_settings
from tests.program.recording import CODE, OUTPUTS, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = PROGRAM.parent
STACKS = ("dev", "staging", "prod")


def load(name: str) -> dict[str, dict[str, dict[str, object]]]:
    return cast("dict[str, dict[str, dict[str, object]]]", yaml.safe_load((ROOT / name).read_text("utf-8")))


PROJECT = load("Pulumi.yaml")
LOCKED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
PREFIX = f"{PROJECT['name']}:"
CONFIGURED_KEYS = frozenset(map(schema_name, CONFIGURED))
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
            if schema_name(argument) in values.keys() - CONFIGURED_KEYS
        },
    }


def test_the_program_is_one_component_from_this_folder() -> None:
    assert PROJECT["packages"] == {"tap": "./program"}
    (component,) = PROJECT["resources"].values()
    assert component["type"] == "tap:index:TapStack"


def test_config_reaches_the_argument_of_the_same_name() -> None:
    (component,) = PROJECT["resources"].values()
    assert component["properties"] == {key: f"${{{key}}}" for key in DECLARED if key not in CONFIGURED_KEYS}


def test_every_output_of_the_component_is_one_of_the_stack() -> None:
    (name,) = PROJECT["resources"]
    assert PROJECT["outputs"] == {output: f"${{{name}.{output}}}" for output in OUTPUTS}


def test_defaults_are_the_component_s_but_for_who_is_notified() -> None:
    bare = {"api_handler_code": CODE, "processor_code": CODE}
    for stack in ("dev", "TapStackstaging", "TapStackprod"):
        settings = read_settings("tap", arguments({}), project="p", stack=stack)
        assert settings.notification_email == "tap-alarms@example.com"
        assert dataclasses.replace(settings, notification_email=None) == read_settings(
            "tap", bare, project="p", stack=stack
        )


def test_what_has_defaults_by_environment_has_none_here() -> None:
    assert CONFIGURED_KEYS
    for key in CONFIGURED_KEYS:
        assert DECLARED[key] == {"type": "string", "default": ""}


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
    written = {key: str(value) for key, value in config.items()}
    settings = read_settings("tap", arguments(config), project="p", stack=stack, config=written)
    assert settings.suffix == stack
    assert settings.log_retention_in_days == {"dev": 7, "staging": 14, "prod": 30}[stack]
    assert settings.deletion_protection == (stack == "prod")
    assert settings.force_destroy == (stack == "dev")
    assert settings.notification_email is not None


@pytest.mark.parametrize("folder", ["program", "policypack"])
def test_what_a_deployment_installs_is_locked_with_hashes(folder: str) -> None:
    """`pulumi install`, and the engine for a pack, install just what these files say."""
    text = (ROOT / folder / "requirements.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    locked = [LOCKED.fullmatch(line) for line in lines]
    assert all(locked), [line for line, match in zip(lines, locked, strict=True) if match is None]
    versions = {match["name"]: match["version"] for match in locked if match}
    group = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"][folder]
    assert {re.split(r"[<>=]", wanted)[0] for wanted in group} <= versions.keys()
    tested = (ROOT / "requirements" / "test.txt").read_text("utf-8")
    assert all(f"{name}=={version}" in tested for name, version in versions.items())

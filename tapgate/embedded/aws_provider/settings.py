"""The provider's own configuration: `aws:region`, `aws:defaultTags`, `aws:endpoints` and the rest."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.values import Properties, Value

DEFAULT_REGION = "eu-west-2"
ACCOUNT = "123456789012"
"""The account that the stand-in says it is in: AWS's own example number."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the provider works by.

    Attributes:
        region: Region of resources that do not say their own.
        default_tags: Tags of every resource that has tags.
        ignored_keys: Tags that are left to others.
        ignored_prefixes: The same, by how their keys begin.
        endpoint: Address of the emulator; empty when there is none and only previews can be made.
        endpoints: Addresses that hold for single services only, by pulumi-aws's name of the service.
    """

    region: str = DEFAULT_REGION
    default_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    ignored_keys: frozenset[str] = frozenset()
    ignored_prefixes: tuple[str, ...] = ()
    endpoint: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])


def unpack(inputs: Mapping[str, Value]) -> Properties:
    """Undo the engine's encoding of configuration, where lists and objects come as JSON texts."""
    return {name: _unpack(value) for name, value in inputs.items() if name != "version"}


def read(inputs: Mapping[str, Value]) -> Settings:
    """Read the provider's configuration.

    Args:
        inputs: The configuration as the engine gives it, checked or not.
    """
    config = unpack(inputs)
    ignored = _mapping(config.get("ignoreTags"))
    endpoints: dict[str, str] = {}
    for entry in _sequence(config.get("endpoints")):
        endpoints.update(_strings(entry))
    return Settings(
        region=_text(config.get("region")) or region_of_environment(),
        default_tags=_strings(_mapping(config.get("defaultTags")).get("tags")),
        ignored_keys=frozenset(map(str, _sequence(ignored.get("keys")))),
        ignored_prefixes=tuple(map(str, _sequence(ignored.get("keyPrefixes")))),
        endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        endpoints=endpoints,
    )


def version_of(inputs: Mapping[str, Value]) -> str:
    """Tell the version of the AWS provider that the program asks for; empty when it asks for none."""
    return _text(inputs.get("version"))


def major(version: str) -> str:
    """Give a version's first number: `7` of `v7.51.1`."""
    return version.removeprefix("v").partition(".")[0]


def region_of_environment() -> str:
    """Tell the region that holds where nothing else says one."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def merge_tags(settings: Settings, tags: Value) -> Value:
    """Merge a resource's tags with the provider's, as pulumi-aws does for `tagsAll`.

    Returns:
        The merged tags; unknown when any of them is.
    """
    if tags is UNKNOWN:
        return UNKNOWN
    own = tags if isinstance(tags, dict) else {}
    if any(value is UNKNOWN for value in own.values()):
        return UNKNOWN
    merged: Properties = {**settings.default_tags, **own}
    return {
        key: value
        for key, value in merged.items()
        if key not in settings.ignored_keys and not key.startswith(settings.ignored_prefixes)
    }


def _unpack(value: Value) -> Value:
    if not isinstance(value, str) or value[:1] not in {"{", "["}:
        return value
    try:
        return cast("Value", json.loads(value))
    except ValueError:
        return value


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _strings(value: Value) -> dict[str, str]:
    return {key: item for key, item in _mapping(value).items() if isinstance(item, str)}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""

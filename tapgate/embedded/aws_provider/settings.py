"""The provider's own configuration: `aws:region`, `aws:defaultTags`, `aws:endpoints` and the rest."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from tapgate.embedded.aws_provider.checking import Failure, check
from tapgate.embedded.aws_provider.sdk_source import read_provider
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties, Value
from tapgate.embedded.environment import DEFAULT_REGION, region_of_environment

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import Object, ResourceSchema


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


def read(inputs: Mapping[str, Value]) -> Settings:
    """Read the provider's configuration."""
    config = decoded_config(inputs)
    ignored = _mapping(config.get("ignoreTags"))
    endpoints = (_strings(entry).items() for entry in _sequence(config.get("endpoints")))
    return Settings(
        region=_text(config.get("region")) or region_of_environment(),
        default_tags=_strings(_mapping(config.get("defaultTags")).get("tags")),
        ignored_keys=frozenset(map(str, _sequence(ignored.get("keys")))),
        ignored_prefixes=tuple(map(str, _sequence(ignored.get("keyPrefixes")))),
        endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        endpoints=dict(chain.from_iterable(endpoints)),
    )


def major(version: str) -> str:
    """Return a version's first number: `7` of `v7.51.1`."""
    return version.removeprefix("v").partition(".")[0]


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


_LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud", ".internal")


class RefusedEndpointError(ValueError):
    """The endpoint is, or could be, AWS itself."""


def require_emulator(endpoint: str) -> None:
    """Refuse an endpoint unless it can only be an emulator: on this machine or in a private network.

    Raises:
        RefusedEndpointError: It is something else.
    """
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme in {"http", "https"} and _is_local(host):
        return
    raise RefusedEndpointError(
        f"The stand-in AWS provider does not deploy to `{endpoint}`: that is not on this machine nor in a "
        "private network, so it could be AWS itself. Fix: give an emulator's address (AWS_ENDPOINT_URL or "
        "aws:endpoints), or deploy to AWS with the real provider (--aws real)"
    )


def _is_local(host: str) -> bool:
    bare = host and "." not in host and ":" not in host
    if bare or host.endswith(_LOCAL_SUFFIXES):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # The link-local range holds AWS's own metadata services.
    return (address.is_private or address.is_loopback) and not (
        address.is_link_local or address.is_unspecified
    )


def check_config(inputs: Mapping[str, Value]) -> list[Failure]:
    """Check configuration: `aws:` keys of the stack, or the arguments of an `aws.Provider`.

    Returns:
        Why it is refused; an empty list when it is not.
    """
    _, failures = check(read_provider(), decoded_config(inputs))
    return failures


def decoded_config(inputs: Mapping[str, Value]) -> Properties:
    """Undo how configuration comes: lists and objects as JSON texts, and names as Python programs write them.

    The Python SDK makes JSON of a dictionary as it stands, `{"role_arn": …}`, and the bridge under pulumi-aws
    takes that for `roleArn`.
    """
    schema = read_provider()
    unpacked = {name: _unpack(value) for name, value in inputs.items() if name != "version"}
    return cast("Properties", _renamed(unpacked, schema.inputs, schema))


def _renamed(value: Value, properties: Object, schema: ResourceSchema) -> Value:
    if isinstance(value, list):
        return [_renamed(item, properties, schema) for item in value]
    if not isinstance(value, dict) or not properties:
        return value
    renamed: Properties = {}
    for name, item in value.items():
        known = name if name in properties else re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
        prop = properties.get(known)
        inner = schema.properties_of(None if prop is None else prop.type.element())
        renamed[name if prop is None else known] = _renamed(item, inner, schema)
    return renamed

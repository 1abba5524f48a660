"""The functions that pulumi_aws had once and has no more.

A YAML program that calls one asks for the older provider by that alone. `older_functions.json` has what they
give; `nox -s data` makes it of the last release of each major version.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from tapgate.embedded.aws_provider.resource_schema import ResourceSchema  # noqa: TC001 - msgspec reads it

FILE: Final = Path(__file__).with_name("older_functions.json")


class Older(msgspec.Struct, frozen=True):
    """A function of older versions.

    Attributes:
        major: The last major version that has it.
        schema: What it gives; it takes anything.
    """

    major: str
    schema: ResourceSchema


# Made as the process starts, before its threads; see `answers`.
_DECODER: Final = msgspec.json.Decoder(dict[str, Older])


@functools.cache
def older_functions() -> Mapping[str, Older]:
    """Return the functions that pulumi_aws has no more, by token."""
    return _DECODER.decode(FILE.read_bytes())

"""The functions that pulumi_aws had once and has no more.

A YAML program that calls one asks for the older provider by that alone. `older_functions.json` has what they
give; `nox -s data` makes it of the last release of each major version.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import msgspec

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.resource_schema import ResourceSchema

_FILE: Final = Path(__file__).with_name("older_functions.json")


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
    return _DECODER.decode(_FILE.read_bytes())


def generate(folders: Sequence[Path]) -> dict[str, Older]:
    """Return the functions that the installed pulumi_aws has no more, of older ones, oldest first."""
    present = {token for path in sdk_source.member_files() for token in _functions(path)}
    older: dict[str, Older] = {}
    for folder in folders:
        sdk_source.use(folder)
        gone = {token for path in sdk_source.member_files() for token in _functions(path)} - present
        for token in sorted(gone):
            given = sdk_source.read_function(token)
            of_results = {name: one for name, one in given.objects.items() if name.startswith("o:")}
            schema = ResourceSchema(token, {}, given.outputs, of_results)
            older[token] = Older(sdk_source.package_version().partition(".")[0], schema)
    return older


def _functions(path: Path) -> list[str]:
    return sdk_source.functions_in(sdk_text.source(path))


def _without_defaults(value: object) -> object:
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {key: _without_defaults(one) for key, one in items if one not in ("", (), None, False)}
    if isinstance(value, tuple):
        return [_without_defaults(one) for one in cast("tuple[object, ...]", value)]
    return value


def main(arguments: Sequence[str]) -> int:
    """Write the table of the older versions in folders; with `--check` say by 1 that it is not current."""
    from tapgate.embedded.aws_provider.forms_data import write_table  # noqa: PLC0415 - a provider makes no data

    made = generate([Path(one) for one in arguments if not one.startswith("-")])
    described = cast("dict[str, object]", _without_defaults(msgspec.to_builtins(made)))
    return write_table(_FILE, described, check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

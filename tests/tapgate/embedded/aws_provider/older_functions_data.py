"""Makes `older_functions.json`, of the last release of each major version of pulumi_aws: `nox -s data`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.older_functions import FILE, Older
from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
from tests.tapgate.embedded.aws_provider.forms_data import write_table


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
    made = generate([Path(one) for one in arguments if not one.startswith("-")])
    described = cast("dict[str, object]", _without_defaults(msgspec.to_builtins(made)))
    return write_table(FILE, described, check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

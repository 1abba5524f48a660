"""`python -m tests.integration.official`: the folder of the official AWS provider, or why there is none."""

from __future__ import annotations

import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PROVIDER, is_stand_in_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = "TAP_PROVIDER_FOLDER"
"""Set by `nox -s integration -- --provider real`: the folder that `find` gives."""
CONFIG = {
    "aws:s3UsePathStyle": "true",
    "aws:skipCredentialsValidation": "true",
    "aws:skipMetadataApiCheck": "true",
    "aws:skipRegionValidation": "true",
}
"""What the official provider has to be told so that it takes an emulator for AWS."""
_INSTALLED = re.compile(r"resource-aws-v(\d+)\.(\d+)\.(\d+)")


def chosen() -> bool:
    """Return whether the tests deploy with the official provider."""
    return bool(os.environ.get(FOLDER))


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the plug-in's folder: that of pulumi_aws's version, else of the newest with its major.

    Raises:
        Failure: There is none.
    """
    wanted = metadata.version("pulumi-aws")
    found = {
        version: folder for version, folder in _installed(environment) if version[0] == _version(wanted)[0]
    }
    if found:
        return found.get(_version(wanted)) or found[max(found)]
    on_path = (Path(entry) for entry in environment.get("PATH", "").split(os.pathsep) if entry)
    for folder in on_path:
        if (folder / PROVIDER).is_file() and not is_stand_in_folder(str(folder)):
            return folder
    raise Failure(
        "The official AWS provider is not installed",
        where=", ".join(str(folder) for folder in _homes(environment)) + " and PATH",
        why=f"--provider real deploys with the plug-in {PROVIDER} {wanted[0]}.x instead of the stand-in",
        fix=f"on a machine that reaches Pulumi's downloads, `pulumi plugin install resource aws v{wanted}`; "
        "else leave --provider out: the stand-in is tested then",
    )


def _installed(environment: Mapping[str, str]) -> Iterator[tuple[tuple[int, ...], Path]]:
    for home in _homes(environment):
        for folder in home.glob("resource-aws-v*"):
            named = _INSTALLED.fullmatch(folder.name)
            if named is not None and (folder / PROVIDER).is_file():
                yield tuple(map(int, named.groups())), folder


def _homes(environment: Mapping[str, str]) -> list[Path]:
    """Return the folders of plug-ins: the prepared environment's own, and the user's."""
    given = environment.get("PULUMI_HOME")
    homes = [Path(given)] if given else []
    return [
        home / "plugins" for home in [*homes, Path(environment.get("HOME", "~")).expanduser() / ".pulumi"]
    ]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


def main() -> int:
    """Print the folder, or why there is none."""
    try:
        print(find())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

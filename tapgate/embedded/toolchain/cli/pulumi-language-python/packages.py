"""Print the distributions of this interpreter's environment as JSON, each with its pulumi-plugin.json.

The language host runs it with the program's own interpreter, which may be as old as Python 3.8.
"""
# ruff: noqa: INP001 - never imported

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path


def normalized(name: str) -> str:
    """The form of a distribution's name that is the same however it was written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fields_of(distribution: metadata.Distribution) -> tuple[str, str, list[str]]:
    """Its name, version and requirements, of the header alone: all of its metadata takes twice as long."""
    header = (distribution.read_text("METADATA") or "").partition("\n\n")[0]
    fields = re.findall(r"^(Name|Version|Requires-Dist): *(.*?) *$", header, re.MULTILINE)
    names = [value for field, value in fields if field == "Name"]
    versions = [value for field, value in fields if field == "Version"]
    if not names or not versions:
        return distribution.metadata["Name"], distribution.version, distribution.requires or []
    return names[0], versions[0], [value for field, value in fields if field == "Requires-Dist"]


def plugin_of(distribution: metadata.Distribution, name: str) -> object:
    """What the package says about its plugin; None when it says nothing."""
    folder = name.replace("-", "_")
    path = Path(str(distribution.locate_file(f"{folder}/pulumi-plugin.json")))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None


def main() -> None:
    """Print one object a distribution, sorted by name; the first of two of one name is the one in use."""
    found: dict[str, tuple[str, str, metadata.Distribution]] = {}
    required: set[str] = set()
    for distribution in metadata.distributions():
        name, version, requirements = fields_of(distribution)
        if not name or normalized(name) in found:
            continue
        found[normalized(name)] = (name, version, distribution)
        for requirement in requirements:
            needed = re.match(r"[\w.-]+", requirement)
            if needed and "extra ==" not in requirement:
                required.add(normalized(needed.group()))
    listed = [
        {
            "name": key,
            "version": version,
            "required": key in required,
            "plugin": plugin_of(distribution, name),
        }
        for key, (name, version, distribution) in sorted(found.items())
    ]
    json.dump(listed, sys.stdout)


if __name__ == "__main__":
    main()

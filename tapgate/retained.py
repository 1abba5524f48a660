"""Resources that leave the program and stay in AWS (`retainOnDelete`): they are judged for one last time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from tapgate.analyzer.deployment import SECRET, Deployment, Resource
from tapgate.json_access import SIGNATURE, mapping, sequence, text
from tapgate.sources import urn_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPLACED: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_LEAVES: Final = _REPLACED | {"delete"}
_BLINDED: Final = "[secret]"
"""How the engine's preview document shows a secret."""


def retained(document: str) -> tuple[Resource, ...]:
    """Return the resources that a preview would forget without removing them.

    Args:
        document: the engine's `pulumi preview --json`; of anything else there are none.
    """
    try:
        steps = sequence(mapping(json.loads(document)).get("steps"))
    except ValueError:
        return ()
    found: dict[str, Resource] = {}
    for step in map(mapping, steps):
        state, kind = mapping(step.get("oldState")), text(step.get("op"))
        if kind in _LEAVES and state.get("retainOnDelete") is True:
            # One that is replaced has its successor's URN.
            urn = f"{text(step.get('urn'))}{' (replaced)' if kind in _REPLACED else ''}"
            found[urn] = Resource(urn, text(state.get("type")), mapping(_unblinded(state)))
    return tuple(found.values())


def with_retained(deployment: Deployment, document: str) -> tuple[Deployment, tuple[str, ...]]:
    """Add to a state what will be there besides, and say so.

    Args:
        deployment: the state of what the program declares.
        document: the engine's preview document.

    Returns:
        The state with the resources that stay, and a note for each.
    """
    stays = retained(document)
    notes = tuple(
        f"{urn_name(one.urn)} ({one.type}) leaves the program and stays in AWS (retainOnDelete): it is "
        "judged with what the program still declares"
        for one in stays
    )
    return replace(deployment, resources=(*deployment.resources, *stays)), notes


def _unblinded(value: object) -> object:
    """Return a value in which what the engine has blinded is a closed secret, not a text."""
    if value == _BLINDED:
        return {SIGNATURE: SECRET}
    if isinstance(value, list):
        return [_unblinded(item) for item in sequence(cast("object", value))]
    if isinstance(value, dict):
        body: Mapping[str, object] = mapping(cast("object", value))
        return {key: _unblinded(item) for key, item in body.items()}
    return value

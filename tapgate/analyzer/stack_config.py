"""A stack's config as the engine passes it on to packs: texts by full key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tapgate.json_access import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping


def config_texts(project: str, config: Mapping[str, object]) -> dict[str, str]:
    """Return a stack's config by full key, each value as the engine passes it on."""
    return {_full(project, key): _config_text(value) for key, value in config.items()}


def secret_keys(project: str, config: Mapping[str, object]) -> list[str]:
    """Return the full keys of a stack's config whose values are secret."""
    return [_full(project, key) for key, value in config.items() if _is_closed(value)]


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _config_text(value: object) -> str:
    """Return a value of the config as the engine passes it on: what is no text as JSON."""
    if isinstance(value, str):
        return value
    # YAML knows days, JSON does not.
    return "" if _is_closed(value) else json.dumps(value, default=str)


def _is_closed(value: object) -> bool:
    return list(mapping(value)) == ["secure"]

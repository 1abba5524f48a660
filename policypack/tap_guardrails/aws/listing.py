"""Naming several resources in a message, which has to stay one that people read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_guardrails.model import Resource

MOST_NAMED: Final = 5


def listed(resources: Iterable[Resource]) -> str:
    """List resources by their logical names, each once, the first few of many."""
    names = list(dict.fromkeys(json.dumps(resource.name, ensure_ascii=False) for resource in resources))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

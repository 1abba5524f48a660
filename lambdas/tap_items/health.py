"""The state of what a function depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_items.observability import logger
from tap_items.ports import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def check_health(checks: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Run each check; a name's state is `ok` or `unavailable`, and the log says why."""
    states: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except UnavailableError as error:
            about = {"dependency": name, "operation": error.operation, "code": error.code}
            logger.warning("A dependency is unavailable", extra=about)
            states[name] = "unavailable"
        else:
            states[name] = "ok"
    return states

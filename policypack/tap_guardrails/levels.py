"""The level at which each policy is enforced unless an operator says otherwise."""

from __future__ import annotations

from typing import Final

from pulumi_policy import EnforcementLevel

DEFAULT_LEVEL: Final = EnforcementLevel.MANDATORY

LEVELS: Final[dict[str, EnforcementLevel]] = {
    "lambda-duration-alarm": EnforcementLevel.ADVISORY,
    "required-tags": EnforcementLevel.ADVISORY,
}
"""The policies that are not mandatory."""


def level_of(name: str) -> EnforcementLevel:
    """Return a policy's level."""
    return LEVELS.get(name, DEFAULT_LEVEL)

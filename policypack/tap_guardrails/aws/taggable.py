"""The types of resources that can have tags, as the provider's schema says."""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.tables import table

TAGGABLE: Final = tuple(
    f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"
    for module, names in table("taggable").items()
    for name in names.split()
)

"""Waivers in configuration: of a policy (`waivers`), or of the stack (`tap-guardrails:waivers`).

The stack's are for what has no tags, and travel with the program: each entry names its policy as well.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from tap_guardrails.model.record import record
from tap_guardrails.model.settings import entry_of
from tap_guardrails.waivers.patterns import Pattern, is_too_wide, pattern_of
from tap_guardrails.waivers.terms import Refused, deceptive, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_guardrails.model import Waiver
    from tap_guardrails.model.settings import Entry

STACK_KEY: Final = "tap-guardrails:waivers"
SHOWN_LENGTH: Final = 200

BARE_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2}) 00:00:00 \+0000 UTC", re.ASCII)
"""What Pulumi makes of a day that stands in a stack's YAML without quotes."""


@record
class Listed:
    """An entry that waives, or is meant to.

    Attributes:
        policy: The policy that it is about; empty when it names none.
        path: Where it stands, as a reader finds it: `kms-key-rotation.waivers[0]`.
        found: The entry, shown.
        pattern: The resources that it is about; None when it cannot be read.
        terms: What it says.
        of_stack: Whether it stands in the stack's configuration, and so is about this stack only.
    """

    policy: str
    path: str
    found: str
    pattern: Pattern | None
    terms: Waiver | Refused
    of_stack: bool


def in_policies(lists: Mapping[str, Sequence[Entry]]) -> Iterator[Listed]:
    """Read the waivers in the configuration of policies, given by policy."""
    for policy, entries in lists.items():
        for position, entry in enumerate(entries):
            yield read_entry(policy, f"{policy}.waivers[{position}]", dict(entry), of_stack=False)


def in_stack(config: Mapping[str, str], secret_keys: Sequence[str]) -> Iterator[Listed]:
    """Read the waivers in a stack's configuration."""
    if STACK_KEY not in config:
        return
    if STACK_KEY in secret_keys:
        yield unreadable("[secret]", "is a secret")
        return
    try:
        entries: object = json.loads(config[STACK_KEY])
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        yield unreadable(config[STACK_KEY][:SHOWN_LENGTH], "is no list of waivers")
        return
    for position, entry in enumerate(cast("list[object]", entries)):
        fields = dict(entry_of(entry))
        policy = fields.pop("policy", "")
        for name in ("granted", "expires"):
            if bare := BARE_DAY.fullmatch(fields.get(name, "")):
                fields[name] = bare[1]
        yield read_entry(policy, f"{STACK_KEY}[{position}]", fields, of_stack=True)


def unreadable(found: str, problem: str) -> Listed:
    """Make an entry of a stack's configuration that holds no waivers."""
    return Listed("", STACK_KEY, found, None, Refused(problem), of_stack=True)


def read_entry(policy: str, path: str, fields: dict[str, str], *, of_stack: bool) -> Listed:
    """Read one entry."""
    found = json.dumps(fields, ensure_ascii=False)[:SHOWN_LENGTH]
    urn = fields.pop("urn", "")
    pattern, terms = pattern_of(urn), read_fields(fields)
    if pattern is None and not isinstance(terms, Refused):
        terms = Refused("has no `urn` of the form `TYPE::NAME` or `urn:pulumi:STACK::PROJECT::TYPE::NAME`")
    elif not isinstance(terms, Refused):
        if is_too_wide(urn):
            terms = Refused("has a `urn` with `*` in both type and name")
        elif problem := deceptive(urn + policy, exact=True):
            terms = Refused(f"has {problem} in `urn` or `policy`")
    if not policy and not isinstance(terms, Refused):
        terms = Refused("names no `policy`")
    return Listed(policy, path, found, pattern, terms, of_stack)

"""Waivers of a run: who may let a finding stand, where that is written, and which ones did so.

A waiver is written as a tag on the resource, in the stack's configuration or in a policy's (`terms`). The
ledger knows them all, lets findings stand, and keeps count of which did so.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final, cast

from tap_guardrails.model import Finding, Resource, Rule, Settings, Stack, StackRule, Verdict, Waiver
from tap_guardrails.model.settings import Entry, entry_of
from tap_guardrails.model.values import record
from tap_guardrails.waivers.terms import (
    TAG_PREFIX,
    Pattern,
    Refused,
    Tagged,
    deceptive,
    lapse,
    matches,
    pattern_of,
    read_fields,
    split,
    tagged,
)

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
        pattern: The resources that it is about; None when it cannot be read.
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
    for policy, listed in lists.items():
        for position, entry in enumerate(listed):
            yield read_entry(policy, f"{policy}.waivers[{position}]", dict(entry), of_stack=False)


def in_stack(config: Mapping[str, str], secret_keys: Sequence[str]) -> Iterator[Listed]:
    """Read the waivers in a stack's configuration."""
    if STACK_KEY not in config:
        return
    if STACK_KEY in secret_keys:
        yield unreadable("[secret]", "is a secret")
        return
    try:
        listed: object = json.loads(config[STACK_KEY])
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        yield unreadable(config[STACK_KEY][:SHOWN_LENGTH], "is no list of waivers")
        return
    for position, entry in enumerate(cast("list[object]", listed)):
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
    if isinstance(terms, Refused):
        pass
    elif pattern is None:
        terms = Refused("has no `urn` of the form `TYPE::NAME` or `urn:pulumi:STACK::PROJECT::TYPE::NAME`")
    elif pattern.too_wide:
        terms = Refused("has a `urn` with `*` in both type and name")
    elif problem := deceptive(urn + policy, exact=True):
        terms = Refused(f"has {problem} in `urn` or `policy`")
    elif not policy:
        terms = Refused("names no `policy`")
    return Listed(policy, path, found, pattern, terms, of_stack)


WAIVER_POLICY: Final = "waiver-in-force"
"""The policy that evaluates waivers; it cannot be waived itself."""

LONGEST_DAYS: Final = 365


def today_utc() -> date:
    """Return the day, the same wherever the pack runs."""
    return datetime.now(UTC).date()


def objection(policy: str, waiver: Waiver, settings: Settings) -> str:
    """Say why a program may not waive a policy so, to follow "The waiver …"; empty when it may.

    Args:
        policy: The policy.
        waiver: A tag's, or one in the stack's configuration.
        settings: Those of the policy that checks waivers.
    """
    if not settings.boolean("programWaivers"):
        return "stands in the program"
    if policy not in settings.strings("programWaivable"):
        return "stands in the program, which may not waive this policy"
    if not any(matches(pattern, waiver.owner) for pattern in settings.strings("programOwners")):
        return "names an owner who may not waive"
    shortest = settings.integer("shortestReason")
    return f"gives a reason of less than {shortest} characters" if len(waiver.reason) < shortest else ""


class Ledger:
    """The waivers of one run."""

    def __init__(
        self,
        rules: Mapping[str, Rule] | None = None,
        enabled: Collection[str] = (),
        listed: Iterable[Listed] = (),
        *,
        today: Callable[[], date] = today_utc,
        settings: Settings | None = None,
    ) -> None:
        """Open the book.

        Args:
            rules: The policies' rules by name; None where they are unknown, as in a rule's own cases.
            enabled: The names of the policies that evaluate.
            listed: The waivers in configuration.
            today: Tells the day, in UTC.
            settings: Those of the policy that checks waivers.
        """
        self._rules = rules
        self._enabled = {name: rule for name, rule in (rules or {}).items() if name in enabled}
        self.today = today
        self._settings = settings
        self.listed: Sequence[Listed] = tuple(listed)
        self._by_policy: dict[str, list[Listed]] = defaultdict(list)
        for entry in self.listed:
            self._by_policy[entry.policy].append(entry)
        self._used: set[object] = set()
        self._analysed: Collection[str] | None = None

    def applied(self, policy: str, resource: Resource, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Let findings stand that a waiver covers, and keep in mind which waivers were needed.

        A rule that failed has decided nothing that could be waived: an error stays an error.
        """
        if not findings or policy == WAIVER_POLICY:
            return findings
        in_force = list(self._in_force(policy, resource))
        return [self._applied(finding, in_force) for finding in findings] if in_force else findings

    def _applied(self, finding: Finding, in_force: Sequence[tuple[Waiver, object]]) -> Finding:
        covering = [(waiver, entry) for waiver, entry in in_force if waiver.covers(finding)]
        if not covering or finding.verdict is Verdict.ERROR:
            return finding
        self._used.update(entry for _, entry in covering)
        return replace(finding, verdict=Verdict.WAIVED, waiver=covering[0][0])

    def waives(self, policy: str, resource: Resource) -> bool:
        """Tell whether a waiver that is in force is about a resource, without noting that it was needed."""
        return any(True for _ in self._in_force(policy, resource))

    def _in_force(self, policy: str, resource: Resource) -> Iterator[tuple[Waiver, object]]:
        """Go through the waivers that hold, each with where it is written."""
        declared = resource.declared
        in_program = self._settings is not None and self._settings.boolean("programWaivers")
        for tag in tagged(declared) if in_program else ():
            if tag.policy == policy and self._holds(policy, tag.terms, in_program=True):
                yield cast("Waiver", tag.terms), (policy, declared.urn)
        for entry in self._by_policy.get(policy, ()):
            if entry.pattern is None or not self._holds(policy, entry.terms, in_program=entry.of_stack):
                continue
            if entry.pattern.matches(declared.urn):
                yield cast("Waiver", entry.terms), entry.path

    def _holds(self, policy: str, terms: Waiver | Refused | None, *, in_program: bool) -> bool:
        longest = self._settings.integer("maximumDays") if self._settings else LONGEST_DAYS
        if not isinstance(terms, Waiver) or lapse(terms, self.today(), longest):
            return False
        return not in_program or (self._settings is not None and not objection(policy, terms, self._settings))

    def knows(self, policy: str) -> bool:
        """Tell whether there is such a policy to waive, as far as is known."""
        return self._rules is None or (policy in self._rules and policy != WAIVER_POLICY)

    def close(self, analysed: Collection[str]) -> None:
        """Say that every policy has evaluated: what has let nothing stand by now is not needed."""
        self._analysed = analysed

    def useless_tag(self, policy: str, resource: Resource) -> bool:
        """Tell whether a tag that is in force let nothing stand although its policy saw the resource."""
        rule = self._evaluated(policy)
        seen = isinstance(rule, StackRule) or (self._analysed is not None and resource.urn in self._analysed)
        return rule is not None and seen and (policy, resource.urn) not in self._used

    def useless_entry(self, entry: Listed, stack: Stack) -> bool:
        """Tell whether an entry that is in force let nothing stand although its policy saw all it names.

        A pattern that can be about several stacks is never useless: no run sees them all.
        """
        rule = self._evaluated(entry.policy)
        if rule is None or entry.pattern is None or entry.path in self._used:
            return False
        if not (entry.of_stack or entry.pattern.one_stack):
            return False
        meant = (one for one in stack.of(*rule.types) if entry.pattern.matches(one.urn))
        return isinstance(rule, StackRule) or all(one.urn in (self._analysed or ()) for one in meant)

    def about(self, entry: Listed, stack: Stack) -> bool:
        """Tell whether an entry can be about a stack's resources at all."""
        root = stack.root
        return entry.pattern is not None and (
            entry.of_stack or (root is not None and entry.pattern.about(split(root.urn)[0]))
        )

    def _evaluated(self, policy: str) -> Rule | None:
        """Return the rule of a policy that has evaluated, or None."""
        return None if self._analysed is None or self._rules is None else self._enabled.get(policy)


def ledger_of(stack: Stack) -> Ledger:
    """Return the book of a stack's run; one that knows of nothing where there is none."""
    return stack.memoized(lambda _: Ledger(), Ledger)


__all__ = [
    "LONGEST_DAYS", "TAG_PREFIX", "WAIVER_POLICY", "Ledger", "Listed", "Refused", "Tagged",
    "in_policies", "in_stack", "lapse", "ledger_of", "objection", "tagged", "today_utc",
]  # fmt: skip

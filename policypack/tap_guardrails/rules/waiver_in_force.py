"""Waivers can be read, are in force and are needed.

A waiver that is none, has expired or goes too far ahead lets nothing stand, and is reported besides. One that
lets nothing stand any more is reported too: it would hide the next mistake.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.model import (
    ANY_TYPE,
    Boolean,
    Finding,
    Integer,
    Outcomes,
    Resource,
    Settings,
    Stack,
    StackRule,
    StringList,
    Verdict,
)
from tap_guardrails.waivers import (
    LONGEST_DAYS,
    WAIVER_POLICY,
    Ledger,
    Listed,
    Refused,
    Tagged,
    lapse,
    ledger_of,
    objection,
    tagged,
)

TERMS: Final = "a reason, an owner and a day within the bounds"
PERMITTED: Final = "a waiver of the operator's, or one that the operator lets programs grant"
ASK: Final = "Remove the waiver, and ask the operator for one."
NEEDED: Final = "a finding that it lets stand"
REMOVE: Final = "Remove the waiver."
RENEW: Final = "Fix what the waiver lets stand, and remove it; or let its owner renew it."


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check the waivers on a resource; those in configuration along with the stack's root."""
    if resource.embedding:
        return
    ledger = ledger_of(stack)
    for tag in tagged(resource):
        yield from check_tag(tag, resource, ledger, settings)
    if resource is stack.root:
        for entry in ledger.listed:
            yield from check_entry(entry, stack, ledger, settings)


def check_tag(tag: Tagged, resource: Resource, ledger: Ledger, settings: Settings) -> Outcomes:
    """Check a waiver that is a tag."""
    name, terms = "The waiver" if tag.ref.hidden else f"The waiver of `{tag.policy}`", tag.terms
    if not ledger.knows(tag.policy):
        yield tag.ref.violation(f"{name} names no policy that can be waived.", "a policy's name")
    elif terms is None:
        yield tag.ref.undecided(TERMS, f"{name} is unknown until deployment, so it waives nothing.")
    elif isinstance(terms, Refused):
        yield tag.ref.violation(f"{name} {terms.problem}, so it waives nothing.", TERMS)
    elif problem := objection(tag.policy, terms, settings):
        yield tag.ref.violation(f"{name} {problem}.", PERMITTED, ASK)
    elif over := lapse(terms, ledger.today(), settings.integer("maximumDays")):
        yield tag.ref.violation(f"{name} {over}.", TERMS, RENEW)
    elif ledger.useless_tag(tag.policy, resource):
        yield tag.ref.violation(f"{name} lets nothing stand.", NEEDED, REMOVE)


def check_entry(entry: Listed, stack: Stack, ledger: Ledger, settings: Settings) -> Outcomes:
    """Check a waiver in configuration; what can only be about other stacks is left to them."""
    name, terms = f"The waiver of `{entry.policy}`" if entry.policy else "The waiver", entry.terms
    if isinstance(terms, Refused):
        yield said(entry, f"{name} {terms.problem}, so it waives nothing.", TERMS)
    elif not ledger.knows(entry.policy):
        yield said(entry, f"{name} names no policy that can be waived.", "a policy's name")
    elif not ledger.about(entry, stack):
        return
    elif entry.of_stack and (problem := objection(entry.policy, terms, settings)):
        yield said(entry, f"{name} {problem}.", PERMITTED, ASK)
    elif over := lapse(terms, ledger.today(), settings.integer("maximumDays")):
        yield said(entry, f"{name} {over}.", TERMS, RENEW)
    elif ledger.useless_entry(entry, stack):
        yield said(entry, f"{name} lets nothing stand.", NEEDED, REMOVE)


def said(entry: Listed, problem: str, required: str, fix: str = "") -> Finding:
    """Make a finding on an entry of configuration."""
    return Finding(Verdict.VIOLATION, problem, entry.path, entry.found, required, fix)


RULE = StackRule(
    name=WAIVER_POLICY,
    title="Waivers are in force and needed",
    description="Each waiver can be read, is in force, and lets a finding stand that is really there.",
    why="A waiver that no one renews or removes turns an exception that someone weighed into the rule.",
    fix="Write the waiver as `granted=YYYY-MM-DD expires=YYYY-MM-DD owner=… finding=… reason=…`, or remove "
    "it.",
    severity="medium",
    url="https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html",
    types=(ANY_TYPE,),
    coverage="none",
    settings=(
        Boolean(
            "programWaivers",
            default=True,
            description="Whether programs may waive what `programWaivable` lists, by tags and in their "
            "stack's configuration. If not, only the configuration of policies waives.",
            stricter=False,
        ),
        StringList("programWaivable", (), "The policies that programs may waive; none unless listed."),
        StringList(
            "programOwners",
            ("*",),
            "Who may answer for a program's waiver, as patterns in which `*` stands for any characters: "
            "`*@example.com`.",
        ),
        Integer(
            "shortestReason",
            20,
            "How many characters the reason of a program's waiver has at least.",
            minimum=1,
            maximum=200,
            stricter="higher",
        ),
        Integer(
            "maximumDays",
            LONGEST_DAYS,
            "How many days after it was granted a waiver may expire.",
            minimum=1,
            maximum=3650,
            stricter="lower",
        ),
    ),
    check=check,
)

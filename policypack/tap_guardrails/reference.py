"""The policy reference, from the rules' own declarations: `python -m tap_guardrails.reference FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast

from tap_guardrails import PACK_NAME
from tap_guardrails.assembly import FRAMEWORKS, find_rules
from tap_guardrails.model import ANY_TYPE, ResourceRule, Rule
from tap_guardrails.model.settings import ON_UNKNOWN, WAIVERS, Setting
from tap_guardrails.waivers import STACK_KEY, TAG_PREFIX, WAIVER_POLICY

MOST_TYPES, FEW_TYPES = 120, 10
"""More types than the first are not all listed, but the second of them."""

HEAD: Final = f"""\
# Policies of `{PACK_NAME}`

Written from the rules' own declarations by `nox -s docs`; do not edit. Each policy answers for each resource:
compliant, violation, or undecided, where a value is unknown before deployment and nothing in the program
settles it. Undecided blocks like a violation unless the policy's `onUnknown` is `warn`.

A policy's level is `mandatory`, `advisory`, `disabled` or, where the table says so, `remediate`: the preview
then remediates what is safe to remediate, shows what it changed, and blocks on the rest. Never changed is a
resource of which the policy does not know something, whose value is of a wrong type, or whose finding is
waived.

## Settings of every policy

"""

WAIVING: Final = f"""\
## Waivers

A waiver lets one finding of one policy on a resource stand. It names the finding (its property, `property =
value` or its first sentence), a reason, an owner, the day on which it was granted and a last day; what it
lets stand is still shown, as an advisory finding with `Verdict: waived` and these words. It is written

- by the operator, in the policy's own configuration, as `waivers` with `urn`, `finding`, `granted`,
  `expires`, `owner` and `reason`;
- where the operator lets programs waive the policy (`programWaivable`), as a tag on the resource that the
  finding names: `{TAG_PREFIX}POLICY` with the value `granted=2026-12-01 expires=2027-01-31
  owner=team@example.com finding=enableKeyRotation reason=why it may stand`;
- there too, for what has no tags, in the stack's configuration (`Pulumi.STACK.yaml`), as a list under
  `{STACK_KEY}` with `policy` and the same fields.

A `urn` is a pattern in which `*` stands for any characters, though not in both type and name: `TYPE::NAME`,
or a whole `urn:pulumi:STACK::PROJECT::TYPE::NAME`. What cannot be read, is unknown, is secret, has expired,
lasts too long or has letters that deceive waives nothing, and [`{WAIVER_POLICY}`](#{WAIVER_POLICY}) reports
it, as it reports what is not needed any more. A rule that failed (`Verdict: error`) cannot be waived.
"""


def reference(rules: Sequence[Rule]) -> str:
    """Return the reference of some rules, in Markdown."""
    parts = [
        HEAD + "\n".join(configuration((ON_UNKNOWN, WAIVERS))),
        WAIVING,
        "## All policies\n\n" + "\n".join(overview(rules)),
        *("\n".join(chapter(rule)) for rule in rules),
    ]
    return "\n".join(f"{section.rstrip()}\n" for section in parts)


def overview(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the table of all policies."""
    yield "| policy | holds when | level | severity | can remediate |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        remediates = "yes" if isinstance(rule, ResourceRule) and rule.remediation else ""
        yield (
            f"| [`{rule.name}`](#{rule.name}) | {cell(rule.description)} | {rule.level} |"
            f" {rule.severity} | {remediates} |"
        )


def chapter(rule: Rule) -> Iterator[str]:
    """Yield all that is to be said of one policy."""
    looks_at = "each resource by its own inputs" if isinstance(rule, ResourceRule) else "the whole stack"
    yield f"## {rule.name}"
    yield ""
    yield f"**{rule.title}.** {rule.description}"
    yield ""
    yield f"- Why: {rule.why}"
    yield f"- Fix: {rule.fix}"
    yield f"- Level: {rule.level}; severity: {rule.severity}; evaluates {looks_at}"
    if isinstance(rule, ResourceRule) and rule.remediation:
        yield f"- At level `remediate`: {rule.remediation}"
    yield f"- Types: {types_listed(rule)}"
    yield f"- Source: <{rule.url}>"
    if rule.settings:
        yield ""
        yield from configuration(rule.settings)
    if rule.controls:
        yield ""
        yield "| framework | control |"
        yield "|---|---|"
        for control in rule.answered:
            framework = FRAMEWORKS[control.framework]
            yield (
                f"| {framework.name} {framework.version} | [{cell(control.identifier)}]({control.source}) |"
            )


def types_listed(rule: Rule) -> str:
    """List the types that a policy evaluates, the first of very many."""
    if rule.types == (ANY_TYPE,):
        return "every type"
    more = len(rule.types) - MOST_TYPES
    listed = ", ".join(f"`{token}`" for token in (rule.types[:FEW_TYPES] if more > 0 else rule.types))
    return f"{listed} and {len(rule.types) - FEW_TYPES} more" if more > 0 else listed


def configuration(settings: Iterable[Setting]) -> Iterator[str]:
    """Yield the table of what an operator can set."""
    yield "| setting | default | takes | meaning |"
    yield "|---|---|---|---|"
    for setting in settings:
        schema = setting.schema()
        default = json.dumps(schema.get("default"))
        yield f"| `{setting.name}` | `{default}` | {takes(schema)} | {cell(setting.description)} |"


def takes(schema: dict[str, object]) -> str:
    """Say which values a JSON schema allows."""
    if "enum" in schema:
        return f"one of `{json.dumps(schema['enum'])}`"
    if "minimum" in schema:
        return f"{schema['type']}, {schema['minimum']} to {schema['maximum']}"
    return f"{schema['type']} of {named_items(schema)}" if "items" in schema else str(schema["type"])


def named_items(schema: dict[str, object]) -> str:
    """Say what a JSON schema's list holds."""
    items = cast("dict[str, object]", schema["items"])
    if "enum" in items:
        return f"`{json.dumps(items['enum'])}`"
    fields = cast("dict[str, object]", items.get("properties", {}))
    return f"objects with {', '.join(f'`{name}`' for name in fields)}" if fields else f"{items['type']}s"


def cell(text: str) -> str:
    """Keep a text within its cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def main(arguments: Sequence[str]) -> int:
    """Write the reference to the file that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tap_guardrails.reference FILE\n")
        return 2
    Path(arguments[0]).write_text(reference(find_rules()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

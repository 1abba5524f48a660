"""The policy reference, from the rules' own declarations: `python -m tap_guardrails.reference FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_guardrails import PACK_NAME
from tap_guardrails.assembly import FRAMEWORKS, find_rules
from tap_guardrails.levels import level_of
from tap_guardrails.model import ResourceRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_guardrails.model import Rule
    from tap_guardrails.model.settings import Setting

HEAD = f"""\
# Policies of `{PACK_NAME}`

Written from the rules' own declarations by `nox -s docs`; do not edit. Each policy answers for each resource:
compliant, violation, or undecided, where a value is unknown before deployment and nothing in the program
settles it. Undecided blocks like a violation unless the policy's `onUnknown` is `warn`.
"""


def reference(rules: Sequence[Rule]) -> str:
    """Return the reference of some rules, in Markdown."""
    parts = [HEAD, "\n".join(overview(rules)), *("\n".join(chapter(rule)) for rule in rules)]
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def overview(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the table of all policies."""
    yield "| policy | holds when | level | severity |"
    yield "|---|---|---|---|"
    for rule in rules:
        yield (
            f"| [`{rule.name}`](#{rule.name}) | {cell(rule.description)} | {level_of(rule.name).value} |"
            f" {rule.severity.value} |"
        )


def chapter(rule: Rule) -> Iterator[str]:
    """Yield all that is to be said of one policy."""
    scope = "each resource by its own inputs" if isinstance(rule, ResourceRule) else "the whole stack"
    yield f"## {rule.name}"
    yield ""
    yield f"**{rule.title}.** {rule.description}"
    yield ""
    yield f"- Why: {rule.why}"
    yield f"- Fix: {rule.fix}"
    yield f"- Level: {level_of(rule.name).value}; severity: {rule.severity.value}; judges {scope}"
    yield f"- Types: {', '.join(f'`{token}`' for token in rule.types)}"
    yield f"- Source: <{rule.url}>"
    yield ""
    yield from configuration(rule.all_settings)
    if rule.controls:
        yield ""
        yield "| framework | control |"
        yield "|---|---|"
        for control in rule.controls:
            framework = FRAMEWORKS[control.framework]
            yield (
                f"| {framework.name} {framework.version} | [{cell(control.identifier)}]({control.source}) |"
            )


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
    return str(schema["type"])


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

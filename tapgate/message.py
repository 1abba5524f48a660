"""The text of a finding, as packs write it, taken apart.

The form is one line that says what is wrong, then `Key: value` lines: Where, Found, Required, Why, Fix,
Verdict (and whatever else a pack adds). pulumi-policy puts the policy's description before it. Any other
text is a finding too: its words are kept whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["violation", "undecided", "error", "waived"]

_VERDICTS: Final[Mapping[str, Verdict]] = {
    "violation": "violation",
    "undecided": "undecided",
    "error": "error",
    "waived": "waived",
}
_KEY_LINE: Final = re.compile(r"(?P<key>[A-Z][A-Za-z]{1,30}):(?: (?P<value>.*))?")
_FIRST_KEYS: Final = frozenset({"Where", "Found", "Required", "Why", "Fix", "Verdict"})
_PROPERTY: Final = re.compile(r".*, property `(?P<path>.*)`")
# How pulumi-policy reports a policy that could not read an unknown value: always as an advisory.
_UNKNOWN_READ: Final = re.compile(r"can't run (?:policy|remediation) '.*' during preview: ")


@dataclass(frozen=True, slots=True)
class FindingText:
    """One finding's words.

    Attributes:
        summary: what is wrong.
        description: what the policy is about, when the engine put that before the finding.
        where: the resource and property as the pack names them.
        property_path: path of the property inside the resource, or empty.
        found: what was found, as JSON or in words.
        required: what would pass.
        why: why it matters.
        fix: how to repair it.
        verdict: what the pack concluded.
        more: further `Key: value` lines of the pack.
    """

    summary: str
    description: str = ""
    where: str = ""
    property_path: str = ""
    found: str = ""
    required: str = ""
    why: str = ""
    fix: str = ""
    verdict: Verdict = "violation"
    more: Mapping[str, str] = field(default_factory=dict[str, str])


def parse(message: str) -> FindingText:
    """Take a finding's text apart; never fails, never drops a word."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    start = next((n for n, line in enumerate(lines) if _first_key(line)), len(lines))
    head, tail = lines[:start], lines[start:]
    if not tail:
        return _free_text(head)
    fields, loose = _fields(tail)
    where = fields.pop("Where", "")
    found_property = _PROPERTY.fullmatch(where)
    return FindingText(
        summary=" ".join([*head[-1:], *loose]),
        description=" ".join(head[:-1]),
        where=where,
        property_path=found_property["path"] if found_property else "",
        found=fields.pop("Found", ""),
        required=fields.pop("Required", ""),
        why=fields.pop("Why", ""),
        fix=fields.pop("Fix", ""),
        verdict=_verdict(fields.pop("Verdict", ""), loose),
        more=fields,
    )


def _first_key(line: str) -> bool:
    match = _KEY_LINE.fullmatch(line)
    return match is not None and match["key"] in _FIRST_KEYS


def _fields(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Read `Key: value` lines; a line without a key, or with one that was there before, is loose text."""
    fields: dict[str, str] = {}
    loose: list[str] = []
    for line in lines:
        match = _KEY_LINE.fullmatch(line)
        if match is None or match["key"] in fields:
            loose.append(line)
        else:
            fields[match["key"]] = match["value"] or ""
    return fields, loose


def _verdict(word: str, loose: list[str]) -> Verdict:
    """Take the verdict; with a second one (a forged line in a name, say) neither is believed."""
    if any(line.startswith("Verdict:") for line in loose):
        return "violation"
    return _VERDICTS.get(word.lower(), "violation")


def _free_text(lines: list[str]) -> FindingText:
    """Read a finding of another pack: the first of several lines is the policy's description."""
    unknown = next((line for line in lines if _UNKNOWN_READ.match(line)), None)
    description, rest = (lines[0], lines[1:]) if len(lines) > 1 else ("", lines)
    return FindingText(
        summary=" ".join(rest) or "The pack reported a finding without any text.",
        description=description,
        verdict="undecided" if unknown else "violation",
    )

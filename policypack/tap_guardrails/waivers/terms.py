"""What a waiver says: its terms, the pattern of the resources that it is about, and the tags that hold it.

A program's tag is `tap-guardrails:waive:<policy>` on the resource that the finding names. Its value is
`granted=2026-12-01 expires=2027-01-31 owner=team@example.com finding=enableKeyRotation reason=why it may
stand`, in letters that AWS takes in any tag. Only the resource's own `tags` count: what a provider puts on
everything waives nothing. What cannot be read waives nothing either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Final

from tap_guardrails.model import Known, PropertyRef, Resource, Secret, Unknown, Value, Waiver
from tap_guardrails.model.values import record

FIELDS: Final = ("finding", "granted", "expires", "owner", "reason")
FIELD: Final = re.compile(r"(?:^|\s)(finding|granted|expires|owner|reason)=")
LINE_ENDS: Final = frozenset({"Zl", "Zp"})
"""Unicode's categories of characters that end a line; `C` and more are those that control or show nothing."""
EXACT: Final = ("owner", "finding")
"""Fields that are compared or looked up, so that a letter that only looks like another one matters."""
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@record
class Refused:
    """Words that are no waiver.

    Attributes:
        problem: What is wrong with them, to follow "The waiver …".
    """

    problem: str


def read_fields(fields: Mapping[str, str]) -> Waiver | Refused:
    """Read a waiver's fields, each of which has to be there and to say something."""
    missing = [f"`{name}`" for name in FIELDS if not fields.get(name, "").strip()]
    strange = [f"`{name}`" for name in fields if name not in FIELDS]
    if missing or strange:
        problems = [f"lacks {', '.join(missing)}"] if missing else []
        problems += [f"has {', '.join(strange)}, which is no field of a waiver"] if strange else []
        return Refused(" and ".join(problems))
    for name, value in fields.items():
        if problem := deceptive(value, exact=name in EXACT):
            return Refused(f"has {problem} in `{name}`")
    granted, expires = read_day(fields["granted"].strip()), read_day(fields["expires"].strip())
    if granted is None or expires is None:
        name = "a `granted`" if granted is None else "an `expires`"
        return Refused(f"has {name} that is not a day, written YYYY-MM-DD")
    finding, reason, owner = (fields[name].strip() for name in ("finding", "reason", "owner"))
    return Waiver(finding, reason, owner, granted, expires)


def deceptive(text: str, *, exact: bool) -> str:
    """Say what in a text may deceive a reader; nothing when nothing does."""
    categories = {unicodedata.category(character) for character in text}
    if any(one.startswith("C") or one in LINE_ENDS for one in categories):
        return "invisible characters"
    return "letters beyond ASCII, which may look like others," if exact and not text.isascii() else ""


def read_day(text: str) -> date | None:
    """Read a day; Python takes other forms of ISO 8601 as well, people do not."""
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def read_text(text: str) -> Waiver | Refused:
    """Read `granted=… expires=… owner=… finding=… reason=…`, in any order; a value ends at the next word."""
    starts = list(FIELD.finditer(text))
    names = [start[1] for start in starts]
    if not starts or text[: starts[0].start()].strip():
        return Refused("does not begin with `granted=`, `expires=`, `owner=`, `finding=` or `reason=`")
    twice = sorted({f"`{name}`" for name in names if names.count(name) > 1})
    if twice:
        return Refused(f"says {', '.join(twice)} more than once")
    ends = [*(start.start() for start in starts[1:]), len(text)]
    values = [text[start.end() : end] for start, end in zip(starts, ends, strict=True)]
    return read_fields(dict(zip(names, values, strict=True)))


def lapse(waiver: Waiver, today: date, longest: int) -> str:
    """Say why a waiver is not in force, to follow "The waiver …"; empty when it is."""
    if waiver.expires < today:
        return f"expired on {waiver.expires.isoformat()}"
    if waiver.granted > today:
        return f"is not granted before {waiver.granted.isoformat()}"
    if (waiver.expires - waiver.granted).days > longest:
        return (
            f"would hold from {waiver.granted.isoformat()} until {waiver.expires.isoformat()}, "
            f"more than {longest} days"
        )
    return ""


URN: Final = "urn:pulumi:"
BETWEEN: Final = "::"
URN_PARTS, SHORT_PARTS = 4, 2
SPECIAL: Final = re.compile(r"[?[]")
"""What means something in a pattern of files besides `*`."""


@record
class Pattern:
    """A pattern of URNs.

    Attributes:
        one_stack: Whether it can be about no more than one stack.
    """

    stack: str | None
    resource: str
    one_stack: bool

    def matches(self, urn: str) -> bool:
        """Tell whether a resource is meant."""
        stack, resource = split(urn)
        type_chain, _, name = resource.partition(BETWEEN)
        # A short pattern names the resource's own type, a whole one the types of its parents too.
        seen = resource if self.stack is not None else f"{type_chain.rpartition('$')[2]}{BETWEEN}{name}"
        return self.about(stack) and matches(self.resource, seen)

    def about(self, stack: str) -> bool:
        """Tell whether resources of a stack are meant, given `STACK::PROJECT`."""
        return self.stack is None or matches(self.stack, stack)

    @property
    def too_wide(self) -> bool:
        """Whether it spells out neither the type nor the name of what it is about."""
        type_chain, _, name = self.resource.partition(BETWEEN)
        return "*" in type_chain.rpartition("$")[2] and "*" in name


def pattern_of(text: str) -> Pattern | None:
    """Read a pattern; None when it is none."""
    if text.startswith(URN):
        parts = text.removeprefix(URN).split(BETWEEN, URN_PARTS - 1)
        if len(parts) != URN_PARTS or not all(parts):
            return None
        stack, project, type_chain, name = parts
        resource = f"{type_chain}{BETWEEN}{name}"
        return Pattern(f"{stack}{BETWEEN}{project}", resource, "*" not in stack + project)
    parts = text.split(BETWEEN, SHORT_PARTS - 1)
    if len(parts) != SHORT_PARTS or not all(parts):
        return None
    return Pattern(None, text, one_stack=False)


def matches(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches a text: `*` stands for any characters, and all else for itself."""
    return fnmatchcase(text, SPECIAL.sub(r"[\g<0>]", pattern))


def split(urn: str) -> tuple[str, str]:
    """Split a URN into `STACK::PROJECT` and `TYPE::NAME`."""
    stack, _, rest = urn.removeprefix(URN).partition(BETWEEN)
    project, _, resource = rest.partition(BETWEEN)
    return f"{stack}{BETWEEN}{project}", resource


TAG_PREFIX: Final = "tap-guardrails:waive:"
PACKAGES: Final = ("aws:", "aws-native:")
"""Whose resources have tags in AWS; a component's `tags` are there to be handed on."""


@record
class Tagged:
    """A tag that waives, or is meant to.

    Attributes:
        terms: What it says; None while that is unknown.
    """

    policy: str
    ref: PropertyRef
    terms: Waiver | Refused | None


def tagged(resource: Resource) -> Iterator[Tagged]:
    """Go through a resource's tags that waive, or are meant to."""
    if not resource.type.startswith(PACKAGES) or not mentioned(resource.properties.get("tags")):
        return
    tags = resource.at("tags")
    named = [*(tags.entries().value or {}).items()]
    # CloudFormation's form is a list of keys and values.
    named += [(one.at("key").text().value or "", one.at("value")) for one in tags.items().value or ()]
    for key, ref in named:
        if key.startswith(TAG_PREFIX):
            yield Tagged(key.removeprefix(TAG_PREFIX), ref, read_tag(ref))


def mentioned(tags: Value) -> bool:
    """Tell at a glance, for thousands of resources, whether any of their tags may be a waiver."""
    match tags:
        case dict():
            return any(key.startswith(TAG_PREFIX) for key in tags)
        case list():
            return any(isinstance(entry, (dict, Secret)) for entry in tags)
        case Secret(inner):
            return mentioned(inner)
        case _:
            return False


def read_tag(ref: PropertyRef) -> Waiver | Refused | None:
    """Read a tag's value. Secret words waive nothing: a waiver is there to be read by everybody."""
    match ref.text():
        case Known(text):
            return Refused("is a secret") if ref.secret else read_text(text)
        case Unknown():
            return None
        case _:
            return Refused("is empty, or not a text")

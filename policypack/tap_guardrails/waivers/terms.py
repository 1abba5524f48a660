"""The terms of a waiver, read from words. What cannot be read waives nothing."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Final

from tap_guardrails.model import Waiver
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        lacks, has = f"lacks {', '.join(missing)}", f"has {', '.join(strange)}, which is no field of a waiver"
        return Refused(" and ".join([*([lacks] if missing else []), *([has] if strange else [])]))
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
    """Say what in a text may deceive a reader; nothing when nothing does.

    Args:
        text: The text.
        exact: Whether letters beyond ASCII count as well, for some look like others.
    """
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
    """Say why a waiver is not in force, to follow "The waiver …"; empty when it is.

    Args:
        waiver: The waiver. It holds from the day on which it is granted through the day on which it expires.
        today: The day.
        longest: How many days after it was granted a waiver may expire.
    """
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

"""The terms of a waiver, read from words. What cannot be read waives nothing."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from tap_guardrails.model import Waiver
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final = ("expires", "owner", "reason")
FIELD: Final = re.compile(r"(?:^|\s)(expires|owner|reason)=")
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
        lacks, has = f"lacks {', '.join(missing)}", f"has {', '.join(strange)}, which nobody reads"
        return Refused(" and ".join([*([lacks] if missing else []), *([has] if strange else [])]))
    expires = read_day(fields["expires"].strip())
    if expires is None:
        return Refused("has an `expires` that is not a day, written YYYY-MM-DD")
    return Waiver(fields["reason"].strip(), fields["owner"].strip(), expires)


def read_day(text: str) -> date | None:
    """Read a day; Python takes other forms of ISO 8601 as well, people do not."""
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def read_text(text: str) -> Waiver | Refused:
    """Read `expires=… owner=… reason=…`, in any order; a value goes on to the next of these words."""
    starts = list(FIELD.finditer(text))
    names = [start[1] for start in starts]
    if not starts or text[: starts[0].start()].strip():
        return Refused("does not begin with `expires=`, `owner=` or `reason=`")
    twice = sorted({f"`{name}`" for name in names if names.count(name) > 1})
    if twice:
        return Refused(f"says {', '.join(twice)} more than once")
    ends = [*(start.start() for start in starts[1:]), len(text)]
    values = [text[start.end() : end] for start, end in zip(starts, ends, strict=True)]
    return read_fields(dict(zip(names, values, strict=True)))


def lapse(waiver: Waiver, today: date, longest: int) -> str:
    """Say why a waiver is not in force, to follow "The waiver …"; empty when it is.

    Args:
        waiver: The waiver. It holds through the day on which it expires.
        today: The day.
        longest: How many days ahead a waiver may expire.
    """
    if waiver.expires < today:
        return f"expired on {waiver.expires.isoformat()}"
    if (waiver.expires - today).days > longest:
        return f"would hold until {waiver.expires.isoformat()}, more than {longest} days from now"
    return ""

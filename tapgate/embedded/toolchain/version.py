"""Versions of the Pulumi CLI: reading what it prints, and comparing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_PRINTED = re.compile(
    r"v?(?P<major>0|[1-9]\d{0,8})\.(?P<minor>0|[1-9]\d{0,8})\.(?P<patch>0|[1-9]\d{0,8})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Version:
    """A semantic version; build metadata is not kept, since it does not order versions."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `pulumi version` prints (`v3.259.0`); None when it is anything else."""
        match = _PRINTED.fullmatch(text.strip())
        if match is None:
            return None
        return cls(int(match["major"]), int(match["minor"]), int(match["patch"]), match["pre"] or "")

    def at_least(self, other: Version) -> bool:
        """Say whether this is `other` or newer; a pre-release comes before its release.

        Two pre-releases of one release count as equal: they differ by a build's time, which says nothing
        about what the CLI can do.
        """
        mine, theirs = (self.major, self.minor, self.patch), (other.major, other.minor, other.patch)
        if mine != theirs:
            return mine > theirs
        return not self.pre or bool(other.pre)

    def __str__(self) -> str:
        """As the CLI prints it, without the leading v."""
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


MINIMUM = Version(3, 255, 0)
"""The oldest CLI that understands `packages:` with a local folder, `policy analyze` and today's RunPlugin."""

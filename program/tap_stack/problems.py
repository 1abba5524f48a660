"""What is wrong with the arguments, said so that the user can put it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One bad argument."""

    argument: str
    """The argument as the schema calls it, for instance `logRetentionInDays`."""
    what: str
    """What is wrong, why it matters and how to fix it."""


class InvalidTapStackArgs(pulumi.RunError):
    """Arguments that TapStack refuses, all of them at once.

    A Python program that meets it ends with its message and no traceback; the component host (`host`)
    hands it on as errors of the properties.
    """

    def __init__(self, component: str, problems: Sequence[Problem]) -> None:
        self.summary = f"TapStack `{component}` cannot be planned with these arguments"
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem.argument}: {problem.what}" for problem in problems)
        super().__init__(f"{self.summary}:\n{lines}")

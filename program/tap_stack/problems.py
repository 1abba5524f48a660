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


class InvalidTapStackArgs(pulumi.InputPropertiesError, pulumi.RunError):
    """Arguments that TapStack refuses, all of them at once.

    It is two errors in one: the component host answers an `InputPropertiesError` with the properties and
    their reasons, and a Python program that meets a `RunError` ends with its message and no traceback.
    """

    def __init__(self, component: str, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  - {problem.argument}: {problem.what}" for problem in problems)
        super().__init__(
            f"TapStack `{component}` cannot be planned with these arguments:\n{lines}",
            [{"property_path": problem.argument, "reason": problem.what} for problem in problems],
        )
        self.problems = tuple(problems)

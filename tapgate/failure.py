"""The answers of the gate, and the one way it says that it could not give one."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every gate command."""

    PASSED = 0
    BLOCKED = 1
    COULD_NOT_RUN = 2
    CHANGED = 3
    """Stopped or blocked after something was changed."""


class CouldNotRunError(Exception):
    """No verdict can be given; carries the message in the form that every message of the gate has.

    Attributes:
        what: what is wrong, one sentence.
        where: the file, stack, resource or option that it is about.
        why: why it matters.
        fix: what to do, concretely.
        details: lines of evidence (the engine's own words), shown indented below.
        code: the exit code.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str,
        why: str,
        fix: str,
        details: tuple[str, ...] = (),
        code: Exit = Exit.COULD_NOT_RUN,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix
        self.details = details
        self.code = code

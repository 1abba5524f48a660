"""What the reports are drawn from: the verdicts of one stack or of many, and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.failure import CouldNotRunError
    from tapgate.findings import Outcome, Report
    from tapgate.reports.controls import PolicyInfo

Kind = Literal["preview", "deploy", "audit"]
SCHEMA: Final = "tap-guardrails/dossier/1"


@dataclass(frozen=True, slots=True)
class Unaudited:
    """A stack for which there is no verdict.

    Attributes:
        name: the stack, or the file that should hold it.
        what: what is wrong, one sentence.
        where: the file, stack or resource that it is about.
        why: why it matters.
        fix: what to do.
        details: lines of evidence.
    """

    name: str
    what: str
    where: str = ""
    why: str = ""
    fix: str = ""
    details: tuple[str, ...] = ()

    @classmethod
    def because(cls, name: str, failure: CouldNotRunError) -> Self:
        """Keep the reason why a stack could not be audited."""
        return cls(name, failure.what, failure.where, failure.why, failure.fix, failure.details)


@dataclass(frozen=True, slots=True)
class Dossier:
    """The verdicts of one run of the gate.

    Attributes:
        kind: the command that made it.
        stacks: one verdict a stack, sorted by project and stack.
        unaudited: the stacks without a verdict, sorted by name.
        policies: what the packs say of their policies, sorted by pack and name; may be incomplete or empty.
        made: when, in UTC, ISO 8601; empty when nobody said.
    """

    kind: Kind
    stacks: tuple[Report, ...]
    unaudited: tuple[Unaudited, ...] = ()
    policies: tuple[PolicyInfo, ...] = ()
    made: str = ""

    @classmethod
    def of(
        cls,
        kind: Kind,
        stacks: Iterable[Report],
        *,
        unaudited: Iterable[Unaudited] = (),
        policies: Iterable[PolicyInfo] = (),
        made: datetime | None = None,
    ) -> Self:
        """Put a run's results together, in the order that makes equal results equal documents.

        Args:
            kind: the command that made it.
            stacks: the verdicts, in any order.
            unaudited: the stacks without a verdict.
            policies: what the packs say of their policies; of several on one policy, the first counts.
            made: when, with a time zone.
        """
        by_name = {(one.pack, one.policy): one for one in reversed(list(policies))}
        return cls(
            kind=kind,
            stacks=tuple(sorted(stacks, key=lambda one: (one.project, one.stack))),
            unaudited=tuple(sorted(unaudited, key=lambda one: (one.name, one.what))),
            policies=tuple(by_name[key] for key in sorted(by_name)),
            made="" if made is None else made.astimezone(UTC).isoformat(timespec="seconds"),
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of the whole: incomplete weighs most, since nobody knows what it hides."""
        if self.unaudited or not self.stacks:
            return "could-not-run"
        return "blocked" if any(stack.outcome == "blocked" for stack in self.stacks) else "passed"

    @property
    def known_policies(self) -> Mapping[tuple[str, str], PolicyInfo]:
        """What is known of policies, by pack and name; made anew at each call."""
        return {(one.pack, one.policy): one for one in self.policies}

"""Says why an update stopped on the way, what it had done by then, and how to go on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tapgate.diagnose import UNKNOWN_CAUSE, could_not_run
from tapgate.failure import CouldNotRunError, Exit
from tapgate.sources import urn_type

if TYPE_CHECKING:
    from tapgate.engine import Run
    from tapgate.events import Diagnostic, EventLog

# After a failure the engine says this of every step of the plan that it did not come to.
_NOT_REACHED: Final = re.compile(r"expected resource operations for \S+ but none were seen")
_PLAN: Final = re.compile(r"violates plan|not allowed by the plan")
_GO_ON: Final = "run `tapgate deploy` again: it previews what is left, and goes on from there."


def stopped(log: EventLog, run: Run, *, where: str, applied: str) -> CouldNotRunError:
    """Say why an update did not end as previewed.

    Args:
        log: its events, as far as it came.
        run: how the engine ended.
        where: the project and stack, for the message.
        applied: what was carried out until then, in words.
    """
    failure = _stopped(log, run, where, f"Carried out until then, and recorded in the state: {applied}.")
    if log.changed:
        failure.code = Exit.STOPPED
    return failure


def _stopped(log: EventLog, run: Run, where: str, done: str) -> CouldNotRunError:
    if run.interrupted:
        return CouldNotRunError(
            "The deployment was interrupted.",
            where=where,
            why=f"the engine ended what it had begun and stopped there. {done}",
            fix=_GO_ON,
        )
    causes = [one for one in log.errors() if not _NOT_REACHED.search(one.message)]
    if causes:
        reached = [one for one in log.diagnostics if not _NOT_REACHED.search(one.message)]
        log = replace(log, diagnostics=reached)
    errors = "\n".join(line for line in run.errors.splitlines() if not (causes and _NOT_REACHED.search(line)))
    failure = could_not_run(log, errors, where=where)
    if failure.what == UNKNOWN_CAUSE and any(_of_a_resource(one) for one in causes):
        return CouldNotRunError(
            "The deployment stopped at a resource that failed.",
            where=failure.where,
            why=f"what comes after it was not begun. {done}",
            fix=f"correct what is reported below, then {_GO_ON}",
            details=failure.details,
        )
    return CouldNotRunError(
        failure.what,
        where=failure.where,
        why=f"{failure.why} {done}",
        fix=failure.fix,
        details=failure.details,
    )


def _of_a_resource(one: Diagnostic) -> bool:
    return bool(one.urn) and urn_type(one.urn) != "pulumi:pulumi:Stack" and not _PLAN.search(one.message)

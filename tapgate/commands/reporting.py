"""Writes the reports that a command was asked for, with what the packs say of their policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tapgate.description import describe
from tapgate.failure import CouldNotRunError
from tapgate.reports import Dossier, policies_of, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapgate.findings import Report
    from tapgate.packs import RequestedPack
    from tapgate.reports import Kind, PolicyInfo, Targets


def write_reports(
    kind: Kind, reports: Sequence[Report], packs: Sequence[RequestedPack], targets: Targets
) -> None:
    """Write the report files.

    Args:
        kind: the command.
        reports: the verdicts.
        packs: the packs that gave them; each is started once to describe its policies. One that does not
            describe them costs the reports their titles and controls, not the verdict.
        targets: the files; none asks for nothing.

    Raises:
        CouldNotRunError: a file cannot be written.
    """
    if not targets.files:
        return
    policies = [info for pack in packs for info in _described(pack)]
    write(Dossier.of(kind, reports, policies=policies, made=datetime.now(UTC)), targets)


def _described(pack: RequestedPack) -> tuple[PolicyInfo, ...]:
    try:
        return policies_of(describe(pack))
    except CouldNotRunError:
        return ()

"""Reports: one dossier of verdicts, written as JSON, SARIF, JUnit XML, Markdown and HTML.

Each writer is a pure function from a `Dossier` to a text. `write` puts the texts into files,
`tapgate.reports.command` is `python -m tapgate report`.
"""

from __future__ import annotations

from tapgate.reports.controls import PolicyInfo, policies_of
from tapgate.reports.dossier import Dossier, Kind, Unaudited
from tapgate.reports.writing import Targets, add_targets, targets_of, write

__all__ = [
    "Dossier",
    "Kind",
    "PolicyInfo",
    "Targets",
    "Unaudited",
    "add_targets",
    "policies_of",
    "targets_of",
    "write",
]

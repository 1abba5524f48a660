"""`tapgate report`: render reports from saved verdicts, without running anything."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.findings import CouldNotRunError, Exit
from tapgate.json_access import mapping, sanitized, sequence
from tapgate.reports.controls import PolicyInfo, policies_of
from tapgate.reports.entry import headline, outcome_word, subject
from tapgate.reports.verdict_file import VerdictFile
from tapgate.reports.writing import STDOUT, add_targets, load, targets_of, write

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--from",
        dest="sources",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="a verdict (JSON); may be given several times, for one report on all",
    )
    parser.add_argument(
        "--policies",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="description of a pack (Pulumi's AnalyzerInfo as JSON), for titles, links and controls",
    )
    add_targets(parser)


def run(options: argparse.Namespace) -> Exit:
    """Write the reports.

    Returns:
        Passed when they are written, whatever the verdict: nothing was evaluated anew.
    """
    targets = targets_of(options)
    if not targets.files:
        raise CouldNotRunError(
            "No report was asked for.",
            where="--html, --sarif, --junit, --markdown, --verdict",
            why="there is nothing to write.",
            fix="name at least one file, for example --html report.html.",
        )
    described = [info for path in cast("list[Path]", options.policies) for info in read_policies(path)]
    verdicts = merged([load(path) for path in cast("list[Path]", options.sources)], described)
    write(verdicts, targets)
    if STDOUT not in targets.files.values():
        sys.stdout.write(f"{subject(verdicts)}: {outcome_word(verdicts).lower()}. {headline(verdicts)}\n")
        for path in targets.files.values():
            sys.stdout.write(f"  wrote {sanitized(str(path))}\n")
    return Exit.PASSED


def merged(verdict_files: list[VerdictFile], described: list[PolicyInfo]) -> VerdictFile:
    """Put several verdict files together; of several verdicts on one stack, the last counts."""
    stacks = {(one.project, one.stack): one for verdicts in verdict_files for one in verdicts.stacks}
    commands = {verdicts.kind for verdicts in verdict_files}
    joined = VerdictFile.of(
        verdict_files[0].kind if len(commands) == 1 else "audit",
        stacks.values(),
        unaudited=dict.fromkeys(one for verdicts in verdict_files for one in verdicts.unaudited),
        policies=[*described, *(info for verdicts in verdict_files for info in verdicts.policies)],
    )
    return replace(joined, made=max(verdicts.made for verdicts in verdict_files))


def read_policies(path: Path) -> tuple[PolicyInfo, ...]:
    """Read the description of a pack, or a list of several.

    Raises:
        CouldNotRunError: the file cannot be read, or describes no policy.
    """
    try:
        body: object = json.loads(path.read_bytes())
    except OSError as error:
        problem = error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        problem = f"it is not JSON: {error}"
    else:
        packs = [mapping(one) for one in sequence(body)] or [mapping(body)]
        infos = tuple(info for pack in packs for info in policies_of(pack))
        if infos:
            return infos
        problem = "it describes no policy"
    raise CouldNotRunError(
        "The description of a pack cannot be read.",
        where=str(path),
        why=problem,
        fix="give Pulumi's AnalyzerInfo of the pack as JSON, or leave --policies out.",
    )

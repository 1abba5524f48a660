"""Turns a failed run of the engine into one message: what is wrong, where, why it matters, how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import yaml

from tapgate.findings import CouldNotRunError
from tapgate.json_access import sanitized, sanitized_lines
from tapgate.sources import urn_name, urn_type

if TYPE_CHECKING:
    from tapgate.events import Diagnostic, EventLog

# A SyntaxError's own last frame, which is in no function, says where it is.
_FRAME: Final = re.compile(r'\s*File "(?P<file>.+?)", line (?P<line>[0-9]+)(?:, in .+)?')
# What gRPC writes of a call that failed, over several lines.
_CALL: Final = re.compile(r"_InactiveRpcError of RPC that terminated with")
_REASON: Final = re.compile(r'\s+details = "(?P<text>.*)"')
_NOTHING_SAID: Final = re.compile(
    r"Program failed with an unhandled exception|"
    r"During handling of the above exception, another exception occurred|"
    r"The above exception was the direct cause of the following exception"
)
_LIBRARY: Final = re.compile(r"(?:^|/)(?:site-packages|lib/python[0-9.]+|node_modules|pulumi/policy)/|^<")
_FROM_PATH: Final = re.compile(r"^warning: using \S+ from \$PATH at ")
_MOST_DETAILS: Final = 12
# The engine does not say whose failure one without a URN is: one of AnalyzeStack has none, where packs run.
_DIED: Final = re.compile(r"Exception calling application|error reading from server|code = Unavailable")
UNKNOWN_CAUSE: Final = "The program does not run to its end."
"""What is wrong when the engine's words are none of the known ones."""
_PACK_FAILED: Final = "failed to run stack policy"
_PROVIDER_FAILED: Final = "a provider does not answer"


@dataclass(frozen=True, slots=True)
class _Known:
    """A failure that the engine words in a known way; see `known_failures.yaml`."""

    patterns: tuple[str, ...]
    what: str
    why: str
    fix: str
    complete: bool = False


def _known_failures() -> list[_Known]:
    table = Path(__file__).with_name("known_failures.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(table), list[_Known])


def could_not_run(
    log: EventLog, errors: str, *, where: str, interrupted: bool = False, packs: bool = True
) -> CouldNotRunError:
    """Say why a run, with packs or without, gave no verdict."""
    if interrupted:
        return CouldNotRunError(
            "The run was interrupted.",
            where=where,
            why="it was stopped before there was a verdict; nothing was changed by the gate.",
            fix="run it again.",
        )
    failed = log.errors()
    said = [line.removeprefix("error: ") for line in sanitized_lines(errors) if not _FROM_PATH.search(line)]
    printed = [
        line for one in log.diagnostics if one.severity == "info#err" for line in sanitized_lines(one.message)
    ]
    died = any(not one.urn and _DIED.search(one.message) for one in failed)
    closing = [_PACK_FAILED if packs else _PROVIDER_FAILED] if died else []
    everything = "\n".join([*said, *(one.message for one in failed), *printed, *closing])
    details = _details(failed, said, printed)
    for known in _known_failures():
        match = re.search("|".join(known.patterns), everything)
        if match is not None:
            it = sanitized(next(filter(None, match.groups()), ""))
            return CouldNotRunError(
                known.what.format(it=it),
                where=where,
                why=known.why,
                fix=known.fix.format(it=it),
                details=() if known.complete else details,
            )
    return CouldNotRunError(
        UNKNOWN_CAUSE,
        where=_first_location(failed, where),
        why="the engine could not see the whole stack, so nothing can be said about it.",
        fix="correct what the engine reports below, then run the gate again.",
        details=details,
    )


def _first_location(failed: Sequence[Diagnostic], where: str) -> str:
    for one in failed:
        if one.urn and urn_type(one.urn) != "pulumi:pulumi:Stack":
            return f"{where}, resource {sanitized(urn_name(one.urn))} ({sanitized(urn_type(one.urn))})"
    return where


def _details(failed: Sequence[Diagnostic], said: Sequence[str], printed: Sequence[str]) -> tuple[str, ...]:
    """Collect the engine's words, each line once, tracebacks reduced to their cause and source."""
    lines: list[str] = []
    for group in (*(sanitized_lines(one.message) for one in failed), list(said), list(printed)):
        lines.extend(line for line in _errors_first(without_traceback(group)) if line not in lines)
    if len(lines) > _MOST_DETAILS:
        lines[_MOST_DETAILS:] = [f"… and {len(lines) - _MOST_DETAILS} more lines"]
    return tuple(lines)


def _errors_first(lines: list[str]) -> list[str]:
    """Put what the YAML runtime says of errors before its warnings, each with the lines that show where."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(("Error: ", "Warning: ")):
            blocks.append([])
        blocks[-1].append(line)
    blocks.sort(key=lambda block: block[:1] != [] and block[0].startswith("Warning: "))
    return [line for block in blocks for line in block]


def without_traceback(lines: Sequence[str]) -> list[str]:
    """Reduce each Python traceback to `ValueError: text (file.py:12)`; other lines stay.

    An exception may be of any class, so its line is told by where it stands: the first one after the frames
    that is not indented.
    """
    kept: list[str] = []
    source = ""
    inside = False
    for line in without_calls(lines):
        frame = _FRAME.fullmatch(line)
        if frame is not None:
            inside = True
            if not source or not _LIBRARY.search(frame["file"]):
                source = f"{frame['file']}:{frame['line']}"
        elif line.strip().startswith("Traceback (most recent call last)"):
            inside, source = True, ""
        elif not inside:
            kept.append(line)
        elif not line[:1].isspace():
            kept.append(f"{line} ({source})" if source else line)
            inside, source = False, ""
    return [line for line in kept if not _NOTHING_SAID.search(line)]


def without_calls(lines: Sequence[str]) -> Iterator[str]:
    """Reduce what gRPC writes of each call that failed to the reason that was given for it."""
    inside = False
    for line in lines:
        inside = inside and line[:1] in {" ", "\t", ">"}
        if _CALL.search(line):
            inside = True
        elif not inside:
            yield line
        elif (reason := _REASON.fullmatch(line)) is not None:
            yield reason["text"]

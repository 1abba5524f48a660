"""Show progress, a report, or the reason why there is none, on a terminal or in a log."""

from __future__ import annotations

import os
import re
import textwrap
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TextIO

from tapgate.assemble import count, coverage_text
from tapgate.json_access import sanitized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tapgate.findings import CouldNotRunError, Finding, PolicyTally, Report


class Progress:
    """Shows the time and the number of resources seen so far; gone when the work is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._offset = 0
        self._resources = 0
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def observe(self, events: Path) -> None:
        """Look at how far the event log has come, and show it."""
        if not self._stream.isatty() or not events.is_file():
            return
        with events.open("rb") as log:
            log.seek(self._offset)
            new = log.read()
        self._offset += len(new)
        self._resources += new.count(b'"resourcePreEvent"')
        seconds = time.monotonic() - self._start
        self._stream.write(f"\r\x1b[2K  evaluating … {count(self._resources, 'resource')}, {seconds:.0f} s")
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False


_WIDTH: Final = 110
_LABEL: Final = 10
_COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
# What the runners of GitHub and Azure carry out that find it in a job's log, the first where a line begins:
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
_COMMAND: Final = re.compile(r"(?m)^\s*:(?=:)|##(?=\[|vso\[)")
_AS_TEXT: Final = r"\g<0>\\"
_ASCII_MARKS: Final = {"✓": "ok", "✗": "XX", "!": "!!", "-": "--", "→": "->", "…": "..."}


@dataclass(frozen=True, slots=True)
class Ink:
    """What the output can show."""

    colour: bool
    unicode: bool

    @classmethod
    def for_stream(cls, stream: TextIO) -> Ink:
        """Look at the stream and the environment (https://no-color.org; TERM=dumb)."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
        return cls(colour=wanted and stream.isatty(), unicode=encoding.startswith("utf"))

    def paint(self, text: str, *styles: str) -> str:
        """Return the text in these styles, or as it is."""
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_COLOURS[style] for style in styles)}m{text}\x1b[0m"

    def mark(self, mark: str) -> str:
        """Return the mark, or its ASCII form, two columns wide where that is needed."""
        return mark if self.unicode else _ASCII_MARKS.get(mark, mark)


def report_lines(report: Report, ink: Ink) -> Iterator[str]:
    """Yield the lines of a report: header, policies, findings, summary."""
    yield from _header(report, ink)
    yield ""
    for tally in report.tallies:
        yield _tally_line(tally, ink, report)
    for finding in report.findings:
        yield ""
        yield from finding_lines(finding, ink)
    yield ""
    if report.coverage:
        unseen = report.covered_by("none") or not report.covered_by("control")
        yield from _field("coverage", coverage_text([report]), ink, *(["yellow"] if unseen else []))
    yield from guardrails_lines([report], ink)
    yield _summary_line(report, ink)


def guardrails_lines(reports: Iterable[Report], ink: Ink) -> Iterator[str]:
    """Yield which guardrails verdicts are by, each once."""
    for one in dict.fromkeys(report.guardrails for report in reports):
        if one is not None:
            yield from _field("operator", str(one), ink)


def failure_lines(failure: CouldNotRunError, ink: Ink) -> Iterator[str]:
    """Yield the lines that say why there is no verdict."""
    yield ink.paint("COULD NOT RUN", "red", "bold") + "  " + sanitized(failure.what)
    yield from _field("where", failure.where, ink)
    yield from _field("why", failure.why, ink)
    yield from _field("fix", failure.fix, ink)
    for line in failure.details:
        yield "    " + ink.paint("| ", "dim") + sanitized(line, keep="\t")


def finding_lines(finding: Finding, ink: Ink) -> Iterator[str]:
    """Yield the lines of one finding."""
    word, style = ("BLOCKED", "red") if finding.blocks else ("ADVISORY", "yellow")
    if finding.verdict == "waived" and not finding.blocks:
        word = "WAIVED"
    about = [sanitized(finding.policy), *([f"({sanitized(finding.severity)})"] if finding.severity else [])]
    if finding.verdict not in {"violation", word.lower()}:
        about.append(f"[{finding.verdict}]")
    yield ink.paint(word, style, "bold") + "  " + ink.paint(" ".join(about), "bold")
    yield from textwrap.wrap(sanitized(finding.summary), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _field("resource", f"{finding.name} ({finding.type})", ink)
    yield from _field("property", finding.property_path, ink)
    yield from _field("found", finding.found, ink)
    yield from _field("required", finding.required, ink)
    yield from _field("why", finding.why or finding.description, ink)
    yield from _field("fix", finding.fix, ink, "cyan")
    for key, value in finding.more.items():
        yield from _field(key.lower(), value, ink)
    if finding.location is not None:
        through = f" (in component {finding.location.through})" if finding.location.through else ""
        yield from _field("program", f"{finding.location}{through}", ink)


def _header(report: Report, ink: Ink) -> Iterator[str]:
    yield from _field("stack", f"{report.project} / {report.stack}", ink)
    for pack in report.packs:
        yield from _field("pack", f"{pack.name} {pack.version}  {pack.path}".rstrip(), ink)
        yield from _field("config", pack.config, ink)
    changes = ", ".join(f"{count} to {op}" for op, count in report.changes.items() if op != "same")
    yield from _field("planned", changes or "no change", ink)
    yield from _field("sandbox", report.sandbox, ink)
    for note in report.notes:
        yield from _field("note", note, ink, "yellow")


def _field(label: str, value: str, ink: Ink, *styles: str) -> Iterator[str]:
    """Yield `label value`, wrapped, with the value in one column; nothing when there is no value."""
    label = sanitized(label)
    lines = textwrap.wrap(
        sanitized(value), _WIDTH - _LABEL - 2, break_long_words=False, break_on_hyphens=False
    )
    for number, line in enumerate(lines):
        shown = ink.paint(f"{label:<{_LABEL}}", "dim") if number == 0 else " " * _LABEL
        yield f"  {shown}{ink.paint(line, *styles) if styles else line}"


def _tally_line(tally: PolicyTally, ink: Ink, report: Report) -> str:
    mark, style, said = _tally_text(tally, report)
    width = max((len(one.policy) for one in report.tallies), default=0)
    return (
        f"  {ink.paint(ink.mark(mark), style)} {sanitized(tally.policy):<{width}}  {ink.paint(said, 'dim')}"
    )


def _tally_text(tally: PolicyTally, report: Report) -> tuple[str, str, str]:
    own = [one for one in report.findings if (one.pack, one.policy) == (tally.pack, tally.policy)]
    blocking = sum(one.blocks for one in own)
    if tally.disabled:
        return "!", "yellow", "turned off by the pack's config file"
    if blocking:
        return "✗", "red", count(blocking, "blocking finding")
    waived = sum(one.verdict == "waived" for one in own)
    if own:
        advice = [count(len(own) - waived, "advisory", "advisories")] if waived < len(own) else []
        return "!", "yellow", ", ".join([*advice, *([f"{waived:,} waived"] if waived else [])])
    if not tally.passed:
        return "-", "dim", "not applicable"
    return "✓", "green", "stack" if tally.kind == "stack" else count(tally.passed, "resource")


def _summary_line(report: Report, ink: Ink) -> str:
    blocking = [one for one in report.findings if one.blocks]
    undecided = sum(one.verdict == "undecided" for one in report.findings)
    waived = sum(one.verdict == "waived" and not one.blocks for one in report.findings)
    parts = [
        count(sum(not one.disabled for one in report.tallies), "policy", "policies"),
        count(report.resources, "resource"),
        count(len(blocking), "blocking finding"),
        count(len(report.findings) - len(blocking) - waived, "advisory", "advisories"),
        *([f"{waived:,} waived"] if waived else []),
        *([f"{undecided:,} undecided"] if undecided else []),
        f"{report.seconds:.1f} s",
    ]
    word, style = ("PASSED", "green") if report.outcome == "passed" else ("BLOCKED BY POLICY", "red")
    return f"{ink.paint(word, style, 'bold')}  {', '.join(parts)}"


class OutputError(Exception):
    """No one can read what was said: the output is closed, or its disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))


def write(lines: Iterator[str] | Sequence[str], stream: TextIO) -> None:
    """Write lines; what the encoding cannot show, or a job's runner would carry out, is written as an escape.

    Raises:
        OutputError: they cannot be written.
    """
    encoding = getattr(stream, "encoding", None) or "ascii"
    body = "".join(f"{_COMMAND.sub(_AS_TEXT, line)}\n" for line in lines)
    try:
        stream.write(body.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        raise OutputError(error) from error

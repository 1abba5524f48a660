"""The report files that a command was asked for, each written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate.findings import CouldNotRunError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from tapgate.reports.verdict_file import VerdictFile


def write_file(body: bytes, path: Path) -> None:
    """Write a file so that a reader sees all of it or the one that was there before.

    Raises:
        CouldNotRunError: the target cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(body)
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CouldNotRunError(
            "A file that was asked for cannot be written.",
            where=str(path),
            why=error.strerror or str(error),
            fix="name a file in a folder that exists and can be written.",
        ) from error


STDOUT: Final = Path("-")
FORMATS: Final[Mapping[str, str]] = {
    "html": "a page for people, self-contained",
    "sarif": "SARIF 2.1.0, for code scanning",
    "junit": "JUnit XML, for the test view of a CI system",
    "markdown": "Markdown, for a pull-request comment",
    "verdict": "the verdict as JSON, from which `report` renders the others",
}


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the reports go.

    Attributes:
        files: file by format (a key of `FORMATS`); `-` is standard output.
        prefix: folder of the Pulumi project inside the repository, for the paths in SARIF.
    """

    files: Mapping[str, Path]
    earlier: Path | None = None
    prefix: str = ""


def add_targets(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say which reports are wanted."""
    group = parser.add_argument_group(
        "reports", "each may be given, each writes one file (- is standard output)"
    )
    for name, meaning in FORMATS.items():
        group.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write {meaning}")
    group.add_argument(
        "--earlier", type=Path, metavar="FILE", help="compare with this verdict (JSON) in HTML and Markdown"
    )
    group.add_argument(
        "--sarif-prefix",
        default="",
        metavar="DIR",
        help="the project's folder inside the repository, put before paths in SARIF",
    )


def targets_of(options: argparse.Namespace) -> Targets:
    """Return what `add_targets` declared and the command line gave."""
    given = cast("dict[str, Path | None]", vars(options))
    files = {name: path for name in FORMATS if (path := given[name]) is not None}
    return Targets(files, given["earlier"], cast("str", options.sarif_prefix))


def write(verdicts: VerdictFile, targets: Targets) -> None:
    """Write the reports that are wanted, each whole or not at all.

    Raises:
        CouldNotRunError: a file cannot be written, or the earlier verdict cannot be read.
    """
    earlier = load(targets.earlier) if targets.earlier is not None and targets.files else None
    for name, path in targets.files.items():
        body = _rendered(name, verdicts, earlier, targets.prefix)
        if path == STDOUT:
            sys.stdout.write(body)
        else:
            write_file(body.encode(), path)


def _rendered(name: str, verdicts: VerdictFile, earlier: VerdictFile | None, prefix: str) -> str:
    """Render one report; its writer is imported when it is used, so that a plain preview loads none."""
    if name == "html":
        from tapgate.reports.page import to_html  # noqa: PLC0415

        return to_html(verdicts, earlier=earlier)
    if name == "sarif":
        from tapgate.reports.sarif import to_sarif  # noqa: PLC0415

        return to_sarif(verdicts, prefix=prefix)
    if name == "junit":
        from tapgate.reports.junit import to_junit  # noqa: PLC0415

        return to_junit(verdicts)
    if name == "markdown":
        from tapgate.reports.markdown import to_markdown  # noqa: PLC0415

        return to_markdown(verdicts, earlier=earlier)
    from tapgate.reports.verdict_file import to_json  # noqa: PLC0415

    return to_json(verdicts)


def load(path: Path) -> VerdictFile:
    """Read a verdict file.

    Raises:
        CouldNotRunError: there is none, or it cannot be read as one.
    """
    from tapgate.reports.verdict_file import ShapeError, from_json  # noqa: PLC0415

    try:
        return from_json(path.read_bytes())
    except OSError as error:
        problem, where = error.strerror or str(error), str(path)
    except ShapeError as error:
        problem, where = error.problem, f"{path}, {error.where}" if error.where else str(path)
    raise CouldNotRunError(
        "The verdict file cannot be read.",
        where=where,
        why=f"{problem}; a report rendered from a doubtful verdict would be worse than none.",
        fix="give a file that `python -m tapgate … --verdict FILE` wrote, unchanged.",
    )

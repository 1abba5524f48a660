"""Renders the HTML report: one self-contained document, without scripts and without anything from elsewhere.

What the templates show is made in `view`. They escape by themselves (autoescape), and every text is made
visible first (`sanitized`), so that no name can pass for markup or hide from a reader.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import jinja2
from markupsafe import Markup, escape

from tapgate.assemble import count, coverage_text
from tapgate.json_access import sanitized, web_address
from tapgate.reports import entry
from tapgate.reports.controls import framework_title
from tapgate.reports.page import view

if TYPE_CHECKING:
    from tapgate.reports.verdict_file import VerdictFile

_COLOURS: Final[Mapping[str, str]] = {
    "failed": "bad",
    "violation": "bad",
    "blocked": "bad",
    "undecided": "ask",
    "advisory": "warn",
    "could-not-run": "warn",
    "waived": "hold",
    "met": "good",
    "passed": "good",
    "off": "none",
    "not applicable": "none",
}


def colour(of: str) -> str:
    """Return the class that gives an outcome, a category or a status its colours."""
    return f"is-{_COLOURS.get(of, 'none')}"


def rectangles(parts: Iterable[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Return the colour, start and width of each part of a bar that is a hundred wide."""
    sized = [(of, size) for of, size in parts if size > 0]
    total = sum(size for _, size in sized)
    drawn: list[tuple[str, str, str]] = []
    start = 0.0
    for of, size in sized:
        width = size * 100 / total
        drawn.append((colour(of), f"{start:.3f}", f"{width:.3f}"))
        start += width
    return drawn


_CALLED: Final[tuple[Callable[..., object], ...]] = (
    *(colour, count, rectangles, coverage_text, framework_title),
    *(entry.time_text, entry.category_of, entry.counts, entry.headline, entry.instant),
    *(entry.named, entry.outcome_word, entry.resource, entry.source_of, entry.subject),
    *(view.anchor_of, view.changes, view.flags, view.share_text),
)
"""What the templates call."""
_FOLDER: Final = Path(__file__).parent
_QUOTED: Final = re.compile(r"(?<!`)`(?!\s)([^`\n]+)(?<!\s)`(?!`)")


def to_html(verdicts: VerdictFile, *, earlier: VerdictFile | None = None) -> str:
    """Write a verdict file as one HTML page.

    It holds its own style, and its content security policy allows nothing else: no script, no image, no
    font, no form, no address but links that a reader follows.
    """
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = view.page_of(verdicts, earlier)
    # The style's text is the page's own; escaped it would be another one than its digest names.
    own = Markup(style)  # noqa: S704
    template = _environment().get_template("page.html.j2")
    return template.render(page=page, verdicts=verdicts, style=own, digest=digest)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        auto_reload=False,
        finalize=visible,
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(prose=prose, address=web_address, number=_number)
    known = cast("dict[str, object]", environment.globals)
    for one in _CALLED:
        known[one.__name__] = one
    return environment


def _number(value: int) -> str:
    return f"{value:,}"


def visible(value: object) -> object:
    """Return what a template writes with every invisible and direction-changing character made visible."""
    return value if isinstance(value, Markup) else sanitized(str(value))


def prose(text: str) -> Markup:
    """Return a pack's words as HTML; what stands between two backquotes is an identifier or a value."""
    pieces = [escape(sanitized(piece)) for piece in _QUOTED.split(text)]
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(piece) if index % 2 else piece for index, piece in enumerate(pieces))

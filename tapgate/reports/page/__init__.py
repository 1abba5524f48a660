"""Renders the HTML report: one self-contained document, without scripts and without anything from elsewhere.

The view model (`view`) decides what the templates show. They escape by themselves (autoescape), and every
text is made visible first (`sanitized`), so that no name can pass for markup or hide from a reader.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import jinja2
from markupsafe import Markup, escape

from tapgate.json_access import sanitized, web_address
from tapgate.reports.entry import count
from tapgate.reports.page.view import Page, page_of

if TYPE_CHECKING:
    from tapgate.reports.verdict_file import VerdictFile

# Strokes on a 24 x 24 grid.
_PATHS: Final[Mapping[str, str]] = {
    "failed": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9 9l6 6M15 9l-6 6",
    "met": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12.5l2.8 2.8L16.2 9.5",
    "undecided": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9.6 9.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8"
    "M12 16.8v.1",
    "advisory": "M12 4L21 19.5H3ZM12 10v4.2M12 16.7v.1",
    "waived": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7.5V12l3 2",
    "off": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M6 6l12 12",
    "not applicable": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12h8",
    "shield": "M12 2.8l7.5 2.7v5.7c0 4.6-3 8.2-7.5 10c-4.5-1.8-7.5-5.4-7.5-10V5.5ZM8.4 11.8l2.6 2.6l4.8-4.9",
}
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
_ALIASES: Final[Mapping[str, str]] = {
    "violation": "failed",
    "blocked": "failed",
    "passed": "met",
    "could-not-run": "advisory",
}


def colour(of: str) -> str:
    """Return the class that gives an outcome, a category or a status its colours."""
    return f"is-{_COLOURS.get(of, 'none')}"


def icon(of: str) -> str:
    """Return the icon of an outcome, a category or a status; whoever uses it says the word beside it."""
    return _PATHS[_ALIASES.get(of, of)]


def rectangles(parts: Iterable[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Return the colour, start and width of each part of a bar that is a hundred wide."""
    sized = [(of, size) for of, size in parts if size > 0]
    total = sum(size for _, size in sized)
    found: list[tuple[str, str, str]] = []
    start = 0.0
    for of, size in sized:
        width = size * 100 / total
        found.append((colour(of), f"{start:.3f}", f"{width:.3f}"))
        start += width
    return found


_FOLDER: Final = Path(__file__).parent
_QUOTED: Final = re.compile(r"(?<!`)`(?!\s)([^`\n]+)(?<!\s)`(?!`)")


def to_html(verdicts: VerdictFile, *, earlier: VerdictFile | None = None) -> str:
    """Write a verdict file as one HTML page.

    It holds its own style, and its content security policy allows nothing else: no script, no image, no
    font, no form, no address but links that a reader follows.
    """
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page: Page = page_of(verdicts, earlier)
    # The style's text is the page's own; escaped it would be another one than its digest names.
    own = Markup(style)  # noqa: S704
    return _environment().get_template("page.html.j2").render(page=page, style=own, digest=digest)


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
    known.update(colour=colour, icon=icon, count=count, rectangles=rectangles)
    return environment


def _number(value: int) -> str:
    return f"{value:,}"


def visible(value: object) -> object:
    """Return what a template writes with every invisible and direction-changing character made visible."""
    return value if isinstance(value, Markup) else sanitized(str(value))


def prose(words: str) -> Markup:
    """Return a pack's words as HTML; what stands between two backquotes is an identifier or a value."""
    pieces = [escape(sanitized(piece)) for piece in _QUOTED.split(words)]
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(piece) if index % 2 else piece for index, piece in enumerate(pieces))

"""Renders the page: one self-contained HTML document, without scripts and without anything from elsewhere.

The templates escape by themselves (autoescape), and every text is made visible first (`sanitized`), so that
no name can pass for markup or hide from a reader.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import jinja2
from markupsafe import Markup, escape

from tapgate.json_access import sanitized
from tapgate.reports.links import web_address
from tapgate.reports.page import icons
from tapgate.reports.page.view import Page, page_of
from tapgate.reports.wording import count

if TYPE_CHECKING:
    from tapgate.reports.verdict_file import VerdictFile

_FOLDER: Final = Path(__file__).parent
_QUOTED: Final = re.compile(r"(?<!`)`(?!\s)([^`\n]+)(?<!\s)`(?!`)")


def to_html(verdicts: VerdictFile, *, earlier: VerdictFile | None = None) -> str:
    """Write a verdict file as one HTML page.

    It holds its own style, and its content security policy allows nothing else: no script, no image, no
    font, no form, no address but links that a reader follows.

    Args:
        verdicts: the verdicts.
        earlier: some to compare them with.
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
    known.update(colour=icons.colour, icon=icons.path, count=count, rectangles=icons.rectangles)
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

"""HTML that is safe by construction: text becomes markup in one place, and there it is escaped."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from tapgate.json_access import plain
from tapgate.reports.links import web_address

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID: Final = frozenset({"br", "meta"})
# Inside a drawing an element without content is closed like this; `<rect>` alone would hold what follows.
_CLOSED: Final = frozenset({"path", "rect"})
_QUOTED: Final = re.compile(r"(?<!`)`(?!\s)([^`\n]+)(?<!\s)`(?!`)")


class Markup(str):
    """HTML that needs no more escaping. Joined with plain text it is a plain string again, and is escaped."""

    __slots__ = ()


def text(words: str) -> Markup:
    """Return words as HTML, with every invisible and direction-changing character made visible."""
    return words if isinstance(words, Markup) else Markup(escape(plain(words), quote=True))


def prose(words: str) -> Markup:
    """Return a pack's words as HTML; what stands between two backquotes is an identifier or a value."""
    pieces = _QUOTED.split(words)
    return join(code(piece) if index % 2 else text(piece) for index, piece in enumerate(pieces))


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Put parts one after the other; those that are not markup are escaped."""
    return Markup(text(between).join(text(part) for part in parts))


def element(tag: str, /, *children: str, **attributes: str | int) -> Markup:
    """Make an element.

    Args:
        tag: its tag.
        children: what is inside; strings that are not markup are escaped.
        attributes: by name, `class_` for `class`, `aria_label` for `aria-label`; empty ones are left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    if tag in _CLOSED:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{join(children)}</{tag}>")


def when(condition: object, markup: Markup) -> Markup:
    """Return the markup if the condition holds, else nothing."""
    return markup if condition else Markup()


def link(label: str, url: str) -> Markup:
    """Return a link, or only its label when the address is not that of a web page."""
    address = web_address(url)
    return element("a", label, href=address, rel="noreferrer") if address else text(label)


def code(words: str, class_: str = "") -> Markup:
    """Return an identifier or a value."""
    return element("code", words, class_=class_)


def described(pairs: Iterable[tuple[str, str]], class_: str = "") -> Markup:
    """Return a list of terms with their values, those without a value left out."""
    rows = [element("div", element("dt", term), element("dd", value)) for term, value in pairs if value]
    return element("dl", *rows, class_=class_) if rows else Markup()


def table(caption: str, headings: Iterable[str], rows: Iterable[Iterable[str]], class_: str = "") -> Markup:
    """Return a table with a caption, one heading a column, and the first cell of each row as its heading.

    It scrolls inside a region of its own that the keyboard reaches. A heading that begins with `#` marks a
    column of numbers.
    """
    names = list(headings)
    numeric = [name.startswith("#") for name in names]
    head = [
        element("th", name.removeprefix("#"), scope="col", class_="number" if number else "")
        for name, number in zip(names, numeric, strict=True)
    ]
    body = [element("tr", *_cells(list(row), numeric)) for row in rows]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_=class_,
    )
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def _cells(row: list[str], numeric: list[bool]) -> Iterable[Markup]:
    for index, (value, number) in enumerate(zip(row, numeric, strict=True)):
        if index == 0:
            yield element("th", value, scope="row")
        else:
            yield element("td", value, class_="number" if number else "")

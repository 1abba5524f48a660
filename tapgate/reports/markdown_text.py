"""Foreign text inside GitHub-flavoured Markdown: shown as it is, meaning nothing.

Structure is broken with numeric entities, which CommonMark never takes for syntax and which say the same
inside HTML, table cells and `<summary>`. What the forge itself makes of words after rendering (mentions,
issue numbers, emoji, bare addresses) is broken with a zero-width space.
"""

from __future__ import annotations

import re
from typing import Final

from tapgate.plain import plain
from tapgate.reports.links import web_address

# The one way that GitHub documents to keep two of them from being a formula.
DOLLAR: Final = "<span>$</span>"
_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in "&<>`*_~[]|\\#"}
_ENTITIES[ord("$")] = DOLLAR
_BREAK: Final = "&#8203;"
# What follows is looked for after the entities are in: `#` is `&#35;` by then.
_LIVE: Final = re.compile(
    r"(?:@|&\#35;(?=[0-9])|\b(?i:GH-)(?=[0-9])|:(?=//)|\b(?i:www)(?=\.)|:(?=[A-Za-z0-9+-]+:)|(?<=mailto:)|(?<=xmpp:))"
)
_BACKTICKS: Final = re.compile(r"`+")


def prose(text: str) -> str:
    """Return words for running text, a table cell or a summary."""
    return _LIVE.sub(lambda match: match[0] + _BREAK, plain(text).translate(_ENTITIES))


def code(text: str) -> str:
    """Return an identifier or a value as a code span, which forges leave alone; empty stays empty."""
    shown = plain(text)
    if not shown.strip():
        return prose(shown)
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(shown)), default=0) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str) -> str:
    """Return an identifier as a code span inside a table, where no span may hold a bar."""
    return prose(text) if "|" in text or "\\" in plain(text) else code(text)


def html_code(text: str) -> str:
    """Return an identifier as a code element inside a block of HTML."""
    return f"<code>{prose(text)}</code>"


def link(label: str, url: str) -> str:
    """Return a link, or only its label when the address is not that of a web page."""
    address = web_address(url).replace("(", "%28").replace(")", "%29").replace("*", "%2A").replace("_", "%5F")
    return f"[{prose(label)}]({address})" if address else prose(label)

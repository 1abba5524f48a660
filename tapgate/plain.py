r"""Text from resource names, packs and providers, made safe for a terminal, a log and a report.

A name may hold escape sequences that repaint the screen (so that a violation is not seen), line breaks
that forge a line of the report, or bidirectional controls that make it read as another name. All of
these come out as visible escapes such as `\x1b` or `\u202e`.
"""

from __future__ import annotations

import re
import unicodedata

_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _visible(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def plain(text: str, *, keep: str = "") -> str:
    """Return the text with every control, format and unassigned character as a visible escape.

    Args:
        text: anything.
        keep: control characters that stay as they are (a line feed where lines are wanted).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _HIDDEN_CATEGORIES
        else _visible(character)
        for character in text
    )


def uncoloured(text: str) -> str:
    """Return the text without colour sequences (engines and providers colour their diagnostics)."""
    return _SGR.sub("", text)


def plain_lines(text: str) -> list[str]:
    """Return the non-empty lines of a diagnostic, uncoloured and safe."""
    return [plain(line.rstrip(), keep="\t") for line in re.split(r"\r?\n", uncoloured(text)) if line.strip()]

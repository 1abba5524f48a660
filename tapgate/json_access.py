r"""Texts, JSON, YAML and addresses that somebody else wrote: read by their shape, and shown safely.

A name may hold escape sequences that repaint the terminal (so that a violation is not seen), line breaks
that forge a line of the report, or bidirectional controls that make it read as another name. All of
these come out as visible escapes such as `\x1b` or `\u202e`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import quote

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The field by which the engine's documents mark an object that is no plain one, such as a secret."""


def mapping(value: object) -> Mapping[str, object]:
    """Return the value when it is a mapping, else an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[object]:
    """Return the value when it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """Return the value when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def integer(value: object) -> int:
    """Return the value when it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def rebuilt(value: object, change: Callable[[object], object]) -> object:
    """Return a list or an object with each value in it changed; anything else as it is."""
    if isinstance(value, list):
        return [change(item) for item in sequence(cast("object", value))]
    if isinstance(value, dict):
        return {key: change(item) for key, item in mapping(cast("object", value)).items()}
    return value


_MOST_VALUES: Final = 1_000_000
_TEXT: Final = "tag:yaml.org,2002:str"
_DEEPEST: Final = 100


def unbounded(document: str) -> str:
    """Say why a YAML document is more than it looks, or nothing."""
    import yaml  # noqa: PLC0415 - the process that evaluates a state does without

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    sizes: dict[str, int] = {}
    # For each open object or list, its anchor and how many values it stands for.
    above: list[tuple[str, int]] = [("", 0)]
    for event in yaml.parse(document, Loader=loader):
        tag = event.tag if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) else None
        if tag not in {None, _TEXT}:
            return f"it has the tag {tag}, which not everyone reads alike."
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 0)
            if any(anchor == event.anchor for anchor, _ in above[1:]):
                return f"`&{event.anchor}` contains itself."
        elif isinstance(event, yaml.CollectionStartEvent):
            above.append((event.anchor or "", 1))
            if len(above) > _DEEPEST:
                return f"it is nested deeper than {_DEEPEST} levels."
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = above.pop()
            sizes[anchor] = size
        elif isinstance(event, yaml.ScalarEvent):
            sizes[event.anchor or ""] = size = 1
        else:
            continue
        above[-1] = (above[-1][0], above[-1][1] + size)
        if above[-1][1] > _MOST_VALUES:
            return f"its aliases stand for more than {_MOST_VALUES:,} values."
    return ""


_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _visible(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def sanitized(text: str, *, keep: str = "") -> str:
    """Return the text with every control, format and unassigned character as a visible escape."""
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


def sanitized_lines(text: str) -> list[str]:
    """Return the non-empty lines of a diagnostic, uncoloured and safe."""
    return [
        sanitized(line.rstrip(), keep="\t") for line in re.split(r"\r?\n", uncoloured(text)) if line.strip()
    ]


_WEB: Final = re.compile(
    r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!-~]*)?"
)
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


def web_address(url: str) -> str:
    """Return an http or https address that is safe inside HTML, Markdown and SARIF, or nothing.

    No other scheme, no user name, no white space; quotes, brackets and the like come out percent-encoded.
    """
    return quote(url, safe="/:?#@!$&*+,;=%~-._") if _WEB.fullmatch(url) else ""


def file_reference(path: str) -> str:
    """Return a path as a URI reference: relative stays relative, absolute becomes a `file:` URI."""
    slashed = path.replace("\\", "/")
    encoded = quote(slashed, safe="/", errors="surrogatepass")
    if _DRIVE.match(path):
        return f"file:///{slashed[0]}:{quote(slashed[2:], safe='/', errors='surrogatepass')}"
    if encoded.startswith("/"):
        return f"file:///{encoded.lstrip('/')}"
    return encoded

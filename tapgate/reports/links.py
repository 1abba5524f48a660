"""Addresses out of foreign metadata, let through only when nothing but a web page can be behind them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

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

"""Correlation ids: what joins a client's request to what both functions log about it."""

from __future__ import annotations

import re

CORRELATION_PATTERN = "^[A-Za-z0-9._:=-]{1,128}$"


def correlation_id_or(sent: object, otherwise: str) -> str:
    """Return what was sent when it is a usable correlation id, else something else.

    Whoever may call or send a message chooses it, and it is logged: nothing but the pattern gets through.
    """
    return sent if isinstance(sent, str) and re.fullmatch(CORRELATION_PATTERN, sent) else otherwise

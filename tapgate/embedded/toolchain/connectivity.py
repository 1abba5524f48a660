"""Whether a download can be reached, found out in a few seconds at most."""

from __future__ import annotations

import queue
import threading
import urllib.error
import urllib.request

REACH_SECONDS = 4.0


def obstacle(url: str, *, seconds: float = REACH_SECONDS, grace_seconds: float = 1.0) -> str:
    """What keeps the address from being read; empty when nothing does.

    The attempt runs beside, because looking up a host's name has no time limit of its own.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_attempt(url, seconds)), daemon=True).start()
    try:
        return answers.get(timeout=seconds + grace_seconds)
    except queue.Empty:
        return "no answer"


def _attempt(url: str, seconds: float) -> str:
    if not url.startswith(("https://", "http://127.0.0.1:")):
        return "its address is not https"
    try:
        with urllib.request.urlopen(url, timeout=seconds):  # noqa: S310 - the scheme is checked above
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__

"""Write changes of the environment as a POSIX shell reads them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapgate.embedded.environment import Changes

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def exports(changes: Changes) -> str:
    """Return one `export` or `unset` a line, to be evaluated with `eval "$(…)"`."""
    lines: list[str] = []
    for name, value in sorted(changes.items()):
        if not _NAME.fullmatch(name):
            continue
        lines.append(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    return "".join(f"{line}\n" for line in lines)

"""`tapgate env`: print the prepared environment as a POSIX shell reads it."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

from tapgate.embedded import prepare
from tapgate.embedded.paths import ROOT

if TYPE_CHECKING:
    import argparse

    from tapgate.embedded.environment import Changes

add_arguments = prepare.add_arguments

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def run(options: argparse.Namespace) -> int:
    """Print what to evaluate: `eval "$(tapgate env)"`."""
    changes = prepare.prepare(options.aws, ROOT, options.stack_init)
    sys.stdout.write(exports({**changes, **dict.fromkeys(options.left_out)}))
    return 0


def exports(changes: Changes) -> str:
    """Return one `export` or `unset` a line, to be evaluated with `eval "$(…)"`."""
    lines: list[str] = []
    for name, value in sorted(changes.items()):
        if not _NAME.fullmatch(name):
            continue
        lines.append(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    return "".join(f"{line}\n" for line in lines)

"""`python -m tapgate.embedded.emulator.serve`: the emulator's process.

Runs ministack, and ends with everything that it started as soon as its owner is gone, which shows by the
end of standard input.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

_STANDARD_INPUT = 0


def _end_with_owner() -> None:
    # Not through sys.stdin: its lock, held by this thread, would end a failing interpreter with a core dump.
    while os.read(_STANDARD_INPUT, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Run ministack until it is told to end or its owner is gone."""
    threading.Thread(target=_end_with_owner, daemon=True).start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()

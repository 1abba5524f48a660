"""Runs the processor on an event from standard input, and kills this process after the n-th AWS call."""

from __future__ import annotations

import json
import os
import signal
import sys

from processor.app import handler
from tests.lambdas.calls import context
from tests.lambdas.faults import hooked


def main(number: int) -> None:
    done = 0

    def kill(**_: object) -> None:
        nonlocal done
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with hooked("after-call", kill):
        handler(json.load(sys.stdin), context())


if __name__ == "__main__":
    main(int(sys.argv[1]))

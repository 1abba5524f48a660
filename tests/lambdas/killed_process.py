"""Runs the processor in processes of their own, each of which the kernel ends after the n-th AWS call.

A line of standard input is a process: the call, the event and the environment, as JSON. Its exit code is
written for it. All are forked from this one, which has imported what they need.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from processor.app import handler
from tests.lambdas.calls import context
from tests.lambdas.faults import hooked

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue


def main(number: int, event: JsonValue, environment: dict[str, str]) -> None:
    done = 0
    os.environ.update(environment)

    def kill(**_: object) -> None:
        nonlocal done
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with hooked("after-call", kill):
        handler(event, context())


if __name__ == "__main__":
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            main(**json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

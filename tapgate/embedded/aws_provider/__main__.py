"""`python -m tapgate.embedded.aws_provider ENGINE`: the provider's process, as Pulumi's engine starts it.

Prints the port that it listens on (loopback only) on standard output and serves until the engine ends it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from tapgate.embedded.aws_provider.wire import load_without_sdk

REHEARSE = "--rehearse"
_PARENT_SECONDS = 1.0


def main(arguments: list[str]) -> int:
    """Serve the provider.

    Args:
        arguments: The engine's address, first of those that are no options; none when an engine attaches
            later. With `--rehearse` it creates nothing: it says what would be.
    """
    load_without_sdk()
    from tapgate.embedded.aws_provider.server import start  # noqa: PLC0415 - after the SDK has been put aside

    addresses = [argument for argument in arguments if not argument.startswith("-")]
    server, port = start(addresses[0] if addresses else "", rehearsing=REHEARSE in arguments)
    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    engine = os.getppid()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # An engine that is killed tells nobody; then this process is handed to another parent.
    while not stop.wait(_PARENT_SECONDS) and os.getppid() == engine:
        pass
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

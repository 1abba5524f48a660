"""`python -m tapgate.embedded.aws_provider ENGINE`: the provider's process, as Pulumi's engine starts it.

Prints the port that it listens on (loopback only) on standard output and serves until the engine ends it.

`import pulumi` takes longer than everything else that the provider does before its first answer. The
generated protocol modules do not need it, so the process puts bare packages in place of the SDK's before it
imports them. Where the SDK is loaded already, as in tests, that one is used.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import signal
import sys
import threading
import types
from pathlib import Path

_PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


def load_without_sdk() -> None:
    """Make `pulumi.runtime.proto` importable without running the SDK's own packages.

    Only for a process that is the provider and nothing else: `pulumi` is not usable in it afterwards.
    """
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        return
    root = Path(spec.origin).parent.parent
    for name in _PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = package


REHEARSE, ECHO, UNSEEN = "--rehearse", "--echo", "--unseen"
PACKAGE, PROGRAM, SDK = "--package=", "--program=", "--sdk="
_PARENT_SECONDS = 0.1


def main(arguments: list[str]) -> int:
    """Serve the provider.

    Args:
        arguments: The engine's address, first of those that are no options; none when an engine attaches
            later. With `--rehearse` it creates nothing: it says what would be. With `--echo` it stands in for
            any other provider: that of `--package=NAME`, whose Python SDK is in `--sdk=FOLDER`; the YAML
            program is `--program=FILE`, and with `--unseen` no one knows what the package's resources are.
            Without `--echo`, `--sdk=FOLDER` is the pulumi_aws by which programs are typed and checked.
    """
    # Before anything that takes time: an engine that ends later is noticed.
    parent = os.getppid()
    load_without_sdk()
    from tapgate.embedded.aws_provider.deploy.fence import Fence  # noqa: PLC0415 - after the SDK has been put aside
    from tapgate.embedded.aws_provider.server import start  # noqa: PLC0415 - as above
    from tapgate.embedded.aws_provider.service import Provider  # noqa: PLC0415 - as above

    address = next((argument for argument in arguments if not argument.startswith("-")), "")
    program, sdk, rehearsing = _path(arguments, PROGRAM), _path(arguments, SDK), REHEARSE in arguments
    fence = Fence(address, parent if address else 0)
    if ECHO in arguments:
        from tapgate.embedded.aws_provider.catalog import Catalog  # noqa: PLC0415 - few need it
        from tapgate.embedded.aws_provider.echo import Other  # noqa: PLC0415 - few need it

        catalog = Catalog(_value(arguments, PACKAGE), program, sdk, UNSEEN in arguments)
        provider = Other(address, fence, catalog=catalog, rehearsing=rehearsing)
    else:
        if sdk is not None:
            from tapgate.embedded.aws_provider import sdk_source  # noqa: PLC0415 - after the SDK has been put aside

            sdk_source.use(sdk)
        provider = Provider(address, fence, rehearsing=rehearsing, program=program)
    server, port = start(provider)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    # Fails, and ends this process, when the engine has ended before.
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not stop.wait(_PARENT_SECONDS):
        if fence.engine_is_gone():
            # At once: a call that is under way would go on making what no state will know.
            os._exit(1)
        if not address and os.getppid() != parent:
            break
    fence.close()
    server.stop(grace=1).wait()
    fence.leave()
    return 0


def _value(arguments: list[str], option: str) -> str:
    return next((one.removeprefix(option) for one in arguments if one.startswith(option)), "")


def _path(arguments: list[str], option: str) -> Path | None:
    value = _value(arguments, option)
    return Path(value) if value else None


if __name__ == "__main__":
    # What it imports and answers makes no cycles worth looking for each few hundred objects, nor at the end.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    sys.exit(main(sys.argv[1:]))

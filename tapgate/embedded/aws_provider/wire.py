"""The gRPC messages and stubs of Pulumi's plugin protocol, loaded without the rest of the Pulumi SDK.

`import pulumi` takes longer than everything else that the provider does before its first answer. The
generated protocol modules do not need it, so the provider's process puts bare packages in place of the SDK's
before it imports them. Where the SDK is loaded already, as in tests, that one is used.
"""

from __future__ import annotations

import importlib.util
import sys
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

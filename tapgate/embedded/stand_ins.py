"""Executables that stand in for what the embedded default does not have: the AWS provider."""

from __future__ import annotations

import hashlib
import shlex
import sys
from importlib import metadata
from pathlib import Path

from tapgate.embedded.places import ROOT, checkout_folder, write_atomically

PROVIDER = "pulumi-resource-aws"
FOLDER_PREFIX = "stand-ins-"

_SHIM = """\
#!/bin/sh
# Started by the Pulumi engine in place of the AWS provider's plugin; serves the types of pulumi_aws {types}.
PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}
export PYTHONPATH
exec {python} -P -m tapgate.embedded.aws_provider "$@"
"""


def stand_in_folder(root: Path = ROOT, python: str = sys.executable) -> Path:
    """The folder to put first on PATH; written when it is not there yet.

    Its name carries a hash of what is in it: two interpreters that work in one checkout at once do not write
    into each other's folder, and the engine reads a schema anew when it comes from another pulumi_aws.
    """
    shim = _SHIM.format(root=shlex.quote(str(root)), python=shlex.quote(python), types=_types())
    digest = hashlib.sha256(shim.encode()).hexdigest()[:12]
    path = checkout_folder(root) / f"{FOLDER_PREFIX}{digest}" / PROVIDER
    if not path.exists():
        write_atomically(path, shim, mode=0o755)
    return path.parent


def _types() -> str:
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def is_stand_in_folder(entry: str) -> bool:
    """Say whether an entry of PATH is such a folder, of any checkout."""
    path = Path(entry)
    return path.name.startswith(FOLDER_PREFIX) and path.parent.parent.name == "checkouts"

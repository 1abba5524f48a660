"""Executables that go first on PATH in the embedded default: the AWS provider, and the way to the CLI."""

from __future__ import annotations

import hashlib
import shlex
import sys
from importlib import metadata
from pathlib import Path

from tapgate.embedded.places import ROOT, checkout_folder, write_atomically
from tapgate.embedded.stack_files import OPERATIONS

PROVIDER = "pulumi-resource-aws"
CLI = "pulumi"
FOLDER_PREFIX = "stand-ins-"

_SHIM = """\
#!/bin/sh
# Started by the Pulumi engine in place of the AWS provider's plugin; serves the types of pulumi_aws {types}.
PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}
export PYTHONPATH
exec {python} -P -m tapgate.embedded.aws_provider{mode} "$@"
"""

# A copy is given by option where none is given already; `-ef` takes symbolic links into account.
_CLI_SHIM = """\
#!/bin/sh
# Starts the Pulumi CLI: in the checkout, on a copy of the stack's file, which the engine may write to.
case " $1 $* " in
    *" --config-file"*) ;;
    {operations})
        if [ . -ef {root} ]; then
            exec {python} -P -c {code} {home} {program} {root} "$@"
        fi ;;
esac
exec {program} "$@"
"""
_CODE = """\
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from tapgate.embedded.stack_files import main; main(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
"""


def stand_in_folder(
    root: Path = ROOT, python: str = sys.executable, cli: Path | None = None, *, rehearse: bool = False
) -> Path:
    """The folder to put first on PATH; written when it is not there yet.

    Its name carries a hash of what is in it: two interpreters that work in one checkout at once do not write
    into each other's folder, and the engine reads a schema anew when it comes from another pulumi_aws.

    Args:
        root: The checkout.
        python: The interpreter that runs the stand-ins.
        cli: The Pulumi CLI to start; None for none.
        rehearse: The stand-ins create nothing in an `up` and say what would be.
    """
    folder, interpreter = shlex.quote(str(root)), shlex.quote(python)
    mode = " --rehearse" if rehearse else ""
    shims = {PROVIDER: _SHIM.format(root=folder, python=interpreter, types=_types(), mode=mode)}
    if cli is not None:
        shims[CLI] = _CLI_SHIM.format(
            operations=" | ".join(f'" {name} "*' for name in OPERATIONS),
            home=shlex.quote(str(ROOT)),
            root=folder,
            python=interpreter,
            code=shlex.quote(_CODE),
            program=shlex.quote(str(cli)),
        )
    digest = hashlib.sha256("".join(shims.values()).encode()).hexdigest()[:12]
    path = checkout_folder(root) / f"{FOLDER_PREFIX}{digest}"
    for name, shim in shims.items():
        if not (path / name).exists():
            write_atomically(path / name, shim, mode=0o755)
    return path


def _types() -> str:
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def is_stand_in_folder(entry: str) -> bool:
    """Say whether an entry of PATH is such a folder, of any checkout."""
    path = Path(entry)
    return path.name.startswith(FOLDER_PREFIX) and path.parent.parent.name == "checkouts"

"""What a command's environment has to be: on the embedded default, or with the user's own AWS account."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from tapgate.embedded.console import Failure, say
from tapgate.embedded.paths import (
    ROOT,
    cache_root,
    checkout_folder,
    make_folder,
    read_object,
    remove_tree,
    write_atomically,
)

if TYPE_CHECKING:
    from tapgate.embedded.toolchain.search import Cli

PROVIDER = "pulumi-resource-aws"
CLI = "pulumi"
OLDEST_MAJOR = 3
"""The oldest major version of pulumi_aws whose source has today's form."""
ACCOUNT = "123456789012"
"""The account that the stand-in says it is in: AWS's own example number."""
DEFAULT_REGION = "eu-west-2"
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
FOLDER_PREFIX = "stand-ins-"
# Commands of the CLI that work on a stack by its config.
OPERATIONS = ("preview", "pre", "up", "update", "destroy", "refresh", "import", "watch")

_SHIM = """\
#!/bin/sh
# Started by Pulumi's engine in place of a provider's plugin; serves the types of pulumi_aws {types}.{remark}
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
from tapgate.embedded.stacks import main; main(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
"""


def stand_in_folder(
    root: Path = ROOT,
    python: str = sys.executable,
    cli: Path | None = None,
    *,
    rehearse: bool = False,
    acting: Iterable[str] = (),
    others: Mapping[str, str] | None = None,
) -> Path:
    """The folder to put first on PATH; written when it is not there yet.

    Its name carries a hash of what is in it: two interpreters that work in one checkout at once do not write
    into each other's folder, and the engine reads a schema anew when it comes from another pulumi_aws.

    Args:
        root: The checkout.
        python: The interpreter that runs the stand-ins.
        cli: The Pulumi CLI to start; None for none.
        rehearse: The stand-ins create nothing in an `up` and say what would be.
        acting: Other providers' executables to stand in for then.
        others: The executables that serve a program's other packages, by name.
    """
    folder, interpreter = shlex.quote(str(root)), shlex.quote(python)
    mode = ["--rehearse"] if rehearse else []
    shims = {PROVIDER: shim(mode, root=root, python=python)}
    for name in acting if rehearse else ():
        package = f"--package={name.removeprefix(PREFIX)}"
        shims[name] = shim([*mode, "--echo", package], root=root, python=python)
    shims.update(others or {})
    if cli is not None:
        shims[CLI] = _CLI_SHIM.format(
            operations=" | ".join(f'" {name} "*' for name in OPERATIONS),
            home=shlex.quote(str(ROOT)),
            root=folder,
            python=interpreter,
            code=shlex.quote(_CODE),
            program=shlex.quote(str(cli)),
        )
    return shim_folder(shims, root)


def shim_folder(shims: Mapping[str, str], root: Path = ROOT) -> Path:
    """Return the folder with these executables; written when it is not there yet."""
    digest = hashlib.sha256("".join(shims.values()).encode()).hexdigest()[:12]
    path = checkout_folder(root) / f"{FOLDER_PREFIX}{digest}"
    for name, text in shims.items():
        if not _is(path / name, text):
            write_atomically(path / name, text, mode=0o755)
    # It comes first on PATH: what somebody else put there would be started in place of the real one.
    for other in path.iterdir():
        if other.name not in shims and not other.name.startswith("."):
            say(f"removing {other}, which is none of the stand-ins")
            remove_tree(other) if other.is_dir() and not other.is_symlink() else other.unlink(missing_ok=True)
    return path


def _is(path: Path, text: str) -> bool:
    try:
        return not path.is_symlink() and path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def shim(command: Iterable[str], root: Path = ROOT, python: str = sys.executable, remark: str = "") -> str:
    """Return the text of an executable that starts a stand-in.

    Args:
        command: The stand-in's options.
        root: The checkout.
        python: The interpreter that runs it.
        remark: What else its answers hang on: the engine keeps the schema of an executable.
    """
    mode = "".join(f" {shlex.quote(word)}" for word in command)
    folder, interpreter = shlex.quote(str(root)), shlex.quote(python)
    about = f" {remark}" if remark else ""
    return _SHIM.format(root=folder, python=interpreter, types=types_version(), mode=mode, remark=about)


def types_version() -> str:
    """Return the version of pulumi_aws that is installed."""
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def region_of_environment() -> str:
    """Return the region that holds where nothing else says one."""
    return next(filter(None, map(os.environ.get, REGION_VARIABLES)), DEFAULT_REGION)


def sdk_version(folder: Path) -> str:
    """Return the version of the Python SDK in a folder: older ones say it beside it alone; empty for none."""
    try:
        document = cast("dict[str, str]", json.loads((folder / "pulumi-plugin.json").read_text("utf-8")))
    except FileNotFoundError:
        document = {}
    beside = [path.name for path in folder.parent.glob(f"{folder.name}-*.dist-info")]
    said = "".join(beside[:1]).removeprefix(f"{folder.name}-").removesuffix(".dist-info")
    return document.get("version") or _semantic(said)


def _semantic(version: str) -> str:
    """Return a version of Python's as the engine reads it: `2.0.0a4` is 2.0.0-alpha.4."""
    match = re.match(r"(\d+\.\d+\.\d+)(?:(a|b|rc)(\d+))?", version)
    if match is None:
        return version
    release, stage, number = match.groups()
    stages = {"a": "alpha", "b": "beta", "rc": "rc"}
    return f"{release}-{stages[stage]}.{number}" if stage else release


def is_stand_in_folder(entry: str) -> bool:
    """Say whether an entry of PATH is such a folder, of any checkout."""
    path = Path(entry)
    return path.name.startswith(FOLDER_PREFIX) and path.parent.parent.name == "checkouts"


PREFIX = "pulumi-resource-"
DO_NOTHING = ("archive", "aws-apigateway", "awsx", "eks", "random", "std", "time", "tls")
"""Packages whose providers only compute, or make components of other providers' resources."""
Aws = Literal["embedded", "real"]
MARK = "TAP_LOCAL_AWS"
"""Set in a prepared environment, to what it was prepared for."""
PROGRAM_ENVIRONMENT = "TAPGATE_PROGRAM_ENVIRONMENT"
"""Names the environment that the language host runs programs in (options.go of pulumi-language-python)."""
EXISTING = "TAPGATE_EXISTING"
"""Names the variable that has, as JSON, what a program tries to find and finds in this rehearsal."""
ANSWERS = "TAPGATE_ANSWERS"
"""Names the answers file to the processes of a run."""
STEERING = re.compile(
    r"PULUMI_|TAPGATE_|TAP_|LD_|DYLD_|PYTHON|NODE_|GO|JAVA_|JDK_|DOTNET_|GRPC_|VIRTUAL_ENV$|(?:PATH|HOME|TMPDIR)$"
)
"""Variables that an environment of Pulumi Cloud may not set here."""
EMULATOR_STATE = "TAP_EMULATOR_STATE"
"""Set by `python -m tapgate.embedded.emulator run`: the folder for the state of what is deployed to it."""
PASSPHRASE = "tap-guardrails-stand-in"  # noqa: S105 - protects nothing: it belongs to the embedded state alone
_HARMLESS_AWS = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_XRAY_DAEMON_ADDRESS"}
AWS_NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Keeps the AWS SDKs from the credentials that they look for by themselves."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CLOUD = ("PULUMI_ACCESS_TOKEN", "PULUMI_API", "PULUMI_DEFAULT_ORGANIZATION", "PULUMI_CONFIG_PASSPHRASE_FILE")
_AMBIENT = "PULUMI_IGNORE_AMBIENT_PLUGINS"
BACKEND = ("PULUMI_DIY_BACKEND_", "PULUMI_SELF_MANAGED_STATE_")
"""How the user's own backend keeps its states: where, and compressed."""

Changes = dict[str, str | None]
"""Variables to set; None for one to remove."""


def changes_for(aws: Aws, cli: Cli, base: Mapping[str, str], root: Path = ROOT) -> Changes:
    """Return what to change in `base` so that commands find the engine and the AWS that was asked for."""
    if aws == "real":
        require_login(base)
        return {
            **_python(base),
            "PATH": _path(base, [cli.folder]),
            # A checkout whose stack file names no secrets manager uses the state's own, and no passphrase.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            MARK: aws,
        }
    first = [stand_in_folder(root, cli=cli.folder / "pulumi"), cli.folder]
    return _embedded(base, first, make_folder(state_folder(root, base)), root)


def rehearsal_changes(
    base: Mapping[str, str],
    backend: Path,
    scratch: Path,
    root: Path = ROOT,
    others: Mapping[str, str] | None = None,
) -> Changes:
    """Return what to change in `base`, prepared for whatever AWS, so that a run there creates nothing.

    Args:
        base: The environment; its PATH has the CLI.
        backend: The folder that is the backend.
        scratch: The folder for temporary files.
        root: The checkout.
        others: The executables that serve the program's other packages, by name.
    """
    stand_ins = stand_in_folder(root, rehearse=True, acting=acting_providers(base), others=others)
    return {
        **_embedded(base, [stand_ins], backend, root),
        **dict.fromkeys((name for name in base if name.startswith("AWS_ENDPOINT_URL")), None),
        **seldom_collected(base),
        # No one needs the state of a rehearsal that did not come to its end.
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "TMPDIR": str(scratch),
    }


def seldom_collected(base: Mapping[str, str]) -> Changes:
    """Return what has an engine that lives for seconds collect its garbage seldom: a sixth of its work."""
    return {} if "GOGC" in base or "GOMEMLIMIT" in base else {"GOGC": "400", "GOMEMLIMIT": "1GiB"}


def acting_providers(base: Mapping[str, str]) -> list[str]:
    """Return the executables on PATH that a rehearsal must not run: providers that would do something.

    Those that only compute, or make components of other providers' resources, do nothing by themselves.
    """
    providers: set[str] = set()
    for entry in base.get("PATH", os.defpath).split(os.pathsep):
        if not is_stand_in_folder(entry) and Path(entry).is_dir():
            providers |= {path.name for path in Path(entry).glob(f"{PREFIX}*") if path.suffix == ""}
    return sorted(providers - {PROVIDER, *(f"{PREFIX}{name}" for name in DO_NOTHING)})


def _embedded(base: Mapping[str, str], first: list[Path], backend: Path, root: Path) -> Changes:
    return {
        **_python(base),
        **dict.fromkeys((name for name in base if not _may_stay(name, base[name])), None),
        **AWS_NOWHERE,
        "PATH": _path(base, first),
        "PULUMI_HOME": str(make_folder(checkout_folder(root) / "home")),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        MARK: "embedded",
    }


def offline(variables: Mapping[str, str]) -> bool:
    """Say whether a preview in this environment reaches nothing but files: neither AWS nor an emulator."""
    emulator = any(value for name, value in variables.items() if name.startswith("AWS_ENDPOINT_URL"))
    backend = variables.get("PULUMI_BACKEND_URL", "")
    return variables.get(MARK) == "embedded" and backend.startswith("file://") and not emulator


def state_folder(root: Path = ROOT, base: Mapping[str, str] = os.environ) -> Path:
    """Where the embedded backend keeps the checkout's stacks.

    What is deployed to an emulator that ends with a command is gone with it, so its state is kept apart.
    """
    emulators = base.get(EMULATOR_STATE)
    return Path(emulators) if emulators else checkout_folder(root) / "state"


def applied(changes: Changes, base: Mapping[str, str]) -> dict[str, str]:
    """The environment that results."""
    result = {name: value for name, value in base.items() if name not in changes}
    result.update({name: value for name, value in changes.items() if value is not None})
    return result


def require_login(base: Mapping[str, str]) -> None:
    """Refuse to go on without a backend: the engine would ask for one in the middle of a run."""
    if any(base.get(name) for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")):
        return
    credentials = Path(base.get("PULUMI_HOME") or Path.home() / ".pulumi") / "credentials.json"
    if not read_object(credentials, str).get("current"):
        raise Failure(
            "Pulumi is not logged in to any backend",
            where=str(credentials),
            why="with --aws real the stack's state belongs to you, so no stand-in backend is used",
            fix="run `pulumi login` (or `pulumi login s3://<bucket>`, `pulumi login --local`), or set "
            "PULUMI_BACKEND_URL; without an account use --aws embedded",
        )


def _python(base: Mapping[str, str]) -> Changes:
    """Make `python`, and what the engine starts, the interpreter that runs now."""
    changes: Changes = {"PULUMI_PYTHON_CMD": sys.executable}
    if sys.prefix != sys.base_prefix:
        changes |= {"VIRTUAL_ENV": sys.prefix, "PYTHONHOME": None}
    if base.get("PYTHONDONTWRITEBYTECODE"):
        # Components, packs and the provider start anew in every preview: compiling what they import each
        # time doubles the preview. The cache takes the compiled files, so that the checkout stays clean.
        changes |= {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPYCACHEPREFIX": str(cache_root() / "bytecode")}
    return changes


def _path(base: Mapping[str, str], first: list[Path]) -> str:
    """PATH with these folders first, then the interpreter's, then what was there without any stand-ins."""
    if sys.prefix != sys.base_prefix:
        first = [*first, Path(sys.prefix, "bin")]
    ahead = [str(folder) for folder in first]
    rest = [
        entry for entry in base.get("PATH", os.defpath).split(os.pathsep) if not is_stand_in_folder(entry)
    ]
    return os.pathsep.join([*ahead, *(entry for entry in rest if entry not in ahead)])


def _may_stay(name: str, value: str) -> bool:
    """Say whether a variable may stay on the embedded default, which may not reach a real account."""
    if name in _CLOUD or name == _AMBIENT or name.startswith(BACKEND):
        return False
    if name.startswith("AWS_ENDPOINT_URL"):
        return _on_this_machine(value)
    return not name.startswith("AWS_") or name in _HARMLESS_AWS or _stands_in(value)


def _stands_in(value: str) -> bool:
    """Say whether a value is none of the user's, but stands in for one that a program reads."""
    from tapgate.embedded.aws_provider.marks import MARK as STANDS_IN  # noqa: PLC0415 - seldom needed

    return STANDS_IN in value or value == ACCOUNT


def _on_this_machine(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False

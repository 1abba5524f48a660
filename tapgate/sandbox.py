"""Runs engine, program and plug-ins where they reach nothing: bubblewrap's namespaces, on Linux.

Inside there is a network with loopback only, a file system that is read-only but for a scratch folder, a copy
of the project and empty temporary ones, and processes, IPC and host name of its own, which end with the
engine. Of the user's home there is what runs are made of: the project, interpreters, packages and caches.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from tapgate.analyzer.deployment import MARK
from tapgate.findings import CouldNotRunError
from tapgate.json_access import sanitized_lines

Mode = Literal["auto", "require", "off"]
MODES: Final[tuple[Mode, ...]] = ("auto", "require", "off")
INSTALL_HINT: Final = (
    "install bubblewrap (Debian and Ubuntu: apt-get install bubblewrap), and allow it user namespaces: "
    "Ubuntu 24.04 by `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, a container by its options"
)
_TRIAL_SECONDS: Final = 10.0
_NAMESPACES: Final = (
    *("--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-uts"),
    *("--unshare-cgroup-try", "--die-with-parent", "--new-session"),
    # Root of the machine would be root inside.
    *("--cap-drop", "ALL"),
)
_OFFLINE: Final = "--unshare-net"
# Where a link from /etc leads that says who knows the names of hosts.
_RESOLVER: Final = "/run/systemd/resolve"
_SYSTEM: Final = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
# The machine's root may write to the kernel's settings there, even without any capability.
_KERNEL: Final = tuple(
    f"/proc/{name}" for name in ("acpi", "bus", "fs", "irq", "mtrr", "scsi", "sys", "sysrq-trigger")
)
# Other runs' files, sockets of services (Docker, agents, buses) and keys lie there.
_EMPTY: Final = ("/home", "/root", "/run", "/tmp", "/var/tmp")  # noqa: S108 - mounts, not files
_TEMPORARY: Final = "/tmp"  # noqa: S108 - the sandbox's own
_HOME: Final = "/tmp/.pulumi"  # noqa: S108 - the engine writes logs there
_ON_PATHS: Final = ("PATH", "PYTHONPATH", "NODE_PATH", "GOPATH")
_AT: Final = (
    *("VIRTUAL_ENV", "PYTHONPYCACHEPREFIX", "GOROOT", "GOMODCACHE", "JAVA_HOME", "DOTNET_ROOT"),
    *("NVM_DIR", "PYENV_ROOT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
)
NOT_KEPT: Final = "not-kept"
"""File of the scratch folder in which a stand-in notes what it could not keep in the cache."""
# Interpreters and packages that live in a home, and hold no key.
_TOOLS: Final = (
    *(".asdf", ".cargo/bin", ".dotnet", ".local/bin", ".local/lib", ".local/share/mise", ".local/share/uv"),
    *(".m2/repository", ".nuget/packages", ".nvm", ".pulumi/bin", ".pulumi/plugins", ".pyenv", ".rustup"),
    *("go/bin", "go/pkg/mod"),
)
# Folders of a project that are large, and that no program writes to while it runs.
_NOT_COPIED: Final = frozenset(
    {".git", ".nox", ".tox", ".venv", "__pycache__", "node_modules", "target", "venv", "vendor"}
)
_MOST_FILES, _MOST_BYTES = 500, 32 * 1024 * 1024
_SECRET: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|AUTH(?!OR)|COOKIE|_DSN$|^SSH_",
    re.IGNORECASE,
)
# What the engine opens the stand-in backend with, and how AWS's SDKs are kept from the user's credentials.
_NO_SECRETS: Final = (
    *("AWS_SHARED_CREDENTIALS_FILE", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"),
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER",
)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to run commands where they reach nothing.

    Attributes:
        readable: folders that may be read though they lie where others are hidden.
    """

    program: str
    version: str
    readable: tuple[Path, ...] = ()

    def inside(
        self,
        arguments: Sequence[str],
        folder: Path,
        scratch: Path,
        variables: Mapping[str, str],
        *,
        network: bool = False,
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command line that runs another one inside, and its environment.

        Args:
            arguments: the other one.
            folder: where it runs; everything in it can be read.
            scratch: the folder that it may write to; a copy of a small project is put there, in which what
                the program writes into its own folder ends up.
            variables: the environment that it would have outside.
            network: let it reach the network, as what installs packages has to.
        """
        hidden = _hidden(variables)
        command = [self.program, *_NAMESPACES, *([] if network else [_OFFLINE]), *_SYSTEM]
        for path in _KERNEL:
            command += ["--ro-bind-try", path, path]
        readable = [Path(arguments[0]).parent, *self._readable(variables), *_around(folder, hidden)]
        command += _mounts([*readable, Path(_RESOLVER)] if network else readable, hidden)
        plugins = str(Path(variables.get("PULUMI_HOME", _HOME), "plugins"))
        command += ["--dir", _HOME, "--ro-bind-try", plugins, f"{_HOME}/plugins"]
        # Not a folder, so the engine does without: no one reads its log of everything, a sixth of its work.
        command += ["--symlink", os.devnull, f"{_HOME}/logs"]
        if not network:
            command += own_copy(folder.resolve(), scratch / "project", readable)
        command += ["--bind", str(scratch), str(scratch), "--chdir", str(folder), "--"]
        left_out = secrets(variables)
        if network:
            left_out = tuple(name for name in left_out if not name.startswith(("UV_", "PIP_")))
        kept = {name: value for name, value in variables.items() if name not in left_out}
        return [*command, *arguments], {
            **kept,
            "TMPDIR": _TEMPORARY,
            "PULUMI_HOME": _HOME,
            "TAPGATE_NOTED": str(scratch / NOT_KEPT),
        }

    def _readable(self, variables: Mapping[str, str]) -> Iterator[Path]:
        yield from self.readable
        yield from (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1])
        for name in _ON_PATHS:
            yield from (Path(one) for one in variables.get(name, "").split(os.pathsep) if one.startswith("/"))
        yield from (Path(variables[name]) for name in _AT if variables.get(name, "").startswith("/"))
        if variables.get("HOME"):
            yield from (Path(variables["HOME"], name) for name in _TOOLS)
        if variables.get("PULUMI_HOME"):
            yield Path(variables["PULUMI_HOME"], "plugins")
        backend = urlsplit(variables.get("PULUMI_BACKEND_URL", ""))
        if backend.scheme == "file":
            yield Path(unquote(backend.path))


def secrets(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of an environment's variables that a sandbox leaves out: stand-ins are no secrets."""
    names = (name for name in variables if _SECRET.search(name) and name not in _NO_SECRETS)
    return tuple(sorted(name for name in names if MARK not in variables[name]))


def described(box: Sandbox | None, missing: str, *, preview: bool) -> str:
    """Say in a verdict what ran where."""
    if box is None:
        return f"none: {missing}"
    return f"{box.version}, " + (
        "preview and rehearsal" if preview else "rehearsal; the preview reaches AWS, a backend or an emulator"
    )


def notes(mode: Mode, box: Sandbox | None, missing: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what whoever reads a verdict must know of where the program ran."""
    if box is None and mode == "auto":
        yield (
            f"no sandbox: {missing}; the program could reach the network, other runs and the tool's own "
            "files (--sandbox require refuses to go on without one)"
        )
    if box is not None and (left_out := secrets(variables)):
        yield f"kept from the program in the sandbox, by their names: {', '.join(left_out)}"


def missed(lines: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what a program may have failed for: variables that it names and was not given."""
    for name in secrets(variables):
        if any(name in line for line in lines):
            yield f"{name} is kept from the program in the sandbox, by its name; --sandbox off passes it on"


def find(mode: Mode, readable: Iterable[Path] = ()) -> tuple[Sandbox | None, str]:
    """Return the sandbox, and why there is none.

    Args:
        mode: `auto` goes on without one, `require` does not, `off` asks for none.
        readable: folders that may be read though they lie where others are hidden.

    Raises:
        CouldNotRunError: one is required, and there is none.
    """
    if mode == "off":
        return None, "off by --sandbox"
    seen = look(readable)
    if isinstance(seen, Sandbox):
        return seen, ""
    if mode == "require":
        raise CouldNotRunError(
            "There is no sandbox.",
            where="--sandbox require",
            why=f"{seen}; without it the program reaches the network, other runs and the tool's own files.",
            fix=f"{INSTALL_HINT}; or use --sandbox auto where the program is trusted.",
        )
    return None, seen


def look(readable: Iterable[Path] = ()) -> Sandbox | str:
    """Return the sandbox if one works here, else why none does."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    try:
        version = _said([program, "--version"])
        _said([program, *_NAMESPACES, _OFFLINE, *_SYSTEM, "--", "/bin/sh", "-c", ":"])
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work here ({error})"
    return Sandbox(program, version, tuple(readable))


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TRIAL_SECONDS, check=False
    )
    if done.returncode != 0:
        raise OSError(" ".join(sanitized_lines(done.stderr)) or f"exit code {done.returncode}")
    return " ".join(sanitized_lines(done.stdout))


def _hidden(variables: Mapping[str, str]) -> list[Path]:
    """Return the folders that are empty inside, outer ones first."""
    named = [*_EMPTY, variables.get("HOME", "")]
    paths = {Path(one) for one in named if one.startswith("/") and Path(one) != Path("/")}
    return sorted(path for path in paths if path.is_dir() and not path.is_symlink())


def own_copy(folder: Path, copy: Path, readable: Iterable[Path] = ()) -> list[str]:
    """Return the options that put a writable copy in the place of a project; none for one that is large.

    Args:
        folder: the project.
        copy: where its copy is to be.
        readable: folders that stay what they are, though they lie in the project: a backend, packages.
    """
    own = {path.resolve() for path in readable} - {folder}
    kept: list[Path] = []
    files: list[Path] = []
    size = 0
    for root, folders, names in os.walk(folder):
        here = Path(root)
        left = [name for name in folders if name in _NOT_COPIED or here / name in own]
        kept += [here / name for name in left if not (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in left]
        files += [here / name for name in names]
        size += sum((here / name).lstat().st_size for name in names)
        if len(files) > _MOST_FILES or size > _MOST_BYTES or len(kept) > _MOST_FILES:
            return []
    if not copy.exists():
        try:
            shutil.copytree(folder, copy, symlinks=True, ignore=partial(_left_out, frozenset(kept)))
        except OSError:
            # What cannot be copied can be read where it is, if at all.
            return []
        for path in kept:
            (copy / path.relative_to(folder)).mkdir()
    arguments = ["--bind", str(copy), str(folder)]
    for path in kept:
        arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def _left_out(kept: Collection[Path], folder: str, names: Iterable[str]) -> set[str]:
    """Return the names in a folder that are not copied: folders that stay, and what is no file to be read."""
    paths = {name: Path(folder, name) for name in names}
    read = {name for name, path in paths.items() if path.is_symlink() or path.is_dir() or path.is_file()}
    return {name for name, path in paths.items() if name not in read or path in kept}


def _around(folder: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """Yield a project's folder with what lies beside it: sources that it may refer to."""
    for path in dict.fromkeys((folder, folder.resolve())):
        around = [root for root in hidden if root in path.parents]
        beside = around[-1] / path.relative_to(around[-1]).parts[0] if around else path
        yield path if beside.name.startswith(".") else beside


def _mounts(readable: Iterable[Path], hidden: Iterable[Path]) -> list[str]:
    """Return the options that empty what is hidden and have in it what may be read, outer ones first."""
    wanted = {one for path in readable for one in (path, path.resolve()) if path.exists()}
    there: dict[Path, bool] = {}
    arguments: list[str] = []
    for path in sorted({*wanted, *hidden}, key=lambda one: len(one.parts)):
        # Outside of all of them everything can be read.
        around = next((there[parent] for parent in path.parents if parent in there), True)
        if (path in wanted) != around:
            there[path] = path in wanted
            arguments += ["--ro-bind", str(path), str(path)] if there[path] else ["--tmpfs", str(path)]
    return arguments

"""uv, which makes the environments of programs: how it is run, and what it says when it fails."""

from __future__ import annotations

import configparser
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import CLI, shim_folder

_LAST_LINES: Final = 8
NOT_BUILT: Final = "The build backend returned an error"
# What pip's settings are called by uv, which reads its own alone.
_SETTINGS: Final = {
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    "extra-index-url": ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
    "find-links": ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
    "no-index": ("PIP_NO_INDEX", "UV_NO_INDEX"),
    "cert": ("PIP_CERT", "SSL_CERT_FILE"),
}
# What would have uv look at another interpreter or environment than it is given.
_ELSEWHERE: Final = re.compile(r"PYTHON|CONDA_|UV_(?:PYTHON|SYSTEM_PYTHON|TARGET|PREFIX|INTERNAL|WORKING)")
_NO_PLUG_INS: Final = """\
#!/bin/sh
# Found as `pulumi` by packages that ask for their plug-in while they are built: the gate has its own.
case "$1 $2" in
    "plugin install") echo "tapgate: not installed, nor needed: pulumi $*" ; exit 0 ;;
esac
echo "tapgate: while packages are installed there is no pulumi: pulumi $*" >&2
exit 1
"""
_BUILDS: Final = re.compile(r"Failed to (?:download and )?build `(?P<name>[^`]+)`")
_RAISED: Final = re.compile(r"(?:[\w.]*(?:Error|Exception|Exit)\b|error:|fatal:).*")

Confine = Callable[[list[str], Path, Path, dict[str, str]], tuple[list[str], dict[str, str]]]
"""Confines a command: its words, the folder it runs in, the one that it may write to, its environment."""


class Uv:
    """Runs uv on one environment; what it says when it fails is the reason."""

    def __init__(self, file: Path, folder: Path, confine: Confine) -> None:
        self.said = ""  # When it failed last.
        self._file = file
        self._folder = folder
        self._confine = confine
        kept = {name: value for name, value in os.environ.items() if not _ELSEWHERE.match(name)}
        self._variables = {
            "UV_SYSTEM_CERTS": "1",
            **settings_of_pip(os.environ),
            **kept,
            "UV_PYTHON_DOWNLOADS": "never",
            "VIRTUAL_ENV": str(folder),
            "UV_PROJECT_ENVIRONMENT": str(folder),
            "PATH": f"{shim_folder({CLI: _NO_PLUG_INS})}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        # Of pip's settings the one that uv takes from no variable.
        alone = self._variables.get("UV_NO_INDEX", "").casefold() in {"1", "on", "true", "yes"}
        self.index = ("--no-index",) if alone else ()
        self._command = find_uv()
        if not self._command:
            raise Failure(
                "The program's packages cannot be installed: there is no uv",
                where=str(file),
                why="its environment is made with uv, which is installed with tapgate's wheel",
                fix="pip install uv; or make the environment yourself, and leave --install out",
            )

    def install(self, *what: str) -> None:
        """Install packages into the environment, as `uv pip install` takes them."""
        # Named: started by an interpreter, uv takes that one's environment for its own.
        there = ("--python", self._variables["VIRTUAL_ENV"])
        # It takes many minutes to compile; where there is no wheel of the version, that is said at once.
        self.run("pip", "install", *self.index, *there, "--only-binary=grpcio", *what)

    def run(self, *arguments: str) -> None:
        """Run one command of uv.

        Raises:
            Failure: It fails.
        """
        command, variables = self._confine(
            [self._command, "--quiet", "--no-progress", *arguments],
            self._file.parent,
            self._folder,
            self._variables,
        )
        done = subprocess.run(
            command,
            cwd=self._file.parent,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            self.said = " ".join(lines)
            why, fix = _reason(lines, self._file.name)
            raise Failure(
                "The program's packages cannot be installed",
                where=str(self._file),
                why=why or f"uv ended with exit code {done.returncode}",
                fix=f"{fix}; or make the environment yourself, and leave --install out",
            )


def _reason(lines: list[str], name: str) -> tuple[str, str]:
    """Return why uv did not install what a file asks for, and a fix."""
    said = " ".join(lines)
    built = _BUILDS.search(said)
    if built is not None and NOT_BUILT in said:
        raised = [line for line in lines if _RAISED.match(line)] or lines
        why = f"{built['name']} comes as source, which Python {platform.python_version()} does not build: "
        fix = f"let {name} ask for a release that has a wheel for it, or install what the build misses"
        return why + raised[-1], fix
    fix = f"correct {name}, or let the package index be reached (PIP_INDEX_URL names another one)"
    if "Git operation failed" in said:
        fix = f"let the repository be reached from here, or let {name} ask for a published release"
    return " ".join(lines[-_LAST_LINES:]), fix


def find_uv() -> str:
    """Return the executable that came with tapgate, else the one on PATH; empty for none."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv") or ""


def settings_of_pip(base: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings, of its variables and its files, as uv's variables."""
    home = Path(base.get("HOME") or os.sep)
    own = Path(base.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    named = [Path(base["PIP_CONFIG_FILE"])] if base.get("PIP_CONFIG_FILE") else []
    read = configparser.RawConfigParser(strict=False)
    try:
        read.read([Path("/etc/pip.conf"), home / ".pip" / "pip.conf", own, *named], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        read = configparser.RawConfigParser()  # pip says what is wrong with it.
    settings: dict[str, str] = {}
    for name, (of_pip, of_uv) in _SETTINGS.items():
        values = [read.get(section, name, fallback="") for section in ("install", "global")]
        value = next(filter(None, [base.get(of_pip, ""), *values]), "")
        if value:
            settings[of_uv] = " ".join(value.split())
    return settings

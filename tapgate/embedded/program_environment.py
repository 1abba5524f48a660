"""The environment of a Python program: made of what its project asks for, in the user's cache.

Nothing is written into the project. The environment is kept by the digest of what it is made of, and put in
place whole. What a project may ask for is what Pulumi's own Python toolchains take: pip, uv and poetry.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.embedded.console import Failure, say, still_going
from tapgate.embedded.environment import CLI, PREFIX, PROGRAM_ENVIRONMENT, shim_folder
from tapgate.embedded.paths import cache_root, get_or_make
from tapgate.embedded.program_text import PYTHON, language, mapping, program_folder, read_yaml, texts
from tapgate.embedded.python_requirements import above, find_source
from tapgate.embedded.toolchain import find, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tapgate.embedded.environment import Changes
    from tapgate.embedded.python_requirements import Source

_FORM: Final = "2"
_LAST_LINES: Final = 8
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
_PYTHON: Final = """\
#!/bin/sh
# Runs programs in the environment that was made for them, and everything else in the gate's.
case "$*" in
    *pulumi-language-python-exec*) exec {program} "$@" ;;
esac
exec {python} "$@"
"""
_DYNAMIC: Final = """\
#!/bin/sh
# Serves the program's dynamic providers, which are a part of it, in the environment that was made for it.
PATH={bin}:$PATH
export PATH
exec {bin}/python -u -m pulumi.dynamic "$@"
"""
_NO_PLUG_INS: Final = """\
#!/bin/sh
# Found as `pulumi` by packages that ask for their plug-in while they are built: the gate has its own.
case "$1 $2" in
    "plugin install") echo "tapgate: not installed, nor needed: pulumi $*" ; exit 0 ;;
esac
echo "tapgate: while packages are installed there is no pulumi: pulumi $*" >&2
exit 1
"""
# Packages of Pulumi's and AWS's own, which environments tend to have without being asked for them.
_WELL_KNOWN: Final = re.compile(
    r"^\s*(?:import|from)\s+(boto3|pulumi_(?:archive|aws(?:_native|_apigateway|x)?|cloudflare|cloudinit|command"
    r"|datadog|docker(?:_build)?|eks|github|kubernetes|random|std|tls))\b",
    re.MULTILINE,
)
# What uv says of requirements that pip may take, or took once, and what is done about it.
_EDITABLE: Final = "Unsupported editable requirement"
_NO_WHEEL: Final = "Wheels are required for `grpcio`"
_NO_WHEEL_LOCKED: Final = "has no binary distribution"
_NOT_BUILT: Final = "The build backend returned an error"
_CONTRADICTION: Final = "unsatisfiable"
_REMEDIES: Final = {
    _EDITABLE: "what it asks of git as editable is installed as it is",
    _NO_WHEEL: "the grpcio that it asks for has no wheel for this Python: a release that has is installed",
    _NOT_BUILT: "a package that comes as source is not built by today's tools: built by those of its time",
    _CONTRADICTION: "the packages that it asks for contradict it: what it says itself is installed",
}
_EDITABLE_GIT: Final = re.compile(r"^\s*(?:-e|--editable)[\s=]+(?=git\+)", re.MULTILINE)
_INCLUDES: Final = re.compile(r"^(\s*(?:-r|--requirement|-c|--constraint)[\s=]+)(\S+)", re.MULTILINE)
_GRPCIO: Final = re.compile(r"\s*grpcio\s*[<>=!~;\[(@]")
_BUILDS: Final = re.compile(r"Failed to (?:download and )?build `(?P<name>[^`]+)`")
_RAISED: Final = re.compile(r"(?:[\w.]*(?:Error|Exception|Exit)\b|error:|fatal:).*")


Confine = Callable[[list[str], Path, Path, dict[str, str]], tuple[list[str], dict[str, str]]]
"""Confines a command: its words, the folder it runs in, the one that it may write to, its environment."""


def _unconfined(
    words: list[str], _folder: Path, _writable: Path, variables: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    return words, variables


def changes(project_file: Path, base: Mapping[str, str], confine: Confine = _unconfined) -> Changes:
    """Make the environment of a project's program, and return what to change so that the program runs in it.

    Args:
        project_file: The project's file.
        base: The environment of what will run.
        confine: Confines what is run: packages bring code, which runs when they are installed.

    Raises:
        Failure: What the project asks for cannot be installed.
    """
    body = read_yaml(project_file)
    if language(body) != "python":
        return {}
    options = mapping(mapping(body.get("runtime")).get("options"))
    root, named = project_file.parent, str(options.get("virtualenv") or "")
    toolchain = str(options.get("toolchain") or "pip")
    own = root / named if named else _of_uv(root) if toolchain == "uv" else None
    if own is not None and _is_environment(own):
        return {}  # The language host runs the program there by itself.
    program = program_folder(root, body)
    source = find_source(root, program, toolchain)
    if source is not None:
        unnamed = _unnamed(source, program)
        name = f"{root.name}-{_digest(source, unnamed)}"
        entry = cache_root() / "program-environments" / name
        return _used(
            get_or_make(entry, lambda folder: _make(source, folder, confine, program, unnamed)), base
        )
    if named and _is_environment(Path(sys.prefix)):
        say(f"no file says what is in the program's environment {named}: it runs in tapgate's")
        return _used(Path(sys.prefix), base)
    return {}


def _of_uv(root: Path) -> Path:
    beside = above(root, "uv.lock") or above(root, "pyproject.toml")
    return (beside.parent if beside is not None else root) / ".venv"


def _is_environment(folder: Path) -> bool:
    return (folder / "bin" / "python").is_file()


def _used(environment: Path, base: Mapping[str, str]) -> Changes:
    """Return what makes the language host take an environment.

    Pulumi's official host does not know the variable. Where a project names no environment it starts what
    PULUMI_PYTHON_CMD names, for packs and components as well; where one is named, it makes that by itself.
    """
    changed: Changes = {PROGRAM_ENVIRONMENT: str(environment)}
    text = _DYNAMIC.format(bin=shlex.quote(str(environment / "bin")))
    ahead = shim_folder({f"{PREFIX}pulumi-python": text})
    changed["PATH"] = os.pathsep.join([str(ahead), base.get("PATH", os.defpath)])
    if not search.is_build(find().folder):
        python = shlex.quote(base.get("PULUMI_PYTHON_CMD") or sys.executable)
        text = _PYTHON.format(program=shlex.quote(str(environment / "bin" / "python")), python=python)
        changed["PULUMI_PYTHON_CMD"] = str(shim_folder({"python": text}) / "python")
    return changed


def _digest(source: Source, besides: list[str]) -> str:
    made = hashlib.sha256(
        "\0".join((_FORM, sys.executable, platform.python_version(), str(source.file), *besides)).encode()
    )
    for path in source.inputs:
        made.update(f"\0{path.name}\0".encode())
        if path.is_file():
            made.update(path.read_bytes())
    return made.hexdigest()[:12]


def _make(source: Source, folder: Path, confine: Confine, program: Path, unnamed: list[str]) -> None:
    say(f"installing what {source.file} asks for, once, into {folder.parent}")
    uv = _Uv(source.file, folder, confine)
    with still_going("installing the program's packages"):
        uv.run("venv", "--allow-existing", "--relocatable", "--python", sys.executable, str(folder))
        if source.synced:
            # Frozen, it leaves the lock as it is.
            try:
                uv.run("sync", "--frozen", "--no-install-project", "--no-build-package=grpcio", *uv.index)
            except Failure:
                if not any(one in uv.said for one in (_NOT_BUILT, _NO_WHEEL_LOCKED)):
                    raise
                wanted = folder / "requirements.txt"
                words = ("--frozen", "--no-emit-project", "--no-hashes", "--no-header", "-o", str(wanted))
                uv.run("export", *words)
                _install(uv, folder, wanted, ["--no-deps"])
        else:
            wanted = source.file
            if source.lines is not None:
                wanted = folder / "requirements.txt"
                wanted.write_text("\n".join([*source.lines, ""]), encoding="utf-8")
            _install(uv, folder, wanted, ["--no-deps"] if source.locked else [])
            if not source.locked:
                _add_unnamed(uv, folder, wanted, unnamed)
        (packages,) = folder.glob("lib/python3*/site-packages")
        if source.importable:
            # As if it were installed, which would write into it.
            text = "\n".join(map(str, source.importable))
            (packages / "project.pth").write_text(text, encoding="utf-8")
        if _wants_setuptools(packages):
            # The last of them that only warns those who ask for warnings.
            uv.install("setuptools<80.9")
        if any(packages.glob("pulumi-[12].*.dist-info")):
            # Generated for it: later ones refuse what those releases have.
            uv.install("protobuf<4")
    # Compiles what the program imports as it starts: in its sandbox nothing of that is kept.
    python = [str(folder / "bin" / "python"), "-I"]
    for words in (
        ["-c", "import pulumi, pulumi_aws"],
        ["-m", "compileall", "-q", *_imported(packages, program)],
    ):
        command, variables = confine([*python, *words], folder, folder, dict(os.environ))
        subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)


def _unnamed(source: Source, program: Path) -> list[str]:
    """Return the modules that a program imports of packages that are well known, and not asked for."""
    imported = {name for _, text in texts(program, PYTHON) for name in _WELL_KNOWN.findall(text)}
    asked = (path.read_text(encoding="utf-8", errors="replace") for path in source.inputs if path.is_file())
    named = {name.lower().replace("-", "_") for text in asked for name in re.findall(r"[\w-]+", text)}
    return sorted(imported - named)


def _add_unnamed(uv: _Uv, folder: Path, wanted: Path, modules: list[str]) -> None:
    """Install what a program imports without asking for it, in releases that go with what it asks for."""
    there = {path.name for path in folder.glob("lib/python3*/site-packages/*")}
    missing = [module for module in modules if module not in there]
    if missing:
        names = ", ".join(missing)
        say(f"{wanted.name} does not ask for {names}, which the program imports: installed besides")
        with suppress(Failure):  # The program says so itself.
            _install(uv, folder, wanted, [], missing)


def _imported(packages: Path, program: Path) -> Iterator[str]:
    """Yield the modules of SDKs that a program seems to use; all of them take many seconds to compile."""
    words = {word for _, text in texts(program, PYTHON) for word in re.findall(r"\w+", text)}
    for path in packages.glob("pulumi_*/*/__init__.py"):
        if path.parent.name.rstrip("_") in {*words, "config"}:
            yield str(path.parent)


def _install(uv: _Uv, folder: Path, wanted: Path, options: list[str], besides: Iterable[str] = ()) -> None:
    """Install requirements; what is known to keep older ones from it, or components, is dealt with."""
    own = wanted.read_text(encoding="utf-8", errors="replace")
    own = _INCLUDES.sub(lambda found: f"{found[1]}{wanted.parent / found[2]}", own)
    words, left, overridden = ["-r", str(wanted), *besides], dict(_REMEDIES), ""
    while True:
        try:
            return uv.install(*options, *words)
        except Failure:
            sign = next((one for one in left if one in uv.said), "")
            if not sign:
                raise
        say(f"{wanted.name}: {left.pop(sign)}")
        if sign == _NOT_BUILT:
            constraints = folder / "build-constraints.txt"
            constraints.write_text("cython<3\nsetuptools<81\n", encoding="utf-8")
            words += ["--build-constraints", str(constraints)]
        elif sign == _EDITABLE:
            words[1] = str(folder / "requirements.txt")
            Path(words[1]).write_text(_EDITABLE_GIT.sub("", own), encoding="utf-8")
        else:
            if sign == _NO_WHEEL:
                overridden += "grpcio\n"
            else:
                more = "" if re.search(r"pulumi[-_]aws\b(?![-_])", own) else "\npulumi-aws\n"
                kept = (line for line in own.splitlines() if not (overridden and _GRPCIO.match(line)))
                overridden += "\n".join([*kept, more])
            overrides = folder / "overrides.txt"
            overrides.write_text(_EDITABLE_GIT.sub("", overridden), encoding="utf-8")
            words += [] if "--overrides" in words else ["--overrides", str(overrides)]


def _wants_setuptools(packages: Path) -> bool:
    """Say whether an SDK looks for its own version with pkg_resources, which later setuptools lack."""
    if (packages / "pkg_resources").is_dir():
        return False
    texts = (path.read_text(encoding="utf-8") for path in packages.glob("pulumi*/*utilities.py"))
    return any("pkg_resources" in text for text in texts)


class _Uv:
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
        self._command = _find_uv()
        if not self._command:
            raise Failure(
                "The program's packages cannot be installed: there is no uv",
                where=str(file),
                why="its environment is made with uv, which is installed with tapgate's wheel",
                fix="pip install uv; or make the environment yourself, and leave --install out",
            )

    def install(self, *what: str) -> None:
        # Named: started by an interpreter, uv takes that one's environment for its own.
        there = ("--python", self._variables["VIRTUAL_ENV"])
        # It takes many minutes to compile; where there is no wheel of the version, that is said at once.
        self.run("pip", "install", *self.index, *there, "--only-binary=grpcio", *what)

    def run(self, *words: str) -> None:
        command, variables = self._confine(
            [self._command, "--quiet", "--no-progress", *words],
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
    if built is not None and _NOT_BUILT in said:
        raised = [line for line in lines if _RAISED.match(line)] or lines
        why = f"{built['name']} comes as source, which Python {platform.python_version()} does not build: "
        fix = f"let {name} ask for a release that has a wheel for it, or install what the build misses"
        return why + raised[-1], fix
    fix = f"correct {name}, or let the package index be reached (PIP_INDEX_URL names another one)"
    if "Git operation failed" in said:
        fix = f"let the repository be reached from here, or let {name} ask for a published release"
    return " ".join(lines[-_LAST_LINES:]), fix


def _find_uv() -> str:
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

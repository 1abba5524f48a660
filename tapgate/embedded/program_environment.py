"""The environment of a Python program: made of what its project asks for, in the user's cache.

Nothing is written into the project. The environment is kept by the digest of what it is made of, and put in
place whole. What a project may ask for is what Pulumi's own Python toolchains take: pip, uv and poetry.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from tapgate.embedded.console import Failure, say, still_going
from tapgate.embedded.environment import PREFIX, PROGRAM_ENVIRONMENT, Changes, shim_folder
from tapgate.embedded.paths import ENVIRONMENTS, cache_root, hold
from tapgate.embedded.program_text import (
    PYTHON,
    imported,
    language,
    mapping,
    program_folder,
    read_yaml,
    texts,
)
from tapgate.embedded.python_requirements import Source, above, find_source, is_for
from tapgate.embedded.toolchain import find, search
from tapgate.embedded.uv import NOT_BUILT, Confine, Uv, find_uv

_FORM: Final = "3"
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
# Packages that environments tend to have without being asked for them.
_WELL_KNOWN: Final = frozenset(
    {
        *("boto3", "cryptography", "dotenv", "jinja2", "requests", "pulumi_archive", "pulumi_aws"),
        *("pulumi_aws_apigateway", "pulumi_aws_iam", "pulumi_aws_native", "pulumi_awsx", "pulumi_cloudflare"),
        *("pulumi_cloudinit", "pulumi_command", "pulumi_confluentcloud", "pulumi_databricks"),
        *("pulumi_datadog", "pulumi_docker", "pulumi_docker_build", "pulumi_eks", "pulumi_gcp"),
        *("pulumi_github", "pulumi_gitlab", "pulumi_kubernetes", "pulumi_mongodbatlas", "pulumi_newrelic"),
        *("pulumi_pagerduty", "pulumi_postgresql", "pulumi_pulumiservice", "pulumi_random"),
        *("pulumi_snowflake", "pulumi_std", "pulumi_synced_folder", "pulumi_terraform", "pulumi_time"),
        *("pulumi_tls", "pulumi_vault"),
    }
)
_MOST_PARENTS: Final = 4
_PACKAGES: Final = {"dotenv": "python-dotenv"}
# What uv says of requirements that pip may take, or took once, and what is done about it.
_EDITABLE: Final = "Unsupported editable requirement"
_NO_WHEEL: Final = "Wheels are required for `grpcio`"
_NO_WHEEL_LOCKED: Final = "has no binary distribution"
_STANDARD: Final = "was not found in the p"
_CONTRADICTION: Final = "unsatisfiable"
_REMEDIES: Final = {
    _EDITABLE: "what it asks of git as editable is installed as it is",
    _NO_WHEEL: "the grpcio that it asks for has no wheel for this Python: a release that has is installed",
    NOT_BUILT: "a package that comes as source is not built by today's tools: built by those of its time",
    _STANDARD: "what it asks for of Python's own modules is left out",
    _CONTRADICTION: "the packages that it asks for contradict it: what it says itself is installed",
}
_EDITABLE_GIT: Final = re.compile(r"^\s*(?:-e|--editable)[\s=]+(?=git\+)", re.MULTILINE)
_INCLUDES: Final = re.compile(r"^(\s*(?:-r|--requirement|-c|--constraint)[\s=]+)(\S+)", re.MULTILINE)
_NOT_FOUND: Final = re.compile(r"Because (\S+) was not found in the p")
# Debian's pip has listed the last one as a package, which it is not.
_PARTS_OF_PYTHON: Final = frozenset({*sys.stdlib_module_names, "pkg-resources", "pkg_resources"})
_OF_PYTHON: Final = re.compile(
    rf"^[ \t]*(?:{'|'.join(_PARTS_OF_PYTHON)})[ \t]*(?:[<>=!~;#].*)?$", re.MULTILINE
)
# Of SDKs that may be any release uv would look through hundreds for one that goes with a pulumi before 3.
_BEFORE_3: Final = re.compile(
    r"^\s*pulumi\s*(?:[\d.>=!*,\s]*,)?\s*(?:<\s*3(?:\.0)*(?![\d.])|(?:<=|[=~]=)\s*[0-2])", re.MULTILINE
)
_SDK: Final = re.compile(r"^\s*(pulumi[-_][\w-]+)", re.MULTILINE)
_DAY_OF_PULUMI_3: Final = "2021-04-19"
_BOUND: Final = "pulumi<="
_GRPCIO: Final = re.compile(r"\s*grpcio\s*[<>=!~;\[(@]")


def _unconfined(
    command: list[str], _folder: Path, _writable: Path, variables: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    return command, variables


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
    if source is None and any(
        importlib.util.find_spec(name) is None for name in _WELL_KNOWN & imported(program)
    ):
        source = Source(project_file, (), ("pulumi", "pulumi-aws"))
    if source is not None:
        source = replace(source, importable=(*source.importable, *_above(program)))
        unnamed, python = _unnamed(source, program), _python_for(source)
        name = (
            f"{root.name}-{_digest(source, python, [*unnamed, *map(str, source.importable), *source.groups])}"
        )
        entry = cache_root() / ENVIRONMENTS / name
        return _used(
            hold(entry, lambda folder: _make(source, folder, confine, program, python, unnamed)), base
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


def _python_for(source: Source) -> str:
    """Return the interpreter that programs are for: this one, unless they ask for another that is there."""
    if is_for(source.python, sys.version_info[:3]):
        return sys.executable
    command = [find_uv() or "uv", "python", "find", "--no-project", "--no-config", "--system", source.python]
    # The shims of pyenv on PATH stand for the versions that are chosen, not for those that are there.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    path = [*map(str, sorted(pyenv.glob("versions/*/bin"))), os.environ.get("PATH", os.defpath)]
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PATH": os.pathsep.join(path)}
    with suppress(OSError):
        answer = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.strip()
    say(
        f"{source.file} asks for Python {source.python}: there is {platform.python_version()}, which is tried"
    )
    return sys.executable


def _digest(source: Source, python: str, besides: list[str]) -> str:
    made = hashlib.sha256(
        "\0".join((_FORM, python, platform.python_version(), str(source.file), *besides)).encode()
    )
    for path in source.inputs:
        made.update(f"\0{path.name}\0".encode())
        if path.is_file():
            made.update(path.read_bytes())
    return made.hexdigest()[:12]


def _make(
    source: Source, folder: Path, confine: Confine, program: Path, python: str, unnamed: list[str]
) -> None:
    say(f"installing what {source.file} asks for, once, into {folder.parent}")
    uv = Uv(source.file, folder, confine)
    with still_going("installing the program's packages"):
        uv.run("venv", "--allow-existing", "--relocatable", "--python", python, str(folder))
        importable = source.importable
        if source.synced:
            if not _synced(uv, source, python):
                importable += source.beside
                wanted = folder / "requirements.txt"
                options = ("--no-emit-project", "--no-emit-local", "--no-hashes", "--no-header")
                uv.run("export", "--frozen", *options, *source.groups, "-o", str(wanted))
                _install(uv, folder, wanted, ["--no-deps"])
        else:
            wanted = source.file
            if source.lines is not None:
                wanted = folder / "requirements.txt"
                wanted.write_text("\n".join([*source.lines, ""]), encoding="utf-8")
            _install(uv, folder, wanted, ["--no-deps"] if source.locked else [])
            if not source.locked:
                _add_unnamed(uv, folder, source.file, wanted, unnamed)
        (packages,) = folder.glob("lib/python3*/site-packages")
        if importable:
            # As if it were installed, which would write into it.
            text = "\n".join(map(str, importable))
            (packages / "project.pth").write_text(text, encoding="utf-8")
        if _wants_setuptools(packages, program):
            # The last of them that only warns those who ask for warnings.
            uv.install("setuptools<80.9")
        if any(packages.glob("pulumi-[12].*.dist-info")):
            # Generated for it: later ones refuse what those releases have.
            uv.install("protobuf<4")
    # Compiles what the program imports as it starts: in its sandbox nothing of that is kept.
    for options in (
        ["-c", "import pulumi, pulumi_aws"],
        ["-m", "compileall", "-q", *_to_compile(packages, program)],
    ):
        made = [str(folder / "bin" / "python"), "-I"]
        command, variables = confine([*made, *options], folder, folder, dict(os.environ))
        subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)


def _synced(uv: Uv, source: Source, python: str) -> bool:
    """Say whether uv installs a lock by itself; where it does not, what is locked can be tried."""
    if python == sys.executable and not is_for(source.python, sys.version_info[:3]):
        return False  # It would look for another interpreter, and put its environment in place of this one.
    try:
        # Frozen, it leaves the lock as it is; a .python-version beside it may name one that is not there.
        options = ("--frozen", "--no-install-project", "--no-build-package=grpcio", "--python", python)
        uv.run("sync", *options, *source.groups, *uv.index)
    except Failure:
        if any(one in uv.said for one in (NOT_BUILT, _NO_WHEEL_LOCKED)):
            return False
        raise
    return True


def _above(program: Path) -> list[Path]:
    """Return the folders above a program that have modules it imports, as its repository's jobs know them.

    What is installed goes before, and so does what lies in the program's own folder.
    """
    folders = list(islice(program.parents, _MOST_PARENTS))
    ends = next((index for index, one in enumerate([program, *folders]) if (one / ".git").exists()), None)
    missing = imported(program) - sys.stdlib_module_names - {path.stem for path in program.glob("*")}
    return [
        folder / inner
        for folder in folders[:ends]
        for inner in ("", "src", "sdk/python")
        if any((folder / inner / name / "__init__.py").is_file() for name in missing)
        or any((folder / inner / f"{name}.py").is_file() for name in missing)
    ]


def _unnamed(source: Source, program: Path) -> list[str]:
    """Return those that its project does not ask for."""
    asked = (path.read_text(encoding="utf-8", errors="replace") for path in source.inputs if path.is_file())
    named = {name.lower().replace("-", "_") for text in asked for name in re.findall(r"[\w-]+", text)}
    return sorted((_WELL_KNOWN & imported(program)) - named)


def _add_unnamed(uv: Uv, folder: Path, file: Path, wanted: Path, modules: list[str]) -> None:
    """Install what a program imports without asking for it, in releases that go with what it asks for."""
    there = {path.name for path in folder.glob("lib/python3*/site-packages/*")}
    missing = [_PACKAGES.get(module, module) for module in modules if module not in there]
    if missing:
        names = ", ".join(missing)
        say(f"{file.name} does not ask for {names}, which the program imports: installed besides")
        with suppress(Failure):  # The program says so itself.
            _install(uv, folder, wanted, [], missing)


def _to_compile(packages: Path, program: Path) -> Iterator[str]:
    """Yield the modules of SDKs that a program seems to use; all of them take many seconds to compile."""
    mentioned = {word for _, text in texts(program, PYTHON) for word in re.findall(r"\w+", text)}
    for path in packages.glob("pulumi_*/*/__init__.py"):
        if path.parent.name.rstrip("_") in {*mentioned, "config"}:
            yield str(path.parent)


def _install(uv: Uv, folder: Path, wanted: Path, options: list[str], besides: Iterable[str] = ()) -> None:
    """Install requirements; what is known to keep older ones from it, or components, is dealt with."""
    own = wanted.read_text(encoding="utf-8", errors="replace")
    own = _INCLUDES.sub(lambda match: f"{match[1]}{wanted.parent / match[2]}", own)
    sdks = dict.fromkeys(_SDK.findall(own)) if _BEFORE_3.search(own) else ()
    options = [*options, *(f"--exclude-newer-package={sdk}={_DAY_OF_PULUMI_3}" for sdk in sdks)]
    arguments, left, overridden = ["-r", str(wanted), *besides], dict(_REMEDIES), ""
    bound: list[str] = []
    if not options:
        # A later SDK takes the id of a resource that it gets from an answer that this CLI does not give.
        bound = ["--constraints", str(folder / "constraints.txt")]
        Path(bound[1]).write_text(f"{_BOUND}{find().version}\n", encoding="utf-8")
    while True:
        try:
            return uv.install(*options, *arguments, *bound)
        except Failure:
            if bound and _BOUND in uv.said:
                bound = []  # The project asks for a later one.
                continue
            gone = _NOT_FOUND.search(uv.said)
            known = gone is None or gone[1] in _PARTS_OF_PYTHON
            sign = next((one for one in left if one in uv.said and (known or one != _STANDARD)), "")
            if not sign:
                raise
        say(f"{wanted.name}: {left.pop(sign)}")
        if sign == NOT_BUILT:
            constraints = folder / "build-constraints.txt"
            constraints.write_text("cython<3\nsetuptools<81\n", encoding="utf-8")
            arguments += ["--build-constraints", str(constraints)]
        elif sign in {_EDITABLE, _STANDARD}:
            own = _EDITABLE_GIT.sub("", own) if sign == _EDITABLE else _OF_PYTHON.sub("", own)
            arguments[1] = str(folder / "requirements.txt")
            Path(arguments[1]).write_text(own, encoding="utf-8")
        else:
            if sign == _NO_WHEEL:
                overridden += "grpcio\n"
            else:
                more = "" if re.search(r"pulumi[-_]aws\b(?![-_])", own) else "\npulumi-aws\n"
                kept = (line for line in own.splitlines() if not (overridden and _GRPCIO.match(line)))
                overridden += "\n".join([*kept, more])
            overrides = folder / "overrides.txt"
            overrides.write_text(_EDITABLE_GIT.sub("", overridden), encoding="utf-8")
            arguments += [] if "--overrides" in arguments else ["--overrides", str(overrides)]


def _wants_setuptools(packages: Path, program: Path) -> bool:
    """Say whether the program or an SDK imports pkg_resources, which later setuptools lack."""
    if (packages / "pkg_resources").is_dir():
        return False
    texts = (path.read_text(encoding="utf-8") for path in packages.glob("pulumi*/*utilities.py"))
    return "pkg_resources" in imported(program) or any("pkg_resources" in text for text in texts)

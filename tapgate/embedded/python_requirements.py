"""What a Python project's environment is made of: requirements, a lock, or a pyproject.toml."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import tomllib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from tapgate.embedded.console import Failure
from tapgate.embedded.program_text import mapping, parsed_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_INCLUDED: Final = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)", re.MULTILINE)
_FOLDER_OPTIONS: Final = frozenset({"-e", "--editable", "-f", "--find-links"})
_ARCHIVES: Final = (".whl", ".zip", ".tar.gz")
_MOST_FOLDERS: Final = 1_000
_BUILT_BY: Final = ("pyproject.toml", "setup.cfg", "setup.py")

# Nothing else: uv takes a path for an interpreter, and starts it.
_SPECIFIER: Final = re.compile(r"(?:^|,)\s*(?:[<>~=!]=|[<>]|===)?\s*\d+(?:\.\d+)*(?:\.\*)?\s*(?=,|$)")
_NAME_ENDS: Final = re.compile(r"[\s<>=!~;\[(@]")


@dataclass(frozen=True, slots=True)
class Source:
    """What an environment is made of.

    Attributes:
        file: The file that says it.
        inputs: That file, and those that say more.
        lines: Requirements, as pip reads them; None for the file as it is.
        locked: They are all that is needed: what they depend on is among them.
        synced: The file is uv's lock, which uv alone reads.
        importable: Folders whose modules the program imports as if they were installed.
        beside: More of them, of packages that lie beside the project, for where those cannot be installed.
        python: The releases of Python that it is for, as a specifier; empty for any.
        groups: The options by which uv installs groups of the lock that the program is for, too.
    """

    file: Path
    inputs: tuple[Path, ...]
    lines: tuple[str, ...] | None = None
    locked: bool = False
    synced: bool = False
    importable: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()
    python: str = ""
    groups: tuple[str, ...] = ()


def find_source(root: Path, program: Path, toolchain: str) -> Source | None:
    """Return what a program's environment is made of; None where no file says it.

    Args:
        root: The project's folder.
        program: The program's.
        toolchain: pip, uv or poetry.

    Raises:
        Failure: A file cannot be read.
    """
    here = (folder / "requirements.txt" for folder in (program, root))
    requirements = next((path for path in here if path.is_file()), None)
    if toolchain == "pip" and requirements is not None:
        return _of_requirements(requirements)
    readers: dict[str, Callable[[Path], Source]] = {"uv.lock": _of_uv, "poetry.lock": _of_poetry}
    for name in sorted(readers, key=lambda one: one != f"{toolchain}.lock"):
        lock = above(root, name)
        if lock is not None and lock.with_name("pyproject.toml").is_file():
            return readers[name](lock)
    pyproject = above(root, "pyproject.toml")
    lines = _dependencies(pyproject) if pyproject is not None else []
    if pyproject is not None and lines:
        importable = _with_src(pyproject.parent)
        inputs = (pyproject, *_local(pyproject.parent, "\n".join(lines)))
        return Source(pyproject, inputs, tuple(lines), importable=importable, python=_python(pyproject))
    return _of_requirements(requirements) if requirements is not None else _elsewhere(root)


def _elsewhere(root: Path) -> Source | None:
    """Return what a file says that has another name, or lies above the project, and is about Pulumi."""
    for folder in (root, *root.parents):
        for pattern, reader in _OTHERS.items():
            for file in sorted(folder.glob(pattern)):
                text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
                if "pulumi" not in text.lower():
                    continue
                if reader is None:
                    return _of_requirements(file)
                try:
                    return Source(file, (file,), tuple(reader(text)))
                except (ValueError, SyntaxError, LookupError, AttributeError, configparser.Error):
                    continue  # It is none that its own tool could read.
        if (folder / ".git").exists():
            break
    return None


def _of_pipfile(text: str) -> Iterator[str]:
    for name, asked in mapping(tomllib.loads(text).get("packages")).items():
        yield _requirement(name, asked)


def _of_pipfile_lock(text: str) -> Iterator[str]:
    for name, package in mapping(mapping(cast("object", json.loads(text))).get("default")).items():
        pinned = mapping(package)
        pin = f" @ git+{pinned['git']}@{pinned.get('ref')}" if "git" in pinned else pinned.get("version", "")
        yield f"{name}{pin}" + (f" ; {pinned['markers']}" if "markers" in pinned else "")


def _of_conda(text: str) -> Iterator[str]:
    listed = parsed_yaml(text).get("dependencies")
    for one in cast("list[object]", listed) if isinstance(listed, list) else []:
        if isinstance(one, str):
            name, *version = re.split(r"=+", one.rpartition("::")[2])
            if name.strip() not in {"python", "pip"}:
                yield f"{name}=={version[0]}.*" if version else name
        yield from map(str, cast("list[object]", mapping(one).get("pip") or []))


def _of_setup_cfg(text: str) -> Iterator[str]:
    read = configparser.RawConfigParser()
    read.read_string(text)
    yield from filter(None, map(str.strip, read.get("options", "install_requires", fallback="").splitlines()))


def _of_setup(text: str) -> Iterator[str]:
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.keyword) and call.arg == "install_requires":
            yield from map(str, cast("list[object]", ast.literal_eval(call.value)))


_OTHERS: Final[dict[str, Callable[[str], Iterator[str]] | None]] = {
    "*requirements*.txt": None,
    "requirements/*.txt": None,
    "Pipfile.lock": _of_pipfile_lock,
    "Pipfile": _of_pipfile,
    "setup.cfg": _of_setup_cfg,
    "setup.py": _of_setup,
    "environment.y*ml": _of_conda,
}


def above(folder: Path, name: str) -> Path | None:
    """Return a file in a folder or, as far as its repository goes, above it."""
    for one in (folder, *folder.parents):
        if (one / name).is_file():
            return one / name
        if (one / ".git").exists():
            return None
    return None


def _of_requirements(file: Path) -> Source:
    return Source(file, tuple(dict.fromkeys(_included(file, set()))))


def _included(file: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield a requirements file, those that it includes, and the files of folders that it installs."""
    seen.add(file)
    yield file
    text = file.read_text(encoding="utf-8", errors="replace")
    for name in _INCLUDED.findall(text):
        other = (file.parent / name).resolve()
        if other.is_file() and other not in seen:
            yield from _included(other, seen)
    yield from _local(file.parent, text)


def _local(folder: Path, text: str) -> Iterator[Path]:
    """Yield the files that requirements take from here, by the paths of archives and folders."""
    for line in text.splitlines():
        tokens = [*filter(None, re.split(r"[\s=@;\[\]]+", line.partition(" #")[0]))]
        for token in tokens:
            if "/" in token or token[0] == "." or token.endswith(_ARCHIVES) or tokens[0] in _FOLDER_OPTIONS:
                path = folder / unquote(token.removeprefix("file:").removeprefix("//"))
                # The project's own modules are there as they are.
                own = tokens[0] in {"-e", "--editable"} and path.resolve() in (folder, *folder.parents)
                yield from (path / name for name in _BUILT_BY) if own else _files(path)


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or those of a folder that are sources."""
    if path.is_file():
        yield path
    for parent, folders, names in islice(os.walk(path), _MOST_FOLDERS):
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if one[0] != "." and one != "node_modules")
        for name in sorted(names):
            if not name.endswith(".pyc") and Path(parent, name).is_file():
                yield Path(parent, name)


def _sources(lock: Path, *keys: str) -> Iterator[Path]:
    """Yield the files of what a lock takes from here and installs."""
    for source in (mapping(one.get("source")) for one in _tables(_toml(lock).get("package"))):
        for key in keys:
            if source.get(key) and source.get("type", "file") == "file":
                yield from _files(lock.parent / str(source[key]))


def _of_uv(lock: Path) -> Source:
    pyproject = lock.with_name("pyproject.toml")
    return Source(
        lock,
        (lock, pyproject, *_sources(lock, "directory", "path")),
        synced=True,
        importable=_with_src(lock.parent),
        beside=tuple(_beside(lock, "editable", "directory")),
        python=_python(pyproject),
        groups=tuple(word for option in _groups(pyproject) for word in option),
    )


def _of_poetry(lock: Path) -> Source:
    pyproject = lock.with_name("pyproject.toml")
    return Source(
        lock,
        (lock, pyproject, *_sources(lock, "url")),
        tuple(_pinned(lock)),
        locked=True,
        importable=(*_with_src(lock.parent), *_beside(lock, "url")),
        python=_python(pyproject),
    )


def _beside(lock: Path, *keys: str) -> Iterator[Path]:
    """Yield where the modules are of packages that a lock takes from folders."""
    for package in _tables(_toml(lock).get("package")):
        source = mapping(package.get("source"))
        for key in keys:
            if source.get(key) and source.get("type", "directory") == "directory":
                yield from _with_src((lock.parent / str(source[key])).resolve())


def _python(pyproject: Path) -> str:
    """Return the releases of Python that a project is for; empty for any, and for what is no specifier."""
    body = _toml(pyproject)
    asked = str(mapping(body.get("project")).get("requires-python") or "")
    named = mapping(mapping(mapping(body.get("tool")).get("poetry")).get("dependencies")).get("python")
    if not asked and isinstance(named, str):
        asked = _bounds(named)
    return asked if not _SPECIFIER.sub("", asked) else ""


def is_for(asked: str, version: tuple[int, ...]) -> bool:
    """Say whether a specifier of releases of Python takes a version."""
    return all(_takes(one.strip(), version) for one in asked.split(",") if one.strip())


def _takes(clause: str, version: tuple[int, ...]) -> bool:
    parts = tuple(int(digits) for digits in re.findall(r"\d+", clause))
    there = version[: len(parts)]
    if clause.startswith("~="):
        return there >= parts and there[:-1] == parts[:-1]
    if clause.startswith("!="):
        return there != parts
    if clause.startswith("<"):
        return there < parts or (there == parts and clause.startswith("<="))
    if clause.startswith(">"):
        return there > parts or (there == parts and clause.startswith(">="))
    return there == parts


def _with_src(folder: Path) -> tuple[Path, ...]:
    """Return where the modules of a project are, by either custom."""
    return folder / "src", folder


def _pinned(lock: Path) -> Iterator[str]:
    """Yield what poetry's lock pins; optional packages are left out, as poetry does."""
    packages = _tables(_toml(lock).get("package"))
    sources = [mapping(one.get("source")) for one in packages]
    for address in dict.fromkeys(one.get("url") for one in sources if one.get("type") == "legacy"):
        yield f"--extra-index-url {address}"
    conditions = _conditions(packages, _dependencies(lock.with_name("pyproject.toml")))
    for package in packages:
        source = mapping(package.get("source"))
        source_type, address = source.get("type"), str(source.get("url") or "")
        if package.get("optional") or source_type == "directory":
            continue
        name, pinned = package.get("name"), f"{package.get('name')}=={package.get('version')}"
        if source_type == "git":
            pinned = f"{name} @ git+{address}@{source.get('resolved_reference')}"
        elif source_type == "url":
            pinned = f"{name} @ {address}"
        elif source_type == "file":
            pinned = f"{name} @ {(lock.parent / address).resolve().as_uri()}"
        markers = package.get("markers") or conditions.get(str(name).casefold())
        yield f"{pinned} ; {markers}" if isinstance(markers, str) else pinned


def _conditions(packages: list[Mapping[str, object]], wanted: list[str]) -> dict[str, str]:
    """Return on what condition packages are asked for; older locks say it only where one asks for another."""
    asked: dict[str, set[str]] = {}
    for name, how in (pair for one in packages for pair in mapping(one.get("dependencies")).items()):
        ways = cast("list[object]", how) if isinstance(how, list) else [how]
        marks = asked.setdefault(name.casefold(), set())
        marks.update(str(mapping(way).get("markers") or "") for way in ways)
    always = {_NAME_ENDS.split(one, maxsplit=1)[0].casefold() for one in wanted}
    return {
        name: " or ".join(f"({mark})" for mark in sorted(marks))
        for name, marks in asked.items()
        if "" not in marks and name not in always
    }


def _dependencies(file: Path) -> list[str]:
    """Return what a pyproject.toml depends on, by its own standard or as poetry writes it."""
    body = _toml(file)
    standard = mapping(body.get("project")).get("dependencies")
    if isinstance(standard, list):
        of_groups = (one for listed in _groups(file).values() for one in listed)
        return [str(one) for one in (*cast("list[object]", standard), *of_groups) if isinstance(one, str)]
    named = mapping(mapping(mapping(body.get("tool")).get("poetry")).get("dependencies"))
    return [_requirement(name, asked) for name, asked in named.items() if name != "python"]


def _groups(file: Path) -> Mapping[tuple[str, str], list[object]]:
    """Return what groups and extras ask for that are about Pulumi, by the options of uv for them."""
    body = _toml(file)
    extras = mapping(mapping(body.get("project")).get("optional-dependencies"))
    return {
        (option, name): cast("list[object]", listed)
        for option, groups in (("--group", mapping(body.get("dependency-groups"))), ("--extra", extras))
        for name, listed in groups.items()
        if isinstance(listed, list) and any("pulumi" in str(one) for one in cast("list[object]", listed))
    }


def _requirement(name: str, asked: object) -> str:
    """Return a dependency of poetry's form as pip reads it."""
    table = mapping(asked)
    version = str(table.get("version") or "*") if table else str(asked)
    return name + _bounds(version)


def _bounds(asked: str) -> str:
    return ",".join(filter(None, (_bound(one.strip()) for one in asked.split(","))))


def _bound(asked: str) -> str:
    """Return a bound as pip reads it: `^1.2` is from 1.2 until the next major version."""
    if asked in {"", "*"}:
        return ""
    if asked[0] not in "^~" or asked.startswith("~="):
        return asked if asked[0] in "<>=!~" else f"=={asked}"
    least = asked[1:].strip()
    parts = [int(digits) for digits in re.findall(r"\d+", least)]
    # A caret keeps the first part that is not zero, a tilde the first two.
    kept = next((index for index, digits in enumerate(parts) if digits), len(parts) - 1)
    kept = kept if asked[0] == "^" else min(1, len(parts) - 1)
    return f">={least},<{'.'.join(map(str, [*parts[:kept], parts[kept] + 1]))}"


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(
            "A file that says what the program needs cannot be read",
            where=str(path),
            why=str(error),
            fix="correct it, or leave --install out",
        ) from None


def _tables(value: object) -> list[Mapping[str, object]]:
    return [mapping(one) for one in cast("list[object]", value)] if isinstance(value, list) else []

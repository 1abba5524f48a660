"""What the text of a program tells, in any language: whether it refers to other stacks, and how."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import yaml

from tapgate.embedded.aws_provider.rehearsal.marks import marked_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SUFFIXES: Final = frozenset(
    (
        *(".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".go", ".cs", ".fs", ".vb", ".java", ".kt"),
        ".scala",
    )
) | {".yaml", ".yml", ".json", ".pcl", ".pp"}
_PLAIN: Final = frozenset({".yaml", ".yml", ".json"})
_NOT_THE_PROGRAM: Final = frozenset(
    {"node_modules", "venv", "__pycache__", "site-packages", "bin", "obj", "vendor"}
)
_MOST_BYTES: Final = 1_000_000
_MOST_FILES: Final = 2_000
_MOST_NAMES: Final = 20_000
_REFERS: Final = re.compile(r"stack_?reference", re.IGNORECASE)
_QUOTED: Final = re.compile(r"""(["'`])([A-Za-z_$][\w$.:/-]{0,127})\1""")
_READ: Final = re.compile(r"\.([A-Za-z_]\w{0,127})")
_WORD: Final = re.compile(r"[A-Za-z_][\w-]{0,127}")
# `("ids")[0]`, `outputs["ids"][0]`, `outputs.ids[0]`; `["vpc"]["id"]`.
_STEP: Final = re.compile(r"""([A-Za-z_$][\w$-]*)["'`)\]]*\[\s*(?:\d+|(["'`])([A-Za-z_]\w*)\2)\s*\]""")
_SEVERAL: Final = re.compile(r"(?:[a-z]I|(?:^|[_-])i)ds$|(?:[a-z]A|(?:^|[_-])a)rns$|[sS]ubnets$|[zZ]ones$")
_CONFIGURED: Final = re.compile(
    r"""\b(?:require|get|try)_?(?:secret)?_?(?P<kind>int|bool|float|object|number|boolean)?"""
    r"""\(\s*(["'`])(?P<key>[\w.:-]{1,127})\2""",
    re.IGNORECASE,
)
_KINDS: Final = {"int": "integer", "float": "number", "number": "number", "object": "object"}
_JSON_OF: Final = r"(?:json\.loads|json_loads|JSON\.parse|fromJSON|[jJ]son[dD]e(?:code|serialize)|Unmarshal)"
_URL_OF: Final = r"(?:urlparse|urlsplit|new\s+URL|new\s+Uri|make_url)"
_ASSIGNED: Final = re.compile(
    r"^\s*(?:(?:const|let|var|final)\s+)?(?P<name>[A-Za-z_]\w{0,63})\s*(?::[^=\n]{0,80})?:?="
)
_SPREAD: Final = 3


def mapping(value: object) -> Mapping[str, object]:
    """Return a value as a mapping, its keys as texts; an empty one where it is none."""
    if not isinstance(value, dict):
        return {}
    return {str(key): one for key, one in cast("dict[object, object]", value).items()}


def read_yaml(path: Path) -> Mapping[str, object]:
    """Read a project or program file; an empty mapping where whoever needs the file says what is wrong."""
    try:
        return parsed_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def parsed_yaml(text: str) -> Mapping[str, object]:
    """Return what the text of a project or program file says; an empty mapping as above."""
    try:
        return mapping(cast("object", yaml.safe_load(text)))
    except (ValueError, yaml.YAMLError):
        return {}


def files(folder: Path) -> Iterator[Path]:
    """Yield the files of a program, without what is installed or built in its folder."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in _NOT_THE_PROGRAM and not one.startswith("."))
        for name in sorted(names):
            if Path(name).suffix in _SUFFIXES:
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(parent, name)


def _texts(program: Path) -> Iterator[tuple[str, str]]:
    for path in [program] if program.is_file() else files(program):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield path.suffix, file.read(_MOST_BYTES)
        except OSError:
            continue


def refers_to_stacks(program: Path) -> bool:
    """Say whether a program, which is a file or a folder, has a word about stack references."""
    return any(_REFERS.search(text) for _, text in _texts(program))


def outputs(folder: Path, stack: str) -> dict[str, object]:
    """Return a marked value for each output of another stack whose name the program's text may mean.

    Args:
        folder: The program's folder.
        stack: The other stack, as the program names it.
    """
    names: set[str] = set()
    several: set[str] = set()
    fields: dict[str, set[str]] = {}
    for suffix, text in _texts(folder):
        names.update(match[2] for match in _QUOTED.finditer(text))
        names.update(_READ.findall(text))
        if suffix in _PLAIN:
            names.update(_WORD.findall(text))
        for match in _STEP.finditer(text):
            if match[3]:
                fields.setdefault(match[1], set()).add(match[3])
            else:
                several.add(match[1])
    found: dict[str, object] = {}
    for name in sorted(names)[:_MOST_NAMES]:
        seed = f"{stack}#{name}"
        if name in several or _SEVERAL.search(name):
            found[name] = [marked_text(f"{seed}[{index}]") for index in range(_SPREAD)]
        elif name in fields:
            found[name] = {field: marked_text(f"{seed}.{field}") for field in sorted(fields[name])}
        else:
            found[name] = marked_text(seed)
    return found


def config_forms(folder: Path) -> dict[str, str]:
    """Return what form a program needs of config that it reads, by key, as far as its text tells.

    Args:
        folder: The program's folder.

    Returns:
        `integer`, `number`, `boolean`, `object` (as JSON) or `url`; nothing of what may be any text.
    """
    found: dict[str, str] = {}
    for _, text in _texts(folder):
        for match in re.finditer(rf"{_JSON_OF}:\s*[\"']?\${{([\w:-]{{1,127}})}}", text):
            found[match[1]] = "object"
        for match in _CONFIGURED.finditer(text):
            kind = (match["kind"] or "").lower()
            form = "boolean" if kind.startswith("bool") else _KINDS.get(kind) or _form(text, match)
            if form:
                found[match["key"]] = form
    return found


def _form(text: str, match: re.Match[str]) -> str:
    """Return what is made of a text of the config, in the line that reads it or of the name that it gets."""
    start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    line = text[start : end if end >= 0 else len(text)]
    assigned = _ASSIGNED.match(line)
    for form, parser in (("object", _JSON_OF), ("url", _URL_OF)):
        if re.search(parser, line):
            return form
        if assigned is not None:
            name = re.escape(assigned["name"])
            if re.search(rf"{parser}\(\s*{name}\b|\b{name}\.apply\([^\n]{{0,120}}{parser}", text):
                return form
    return ""

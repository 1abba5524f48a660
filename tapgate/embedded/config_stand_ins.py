"""What stands in for config that a stack without a file would have to be given before it can run.

What a program requires is told by the project's `config` block and by a YAML program's; a Python program
says it where it calls `require`.
"""

from __future__ import annotations

import ast
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.rehearsal.marks import marked_text
from tapgate.embedded.paths import cache_root, write_atomically
from tapgate.embedded.program_text import mapping, parsed_yaml, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STRING: Final = "string"
SECRET: Final = "secret"  # noqa: S105 - a kind of value
# A number or a truth cannot be marked as long as programs count and branch by it.
_VALUES: Final[dict[str, object]] = {
    **dict.fromkeys(("integer", "int", "number", "float"), 1),
    **dict.fromkeys(("boolean", "bool"), False),
    "array": [],
    "list": [],
    "object": {},
}
# What a program reads as it starts has to be there.
_NAMES_A_FILE: Final = ("path", "file")
_NAMES_A_FOLDER: Final = ("dir", "directory", "folder")
# A YAML program may read config that is declared nowhere.
_REFERENCE: Final = re.compile(r"(?<!\$)\$\{\s*(aws:region|[A-Za-z_][\w-]*(?![\w:-]))")
_REQUIRE: Final = "require"
_SKIPPED: Final = frozenset({"venv", ".venv", "env", "node_modules", "site-packages", "__pycache__", ".git"})
_MOST_FILES: Final = 300


def required(project_file: Path) -> dict[str, str]:
    """Return the config that a project's program requires and nothing gives: its full key, and its type.

    Args:
        project_file: The project's file.
    """
    body = read_yaml(project_file)
    name, runtime = str(body.get("name")), body.get("runtime")
    language = runtime if isinstance(runtime, str) else mapping(runtime).get("name")
    main = project_file.parent / str(body.get("main") or "")
    program = main.parent if main.is_file() else main
    given: set[str] = set()
    found: dict[str, str] = {}
    text = _text(program / "Main.yaml") or _text(project_file) if language == "yaml" else ""
    template = parsed_yaml(text)
    for block in (body.get("config"), body.get("configuration"), template.get("config")):
        for key, declared in mapping(block).items():
            full = key if ":" in key else f"{name}:{key}"
            kind = _required_type(declared)
            if kind:
                found[full] = kind
            else:
                given.add(full)
    declared = {one for key in (*found, *given) for one in (key, key.rpartition(":")[2])}
    declared |= {key for part in ("resources", "variables") for key in mapping(template.get(part))}
    for key in sorted({*_REFERENCE.findall(text)} - declared - {"pulumi"}):
        found[key if ":" in key else f"{name}:{key}"] = STRING
    if language == "python":
        for full, kind in _of_python(program, name):
            found.setdefault(full, kind)
    return {key: kind for key, kind in found.items() if key not in given}


def stand_ins(project_file: Path, encrypted: str) -> dict[str, object]:
    """Return values for what a project's program requires, by key; see `stand_in`."""
    return {key: stand_in(key, kind, encrypted) for key, kind in sorted(required(project_file).items())}


def stand_in(key: str, kind: str, encrypted: str) -> object:
    """Return a value for a key.

    Args:
        key: Its full name.
        kind: Its type.
        encrypted: What a secret is in a stack's file.
    """
    if kind == SECRET:
        return {"secure": encrypted}
    if key == "aws:region":
        from tapgate.embedded.aws_provider.settings import region_of_environment  # noqa: PLC0415 - it takes protobuf

        return region_of_environment()
    text = marked_text(key)
    short = key.rpartition(":")[2].casefold()
    place = short.startswith("path") or short.endswith((*_NAMES_A_FILE, *_NAMES_A_FOLDER))
    if kind == STRING and place:
        file = short.endswith(_NAMES_A_FILE)
        path = cache_root() / "stand-in-files" / text if file else cache_root() / "stand-in-folders" / text
        there = path if file else path / text
        if not there.is_file():
            write_atomically(there, f"{text}\n")
        return str(path)
    return _VALUES.get(kind, text)


def _required_type(declared: object) -> str:
    """Return the type of a declaration that gives no value; empty for one that does."""
    body = mapping(declared)
    if not body or "default" in body or "value" in body:
        return ""
    kind = str(body.get("type") or STRING).casefold().partition("<")[0]
    return SECRET if body.get("secret") is True and kind == STRING else kind


def _of_python(folder: Path, project: str) -> Iterator[tuple[str, str]]:
    """Yield what the Python files of a program require."""
    paths = (path for path in sorted(folder.rglob("*.py")) if _SKIPPED.isdisjoint(path.parts))
    for path in islice(paths, _MOST_FILES):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue  # Python says what is wrong with it.
        yield from _calls(tree, project)


def _calls(tree: ast.Module, project: str) -> Iterator[tuple[str, str]]:
    configs: dict[str, str] = {}
    converted: dict[ast.expr, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (namespace := _namespace(node.value, project)):
            configs.update((ast.unparse(target), namespace) for target in node.targets)
        elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in {"int", "float"}:
            converted[node.args[0]] = ast.unparse(node.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("aws.config.region"):
            yield "aws:region", STRING
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        method, owner, key = node.func.attr, node.func.value, node.args[0]
        namespace = _namespace(owner, project) or configs.get(ast.unparse(owner), "")
        if not namespace or not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        full = key.value if ":" in key.value else f"{namespace}:{key.value}"
        if method.startswith(_REQUIRE):
            kind = method.removeprefix(_REQUIRE).replace("secret", "").strip("_") or STRING
            secret = "secret" in method and kind == STRING
            yield full, SECRET if secret else converted.get(node, kind)
        elif full == "aws:region":
            # Every stack has one, whether the program insists or not.
            yield full, STRING


def _namespace(value: ast.expr, project: str) -> str:
    """Return the namespace that `Config(...)` is of; empty for anything else."""
    if not isinstance(value, ast.Call):
        return ""
    function = value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name != "Config":
        return ""
    given = [*value.args, *(one.value for one in value.keywords)]
    if not given:
        return project
    first = given[0]
    if isinstance(first, ast.Constant):
        return str(first.value) if isinstance(first.value, str) else project
    return project if ast.unparse(first).endswith("get_project()") else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""  # The engine says what is wrong with it.


def as_block(values: Mapping[str, object]) -> str:
    """Return a `config` block with these values."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["config:", *lines, ""])

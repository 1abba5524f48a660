"""What the text of a project tells, in any language: stacks that it refers to, config that it requires."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, cast

import yaml

from tapgate.embedded.aws_provider.marks import marked_text
from tapgate.embedded.environment import ACCOUNT, REGION_VARIABLES, STEERING
from tapgate.embedded.program_uses import LISTS, SECRET, STRING, Use, Uses, formed, named, stand_in

_SUFFIXES: Final = frozenset(
    (
        *(".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".go", ".cs", ".fs", ".vb", ".java", ".kt"),
        ".scala",
    )
) | {".yaml", ".yml", ".json", ".pcl", ".pp"}
_DATA_FILES: Final = frozenset({".yaml", ".yml", ".json"})
_NOT_THE_PROGRAM: Final = frozenset(
    {"node_modules", "venv", "__pycache__", "site-packages", "bin", "obj", "vendor"}
)
_MOST_BYTES: Final = 1_000_000
_MOST_FILES: Final = 2_000
_MOST_NAMES: Final = 20_000
_OF_AN_ENVIRONMENT: Final = ("pyvenv.cfg", "conda-meta")
PYTHON: Final = frozenset({".py"})
_IMPORT: Final = re.compile(r"^[ \t]*(import|from)[ \t]+(.+?)(?:[ \t]+import\b.*)?$", re.MULTILINE)
_FIRST_NAME: Final = re.compile(r"[ \t]*([A-Za-z_]\w*)")
_REFERS: Final = re.compile(r"stack_?reference", re.IGNORECASE)
_QUOTED: Final = re.compile(r"""(["'`])([A-Za-z_$][\w$.:/-]{0,127})\1""")
_READ: Final = re.compile(r"\.([A-Za-z_]\w{0,127})")
_WORD: Final = re.compile(r"[A-Za-z_][\w-]{0,127}")
# `("ids")[0]`, `outputs["ids"][0]`, `outputs.ids[0]`; `["vpc"]["id"]`.
_STEP: Final = re.compile(
    r"""(?<![\w$-])([A-Za-z_$][\w$-]{0,127}+)(?=["'`)\]]*\[\s*(?:\d+|(["'`])([A-Za-z_]\w*)\2)\s*\])"""
)
_CONFIGURED: Final = re.compile(
    r"""\b(?:require|get|try)_?(?:secret)?_?(?P<type>int|bool|float|object|number|boolean)?"""
    r"""\(\s*(["'`])(?P<key>[\w.:-]{1,127})\2""",
    re.IGNORECASE,
)
_TYPES: Final = {"int": "integer", "float": "number", "number": "number", "object": "object"}
_JSON_OF: Final = r"(?:json\.loads|json_loads|JSON\.parse|fromJSON|[jJ]son[dD]e(?:code|serialize)|Unmarshal)"
_URL_OF: Final = r"(?:urlparse|urlsplit|new\s+URL|new\s+Uri|make_url)"
_KEY_OF: Final = r"(?i:private_?key(?:_?pem)?)[\"']?\s*[:=]"
_ASSIGNED: Final = re.compile(
    r"^\s*(?:(?:const|let|var|final)\s+)?(?P<name>[A-Za-z_]\w{0,63})\s*(?::[^=\n]{0,80})?:?="
)
# Its bracket first: what begins with a look-behind is tried at every character.
_SUBSCRIPT: Final = re.compile(r"""\[(?<=[\w)\]]\[)\s*(["'])([A-Za-z_][\w./:-]{0,127})\1\s*\]""")
_PROPERTY_OF_A_PROPERTY: Final = re.compile(r"\$\{[\w-]+(?:\.\w+|\[\d+\])*\.\w+\.(\w+)")
_MOST_SUBSCRIPTS: Final = 64


@dataclass(frozen=True)
class Lookups:
    """What a program looks up.

    Attributes:
        keys: The keys by which it looks something up.
        attributes: The attributes that it reads.
        forms: What it does with attributes that it takes apart, by their names.
        tried: The functions after whose failure it goes on.
    """

    keys: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    forms: Mapping[str, Use] = field(default_factory=dict[str, Use])
    tried: frozenset[str] = frozenset()


def mapping(value: object) -> Mapping[str, object]:
    """Return a value as a mapping, its keys as texts; an empty one where it is none."""
    if not isinstance(value, dict):
        return {}
    return {str(key): one for key, one in cast("dict[object, object]", value).items()}


def read_yaml(path: Path) -> Mapping[str, object]:
    """Read a project or program file; an empty mapping where whoever needs the file says what is wrong."""
    return parsed_yaml(_text(path))


@cache
def parsed_yaml(text: str) -> Mapping[str, object]:
    """Return what the text of a project or program file says; an empty mapping as above.

    A run asks the same file a dozen times.
    """
    try:
        return mapping(cast("object", yaml.safe_load(text)))
    except (ValueError, yaml.YAMLError):
        return {}


def language(project: Mapping[str, object]) -> str:
    """Return the language that a project's file names; empty where it names none."""
    runtime = project.get("runtime")
    name = runtime if isinstance(runtime, str) else mapping(runtime).get("name")
    return str(name or "")


def program_folder(root: Path, project: Mapping[str, object]) -> Path:
    """Return the folder of a project's program: its own, or where its `main` is."""
    main = root / str(project.get("main") or "")
    return main.parent if main.is_file() else main


def files(folder: Path, suffixes: Collection[str] = _SUFFIXES) -> Iterator[Path]:
    """Yield the files of a program, without what is installed or built in its folder."""
    count = 0
    for parent, folders, names in os.walk(folder):
        if any(one in names or one in folders for one in _OF_AN_ENVIRONMENT):
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if one not in _NOT_THE_PROGRAM and not one.startswith("."))
        for name in sorted(names):
            if Path(name).suffix in suffixes:
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(parent, name)


def texts(program: Path, suffixes: Collection[str] = _SUFFIXES) -> Iterator[tuple[Path, str]]:
    """Yield the files of a program, which is a file or a folder, and what they say."""
    for path in [program] if program.is_file() else files(program, suffixes):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield path, file.read(_MOST_BYTES)
        except OSError:
            continue


def imported(program: Path) -> set[str]:
    """Return the modules that a Python program imports, of a package its first name."""
    lines = (statement for _, text in texts(program, PYTHON) for statement in _IMPORT.findall(text))
    each = (one for how, names in lines for one in (names.split(",") if how == "import" else [names]))
    return {match[1] for match in map(_FIRST_NAME.match, each) if match is not None}


def refers_to_stacks(program: Path) -> bool:
    """Say whether a program, which is a file or a folder, has a word about stack references."""
    return any(_REFERS.search(text) for _, text in texts(program))


def lookups(folder: Path) -> Lookups:
    """Return what a program looks up.

    Args:
        folder: The program's folder.
    """
    keys: dict[str, None] = {}
    attributes: set[str] = set()
    for path, text in texts(folder):
        keys.update(dict.fromkeys(match[2] for match in _SUBSCRIPT.finditer(text)))
        if path.suffix in _DATA_FILES:
            keys.update(dict.fromkeys(_PROPERTY_OF_A_PROPERTY.findall(text)))
        attributes.update(_READ.findall(text))
    uses = used(folder / "Pulumi.yaml")
    forms = {
        name: use
        for name, use in uses.attributes.items()
        if use.elements(0) or any(one.has_text_form() for one in (use, *use.fields.values()))
    }
    return Lookups(tuple(keys)[:_MOST_SUBSCRIPTS], frozenset(attributes), forms, frozenset(uses.tried))


def variables(project_file: Path) -> dict[str, str]:
    """Return what stands in for variables that a program cannot do without, by name.

    What decides about the engine or an interpreter is no program's to read; a region is its stacks' own.
    """
    values: dict[str, str] = {}
    if language(read_yaml(project_file)) == "yaml":
        return values  # It reads none.
    for name, use in sorted(used(project_file).variables.items()):
        if not STEERING.match(name) and name not in REGION_VARIABLES:
            value = ACCOUNT if name in _ACCOUNTS else stand_in(name, STRING, "", use)
            values[name] = value if isinstance(value, str) else json.dumps(value)
    return values


def outputs(folder: Path, stack: str) -> dict[str, object]:
    """Return a marked value for each output of another stack whose name the program's text may mean."""
    names: set[str] = set()
    several: set[str] = set()
    fields: dict[str, set[str]] = {}
    uses = used(folder / "Pulumi.yaml").outputs
    for path, text in texts(folder):
        names.update(match[2] for match in _QUOTED.finditer(text))
        names.update(_READ.findall(text))
        if path.suffix in _DATA_FILES:
            names.update(_WORD.findall(text))
        for match in _STEP.finditer(text):
            if match[3]:
                fields.setdefault(match[1], set()).add(match[3])
            else:
                several.add(match[1])
    values: dict[str, object] = {}
    for name in (*uses, *sorted(names - uses.keys())[:_MOST_NAMES]):
        seed, use = f"{stack}#{name}", uses.get(name, Use())
        if use.has_form():
            values[name] = formed(use, seed)
        elif name in fields and not use.arguments:
            values[name] = {field: marked_text(f"{seed}.{field}") for field in sorted(fields[name])}
        else:
            values[name] = named(name, use, seed, several=name in several)
    return values


def config_forms(folder: Path) -> dict[str, str]:
    """Return what form a program needs of config that it reads, by key, as far as its text tells.

    Returns:
        `integer`, `number`, `boolean`, `object` (as JSON), `url` or `key` (a private one); nothing of what
        may be any text.
    """
    forms: dict[str, str] = {}
    for _, text in texts(folder):
        for match in re.finditer(rf"{_JSON_OF}:\s*[\"']?\${{([\w:-]{{1,127}})}}", text):
            forms[match[1]] = "object"
        for match in _CONFIGURED.finditer(text):
            type_ = (match["type"] or "").lower()
            form = "boolean" if type_.startswith("bool") else _TYPES.get(type_) or _form(text, match)
            if form:
                forms[match["key"]] = form
    return forms


def _form(text: str, match: re.Match[str]) -> str:
    """Return what is made of a text of the config, in the line that reads it or of the name that it gets."""
    start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    line = text[start : end if end >= 0 else len(text)]
    assigned = _ASSIGNED.match(line)
    name = re.escape(assigned["name"]) if assigned is not None else None
    for form, parser in (("object", _JSON_OF), ("url", _URL_OF)):
        if re.search(parser, line):
            return form
        if name and re.search(rf"{parser}\(\s*{name}\b|\b{name}\.apply\([^\n]{{0,120}}{parser}", text):
            return form
    before = text[start : match.start()]
    given = re.search(_KEY_OF, before) or (name and re.search(rf"{_KEY_OF}\s*{name}\b", text))
    return "key" if given else ""


_ACCOUNTS: Final = frozenset({"AWS_ACCOUNT_ID", "AWS_ACCOUNT", "AWS_DEFAULT_ACCOUNT", "CDK_DEFAULT_ACCOUNT"})
# A YAML program may read config that is declared nowhere.
_REFERENCE: Final = re.compile(r"(?<!\$)\$\{\s*(aws:region|[A-Za-z_][\w-]*(?![\w:-]))")


def required(project_file: Path, uses: Uses | None = None) -> dict[str, str]:
    """Return the config that a project's program requires and nothing gives: its full key, and its type."""
    body = read_yaml(project_file)
    name, runtime = str(body.get("name")), language(body)
    program = program_folder(project_file.parent, body)
    given: set[str] = set()
    types: dict[str, str] = {}
    text = _text(program / "Main.yaml") or _text(project_file) if runtime == "yaml" else ""
    template = parsed_yaml(text)
    for block in (body.get("config"), body.get("configuration"), template.get("config")):
        for key, declared in mapping(block).items():
            full = key if ":" in key else f"{name}:{key}"
            type_ = _required_type(declared)
            if type_:
                types[full] = type_
            else:
                given.add(full)
    declared = {one for key in (*types, *given) for one in (key, key.rpartition(":")[2])}
    declared |= {key for section in ("resources", "variables") for key in mapping(template.get(section))}
    for key in sorted({*_REFERENCE.findall(text)} - declared - {"pulumi"}):
        types[key if ":" in key else f"{name}:{key}"] = STRING
    if runtime == "python":
        types = {**(uses or used(project_file)).required, **types}
    return {key: type_ for key, type_ in types.items() if key not in given}


def used(project_file: Path) -> Uses:
    """Return what a project's program, in Python or YAML, makes of what it is given.

    The file need not be there: then it is the program of its folder, which may be no project's.
    """
    body = read_yaml(project_file)
    name, runtime, program = str(body.get("name")), language(body), program_folder(project_file.parent, body)
    if runtime in {"python", ""}:
        from tapgate.embedded.program_flow import read  # noqa: PLC0415 - for Python programs

        return read(program, name)
    return _used_by_yaml(program, project_file, name) if runtime == "yaml" else Uses()


def _used_by_yaml(program: Path, project_file: Path, project: str) -> Uses:
    from tapgate.embedded.aws_provider.usage import parted, references  # noqa: PLC0415 - it takes this

    uses = Uses()
    body = parsed_yaml(_text(program / "Main.yaml") or _text(project_file))
    for name, steps in references(body):
        use = uses.config.setdefault(f"{project}:{name}", Use())
        for step in steps:
            use = use.field(step) if isinstance(step, str) else use.at.setdefault(step, Use())
    for steps, by, last in parted(body):
        name = next(step for step in reversed(steps) if isinstance(step, str))
        of = uses.config if len(steps) == 1 else uses.outputs if "outputs" in steps else uses.attributes
        use = of.setdefault(f"{project}:{name}" if len(steps) == 1 else name, Use())
        if by:
            use.parts.setdefault(by, Use()).at.setdefault(last, Use())
        else:
            use.form = "base64"
    for name, form in config_forms(project_file).items():
        if form == "object":
            uses.config.setdefault(name if ":" in name else f"{project}:{name}", Use()).parsed()
    return uses


def stand_ins(project_file: Path, encrypted: str) -> dict[str, object]:
    """Return values for what a project's program requires, by key; see `stand_in`."""
    counts = language(read_yaml(project_file)) != "yaml"
    uses = used(project_file) if counts else None
    wanted = sorted(required(project_file, uses).items())
    if not wanted:
        return {}
    config = (uses or used(project_file)).config
    return {key: stand_in(key, type_, encrypted, config.get(key), counts=counts) for key, type_ in wanted}


def _required_type(declared: object) -> str:
    """Return the type of a declaration that gives no value; empty for one that does."""
    body = mapping(declared)
    if not body or "default" in body or "value" in body:
        return ""
    type_ = str(body.get("type") or STRING).casefold()
    items = _required_type(body.get("items")) if type_ in LISTS else ""
    if items not in {STRING, ""}:
        type_ = f"{type_}<{items}>"
    return SECRET if body.get("secret") is True and type_ == STRING else type_


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""  # The engine says what is wrong with it.

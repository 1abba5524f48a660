"""What a Python program declares and makes of each value, and marked values of the form that it needs."""

from __future__ import annotations

import ast
import base64
import functools
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from tapgate.embedded.aws_provider.marks import MARK_IN_BASE64, MARKED_NUMBER, marked_text
from tapgate.embedded.paths import cache_root, write_atomically
from tapgate.embedded.program_text import PYTHON, files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def file_that_stands_in(text: str) -> str:
    """Return the path of a file that is there and has nothing but a marked text, which names it."""
    path = cache_root() / "stand-in-files" / text
    if not path.is_file():
        write_atomically(path, f"{text}\n")
    return str(path)


_TEXTS: Final[dict[str, Callable[[str], str]]] = {
    "base64": lambda text: base64.b64encode(f"{MARK_IN_BASE64}{text}".encode()).decode(),
    "file": file_that_stands_in,
    "network": lambda _: "10.0.0.0/16",
    "url": "https://{}.example/".format,
}
_NUMBERS: Final = frozenset({"boolean", "number", "count", "length"})
_DEEPEST: Final = 8
_SPREAD: Final = 3
_MOST_ELEMENTS: Final = 64


@dataclass(eq=False)
class Use:
    """What is done with one value.

    Attributes:
        source: What it gives by a key: `config` of a namespace, or `stack`.
        fields: What is read of it by a name.
        at: What is read of it by a number.
        items: What is done with any of its elements.
        length: How many elements it must have; 0 for any number.
        sliced: How many elements its slices reach over, where it is a list; 0 where there are none.
        mapped: It is gone through by names.
        spread: Its fields are handed on as arguments.
        alike: What is read of it by any number is what is done with each of its elements.
        document: What is done with the document that it is.
        parts: What is done with its parts, by what parts them.
        form: `number`, `count` (of which the program makes as many), `length` (of a list), `boolean`,
            `base64`, `file`, `url` or `network`; empty for any.
        arguments: The names of the arguments that it is given for.
        given: The functions that it is given to, each with the argument's name.
        demanded: The program ends without it.
        tested: The program can do without it.
    """

    source: tuple[str, str] = ("", "")
    fields: dict[str, Use] = field(default_factory=dict[str, "Use"])
    at: dict[int, Use] = field(default_factory=dict[int, "Use"])
    items: Use | None = None
    length: int = 0
    sliced: int = 0
    mapped: bool = False
    spread: bool = False
    alike: bool = False
    document: Use | None = None
    parts: dict[str, Use] = field(default_factory=dict[str, "Use"])
    form: str = ""
    arguments: set[str] = field(default_factory=set[str])
    given: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    demanded: bool = False
    tested: bool = False

    def has_form(self) -> bool:
        """Say whether anything tells what it is like."""
        inner = (self.fields, self.at, self.items, self.document, self.parts)
        return any(inner) or self.mapped or bool(self.length or self.form)

    def has_text_form(self) -> bool:
        """Say whether it is a text that not every text can be."""
        return self.document is not None or bool(self.parts) or self.form in _TEXTS

    def elements(self, least: int) -> int:
        """Return how many elements it has as a list: those that are read of it, and no fewer than some."""
        return min(max([least, self.length, self.sliced, *(at + 1 for at in self.at)]), _MOST_ELEMENTS)

    def field(self, name: str) -> Use:
        """Return the use of a field."""
        self.demanded = True
        return self.fields.setdefault(name, Use())

    def element(self) -> Use:
        """Return the use of its elements."""
        self.demanded = True
        self.items = self.items or Use()
        return self.items

    def parsed(self) -> Use:
        """Return the use of the document that it is."""
        self.demanded = True
        self.document = self.document or Use()
        return self.document


@dataclass
class Uses:
    """What a program makes of what it is given.

    Attributes:
        required: Config that it requires, by full key, and the type that it asks for.
        config: All config that it reads.
        variables: Variables of the environment that it reads, and cannot do without.
        outputs: Outputs of other stacks, by name.
        attributes: Whatever is read as an attribute, by its name.
        tried: The functions after whose failure it goes on.
    """

    required: dict[str, str] = field(default_factory=dict[str, str])
    config: dict[str, Use] = field(default_factory=dict[str, Use])
    variables: dict[str, Use] = field(default_factory=dict[str, Use])
    outputs: dict[str, Use] = field(default_factory=dict[str, Use])
    attributes: dict[str, Use] = field(default_factory=dict[str, Use])
    tried: set[str] = field(default_factory=set[str])


def formed(
    use: Use, seed: str, *, number: int = MARKED_NUMBER, is_object: bool = False, depth: int = 0
) -> object:
    """Return a marked value of the form that a use needs.

    Args:
        use: What is done with it.
        seed: What it stands for.
        number: What a number is that decides how often something is done, which no marked one may.
        is_object: It is an object where nothing tells what it is.
        depth: How deep in another value it is.
    """
    inner = functools.partial(formed, number=number, depth=depth + 1)
    if depth > _DEEPEST:
        return marked_text(seed)
    if use.document is not None:
        return json.dumps(inner(use.document, seed, is_object=True))
    if use.fields or use.mapped:
        fields = {name: inner(one, f"{seed}.{name}") for name, one in sorted(use.fields.items())}
        # Which others there are, no one knows; as an argument, one that no function has is none.
        others = {} if use.spread else {marked_text(seed): inner(use.items or Use(), f"{seed}[*]")}
        return {**fields, **others}
    if use.at or use.items or use.length:
        several = _element(use, 0).fields or _element(use, 0).mapped
        count = use.elements(use.length or (1 if several else _SPREAD))
        return [inner(_element(use, index), f"{seed}[{index}]") for index in range(count)]
    return _text(use, seed, number, is_object=is_object)


def _element(use: Use, index: int) -> Use:
    one, items = use.at.get(index), use.items or Use()
    return one if one is not None and (one.has_form() or not items.has_form()) else items


def _text(use: Use, seed: str, number: int, *, is_object: bool) -> object:
    if use.parts:
        segment, between = next((one, by) for by, one in use.parts.items())
        count = use.length or segment.elements(2)
        return between.join(
            str(formed(_element(segment, index), f"{seed}[{index}]")) for index in range(count)
        )
    text = marked_text(seed)
    if use.form in _NUMBERS:
        return {"boolean": False, "count": number, "length": _SPREAD}.get(use.form, MARKED_NUMBER)
    if use.form:
        return _TEXTS[use.form](text)
    return {text: text} if is_object else text


_MOST_FILES: Final = 100
_MOST_USES: Final = 24
_SEQUENCES: Final = frozenset({"list", "List", "Sequence", "tuple", "Tuple", "set", "Set", "Iterable"})
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping"})
_DEEPEST_FIELD: Final = 4
ANNOTATED: Final = {"int": "number", "float": "number", "bool": "boolean"}
"""The forms of values that are annotated so."""

Values: TypeAlias = "tuple[Use, ...]"
"""What an expression or a name may stand for."""
Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"


@dataclass(eq=False)
class Scope:
    """The names of a module or a function."""

    outer: Scope | None = None
    names: dict[str, set[Use]] = field(default_factory=lambda: defaultdict[str, set[Use]](set))
    modules: dict[str, str] = field(default_factory=dict[str, str])
    imported: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def outwards(self) -> Iterator[Scope]:
        """Yield the scopes in which a name is looked for: this one, and each around it."""
        inner: Scope | None = self
        while inner is not None:
            yield inner
            inner = inner.outer


class Program:
    """A program's files, and what they declare.

    Attributes:
        trees: The files, by module.
    """

    def __init__(self, folder: Path) -> None:
        """Read the files of a folder's program."""
        self.trees = dict(_modules(folder))
        self._scopes: dict[int | str, Scope] = {}
        self._functions: dict[str, list[Function]] = defaultdict(list)
        self._records: dict[str, ast.ClassDef] = {}
        self._modules_by_name: dict[str, Scope | None] = {}
        for name, tree in self.trees.items():
            module = self._scopes[name] = Scope()
            for statement in ast.walk(tree):
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    self._scopes[id(statement)] = Scope(module)
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    self._functions[statement.name].append(statement)
                elif isinstance(statement, ast.ClassDef):
                    makers = [one for one in statement.body if getattr(one, "name", "") == "__init__"]
                    self._functions[statement.name] += [
                        one for one in makers if isinstance(one, ast.FunctionDef)
                    ]
                    if not makers:
                        self._records[statement.name] = statement

    def _named(self, name: str, scope: Scope) -> Values:
        for inner in scope.outwards():
            if inner.names.get(name):
                return tuple(inner.names[name])
            if name in inner.imported:
                module, original = inner.imported[name]
                other = self._module(module)
                return tuple(other.names.get(original, ())) if other is not None else ()
        return ()

    def _module_called(self, name: str, scope: Scope) -> Scope | None:
        for inner in scope.outwards():
            if name in inner.modules:
                return self._module(inner.modules[name])
            if name in inner.imported:
                module, original = inner.imported[name]
                return self._module(f"{module}.{original}".strip("."))
        return None

    def _imported_as(self, name: str, scope: Scope) -> str:
        """Return what a name with dots is called where it is imported from; the name where it is not."""
        first, dot, rest = name.partition(".")
        for inner in scope.outwards():
            if first in inner.imported:
                return f"{'.'.join(inner.imported[first])}{dot}{rest}"
            if first in inner.modules and not name.startswith(f"{inner.modules[first]}."):
                return f"{inner.modules[first]}{dot}{rest}"
        return name

    def _module(self, name: str) -> Scope | None:
        """Return a module of the program by its name, of which a package that it is in may be missing."""
        if name not in self._modules_by_name:
            scopes = (one for one in self.trees if one == name or one.endswith(f".{name}"))
            self._modules_by_name[name] = next((self._scopes[one] for one in scopes), None)
        return self._modules_by_name[name]

    def _scope_of(self, function: Function, outer: Scope | None = None) -> Scope:
        scope = self._scopes[id(function)]
        scope.outer = outer or scope.outer
        return scope

    def _spread(self, use: Use, name: str, depth: int = 0) -> None:
        """Note that the fields of a mapping become the arguments of a function, or the fields of a class."""
        use.spread = True
        required: list[tuple[str, ast.expr | None]] = []
        for one in self._functions.get(name, ()):
            names = [*one.args.posonlyargs, *one.args.args]
            names = names[: len(names) - len(one.args.defaults)]
            alone = zip(one.args.kwonlyargs, one.args.kw_defaults, strict=True)
            names += [each for each, default in alone if default is None]
            required += [(each.arg, each.annotation) for each in names if each.arg not in {"self", "cls"}]
        for one in self._records[name].body if name in self._records else ():
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is None:
                required.append((one.target.id, one.annotation))
        for parameter, annotation in required if depth < _DEEPEST_FIELD else ():
            self._annotated(use.field(parameter), annotation, depth + 1)

    def _annotated(self, use: Use, annotation: ast.expr | None, depth: int = 0) -> None:
        """Note what an annotation says of a value."""
        if isinstance(annotation, ast.BinOp):
            annotation = annotation.left
        owner = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        name = dotted(owner).rpartition(".")[2] if owner is not None else ""
        inside = annotation.slice if isinstance(annotation, ast.Subscript) else None
        inside = inside.elts[-1] if isinstance(inside, ast.Tuple) else inside
        if name in ANNOTATED:
            use.form = use.form or ANNOTATED[name]
        elif name in _SEQUENCES:
            self._annotated(use.element(), inside, depth)
        elif name in _MAPPINGS:
            use.mapped = True
            self._annotated(use.element(), inside, depth)
        elif name in {"Optional", "Input", "Annotated"}:
            self._annotated(use, inside, depth)
        elif name in self._records:
            self._spread(use, name, depth)


def dotted(expression: ast.expr) -> str:
    """Return a name with its dots; empty for what is no name."""
    names: list[str] = []
    while isinstance(expression, ast.Attribute):
        names.append(expression.attr)
        expression = expression.value
    return ".".join(reversed([*names, expression.id])) if isinstance(expression, ast.Name) else ""


def add(to: set[Use], uses: Iterable[Use]) -> None:
    """Add what a name may stand for; one that is assigned to itself again and again has no end of it."""
    to.update(one for one in uses if len(to) < _MOST_USES)


def _modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules of a program: what its main file imports, or all where there is none."""
    main = folder / "__main__.py"
    waiting = ["__main__"] if main.is_file() else []
    if not waiting:
        paths = (path.relative_to(folder) for path in files(folder, PYTHON))
        waiting = [".".join(path.with_suffix("").parts) for path in paths]
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_FILES:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        inside = folder.joinpath(*name.split("."))
        path = next(
            (one for one in (inside.with_suffix(".py"), inside / "__init__.py") if one.is_file()), None
        )
        if path is None:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue  # Python says what is wrong with it.
        yield name, tree
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for statement in ast.walk(tree):
            if isinstance(statement, ast.Import):
                waiting += [one.name for one in statement.names]
            elif isinstance(statement, ast.ImportFrom):
                base = (
                    package.split(".")[: len(package.split(".")) - statement.level + 1]
                    if statement.level
                    else []
                )
                module = ".".join(one for one in (*base, statement.module or "") if one)
                waiting += [module, *(f"{module}.{one.name}".strip(".") for one in statement.names)]

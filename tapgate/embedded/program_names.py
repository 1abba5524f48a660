"""What a Python program declares: its modules, functions and classes, and what their names stand for."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from tapgate.embedded.program_text import PYTHON, files
from tapgate.embedded.program_uses import Use, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


_ANY_FAILURE: Final = frozenset({"Exception", "BaseException"})
_ENDS: Final = frozenset({"exit", "sys.exit", "quit", "os._exit"})
_MOST_FILES: Final = 100
_MOST_USES: Final = 24
_SEQUENCES: Final = frozenset({"list", "List", "Sequence", "tuple", "Tuple", "set", "Set", "Iterable"})
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping"})
_DEEPEST_FIELD: Final = 4
ANNOTATED: Final = {"int": "number", "float": "number", "bool": "boolean"}
"""The forms of values that are annotated so."""

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
        self.functions: dict[str, list[Function]] = defaultdict(list)
        self._records: dict[str, ast.ClassDef] = {}
        self._modules_by_name: dict[str, Scope | None] = {}
        for name, tree in self.trees.items():
            module = self._scopes[name] = Scope()
            for statement in ast.walk(tree):
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    self._scopes[id(statement)] = Scope(module)
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    self.functions[statement.name].append(statement)
                elif isinstance(statement, ast.ClassDef):
                    functions = [one for one in statement.body if isinstance(one, ast.FunctionDef)]
                    makers = [one for one in functions if one.name == "__init__"]
                    self.functions[statement.name] += makers
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

    def _arguments(self, function: Function, given: list[Values], named: Mapping[str, Values]) -> None:
        inner = self._scope_of(function)
        parameters = [*function.args.posonlyargs, *function.args.args]
        parameters = parameters[1:] if parameters and parameters[0].arg in {"self", "cls"} else parameters
        pairs = [*zip(parameters, given, strict=False)]
        by_name = (*parameters, *function.args.kwonlyargs)
        pairs += [(one, named[one.arg]) for one in by_name if one.arg in named]
        for parameter, uses in pairs:
            add(inner.names[parameter.arg], uses)
            for use in uses:
                if parameter.annotation is not None and dotted(parameter.annotation) in ANNOTATED:
                    use.form = use.form or ANNOTATED[dotted(parameter.annotation)]

    def tried(self) -> set[str]:
        """Return what is called where a failure does not end the program, with what that calls in turn."""
        names: set[str] = set()
        for one in (one for tree in self.trees.values() for one in ast.walk(tree)):
            if (isinstance(one, ast.Try) and any(map(_goes_on, one.handlers))) or (
                isinstance(one, ast.With) and any(map(_suppresses, one.items))
            ):
                names.update(_calls(one.body))
        inner = names
        while inner:
            inner = set(_calls(one for name in inner for one in self.functions.get(name, ()))) - names
            names |= inner
        return names

    def _spread(self, use: Use, name: str, depth: int = 0) -> None:
        """Note that the fields of a mapping become the arguments of a function, or the fields of a class."""
        use.spread = True
        required: list[tuple[str, ast.expr | None]] = []
        for one in self.functions.get(name, ()):
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


def namespace(call: ast.Call, project: str) -> str:
    """Return the namespace that `Config(...)` is of; empty where that is computed."""
    given = [*call.args, *(one.value for one in call.keywords)]
    if not given:
        return project
    first = given[0]
    if isinstance(first, ast.Constant):
        return first.value if isinstance(first.value, str) else project
    return project if isinstance(first, ast.Call) and called(first) == "get_project" else ""


def called(call: ast.Call) -> str:
    """Return the last name of what is called; empty where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _calls(body: Iterable[ast.AST]) -> Iterable[str]:
    return (called(one) for inner in body for one in ast.walk(inner) if isinstance(one, ast.Call))


def _catches(types: ast.expr | None) -> bool:
    """Say whether it is one of these that a function of a provider raises."""
    each = types.elts if isinstance(types, ast.Tuple) else [types]
    return any(one is None or dotted(one).rpartition(".")[2] in _ANY_FAILURE for one in each)


def _goes_on(handler: ast.ExceptHandler) -> bool:
    return _catches(handler.type) and not ends_program(handler.body)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and called(call) == "suppress" and any(map(_catches, call.args))


def ends_program(body: list[ast.stmt]) -> bool:
    """Say whether a block ends the program."""
    last = body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    return isinstance(last, ast.Raise) or (isinstance(call, ast.Call) and dotted(call.func) in _ENDS)


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
                steps = package.split(".")
                base = steps[: len(steps) - statement.level + 1] if statement.level else []
                module = ".".join(one for one in (*base, statement.module or "") if one)
                waiting += [module, *(f"{module}.{one.name}".strip(".") for one in statement.names)]

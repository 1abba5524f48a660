"""Follows what a Python program is given: config, variables, outputs of other stacks, documents.

Read from its text alone: each value is followed by the names that it gets, through assignments, arguments,
loops and results, and what is done with it says of what form it has to be. Where that is not clear, more is
assumed than there is: what stands in may have fields that no one reads, never too few.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tapgate.embedded.program_names import Program, add, called, dotted, ends_program, namespace
from tapgate.embedded.program_uses import Use, Uses, converted, done_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tapgate.embedded.program_names import Scope
    from tapgate.embedded.program_uses import Values

_ROUNDS: Final = 3
_ENVIRONMENT: Final = frozenset({"os.environ", "environ"})
_GETENV: Final = frozenset({"os.getenv", "getenv", "os.environ.get", "environ.get"})
_OTHER_STACKS: Final = frozenset({"StackReference", "RemoteStateReference"})
_OUTPUT_OF: Final = frozenset({"get_output", "require_output"})
_PARSED: Final = frozenset({"loads", "safe_load", "json_loads", "load"})
_SAME: Final = frozenset(
    {"from_input", "secret", "unsecret", "list", "sorted", "tuple", "set", "reversed", "str", "int", "float"}
)
_VALIDATED: Final = frozenset({"model_validate", "parse_obj"})


def read(folder: Path, project: str = "") -> Uses:
    """Read the program in a folder."""
    return _Reader(folder, project).result()


class _Reader(Program):
    """Follows values through the files of a program."""

    def __init__(self, folder: Path, project: str) -> None:
        super().__init__(folder)
        self._project = project
        self._attributes: dict[str, set[Use]] = defaultdict(set)
        self._given: set[str] = set()
        self._texts: dict[str, set[str]] = defaultdict(set)
        self._asked: dict[str, tuple[Use, bool]] = {}
        self._configs: dict[str, Use] = {}
        self._stack = Use(("stack", ""))
        self._optional: dict[str, Use] = {}
        self.uses = Uses()

    def result(self) -> Uses:
        """Go through the files as often as values need to reach their uses, and return what was found."""
        for _ in range(_ROUNDS):
            for name, tree in self.trees.items():
                self._each(tree.body, self._scopes[name])
        uses = self.uses
        for name, (use, required) in self._asked.items():
            if name not in self._given and (required or not use.tested):
                uses.variables[name] = use
        for key, use in self._optional.items():
            if not use.tested and (use.demanded or use.is_required()):
                form = "object" if use.fields or use.items or use.mapped or use.at else "string"
                uses.required.setdefault(key, form)
        for key, form in uses.required.items():
            if form == "string" and uses.config.get(key, Use()).form in {"number", "count", "length"}:
                uses.required[key] = "int"
        uses.tried = self.tried()
        return uses

    def value(self, piece: ast.AST, scope: Scope) -> Values:
        """Return what is known of an expression's value; note what an expression or a statement does."""
        name = f"read_{type(piece).__name__.lower()}"
        read: Callable[[ast.AST, Scope], Values] = getattr(self, name, self._inside)
        return read(piece, scope)

    def _inside(self, outer: ast.AST, scope: Scope) -> Values:
        """Read what is inside of something that makes nothing of it."""
        return self._each(ast.iter_child_nodes(outer), scope)

    def _each(self, pieces: Iterable[ast.AST], scope: Scope) -> Values:
        for one in pieces:
            self.value(one, scope)
        return ()

    def read_functiondef(self, function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Values:
        return self._each(function.body, self._scope_of(function, scope))

    def read_import(self, statement: ast.Import | ast.ImportFrom, scope: Scope) -> Values:
        for one in statement.names:
            if isinstance(statement, ast.ImportFrom):
                scope.imported[one.asname or one.name] = (statement.module or "", one.name)
            else:
                scope.modules[one.asname or one.name.partition(".")[0]] = one.name
        return ()

    def read_assign(self, statement: ast.Assign | ast.AnnAssign, scope: Scope) -> Values:
        uses = self.value(statement.value, scope) if statement.value is not None else ()
        for assigned in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            self._bind(assigned, uses, scope)
            self._one_of(assigned, statement.value)
        return ()

    def read_for(self, statement: ast.For | ast.AsyncFor, scope: Scope) -> Values:
        self._loop(statement.target, statement.iter, scope)
        return self._each([*statement.body, *statement.orelse], scope)

    def read_return(self, statement: ast.Return, scope: Scope) -> Values:
        add(scope.names["return"], self.value(statement.value, scope) if statement.value is not None else ())
        return ()

    def read_if(self, statement: ast.If, scope: Scope) -> Values:
        self._test(statement.test, scope, ends=ends_program(statement.body))
        return self._each([*statement.body, *statement.orelse], scope)

    read_asyncfunctiondef, read_importfrom = read_functiondef, read_import
    read_annassign, read_asyncfor = read_assign, read_for

    def _bind(self, assigned: ast.expr, uses: Values, scope: Scope) -> None:
        if isinstance(assigned, ast.Name):
            add(scope.names[assigned.id], uses)
        elif isinstance(assigned, ast.Attribute):
            add(self._attributes[assigned.attr], uses)
        elif isinstance(assigned, ast.Tuple | ast.List):
            for use in uses:
                use.length = max(use.length, len(assigned.elts))
            for index, one in enumerate(assigned.elts):
                self._bind(one, tuple(use.number(index) for use in uses), scope)
        elif isinstance(assigned, ast.Subscript):
            key = assigned.slice
            if dotted(assigned.value) in _ENVIRONMENT and isinstance(key, ast.Constant):
                self._given.add(str(key.value))
            self.value(assigned.value, scope)

    def _loop(self, assigned: ast.expr, iterated: ast.expr, scope: Scope) -> None:
        call = iterated if isinstance(iterated, ast.Call) else None
        name = called(call) if call is not None else ""
        if call is not None and name == "enumerate" and call.args and isinstance(assigned, ast.Tuple):
            self._loop(assigned.elts[-1], call.args[0], scope)
        elif call is not None and name == "zip" and isinstance(assigned, ast.Tuple):
            for one, of in zip(assigned.elts, call.args, strict=False):
                self._loop(one, of, scope)
        else:
            self._bind(assigned, tuple(use.element() for use in self.value(iterated, scope)), scope)
            self._one_of(assigned, iterated)

    def _one_of(self, assigned: ast.expr, value: ast.expr | None) -> None:
        """Note the texts that a name stands for: those of a list, and any of them in a loop."""
        if isinstance(assigned, ast.Name) and isinstance(value, ast.Name):
            self._texts[assigned.id] |= self._texts[value.id]
        elif isinstance(assigned, ast.Name) and isinstance(value, ast.List | ast.Tuple | ast.Set):
            constants = [one.value for one in value.elts if isinstance(one, ast.Constant)]
            self._texts[assigned.id].update(one for one in constants if isinstance(one, str))

    def _test(self, condition: ast.expr, scope: Scope, *, ends: bool = False) -> None:
        """Read a condition: of what is only asked for, the program knows what to do without it."""
        if isinstance(condition, ast.BoolOp):
            for one in condition.values:
                self._test(one, scope, ends=ends)
        elif isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
            for use in self.value(condition.operand, scope):
                use.demanded, use.tested = use.demanded or ends, use.tested or not ends
        elif isinstance(condition, ast.Compare):
            self.read_compare(condition, scope, ends=ends)
        else:
            for use in self.value(condition, scope):
                use.tested = True

    def read_compare(self, comparison: ast.Compare, scope: Scope, *, ends: bool = False) -> Values:
        sides = [comparison.left, *comparison.comparators]
        for one in sides:
            of_the_environment = dotted(one) in _ENVIRONMENT
            if of_the_environment and isinstance(comparison.left, ast.Constant) and not ends:
                self._given.add(str(comparison.left.value))
            others = [operand for operand in sides if operand is not one]
            empty = any(isinstance(operand, ast.Constant) and operand.value is None for operand in others)
            length = any(isinstance(operand, ast.Call) and called(operand) == "len" for operand in others)
            number = any(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for one in comparison.ops)
            for use in self.value(one, scope):
                use.demanded, use.tested = use.demanded or (empty and ends), use.tested or not ends
                use.form = "length" if length else "count" if number else use.form
        return ()

    def read_name(self, expression: ast.Name, scope: Scope) -> Values:
        self._region(expression.id, scope)
        return self._named(expression.id, scope)

    def read_await(self, expression: ast.Await | ast.Starred | ast.NamedExpr, scope: Scope) -> Values:
        uses = self.value(expression.value, scope)
        if isinstance(expression, ast.NamedExpr):
            self._bind(expression.target, uses, scope)
        return tuple(use.element() for use in uses) if isinstance(expression, ast.Starred) else uses

    read_starred = read_namedexpr = read_await

    def read_lambda(self, function: ast.Lambda, scope: Scope) -> Values:
        return self.value(function.body, self._scope_of(function, scope))

    def read_ifexp(self, expression: ast.IfExp, scope: Scope) -> Values:
        self._test(expression.test, scope)
        return self.value(expression.body, scope) + self.value(expression.orelse, scope)

    def read_listcomp(self, comprehension: ast.ListComp | ast.DictComp, scope: Scope) -> Values:
        for one in comprehension.generators:
            self._loop(one.target, one.iter, scope)
            for test in one.ifs:
                self._test(test, scope)
        of_a_mapping = isinstance(comprehension, ast.DictComp)
        made = [comprehension.key, comprehension.value] if of_a_mapping else [comprehension.elt]
        return self._each(made, scope)

    read_setcomp = read_generatorexp = read_dictcomp = read_listcomp

    def read_dict(self, display: ast.Dict, scope: Scope) -> Values:
        for key, one in zip(display.keys, display.values, strict=True):
            for use in self._given_as(one, scope):
                if isinstance(key, ast.Constant):
                    use.arguments.add(str(key.value))
        return ()

    def _given_as(self, expression: ast.expr, scope: Scope) -> Values:
        """Return what is given under a name; of a list nothing, but that nothing is no element of one."""
        if not isinstance(expression, ast.List):
            return self.value(expression, scope)
        for one in expression.elts:
            for use in self.value(one, scope):
                use.demanded = True
        return ()

    def read_binop(self, operation: ast.BinOp, scope: Scope) -> Values:
        if isinstance(operation.op, ast.Mod | ast.BitOr):
            return self._inside(operation, scope)
        for one, other in ((operation.left, operation.right), (operation.right, operation.left)):
            number = isinstance(other, ast.Constant) and type(other.value) in {int, float}
            for use in self.value(one, scope):
                use.demanded = True
                use.form = "count" if number or isinstance(operation.op, ast.Mult) else use.form
        return ()

    def read_boolop(self, operation: ast.BoolOp, scope: Scope) -> Values:
        *before, last = [self.value(one, scope) for one in operation.values]
        tested = tuple(use for uses in before for use in uses)
        for use in tested:
            use.tested = True
        return tested + last

    def read_attribute(self, expression: ast.Attribute, scope: Scope) -> Values:
        if isinstance(expression.value, ast.Name):
            module = self._module_called(expression.value.id, scope)
            if module is not None and not self._named(expression.value.id, scope):
                return tuple(module.names.get(expression.attr, ()))
        if expression.attr == "region":
            self._region(dotted(expression), scope)
        owners = self.value(expression.value, scope)
        if expression.attr == "outputs" and any(use.source[0] == "stack" for use in owners):
            return tuple(owners)
        known = tuple(self._attributes.get(expression.attr, ()))
        return (*known, self.uses.attributes.setdefault(expression.attr, Use()))

    def _region(self, name: str, scope: Scope) -> None:
        if name and self._imported_as(name, scope).endswith("aws.config.region"):
            self.uses.required["aws:region"] = "string"

    def read_subscript(self, expression: ast.Subscript, scope: Scope) -> Values:
        key = expression.slice.value if isinstance(expression.slice, ast.Constant) else None
        if dotted(expression.value) in _ENVIRONMENT and isinstance(key, str):
            return (self._variable(key, required=True),)
        owners = self.value(expression.value, scope)
        self.value(expression.slice, scope)
        if not isinstance(expression.slice, ast.Slice):
            return tuple(self._step(use, key) for use in owners)
        end = expression.slice.upper or expression.slice.lower
        if isinstance(end, ast.Constant) and isinstance(end.value, int):
            for use in owners:
                use.sliced = max(use.sliced, end.value + (expression.slice.upper is None))
        return owners

    def _step(self, use: Use, key: object) -> Use:
        if isinstance(key, str):
            return self.uses.outputs.setdefault(key, Use()) if use.source[0] == "stack" else use.field(key)
        return use.number(key) if isinstance(key, int) else use.element()

    def _variable(self, name: str, *, required: bool) -> Use:
        use, before = self._asked.get(name, (Use(), False))
        self._asked[name] = use, before or required
        return use

    def read_call(self, call: ast.Call, scope: Scope) -> Values:
        name, path = called(call), dotted(call.func)
        first = call.args[0] if call.args else None
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        if path in _GETENV and text:
            use = self._variable(text, required=False)
            use.tested = use.tested or len(call.args) > 1 or bool(call.keywords)
            return (use,)
        if path in {f"{one}.setdefault" for one in _ENVIRONMENT}:
            self._given.add(text)
        if name == "Config":
            of = namespace(call, self._project)
            return (self._configs.setdefault(of, Use(("config", of))),) if of else ()
        if name in _OTHER_STACKS or path.endswith("cloudformation.get_stack"):
            self._inside(call, scope)
            # Nor is a stack called None because a part of its name is.
            parts = [one.value for one in ast.walk(call) if isinstance(one, ast.FormattedValue)]
            for one in (*call.args[:1], *parts):
                for use in self.value(one, scope):
                    use.demanded = True
            return (self._stack,)
        result = self._method(call, call.func, text, scope) if isinstance(call.func, ast.Attribute) else None
        return result if result is not None else self._function(call, name, scope)

    def _function(self, call: ast.Call, name: str, scope: Scope) -> Values:
        """Read what a function of the program, or one that is known by its name, does."""
        given = [self.value(one, scope) for one in call.args]
        named = self._by_name(call, name, scope)
        for function in self.functions.get(name, ()):
            self._arguments(function, given, named)
        for uses in given:
            for use in uses:
                converted(use, name)
        if name == "all":  # Of outputs: by number, or by name.
            at = {index: use for index, uses in enumerate(given) for use in uses}
            return (Use(at=at, fields={name: use for name, uses in named.items() for use in uses}),)
        if name in _VALIDATED and given and isinstance(call.func, ast.Attribute):
            for use in given[0]:
                self._spread(use, dotted(call.func.value))
        if given and (name in _SAME or name in _PARSED):
            return given[0] if name in _SAME else tuple(use.parsed() for use in given[0])
        inner = [self._scope_of(one) for one in self.functions.get(name, ())]
        return tuple(use for one in inner for use in one.names.get("return", ()))

    def _by_name(self, call: ast.Call, name: str, scope: Scope) -> dict[str, Values]:
        """Return what is given by name, and note the arguments that it is given for."""
        named: dict[str, Values] = {}
        for one in call.keywords:
            uses = named[one.arg or ""] = self._given_as(one.value, scope)
            for use in uses:
                if one.arg is None:
                    self._spread(use, name)
                else:
                    use.arguments.add(one.arg)
                    use.given.add((dotted(call.func), one.arg))
                if name in self._records and one.arg is not None:
                    add(self._attributes[one.arg], [use])
        return named

    def _method(self, call: ast.Call, function: ast.Attribute, text: str, scope: Scope) -> Values | None:
        """Read what a method of a value does; None where it may be any function."""
        name = function.attr
        names = {text} if text else self._texts[getattr(call.args[0], "id", "")] if call.args else set[str]()
        if name in _OUTPUT_OF and names:
            self.value(function.value, scope)
            return tuple(self.uses.outputs.setdefault(one, Use()) for one in sorted(names))
        if isinstance(function.value, ast.Name) and self._module_called(function.value.id, scope) is not None:
            return None
        owners = self.value(function.value, scope)
        configs = [use.source[1] for use in owners if use.source[0] == "config"]
        if configs and text and name.startswith(("require", "get")):
            return tuple(self._configured(namespace, name, text, call) for namespace in configs)
        if owners and name == "apply" and call.args:
            return self._applied(call.args[0], owners, scope)
        return done_with(owners, name, text, has_default=len(call.args) > 1)

    def _configured(self, namespace: str, method: str, name: str, call: ast.Call) -> Use:
        key = name if ":" in name else f"{namespace}:{name}"
        use = self.uses.config.setdefault(key, Use())
        form = method.removeprefix("require").removeprefix("get").replace("secret", "").strip("_") or "string"
        if method.startswith("require"):
            secret = "secret" in method and form == "string"
            self.uses.required[key] = "secret" if secret else form
        elif key == "aws:region":
            self.uses.required.setdefault(key, "string")
        elif len(call.args) > 1 or call.keywords:
            use.tested = True
        else:
            self._optional[key] = use
        return use

    def _applied(self, function: ast.expr, owners: Values, scope: Scope) -> Values:
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in _PARSED:
            return tuple(use.parsed() for use in owners)
        results: set[Use] = set()
        for one in [function] if isinstance(function, ast.Lambda) else self.functions.get(name, ()):
            inner = self._scope_of(one, scope if isinstance(one, ast.Lambda) else None)
            names = [each.arg for each in one.args.args if each.arg != "self"]
            if names:
                add(inner.names[names[0]], owners)
            if isinstance(one, ast.Lambda):
                results.update(self.value(one.body, inner))
            results |= inner.names.get("return", set())
        for use in owners:
            converted(use, name)
        return tuple(results)

"""Reading properties: a reference into a property tree, and the five answers that it can give.

A reader never raises and never guesses. What is absent, unknown or of a wrong type is an answer of its
own, which a rule has to treat; each answer knows the path of the property and can show what was found.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from tap_guardrails.model.finding import Finding, Verdict
from tap_guardrails.model.values import (
    NAME_TEXT,
    UNKNOWN,
    CloudFormationObject,
    Opaque,
    Partial,
    Secret,
    UnknownType,
    Value,
    decode,
    record,
)

if TYPE_CHECKING:
    from tap_guardrails.model.stack import Resource

T = TypeVar("T")

SHOWN_LENGTH: Final = 200
"""Characters of a found value that a message shows."""

LARGEST_EXACT: Final = 2**53
DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class DocumentError(ValueError):
    """A JSON text that is not what has to stand there; the text of the error says what has."""


class Answer(Generic[T]):
    """What a property was read as; a rule says of it what is wrong.

    Attributes:
        absent: Whether the property is known not to be set.
        unknown: Whether it is unknown until deployment.
        settled: Whether it is known what it is set to, if it is set.
    """

    __slots__ = ()

    absent: ClassVar = False
    unknown: ClassVar = False
    settled: ClassVar = False

    if TYPE_CHECKING:
        ref: PropertyRef

    def violation(self, problem: str, required: str, fix: str = "") -> Finding:
        """Say that the property does not meet the requirement."""
        return self.ref.violation(problem, required, fix)

    def undecided(self, required: str, problem: str = "", fix: str = "") -> Finding:
        """Say that the property is unknown, so that compliance is undecided."""
        return self.ref.undecided(required, problem, fix)

    def unsettled(self, required: str) -> Iterator[Finding]:
        """Say that the property is unknown or of another type than AWS takes, if it is."""
        if isinstance(self, Unknown):
            yield self.undecided(required)
        elif isinstance(self, Invalid):
            yield self.invalid(required)

    def must(
        self, holds: Callable[[T], bool], *, problem: str, required: str, fix: str = ""
    ) -> Iterator[Finding]:
        """Require that the property is set and that `holds` is true of its value.

        Args:
            holds: Whether a value is right.
            problem: What to say when it is absent or wrong.
            required: What has to stand there.
            fix: How to remediate it, where the rule's own advice does not fit.
        """
        if isinstance(self, (Unknown, Invalid)):
            yield from self.unsettled(required)
        elif not (isinstance(self, Known) and holds(self.value)):
            yield self.violation(problem, required, fix)


@record
class Known(Answer[T]):
    """The property has a value of the wanted type."""

    value: T
    ref: PropertyRef
    settled: ClassVar = True


@record
class Absent(Answer[Any]):
    """The property is not set: missing, null, or the empty string where a text is wanted."""

    ref: PropertyRef
    value: ClassVar[None] = None
    absent: ClassVar = True
    settled: ClassVar = True


@record
class Unknown(Answer[Any]):
    """The property, or something it is part of, is unknown until deployment."""

    ref: PropertyRef
    value: ClassVar[None] = None
    unknown: ClassVar = True


@record
class Invalid(Answer[Any]):
    """The property has a value of another type than AWS takes there."""

    ref: PropertyRef
    wanted: str
    value: ClassVar[None] = None

    def invalid(self, required: str) -> Finding:
        """Say that the property is not of the type that AWS takes."""
        return self.violation(f"`{self.ref.path}` is not {self.wanted}.", required)


PropertyValue: TypeAlias = Known[T] | Absent | Unknown | Invalid
"""What a property was read as; its `value` is None unless it is known."""


@record
class PropertyRef:
    """A reference to a property in a tree.

    Attributes:
        path: Where it is, as Pulumi writes property paths: `replicas[0].pointInTimeRecovery`.
        value: What stands there; None when nothing does.
        secret: Whether the value, or something it is part of, is a secret.
        top: The resource's property that the path begins with; dependencies are recorded by it.
        invalid_parent: What should have stood here for the path to go on; empty while all is well.
        redacted: Whether it is not known if the value is a secret, so that it is treated as one in messages.
        cased: Whether it is written in CloudFormation's casing, which its path then shows.
    """

    path: str
    value: Value
    secret: bool = False
    top: str = field(default="", compare=False)
    invalid_parent: str = field(default="", compare=False)
    redacted: bool = field(default=False, compare=False)
    cased: bool = field(default=False, compare=False)

    @property
    def hidden(self) -> bool:
        """Whether no message may show the value."""
        return self.secret or self.redacted

    def at(self, *steps: str | int) -> PropertyRef:
        """Go down into objects (by name) and lists (by position)."""
        ref = self
        for step in steps:
            ref = ref._step(step)
        return ref

    def _step(self, step: str | int) -> PropertyRef:
        if self.invalid_parent:
            return self
        path = join(self.path, self._cased(step) if self.cased else step)
        top = self.top or str(step)
        match self.value:
            case None | UnknownType.UNKNOWN:
                return PropertyRef(
                    path, self.value, self.secret, top, redacted=self.redacted, cased=self.cased
                )
            case Partial():
                return replace(self, value=UNKNOWN).at(step)
            case dict() as fields if isinstance(step, str):
                return self._child(path, fields.get(step), top)
            case list() as items if isinstance(step, int):
                return self._child(path, items[step] if step < len(items) else None, top)
            case _:
                wanted = "an object" if isinstance(step, str) else "a list"
                return replace(self, invalid_parent=wanted)

    def _child(self, path: str, value: Value, top: str) -> PropertyRef:
        child = revealed(path, value, top, cased=self.cased)
        if not self.hidden:
            return child
        return replace(child, secret=True) if self.secret else replace(child, redacted=True)

    def _cased(self, step: str | int) -> str | int:
        """Return a step as CloudFormation writes it."""
        if isinstance(step, int) or (isinstance(self.value, dict) and step in self.value):
            return step
        fields = self.value if isinstance(self.value, CloudFormationObject) else CloudFormationObject()
        return fields.cased(step)

    @property
    def _readable(self) -> Value:
        """The value; None where something else stands in its way, which `_not` then says."""
        return None if self.invalid_parent else self.value

    def boolean(self) -> PropertyValue[bool]:
        """Read true or false; the texts "true" and "false" count, as providers take them."""
        match self._readable:
            case bool() as value:
                return Known(value, self)
            case "true" | "false" as text:
                return Known(text == "true", self)
            case _:
                return self._not("a boolean")

    def number(self) -> PropertyValue[float]:
        """Read a finite number; a decimal text counts, as providers take it."""
        match self._readable:
            case float() as value if math.isfinite(value):
                return Known(value, self)
            case str() as text if DECIMAL.fullmatch(text) and math.isfinite(float(text)):
                return Known(float(text), self)
            case _:
                return self._not("a number")

    def integer(self) -> PropertyValue[int]:
        """Read a whole number; 30.0 and "30" count."""
        prop = self.number()
        if isinstance(prop, Known):
            integral = prop.value.is_integer()
            return Known(int(prop.value), self) if integral else Invalid(self, "a whole number")
        return self._not("a whole number")

    def text(self) -> PropertyValue[str]:
        """Read a text; numbers and booleans count as their text, and the empty text as absent."""
        match self._readable:
            case "":
                return Absent(self)
            case str() as text:
                return Known(text, self)
            case bool() as value:
                return Known("true" if value else "false", self)
            case float() as value:
                return Known(str(int(value)) if value.is_integer() else str(value), self)
            case _:
                return self._not("a text")

    def pattern(self) -> PropertyValue[str]:
        """Read a text in which only wildcards matter: what is unknown of it may be known to be none."""
        if isinstance(self.value, Partial) and self.value.no_wildcard and not self.invalid_parent:
            return Known(self.value.text, self)
        return self.text()

    def items(self) -> PropertyValue[list[PropertyRef]]:
        """Read a list, as one reference an element."""
        match self._readable:
            case list() as items:
                return Known([self.at(position) for position in range(len(items))], self)
            case _:
                return self._not("a list")

    def entries(self) -> PropertyValue[dict[str, PropertyRef]]:
        """Read an object, as one reference a field that is set."""
        match self._readable:
            case dict() as fields:
                set_fields = (name for name, value in fields.items() if value is not None)
                return Known({name: self._entry(name) for name in set_fields}, self)
            case _:
                return self._not("an object")

    def _entry(self, name: str) -> PropertyRef:
        """Go to a field whose name comes from the data, and is as secret as they are."""
        entry = self.at(name)
        return replace(entry, path=f"{self.path}[secret]") if self.hidden else entry

    def document(
        self, what: str = "a JSON document", hook: Callable[..., object] | None = None
    ) -> PropertyRef:
        """Return the reference with a JSON text parsed; an object stays as it is.

        Args:
            what: What a text has to be.
            hook: Makes an object of its fields; raises `DocumentError` with what should have stood there.
        """
        if not isinstance(self.value, str) or self.invalid_parent:
            return self
        try:
            parsed = json.loads(self.value, object_pairs_hook=hook) if self.value else None
            return replace(self, value=decode(parsed))
        except (ValueError, RecursionError) as error:
            return replace(self, invalid_parent=str(error) if isinstance(error, DocumentError) else what)

    def _not(self, wanted: str) -> Absent | Unknown | Invalid:
        if self.invalid_parent:
            return Invalid(self, self.invalid_parent)
        if self.value is None:
            return Absent(self)
        if self.value is UNKNOWN or isinstance(self.value, Partial):
            return Unknown(self)
        return Invalid(self, wanted)

    def violation(self, problem: str, required: str, fix: str = "") -> Finding:
        """Say that the property does not meet the requirement."""
        return Finding(Verdict.VIOLATION, problem, self.path, self.found(), required, fix)

    def undecided(self, required: str, problem: str = "", fix: str = "") -> Finding:
        """Say that the property is unknown, so that compliance is undecided."""
        return Finding(
            Verdict.UNDECIDED,
            problem or f"`{self.path}` is unknown until deployment, so compliance is undecided.",
            self.path,
            self.found(),
            required,
            fix
            or f"Make `{self.path}` of what is known before: names that the program sets, "
            "stack configuration, or what the answers file of the gate says.",
        )

    def not_known(self, what: str, required: str, setting: str) -> Finding:
        """Say that AWS may have added something since this version of the pack, so that it may be right.

        Args:
            what: What it is: `runtime`.
            required: What has to stand there.
            setting: The policy's setting that adds to what is known.
        """
        return self.undecided(
            required,
            f"The {what} {self.found()} is not known to this version of the policy pack.",
            f"Correct it; or, if AWS has it, add it to `{setting}` in this policy's configuration.",
        )

    def found(self) -> str:
        """Show the value in one line: JSON, or that there is nothing, an unknown or a secret."""
        if self.value is None:
            return "nothing"
        if self.hidden and self.value is not UNKNOWN:
            return "[secret]"
        value = self.value
        if isinstance(value, Partial) and value.no_wildcard:
            value = value.text.replace(NAME_TEXT, "…")
        if isinstance(value, (UnknownType, Partial)):
            return UNKNOWN.value
        shown = json.dumps(to_json(value), ensure_ascii=False, sort_keys=True)
        return shown if len(shown) <= SHOWN_LENGTH else shown[: SHOWN_LENGTH - 1] + "…"


def revealed(path: str, value: Value, top: str, *, cased: bool = False) -> PropertyRef:
    """Make a reference to a value, taking the mark of a secret off it and keeping it in mind."""
    # Most values are none, and a stack has them read by the hundred thousand.
    if not isinstance(value, Secret):
        return PropertyRef(path, value, False, top, "", False, cased)  # noqa: FBT003
    secret = redacted = False
    while isinstance(value, Secret):
        secret, redacted = secret or value.marked, True
        value = value.value
    return PropertyRef(path, value, secret, top, redacted=redacted, cased=cased)


def join(path: str, step: str | int) -> str:
    """Append a step to a property path."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not (step.isascii() and step.isidentifier()):
        return f"{path}[{json.dumps(step, ensure_ascii=False)}]"
    return f"{path}.{step}" if path else step


def to_json(value: Value) -> object:
    """Turn a value into what `json.dumps` takes, with secrets hidden and unknowns named."""
    match value:
        case list():
            return [to_json(item) for item in value]
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case Secret() | Opaque():
            return f"[{value.what if isinstance(value, Opaque) else 'secret'}]"
        case UnknownType() | Partial():
            return f"[{UNKNOWN.value}]"
        case float() if value.is_integer() and abs(value) < LARGEST_EXACT:
            return int(value)
        case _:
            return value


EACH: Final = "[*]"
"""What a step of a path ends with that leads into each element of a list."""


def refs_at(resource: Resource, path: Sequence[str]) -> list[PropertyRef]:
    """Go to everywhere that a path leads to; a list that is unknown, or is none, stands for itself."""
    refs: list[PropertyRef] = []
    for position, step in enumerate(path):
        name = step.removesuffix(EACH)
        refs = [ref.at(name) for ref in refs] if position else [resource.at(name)]
        if step.endswith(EACH):
            props = [(ref, ref.items()) for ref in refs]
            refs = [one for ref, prop in props for one in (prop.value if isinstance(prop, Known) else [ref])]
    return refs

"""Reading of a JSON document back into the classes that it was written from, strictly.

A verdict file may have been edited, cut off or made up. What does not have the shape of its class is
refused with the place in the document; a field that a later version added is passed over, one that has a
default may be missing.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from math import inf, isfinite
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from tapgate.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
_NAMES: Final = {"Verdict": Verdict}
_IN_DOCUMENT: Final = {"property_path": "property"}
_ABSENT: Final = object()


class ShapeError(ValueError):
    """A document does not have the shape of its class.

    Attributes:
        where: path of the value in the document, such as `stacks[0].findings[2].urn`.
        problem: what is wrong there.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where or 'document'}: {problem}")
        self.where = where
        self.problem = problem


def decode(kind: type[T], value: object, where: str = "") -> T:
    """Read a dataclass out of JSON values.

    Args:
        kind: the dataclass.
        value: what `json.loads` returned.
        where: path of the value in the whole document, for messages.

    Raises:
        ShapeError: the value has another shape.
    """
    return cast("T", _object(kind, value, where))


def _object(kind: type, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise ShapeError(where, f"must be an object, is {_name(value)}")
    body = cast("Mapping[str, object]", value)
    hints = cast("Mapping[str, object]", get_type_hints(kind, localns=_NAMES))
    taken: dict[str, object] = {}
    for member in fields(cast("Any", kind)):
        name = _IN_DOCUMENT.get(member.name, member.name)
        if name in body or member.default is MISSING:
            place = f"{where}.{name}" if where else name
            taken[member.name] = _value(hints[member.name], body.get(name, _ABSENT), place)
    return kind(**taken)


def _value(hint: object, value: object, where: str) -> object:
    if value is _ABSENT:
        raise ShapeError(where, "is missing")
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _tuple(args, value, where)
    if origin in {UnionType, Union}:
        if value is None and NoneType in args:
            return None
        return _value(next(arg for arg in args if arg is not NoneType), value, where)
    if origin is Literal:
        if value in args and isinstance(value, str):
            return value
        raise ShapeError(where, f"must be one of {', '.join(map(str, args))}")
    if is_dataclass(hint):
        return _object(cast("type", hint), value, where)
    return _scalar(cast("type", hint), value, where)


def _tuple(args: tuple[object, ...], value: object, where: str) -> object:
    """Read a list; one of pairs is an object in the document."""
    item, pair = args[0], get_args(args[0])
    if get_origin(item) is tuple and len(pair) == 2 and isinstance(value, dict):
        entries = cast("Mapping[str, object]", value).items()
        return tuple((key, _value(pair[1], one, f"{where}.{key}")) for key, one in entries)
    if not isinstance(value, list):
        raise ShapeError(where, f"must be a list, is {_name(value)}")
    items = cast("list[object]", value)
    return tuple(_value(item, one, f"{where}[{index}]") for index, one in enumerate(items))


def _scalar(kind: type, value: object, where: str) -> object:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(value, where)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise ShapeError(where, f"must be a {kind.__name__}, is {_name(value)}")


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise ShapeError(where, "is too large a number")
    return number


def _name(value: object) -> str:
    return "null" if value is None else type(value).__name__

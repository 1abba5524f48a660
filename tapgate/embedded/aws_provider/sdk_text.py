"""Cuts classes, properties and functions out of pulumi_aws's generated source, which has one strict form."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_GETTER = re.compile(
    r"    @pulumi\.getter(?:\(name=\"(?P<name>\w+)\"\))?\n"
    r"(?:    @.*\n)*"
    r"    def (?P<py>\w+)\(self\) -> (?P<type>.*):\n"
    r"(?:        \"\"\"\n(?P<doc>(?:(?!        \"\"\").*\n)*)        \"\"\")?"
)
_ARGUMENT = re.compile(
    r"^                 (?P<py>\w+): (?P<type>.*?)(?P<default> = None)?(?:,|\):)$", re.MULTILINE
)
# A literal start is searched for ten times faster than the start of a line.
_CLASS = re.compile(r"\nclass (\w+)")
_CLASS_END = re.compile(r"^(?:@pulumi\.|class )", re.MULTILINE)
_FUNCTION = re.compile(
    r"^def \w+_output\((?P<arguments>[^)]*)\) -> pulumi\.Output\[(?P<result>[\w.]+)\]:\n", re.MULTILINE
)
_FUNCTION_ARGUMENT = re.compile(
    r"^ *(?P<py>\w+): pulumi\.Input\[Optional\[(?P<type>.*)\]\] = None,?$", re.MULTILINE
)
_FUNCTION_NAME = re.compile(r"^    __args__\['(?P<name>\w+)'\] = (?P<py>\w+)$", re.MULTILINE)
_OPTIONAL = "Optional["


@dataclass(frozen=True, slots=True)
class Getter:
    """One property of a class.

    Attributes:
        name: Its name in Pulumi's camelCase.
        py: Its name in Python.
        annotation: Its type, as the source has it.
        doc: Its documentation; empty when it has none.
    """

    name: str
    py: str
    annotation: str
    doc: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Attributes:
        arguments: Annotation by camelCase name; one that begins with `Optional[` may be left out.
        result: The class of its result.
    """

    arguments: Mapping[str, str]
    result: str


def getters(body: str) -> Iterator[Getter]:
    """Yield the properties of a class.

    Args:
        body: The text of the class.
    """
    for match in _GETTER.finditer(body):
        yield Getter(match["name"] or match["py"], match["py"], match["type"], match["doc"] or "")


def required_arguments(body: str) -> frozenset[str]:
    """Return the Python names of those arguments of a class that have no default."""
    signature = body[: body.index("):\n") + 3]
    return frozenset(match["py"] for match in _ARGUMENT.finditer(signature) if match["default"] is None)


def signature(path: Path) -> Signature | None:
    """Read the function that a file defines; None when it defines none."""
    text = source(path)
    found = _FUNCTION.search(text)
    if found is None:
        return None
    names = {match["py"]: match["name"] for match in _FUNCTION_NAME.finditer(text)}
    arguments = {
        names[match["py"]]: match["type"] for match in _FUNCTION_ARGUMENT.finditer(found["arguments"])
    }
    return Signature(arguments, found["result"])


def optional(annotation: str) -> bool:
    """Return whether a function's argument may be left out."""
    return annotation.startswith(_OPTIONAL)


def class_body(path: Path, name: str) -> str | None:
    """Return the text of a class; None when the file has no such class."""
    start = classes(path).get(name)
    if start is None:
        return None
    text = source(path)
    end = _CLASS_END.search(text, start + 1)
    return text[start : end.start() if end else len(text)]


@functools.lru_cache(maxsize=64)
def classes(path: Path) -> dict[str, int]:
    """Return where each class of a file begins."""
    return {match[1]: match.start() + 1 for match in _CLASS.finditer(source(path))}


@functools.lru_cache(maxsize=64)
def source(path: Path) -> str:
    """Return a file's text; nothing when there is no such file."""
    return path.read_text("utf-8") if path.is_file() else ""


def snake(name: str) -> str:
    """Return the name of the file that defines a member: `BucketV2` is in `bucket_v2`."""
    partly = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    return partly.lower()

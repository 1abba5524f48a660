"""What a program makes of a value that it is given, and marked values of the form that it needs."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tapgate.embedded.aws_provider.marks import MARK_IN_BASE64, MARKED_NUMBER, marked_text
from tapgate.embedded.paths import cache_root, write_atomically


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
    """

    required: dict[str, str] = field(default_factory=dict[str, str])
    config: dict[str, Use] = field(default_factory=dict[str, Use])
    variables: dict[str, Use] = field(default_factory=dict[str, Use])
    outputs: dict[str, Use] = field(default_factory=dict[str, Use])
    attributes: dict[str, Use] = field(default_factory=dict[str, Use])


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

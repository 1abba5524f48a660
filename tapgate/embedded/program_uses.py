"""What a program makes of a value that it is given, and a marked value of the form that this needs."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tapgate.embedded.aws_provider.marks import MARK_IN_BASE64, MARKED_NUMBER, marked_text
from tapgate.embedded.environment import region_of_environment
from tapgate.embedded.paths import cache_root, write_atomically


def file_that_stands_in(text: str) -> str:
    """Return the path of a file that is there and has nothing but a marked text, which names it."""
    path = cache_root() / "stand-in-files" / text
    if not path.is_file():
        write_atomically(path, f"{text}\n")
    return str(path)


Values: TypeAlias = "tuple[Use, ...]"
"""What an expression or a name may stand for."""
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

    def number(self, index: int) -> Use:
        """Return the use of the element of a number."""
        self.demanded = True
        return self.element() if self.alike else self.at.setdefault(index, Use())

    def is_required(self) -> bool:
        """Say whether a class of pulumi_aws that it is given to ends the program without it."""
        return any(_is_required(*one) for one in self.given)

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


_PARTED: Final = frozenset({"split", "rsplit", "partition", "rpartition"})
_OF_MAPPINGS: Final = frozenset({"items", "values", "keys"})
_METHODS: Final = (
    _PARTED
    | _OF_MAPPINGS
    | {"get", "strip", "lower", "upper", "removeprefix", "removesuffix", "rstrip", "lstrip", "replace"}
)
# The forms of texts and numbers that functions take.
_FORMS: Final = {
    "range": "count",
    **dict.fromkeys(("ip_network", "IPv4Network", "IPNetwork", "ip_interface"), "network"),
    **dict.fromkeys(("open", "FileAsset"), "file"),
    **dict.fromkeys(("urlparse", "urlsplit", "make_url"), "url"),
}


def converted(use: Use, name: str) -> None:
    """Note what a function that is known by its name needs of a value that it is given."""
    form = use.form or "number" if name in {"int", "float"} else _FORMS.get(name, "")
    form = "base64" if name.endswith("b64decode") else form
    if form:
        use.form, use.demanded = form, True
    elif name == "len":
        use.element()


def done_with(owners: Values, name: str, text: str, *, has_default: bool) -> Values | None:
    """Return what a text, a list or a mapping gives by a method of its own; None where it may be any other.

    Args:
        owners: What it may be.
        name: The method.
        text: Its first argument, where that is a text.
        has_default: It has a second argument: of that the program can do without.
    """
    if not owners or name not in _METHODS or (name == "get" and not text):
        return None
    for use in owners:
        use.demanded = True
        use.mapped = use.mapped or name in _OF_MAPPINGS
    if name == "get":
        return tuple(use.fields.get(text, Use()) if has_default else use.field(text) for use in owners)
    if name in _OF_MAPPINGS:
        elements = [use.element() for use in owners]
        inside = elements if name == "values" else [Use(at={1: one}) for one in elements]
        return () if name == "keys" else tuple(Use(items=one, alike=True) for one in inside)
    return tuple(use.parts.setdefault(text or " ", Use()) for use in owners) if name in _PARTED else owners


def _is_required(function: str, argument: str) -> bool:
    """Say whether a class of pulumi_aws, as a program calls it, ends the program without an argument."""
    *_, module, member = ("", *function.split("."))
    if not member[:1].isupper() or not module:
        return False
    from tapgate.embedded.aws_provider import schema_store, sdk_source  # noqa: PLC0415 - seldom needed
    from tapgate.embedded.aws_provider.marks import snake  # noqa: PLC0415 - as above

    token = f"aws:{module}/{member[:1].lower()}{member[1:]}:{member}"
    try:
        inputs = schema_store.schema_of(token).inputs
    except (sdk_source.UnknownTypeError, sdk_source.SdkMissingError):
        return False
    return any(one.required and snake(name) == argument for name, one in inputs.items())


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


STRING: Final = "string"
SECRET: Final = "secret"  # noqa: S105 - a kind of value
_INTEGERS: Final = frozenset({"integer", "int", "number", "float"})
LISTS: Final = frozenset({"array", "list"})
# What a program reads as it starts has to be there.
_NAMES_A_FILE: Final = ("path", "file")
_NAMES_A_FOLDER: Final = ("dir", "directory", "folder")
_SEVERAL: Final = re.compile(r"(?:[a-z]I|(?:^|[_-])i)ds$|(?:[a-z]A|(?:^|[_-])a)rns$|[sS]ubnets$|[zZ]ones$")
_A_NUMBER: Final = re.compile(r"(?:^|_)(?:count|size|capacity|port|ttl|days|seconds|minutes|number|timeout)$")
_NO_LIST: Final = re.compile(r"(?:ss|us|is|dns|tags)$")


def stand_in(key: str, type_: str, encrypted: str, use: Use | None = None, *, counts: bool = False) -> object:
    """Return a value for a key.

    Args:
        key: The key, in full.
        type_: Its type.
        encrypted: What stands in for a secret, encrypted.
        use: What the program makes of it.
        counts: The program may count by a number, and so not live with a marked one.
    """
    fixed: dict[str, object] = {SECRET: {"secure": encrypted}, "boolean": False, "bool": False}
    if type_ in fixed:
        return fixed[type_]  # A truth cannot be marked.
    if key == "aws:region":
        return region_of_environment()
    use = use or Use()
    if type_ in _INTEGERS:
        is_handed_on = bool(use.arguments) and not use.form
        return MARKED_NUMBER if is_handed_on or not counts else 1
    outer, _, items = type_.partition("<")
    if outer in LISTS and not any(one.has_form() for one in (*use.at.values(), use.items or Use())):
        type_, count = items.rstrip(">") or STRING, use.elements(_SPREAD)
        return [stand_in(f"{key}[{at}]", type_, encrypted, counts=counts) for at in range(count)]
    if type_ == "object" or use.has_form():
        return formed(use, key, number=1, is_object=type_ == "object")
    return _text_that_stands_in(key)


def _text_that_stands_in(key: str) -> str:
    """Return a marked text, of a file or a folder that is there where the key names one."""
    text, short = marked_text(key), key.rpartition(":")[2].casefold()
    if not short.startswith("path") and not short.endswith((*_NAMES_A_FILE, *_NAMES_A_FOLDER)):
        return text
    if short.endswith(_NAMES_A_FILE):
        return file_that_stands_in(text)
    folder = cache_root() / "stand-in-folders" / text
    if not (folder / text).is_file():
        write_atomically(folder / text, f"{text}\n")
    return str(folder)


def named(name: str, use: Use, seed: str, *, several: bool) -> object:
    """Return what stands in for an output of which only names tell what it is."""
    if any(map(_A_NUMBER.search, use.arguments)):
        return MARKED_NUMBER
    lists = any(one.endswith("s") and not _NO_LIST.search(one) for one in use.arguments)
    if several or lists or (not use.arguments and _SEVERAL.search(name)):
        return [marked_text(f"{seed}[{index}]") for index in range(_SPREAD)]
    return marked_text(seed)

"""The operator's registry of waivers, and what the operator allows: YAML files, read with their lines."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, cast

import yaml

from tapgate.findings import CouldNotRunError
from tapgate.project import OPERATORS_CHOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_FIELDS: Final = ("policy", "urn", "finding", "reason", "owner", "granted", "expires")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9-]*:[!-~]*", re.ASCII)
_URN: Final = "urn:pulumi:"
_EXAMPLE: Final = (
    '{policy: kms-key-rotation, urn: "aws:kms/key:Key::legacy-key", finding: enableKeyRotation, '
    "granted: 2026-12-01, expires: 2027-01-31, owner: platform, reason: Replaced in January.}"
)


class StrictLoader(yaml.SafeLoader):
    """Reads YAML as JSON could hold it: a day stays a text, and nothing refers to something else."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; an alias could make a small file an endless one."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias is not taken: write out what it refers to")
        return super().compose_node(parent, index)


StrictLoader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One thing that is wrong in a file: where, what was found, what is required, and how to get there."""

    where: str
    what: str
    found: str
    required: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} Found {self.found}; required: {self.required}."


def _compose(path: Path, content: bytes) -> yaml.Node | None:
    try:
        return yaml.compose(content.decode("utf-8"), StrictLoader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
    raise refused("A file of the guardrails is not YAML.", str(path), problem, "correct the file's YAML.")


def _line(path: Path, value: yaml.Node) -> str:
    return f"{path}:{value.start_mark.line + 1}"


def _blocks(path: Path, content: bytes, known: tuple[str, ...]) -> Iterator[tuple[str, yaml.SequenceNode]]:
    """Yield the lists of a file whose top is a mapping of lists, each with its key."""
    top = _compose(path, content)
    if top is None:
        return
    keys = ", ".join(f"`{name}`" for name in known)
    if not isinstance(top, yaml.MappingNode):
        mistake = _Mistake(_line(path, top), "The file has another form.", _shown(top),
                           f"a mapping with {keys}", f"list the entries below `{known[0]}:`.")  # fmt: skip
        raise _invalid([mistake])
    seen: set[str] = set()
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", top.value):
        name = str(key.value)
        if name not in known or name in seen:
            what = "The key is there twice." if name in seen else "The key means nothing."
            raise _invalid(
                [_Mistake(_line(path, key), what, f"`{name}`", f"{keys}, each once", "correct the key.")]
            )
        seen.add(name)
        if isinstance(value, yaml.SequenceNode):
            yield name, value
        elif not (isinstance(value, yaml.ScalarNode) and value.value in {"", "~", "null"}):
            what = f"`{name}` is no list."
            raise _invalid(
                [_Mistake(_line(path, value), what, _shown(value), "a list", f"write `{name}: []`.")]
            )


def waivers(path: Path, content: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the registry's waivers, each with where it stands.

    Raises:
        CouldNotRunError: an entry is none.
    """
    mistakes: list[_Mistake] = []
    granted: list[tuple[str, dict[str, str]]] = []
    for _, block in _blocks(path, content, ("waivers",)):
        for number, item in enumerate(cast("list[yaml.Node]", block.value), 1):
            where = f"{_line(path, item)}, waiver {number}"
            fields = _fields_of(item)
            if fields is None:
                required = "a mapping of texts, each key once"
                form = "The waiver has another form."
                mistakes.append(_Mistake(where, form, _shown(item), required, f"write {_EXAMPLE}"))
                continue
            wrong = list(_wrong(where, fields))
            mistakes += wrong
            if not wrong:
                granted.append((where, fields))
    if mistakes:
        raise _invalid(mistakes)
    yield from granted


def _fields_of(item: yaml.Node) -> dict[str, str] | None:
    """Return an entry's fields as they are written; None when they are no texts, or one is there twice."""
    if not isinstance(item, yaml.MappingNode):
        return None
    pairs = cast("list[tuple[yaml.Node, yaml.Node]]", item.value)
    if not all(isinstance(one, yaml.ScalarNode) for pair in pairs for one in pair):
        return None
    fields = {str(key.value): str(value.value).strip() for key, value in pairs}
    return fields if len(fields) == len(pairs) else None


def _wrong(where: str, fields: Mapping[str, str]) -> Iterator[_Mistake]:
    """Yield what is wrong with a waiver; the pack refuses the same when it evaluates it."""
    strange = [name for name in fields if name not in _FIELDS]
    missing = [name for name in _FIELDS if not fields.get(name)]
    if strange or missing:
        said = ", ".join(f"`{ascii(name)[1:-1]}`" for name in fields) or "nothing"
        lacks = f"It lacks {', '.join(f'`{name}`' for name in missing)}." if missing else ""
        has = f"{', '.join(f'`{ascii(name)[1:-1]}`' for name in strange)} means nothing." if strange else ""
        required = ", ".join(f"`{name}`" for name in _FIELDS)
        yield _Mistake(where, f"{lacks} {has}".strip(), said, required, f"write {_EXAMPLE}")
        return
    for name, value in fields.items():
        if problem := _deceptive(value, exact=name != "reason"):
            fix = f"type `{name}` in plain letters."
            yield _Mistake(
                where, f"`{name}` has {problem}.", ascii(value), "letters that are what they look like", fix
            )
            return
    yield from _wrong_urn(where, fields["urn"])
    yield from _wrong_days(where, fields["granted"], fields["expires"])


def _deceptive(value: str, *, exact: bool) -> str:
    """Name the first character that shows nothing or, where it matters, may look like another one."""
    for character in value:
        name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
        if unicodedata.category(character)[0] == "C" or unicodedata.category(character) in {"Zl", "Zp"}:
            return f"the invisible character {name}"
        if exact and not character.isascii():
            return f"the character {name}, which may look like another one"
    return ""


def _wrong_urn(where: str, urn: str) -> Iterator[_Mistake]:
    parts = urn.removeprefix(_URN).split("::", 3 if urn.startswith(_URN) else 1)
    if len(parts) != (4 if urn.startswith(_URN) else 2) or not all(parts):
        yield _Mistake(where, "`urn` is no pattern of URNs.", json.dumps(urn),
                       "`TYPE::NAME` or `urn:pulumi:STACK::PROJECT::TYPE::NAME`",
                       "take the resource's URN from the finding.")  # fmt: skip
    elif "*" in parts[-2].rpartition("$")[2] and "*" in parts[-1]:
        yield _Mistake(where, "`urn` has `*` in both type and name.", json.dumps(urn),
                       "a pattern that spells out the type or the name",
                       "name the resource that the waiver is about.")  # fmt: skip


def _wrong_days(where: str, granted: str, expires: str) -> Iterator[_Mistake]:
    days: dict[str, date] = {}
    for name, value in (("granted", granted), ("expires", expires)):
        try:
            days[name] = date.fromisoformat(value if _DAY.fullmatch(value) else "")
        except ValueError:
            fix = f"write `{name}` as 2027-01-31."
            yield _Mistake(where, f"`{name}` is no day.", json.dumps(value), "a day as YYYY-MM-DD", fix)
    if len(days) == 2 and days["expires"] < days["granted"]:
        yield _Mistake(where, "The waiver never holds.", f"granted {granted}, expires {expires}",
                       "a last day that is not before the first", "correct the days.")  # fmt: skip


def _shown(value: yaml.Node) -> str:
    return (
        json.dumps(str(value.value)[:80])
        if isinstance(value, yaml.ScalarNode)
        else f"a {value.tag.rpartition(':')[2]}"
    )


def _invalid(mistakes: list[_Mistake]) -> CouldNotRunError:
    """Make the failure of mistakes: the first in full, the others a line each."""
    first, *others = mistakes
    count = f" ({len(mistakes)} mistakes)" if others else ""
    return CouldNotRunError(
        f"The guardrails are not valid{count}: {first.what}",
        where=first.where,
        why=f"found {first.found}; required: {first.required}.",
        fix=first.fix,
        details=tuple(map(str, others)),
    )


def refused(what: str, where: str, why: str, fix: str) -> CouldNotRunError:
    """Make the failure of a file or folder that cannot be taken."""
    return CouldNotRunError(what, where=where, why=why, fix=fix)


def allowed(path: Path, content: bytes) -> tuple[list[object], list[str]]:
    """Return the types that may be deployed unseen, and what a project may decide itself.

    Raises:
        CouldNotRunError: an entry is none.
    """
    listed: dict[str, list[str]] = {"unseen": [], "inProject": []}
    rules: dict[str, tuple[Callable[[str], object], str]] = {
        "unseen": (
            _TYPE.fullmatch,
            "a pattern of types that spells out the package, such as `command:local:*`",
        ),
        "inProject": (OPERATORS_CHOICES.__contains__, f"one of {', '.join(OPERATORS_CHOICES)}"),
    }
    mistakes: list[_Mistake] = []
    for name, block in _blocks(path, content, tuple(rules)):
        fits, required = rules[name]
        for item in cast("list[yaml.Node]", block.value):
            if isinstance(item, yaml.ScalarNode) and fits(str(item.value)):
                listed[name].append(str(item.value))
            else:
                mistakes.append(_Mistake(_line(path, item), f"An entry of `{name}` is not valid.",
                                         _shown(item), required, "correct or remove it."))  # fmt: skip
    if mistakes:
        raise _invalid(mistakes)
    return list(listed["unseen"]), listed["inProject"]

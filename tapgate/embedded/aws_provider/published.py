"""What values AWS takes, as pulumi_aws's documentation and botocore's models publish it.

pulumi_aws's documentation is that of the official provider, and names what the provider checks: choices,
ranges, lengths, JSON, what conflicts. Botocore has AWS's own models of the operations: enumerations, lengths,
patterns. Read strictly: a sentence that is not of one of the known forms, or that has an `if` in it, says
nothing, because a value that AWS takes must never be refused. Where both name choices, either's values pass.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from tapgate.embedded.aws_provider.members import Names, Shape, models
from tapgate.embedded.aws_provider.resource_schema import Limit, Type

_QUOTED = r"`\[?\\?\"?(?P<{}>[^`\"\]\\]+)\\?\"?\]?`(?: \([^)]*\))?"
_NEXT = r"(?:, and |, or |; | and | or |, |,)"
_TOKENS = rf"(?:{_QUOTED.format('a').replace('?P<a>', '?:')}{_NEXT}?)+"
_LEAD = (
    r"(?:(?:[Vv]alid|[Pp]ossible|[Aa]llowed|[Ss]upported) (?:[Vv]alues?|options)(?: are| is)?:? "
    r"|[Tt]he only valid value is |[Mm]ust be one of:? |[Ee]ither of the following is supported: "
    r"|[Tt]he following values are supported: |[Cc]an be (?:either )?)"
)
_CHOICES = re.compile(rf"{_LEAD}(?P<list>{_TOKENS})(?P<multiple>any multiple of `(?P<of>\d+)`)?(?=\.|;|$)")
_NUMBERS = re.compile(rf"{_LEAD}(?P<list>\d+(?:, (?:and |or )?\d+| (?:and|or) \d+)+)(?=\.|$)")
_ONE = re.compile(_QUOTED.format("name"))
_NUMBER = r"`?(?P<{}>-?\d[\d,]*)`?"
_RANGES = (
    re.compile(
        rf"\b(?:between|from) {_NUMBER.format('low')}(?: (?:MB|seconds?|bytes|days))?(?: \([^)]*\))? "
        rf"(?:and|to|up to) {_NUMBER.format('high')}(?!\d|,\d| (?:characters|values|items|hours|minutes))"
    ),
    re.compile(
        rf"[Vv]alid (?:values|range)(?: are|:)? {_NUMBER.format('low')} ?(?:to|-) ?{_NUMBER.format('high')}"
    ),
)
_LEAST = re.compile(
    rf"(?:[Mm]inimum(?: and default)? (?:value )?of|greater than or equal to|[Vv]alue must be at least) "
    rf"{_NUMBER.format('low')}"
)
_MOST = re.compile(rf"(?:[Mm]aximum of|[Mm]aximum value is) {_NUMBER.format('high')}")
_LENGTH = re.compile(
    r"(?:between (?P<low>\d+) and (?P<high>\d+) characters"
    r"|(?:less than or equal to|cannot be longer than) (?P<most>\d+) characters)"
)
_CONDITIONAL = re.compile(r"\b(?:if|when|unless|depend\w*|except)\b", re.IGNORECASE)
_HARMLESS = re.compile(r"If you specify a value, |\(approximately[^)]*\)")
_CONFLICTS = re.compile(rf"(?:Conflicts|Mutually exclusive) with (?P<list>{_TOKENS})(?=\.|$)")
_JSON = re.compile(
    r"JSON(?:[- ]formatted| array| [Ss]tring| document| policy|[- ]encoded)|policy as JSON|JSON policy",
    re.IGNORECASE,
)
_ARN_NAME = re.compile(r"(?:^a|A)rns?$")
# The ARN of a task of Systems Manager may be the name of a document.
_NO_ARNS = frozenset({"taskArn"})
_IDENTIFIER = re.compile(r"Ids?$")


def of_property(name: str, type_: Type, documentation: str) -> Limit | None:
    """Return what values a property's documentation says that it takes; None for any of its type."""
    text, leaf = _one_line(documentation), _leaf(type_)
    if leaf in {"integer", "number"}:
        return _numbers(text, integral=leaf == "integer")
    if leaf == "string":
        return _texts(name, text)
    return Limit(form="policy") if leaf == "policy" else None


def conflicts_of(documentation: str) -> tuple[str, ...]:
    """Return the siblings that cannot be given besides a property, in Terraform's casing."""
    return tuple(_listed(_CONFLICTS, _one_line(documentation)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def widened(module: str, limit: Limit | None, *, confirmed: bool) -> Limit | None:
    """Add the values of those of AWS's enumerations that have all the choices of a text: some are newer.

    Args:
        module: The type's module in Pulumi.
        limit: What its documentation says.
        confirmed: Whether to say nothing where no enumeration has all the choices.
    """
    if limit is None or not limit.choices or not all(isinstance(variant, str) for variant in limit.choices):
        return limit
    stated = set(limit.choices)
    more = [values for values in _enumerations(module) if stated <= set(values)]
    if confirmed and not more:
        return None
    newer = [value for values in more for value in values]
    return replace(limit, choices=tuple(dict.fromkeys([*limit.choices, *newer])))


def of_operations(module: str, operations: Iterable[str], path: str, names: Names | None) -> Limit | None:
    """Return what AWS's own models say of a text or number that some operations take.

    Args:
        module: The type's module in Pulumi.
        operations: Names of operations, as boto3 or AWS has them.
        path: The property, e.g. `cors.maxAge`.
        names: What members the type's properties are; None where nothing is known of the type: then only
            members count that are called like its properties.

    Returns:
        The lengths, the pattern, the range and the enumeration; None when there is no such member.
    """
    for model in models(module):
        for shape in filter(None, map(model.input_of, operations)):
            described = model.find(shape, path, names or {}, loose=names is not None)
            if described is not None:
                return _of_shape(described, identifier=bool(_IDENTIFIER.search(path)))
    return None


def _leaf(type_: Type) -> str:
    type_ = type_.element()
    if type_.base == "union":
        bases = {variant.base for variant in type_.args}
        if "string" in bases:
            policy = any(variant.name.endswith("PolicyDocumentArgs") for variant in type_.args)
            return "policy" if policy else "string"
    return type_.base


def _listed(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        for token in _ONE.finditer(match["list"]):
            yield token["name"]


def _texts(name: str, text: str) -> Limit | None:
    if _ARN_NAME.search(name) and name not in _NO_ARNS:
        return Limit(form="arn")
    # Where a list is said of a case ("For the … strategy, valid values are …"), there are other cases.
    if "also valid" not in text and any(_begins(text, one.start()) for one in _CHOICES.finditer(text)):
        return Limit(choices=tuple(dict.fromkeys(_listed(_CHOICES, text))))
    if _JSON.search(text) and "YAML" not in text:
        return Limit(form="json")
    length = _LENGTH.search(text)
    if length is None:
        return None
    return Limit(min_length=int(length["low"] or 0), max_length=int(length["high"] or length["most"]))


def _begins(text: str, start: int) -> bool:
    """Return whether a sentence begins at a place of a text."""
    before = text[:start].rstrip()
    return not before or before.endswith((".", ")", ":", ">", "The", "Possible"))


def _numbers(text: str, *, integral: bool) -> Limit | None:
    choices: list[int] = []
    multiple = 0
    for match in _CHOICES.finditer(text):
        tokens = [token["name"] for token in _ONE.finditer(match["list"])]
        usable = integral and (match["of"] or _begins(text, match.start()))
        if usable and all(re.fullmatch(r"-?\d+", token) for token in tokens):
            choices += map(int, tokens)
            multiple = int(match["of"] or 0)
    for match in _NUMBERS.finditer(text):
        choices += [int(number) for number in re.findall(r"\d+", match["list"])] if integral else []
    if choices:
        return Limit(choices=tuple(dict.fromkeys(choices)), multiple=multiple)
    return _range(text)


def _range(text: str) -> Limit | None:
    sentences = re.split(r"(?<=[.)]) (?=[A-Z])", _HARMLESS.sub("", text))
    for sentence in sentences:
        if _CONDITIONAL.search(sentence):
            continue
        beside = (-1,) if re.search(r"(?<!\w)`?-1\b", text) else ()
        for pattern in _RANGES:
            matches = list(pattern.finditer(sentence))
            if len(matches) == 1:
                low, high = (_number(matches[0][name]) for name in ("low", "high"))
                return Limit(choices=beside, minimum=low, maximum=high)
        least, most = _LEAST.search(sentence), _MOST.search(sentence)
        if least is not None or most is not None:
            low = _number(least["low"]) if least is not None else None
            high = _number(most["high"]) if most is not None else None
            return Limit(choices=beside, minimum=low, maximum=high)
    return Limit(minimum=1) if "non-zero positive integer" in text else None


def _number(text: str) -> int:
    return int(text.replace(",", ""))


@functools.cache
def _enumerations(module: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(cast("list[str]", shape["enum"]))
        for model in models(module)
        for shape in model.definitions.values()
        if "enum" in shape
    )


def _of_shape(shape: Shape, *, identifier: bool) -> Limit | None:
    if "enum" in shape:
        return Limit(choices=tuple(cast("list[str]", shape["enum"])))
    low, high = cast("int | None", shape.get("min")), cast("int | None", shape.get("max"))
    if shape["type"] in {"integer", "long", "double", "float"}:
        return Limit(minimum=low, maximum=high) if low is not None or high is not None else None
    if shape["type"] != "string":
        return None
    limit = Limit(min_length=low or 0, max_length=high)
    pattern = str(shape.get("pattern") or "")
    if _usable(pattern):
        if re.match(r"\(*arn:", pattern) and not re.fullmatch(pattern, "name"):
            return Limit(form="arn")
        # Programs that are only previewed give identifiers that look like none.
        limit = limit if identifier else replace(limit, pattern=pattern)
    return limit if limit != Limit() else None


def _usable(pattern: str) -> bool:
    """Return whether Python reads a pattern as AWS does; Java's character properties are unknown to it."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return bool(pattern) and r"\p{" not in pattern

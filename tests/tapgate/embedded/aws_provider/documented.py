"""What the documentation in pulumi_aws says of a type's id: by which form AWS gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.inputs import rule_for

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema

_IMPORT: Final = r"\$ pulumi import {token} (?:\"[^\"]*\"|\S+) (?P<id>.+)"
_USING: Final = re.compile(r"Using `pulumi import`,? (.*?)(?: For example|\n\n)", re.DOTALL)
_IDENTITY: Final = re.compile(r"#### Required\n(.*?)(?:####|Using `pulumi)", re.DOTALL)
_LISTED: Final = re.compile(r"[*-] `(\w+)`")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_SEPARATORS: Final = re.compile(r"[,/:|#_]")
ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[^\s\"'`,)]*")
EXAMPLE_ACCOUNT: Final = re.compile(r"\d{10,13}")
REGION: Final = re.compile(r"(?:us|eu|ap|ca|sa)-[a-z]+-\d")


@dataclass(frozen=True, slots=True)
class Documented:
    """What the documentation of one type says."""

    schema: ResourceSchema
    name: str
    example: str
    using: str
    identity: tuple[str, ...]
    docs: Mapping[str, str]

    @property
    def module(self) -> str:
        """Its module in Pulumi."""
        return self.schema.token.split(":")[1].split("/")[0]

    @property
    def naming(self) -> str:
        """The property with the name in AWS; empty when there is none."""
        rule = rule_for(self.schema)
        if rule is not None:
            return rule.property
        own = self.name[:1].lower() + self.name[1:]
        usual = ("name", f"{own}Name", f"{own}Identifier", f"{own}Id", "identifier")
        return next((one for one in usual if one in self.schema.inputs), "")

    def property(self, phrase: str) -> str:
        """Return the property that some words mean, `id` for the type's own; empty when none does."""
        word, own = letters(phrase), letters(self.name)
        names = [*self.schema.inputs, *self.schema.outputs]
        for wanted in (word, word.removesuffix("id"), word.removesuffix("name"), word.removesuffix("arn")):
            matching = next((name for name in names if letters(name) == wanted), "")
            if matching:
                return matching
        stem = re.sub(r"(?:id|uuid|identifier|name)$", "", word)
        if stem != word and (own.endswith(stem) or own in stem):
            return self.naming if word.endswith("name") else "id"
        if word == own and self.naming:
            return self.naming
        return next((name for name in names if word.endswith(letters(name)) and len(name) > 4), "")


def documented() -> Iterator[Documented]:
    """Yield what the documentation says of each type."""
    for path in sdk_source.member_files():
        text = sdk_text.source(path)
        for token in sdk_source.resources_in(text):
            body = text[text.index(f'@pulumi.type_token("{token}")') :]
            example = re.search(_IMPORT.format(token=re.escape(token)), body)
            using, identity = _USING.search(body), _IDENTITY.search(body)
            yield Documented(
                schema=sdk_source.read_resource(token),
                name=token.rpartition(":")[2].removesuffix("V2"),
                example=example["id"].strip().strip("'\"") if example else "",
                using=" ".join(using[1].split()) if using else "",
                identity=tuple(_LISTED.findall(identity[1])) if identity else (),
                docs={one.name: " ".join(one.doc.split()) for one in sdk_text.getters(body)},
            )


def id_form(one: Documented) -> str:
    """Return the form of a type's id: what its import takes."""
    names = list(one.identity) or _names_in(one)
    if not names:
        return _by_example(one)
    if len(names) == 1:
        return _by_property(one, names[0])
    parts = [_by_property(one, word, composite=True) for word in names]
    separators = _separators(one, len(names))
    if not all(parts) or len(separators) != len(parts) - 1:
        return ""
    return parts[0] + "".join(
        separator + segment for separator, segment in zip(separators, parts[1:], strict=True)
    )


def _names_in(one: Documented) -> list[str]:
    """Return the properties that the sentence on imports names."""
    quoted = [word for word in _QUOTED.findall(one.using) if "." not in word and re.search(r"[A-Za-z]", word)]
    if len(quoted) == 1 and _SEPARATORS.search(quoted[0].replace("_", "")):
        return [word for word in re.split(r"[,/:|#]", quoted[0]) if word]
    return [word for word in quoted if re.fullmatch(r"[\w-]+", word)]


def _separators(one: Documented, count: int) -> list[str]:
    """Return what stands between the parts of the example; nothing when it has not so many."""
    for separator in (",", "|", "/", ":", "#", "_"):
        if len(one.example.split(separator)) == count:
            return [separator] * (count - 1)
    return []


def _by_property(one: Documented, word: str, *, composite: bool = False) -> str:
    if letters(word) == "arn":
        return "{arn}" if "arn" in one.schema.outputs else ""
    name = one.property(word)
    if name in {"", "id"}:
        return "" if composite else _by_example(one)
    if name in one.schema.inputs:
        return "{" + name + "}"
    # AWS makes it, so it is the id itself.
    return "" if composite else _by_example(one)


def _by_example(one: Documented) -> str:
    if one.example.startswith("arn:"):
        return "{arn}" if "arn" in one.schema.outputs else ""
    if EXAMPLE_ACCOUNT.fullmatch(one.example):
        return "{:account}" if re.search(r"account|registry", one.using, re.IGNORECASE) else ""
    if REGION.fullmatch(one.example) and re.search(r"region", one.using, re.IGNORECASE):
        return "{:region}"
    random = random_form(one.example)
    if random:
        return random
    if re.search(r"\b(?:id|identifier)\b", one.using, re.IGNORECASE) and re.fullmatch(
        r"[a-z0-9]{8,12}", one.example
    ):
        return f"{{#lower{len(one.example)}}}"
    said = re.search(r"\bname\b", one.using) is not None
    return "{" + one.naming + "}" if said and one.naming else ""


_RANDOM: Final = (
    (re.compile(r"[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{10,16}"), "uuid"),
    (re.compile(r"(?=.*\d)[0-9A-Z]{10,21}"), "upper"),
    (re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}"), "hex"),
    (re.compile(r"(?=.*\d)(?=.*[a-z])[0-9a-z]{7,16}"), "lower"),
)


def random_form(example: str) -> str:
    """Return the form of an id that AWS makes up, by an example; empty when the example shows none."""
    prefixed = re.fullmatch(r"((?:[a-z]+-)+)([0-9a-z]{8,32})", example)
    uuid = _RANDOM[0][0].fullmatch(example)
    if (
        prefixed
        and not uuid
        and re.search(r"\d|^x+$", prefixed[2])
        and not re.search(r"\bid-|example", prefixed[1])
    ):
        short = re.fullmatch(r"[0-9a-fx]{8}|[0-9a-fx]{16,17}", prefixed[2])
        return prefixed[1] + ("{#hex17}" if short else f"{{#lower{len(prefixed[2])}}}")
    pool = re.fullmatch(r"(?:us|eu|ap)-[a-z]+-\d([_:])([A-Za-z0-9]{6,12}|\S{36})", example)
    if pool:
        return "{:region}" + pool[1] + ("{#uuid}" if len(pool[2]) == 36 else "{#mixed9}")
    type_ = next((type_ for pattern, type_ in _RANDOM if pattern.fullmatch(example)), "")
    return f"{{#{type_}}}" if type_ == "uuid" else f"{{#{type_}{len(example)}}}" if type_ else ""


def matches(form: str, example: str) -> bool:
    """Return whether an example has a form: fixed parts are the same, no separator is where it varies."""
    pattern = "".join(
        r".+" if step.startswith("{") else re.escape(step) for step in re.split(r"(\{[^}]*\})", form)
    )
    if form.startswith("arn:"):
        pattern = pattern.replace(r".+", r"[^:/]*") if "path" not in form else pattern
    return re.fullmatch(pattern, example) is not None


def letters(word: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return re.sub(r"[^a-z0-9]", "", word.lower())

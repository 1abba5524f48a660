"""By which form AWS gives a resource its `id`, `arn`, `url` and the like.

A form is a text with fields in braces: `{name}` is a property of the resource (`{path=/}` with what stands
when it is not set), `{:region}`, `{:account}`, `{:partition}` and `{:suffix}` are the provider's, `{#hex17}`
stands for characters that AWS makes up, `{?}` for something that no one knows before. `forms.json` has them
for all types; it is made by `generate.py`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.invokes import partition_of, suffix_of
from tapgate.embedded.aws_provider.rehearsal.marks import marked_text
from tapgate.embedded.aws_provider.settings import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.values import Value

FORMS_FILE: Final = Path(__file__).with_name("forms.json")
_FIELD: Final = re.compile(r"(\{[^}]*\})")
_MADE_UP: Final = re.compile(r"(hex|lower|upper|mixed)(\d+)")
_ALPHABETS: Final[Mapping[str, str]] = {
    "hex": "0123456789abcdef",
    "lower": "0123456789abcdefghijklmnopqrstuvwxyz",
    "upper": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "mixed": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}
_DEEPEST: Final = 8


@functools.cache
def all_forms() -> Mapping[str, Mapping[str, str]]:
    """Return the forms of every type, by token and output."""
    return cast("dict[str, dict[str, str]]", json.loads(FORMS_FILE.read_text("utf-8")))


@dataclass
class Derived:
    """The outputs of one resource that follow from what is known of it.

    Attributes:
        token: The resource's type.
        urn: Its URN: what AWS makes up differs from resource to resource, and stays the same from run to run.
        region: The region that it is in.
        values: What is known of it: its inputs, or what was read.
    """

    token: str
    urn: str
    region: str
    values: Mapping[str, Value]
    _made: dict[str, str | None] = field(default_factory=dict[str, "str | None"])

    def output(self, name: str) -> str | None:
        """Return an output by its form; None when it has none."""
        if name not in self._made:
            form = all_forms().get(self.token, {}).get(name)
            self._made[name] = None
            if form is not None and len(self._made) <= _DEEPEST * 4:
                self._made[name] = self._render(name, form)
        return self._made[name]

    def property_of_id(self) -> str:
        """Return the property that is the same as the id; empty when it is another or made of several."""
        form = all_forms().get(self.token, {}).get("id", "")
        return form[1:-1] if re.fullmatch(r"\{\w+\}", form) else ""

    def _render(self, name: str, form: str) -> str:
        text = ""
        for position, step in enumerate(_FIELD.split(form)):
            if step.startswith("{"):
                part = self._field(name, position, step[1:-1])
                text += part if step in {form, "{arn}"} else _fitting(text, part)
            else:
                text += step
        return text

    def _field(self, name: str, position: int, step: str) -> str:
        if step == "?":
            return marked_text(f"{self.urn}#{name}{position}")
        if step.startswith(":"):
            return self._of_the_provider(step[1:])
        if step.startswith("#"):
            return _made_up(f"{self.urn}#{name}{position}", step[1:])
        wanted, _, default = step.partition("=")
        value = self.values.get(wanted)
        if isinstance(value, str | int) and value != "":
            return str(value)
        return self.output(wanted) or default or marked_text(f"{self.urn}#{wanted}")

    def _of_the_provider(self, what: str) -> str:
        if what == "account":
            return ACCOUNT
        if what == "region":
            return self.region
        return partition_of(self.region) if what == "partition" else suffix_of(self.region)


def _fitting(before: str, part: str) -> str:
    """Fit a value into a form: of an ARN the name, and `alias/` once where the name begins with it."""
    if part.startswith("arn:"):
        part = re.split(r"[/:]", part)[-1]
    if before.endswith("/"):
        head = f"{re.split('[/:]', before[:-1])[-1]}/"
        return part.removeprefix(head) if part.startswith(head) else part.removeprefix("/")
    return part


def _made_up(seed: str, kind: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    if kind == "uuid":
        return "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32]))
    match = _MADE_UP.fullmatch(kind)
    if match is None:
        message = f"no form has a field {{#{kind}}}"
        raise ValueError(message)
    alphabet, number = _ALPHABETS[match[1]], int(digest, 16)
    characters: list[str] = []
    for _ in range(int(match[2])):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return "".join(characters)

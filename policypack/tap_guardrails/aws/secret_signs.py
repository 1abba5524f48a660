"""What a secret looks like and what it is called, and what may stand under such a name without being one.

A name is taken apart into words. Which of them make it a secret's, and which make it of something *about* a
secret, are closed lists of the field's words (`secret_signs.toml`); everything else is a matter of the value.
"""

from __future__ import annotations

import enum
import math
import re
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

SIGNS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text("utf-8")
)
SECRETS, HARMLESS, TEXTS = (
    {title: re.compile("|".join(patterns)) for title, patterns in SIGNS[name].items()}
    for name in ("secrets", "harmless", "texts")
)
TOKENS: Final = {name: frozenset[str](listed.split()) for name, listed in SIGNS["words"].items()}
ENDINGS: Final[list[str]] = SIGNS["words"]["endings"].split()

WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

RANDOM: Final = re.compile(r"[A-Za-z0-9+/_-]{24,128}={0,2}")
RANDOM_BITS: Final = 3.8
"""Bits a character from which on a text may be random: 24 random characters of base64 have 4.2."""
RANDOM_RUN: Final = 2.3
"""Characters a run of one class (a capital may begin a word) up to which a text may be random.

Random base64 has 1.9, and nine times in ten no more than this; names in mixed case have 3 and more.
"""

KEY_MATERIAL: Final = re.compile(r"[A-Za-z0-9+/_.~-]{12,512}={0,2}")
KEY_BITS: Final = 3.0


def looks_like(text: str) -> str:
    """Say which type of secret a text looks like; nothing when it looks like none."""
    return next((title for title, pattern in SECRETS.items() if pattern.search(text)), "")


def made_public(text: str) -> bool:
    """Tell whether a text is a key that is made to be shown."""
    return TEXTS["made_public"].fullmatch(text.strip()) is not None


def looks_random(text: str, longest_run: float = RANDOM_RUN) -> bool:
    """Tell whether a text is as random as a generated secret: long, of all character classes, no words."""
    if not RANDOM.fullmatch(text) or is_generated_name(text):
        return False
    classes = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(is_of_class(character) for character in text) for is_of_class in classes)
    return mixed and bits(text) >= RANDOM_BITS and len(text) <= longest_run * len(WORD.findall(text))


def is_generated_name(text: str) -> bool:
    """Tell whether a text is a name that was given to a resource: words before what makes it unique."""
    match = TEXTS["generated_name"].fullmatch(text)
    if match is None:
        return False
    first = re.split(r"[-_]", text, maxsplit=1)[0]
    return len(first) <= RANDOM_RUN * 2 or len(first) > RANDOM_RUN * len(WORD.findall(first))


def looks_generated(text: str) -> bool:
    """Tell whether a text may be key material: letters and digits without much of a pattern, and no words."""
    if not KEY_MATERIAL.fullmatch(text) or is_generated_name(text):
        return False
    digits = sum(map(str.isdigit, text))
    return 0 < digits < len(text) and bits(text) >= KEY_BITS and len(text) <= 4.5 * len(WORD.findall(text))


def bits(text: str) -> float:
    """Return Shannon's entropy of a text, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


class Hint(enum.Enum):
    """How much a name says of a value."""

    NONE = 0
    """It is not a secret's."""

    WEAK = 1
    """It is that of key material, or of something else."""

    STRONG = 2
    """It is a secret's."""

    PASSWORD = 3
    """It is a password's, which may be a mere number."""


NUMBER: Final = re.compile(r"[+-]?[0-9.,_]*")
SHORTEST_PIN: Final = 4
LONGEST_COUNT: Final = 11
"""Digits up to which a number is a count or a time rather than a secret."""


def tokens_of(name: str) -> list[str]:
    """Take a name apart: `DB_PASSWORD`, `dbPassword` and `DBPASSWORD` are `db` and `password`."""
    return [token for word in WORD.findall(name) for token in parts(word.casefold())]


def parts(word: str) -> tuple[str, ...]:
    """Take a word apart that ends like a secret's."""
    if word in TOKENS["no_ending"] or word in TOKENS["passwords"] or word in TOKENS["secrets"]:
        return (word,)
    for ending in ENDINGS:
        if len(word) >= len(ending) + 2 and word.endswith(ending):
            return (*parts(word.removesuffix(ending)), ending)
    return (word,)


def hint_of(name: str) -> Hint:
    """Tell how much a name says of a value."""
    tokens = tokens_of(name)
    while tokens and (tokens[-1].isdigit() or tokens[-1] in TOKENS["encodings"]):
        tokens.pop()
    if not tokens or tokens[-1] in TOKENS["about"] or not TOKENS["public"].isdisjoint(tokens):
        return Hint.NONE
    if any(
        word in ("token", "tokens") and before in TOKENS["before_token"] for before, word in pairwise(tokens)
    ):
        return Hint.NONE
    if not TOKENS["passwords"].isdisjoint(tokens):
        return Hint.PASSWORD
    if any(before in TOKENS["negations"] and word in TOKENS["secrets"] for before, word in pairwise(tokens)):
        return Hint.NONE
    keys = any(word == "key" and before in TOKENS["before_key"] for before, word in pairwise(tokens))
    if keys or not TOKENS["secrets"].isdisjoint(tokens):
        return Hint.STRONG
    return Hint.NONE if TOKENS["weak"].isdisjoint(tokens) else Hint.WEAK


def names_a_secret(name: str) -> bool:
    """Tell whether a name is that of a secret, whatever its value."""
    return hint_of(name) in (Hint.STRONG, Hint.PASSWORD)


def is_about_a_secret(name: str) -> bool:
    """Tell whether a property that a schema marks secret holds no secret by its name, or not always."""
    tokens = tokens_of(name)
    return bool(tokens) and tokens[-1] in TOKENS["about"] | TOKENS["may_be_told"]


def names_a_connection(name: str) -> bool:
    """Tell whether a name is that of a text that may have a password in it."""
    tokens = tokens_of(name)
    return (
        bool(tokens)
        and tokens[-1] in TOKENS["connection_ends"]
        and not TOKENS["connection"].isdisjoint(tokens)
    )


def names_an_identity(name: str) -> bool:
    """Tell whether a name is that of something that may be as random as a secret, and is none."""
    tokens = tokens_of(name)
    return bool(tokens) and (tokens[-1] in TOKENS["identity"] or not TOKENS["public"].isdisjoint(tokens))


def secret_by_name(name: str, text: str) -> bool:
    """Tell whether a value is a secret, by what it is called and by what may stand there instead."""
    hint = hint_of(name)
    if hint is Hint.NONE or made_public(text):
        return False
    if hint is Hint.WEAK:
        return looks_generated(text) and may_be_secret(text) and not TEXTS["uuid"].fullmatch(text)
    if not TOKENS["named_elsewhere"].isdisjoint(tokens_of(name)) and TEXTS["kept_under"].fullmatch(text):
        return False
    return may_be_secret(text, password=hint is Hint.PASSWORD)


def may_be_secret(text: str, *, password: bool = False) -> bool:
    """Tell whether a text may be a secret: it is no word of a setting, no number and no reference to one."""
    stripped = text.strip().strip("'\"")
    if NUMBER.fullmatch(stripped):
        least = SHORTEST_PIN if password else LONGEST_COUNT + 1
        return stripped.isdigit() and len(stripped) >= least
    if not password and TEXTS["token_type"].fullmatch(stripped):
        return False
    return not any(pattern.fullmatch(stripped) for pattern in HARMLESS.values())

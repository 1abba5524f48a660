"""Secrets within longer texts: JSON, base64, scripts, connection strings, command lines."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from tap_guardrails.aws.secret_signs import (
    hint_of,
    looks_like,
    looks_random,
    made_public,
    names_an_identity,
    secret_by_name,
)
from tap_guardrails.model.values import record

LONGEST: Final = 65_536
"""Characters of a text that are looked at."""

DEEPEST: Final = 6
MOST_LEAVES: Final = 2_000

BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/_-]{4}\s?){4,}[A-Za-z0-9+/_-]{0,4}={0,2}\s*")
LEAST_PRINTABLE: Final = 0.95

ASSIGNMENT: Final = re.compile(
    r"(?P<name>(?<![A-Za-z0-9_.$-])[A-Za-z_][A-Za-z0-9_.-]{1,64})(?:\[[\"']?|[ \t]{0,2}\[\d{0,4}\])?[\"']?\]?"
    r"[ \t]{0,4}(?::=|=>|={1,3}|!={1,2}|:|(?=[\"']))[ \t]{0,4}@?"
    r"(?:\"(?P<double>[^\"\n]{1,500})\"|'(?P<single>[^'\n]{1,500})'|`(?P<back>[^`\n]{1,500})`"
    r"|(?P<bare>[^\s\"'`;,|<>]{1,500}))"
)
"""A name and a value, as shells, dotenv, YAML, INI, TOML, JSON and most programming languages write them."""

WORD_AFTER: Final = re.compile(
    r"(?<![A-Za-z0-9_.$/-])(?P<name>password|passwd|requirepass|secret|token|aws_secret_access_key|aws_session_token)"
    r"[ \t]{1,4}[\"']?(?P<value>[^\s\"'$<({=:;,|&>-][^\s\"'$<({;|&>]{3,200})(?![^\n]{0,200}[.?!]\s*$)"
)
"""A keyword of a file of settings, and its value: `machine x login y password z`, `aws configure set … …`."""

ATTRIBUTES: Final = re.compile(
    r"(?:key|name|id)=[\"'](?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,64})[\"']\s{1,8}value=[\"'](?P<value>[^\"'\n]{1,500})[\"']"
)
"""Attributes of XML."""

SSHPASS: Final = re.compile(
    r"sshpass\s{1,4}-p\s{0,4}[\"']?[^\s\"'$]{3}|chpasswd|IDENTIFIED BY\s{1,4}[\"'][^\"'$]{3}"
    r"|echo(?:\s{1,4}-\w)?\s{1,4}[\"']?[^\s\"'$`(<{|-][^\s\"'|]{2,200}[\"']?[\s\\]{0,8}\|[^\n|]{0,200}-stdin\b"
    r"|\b(?:(?:mysql|mariadb)[a-z-]{0,12}\b[^\n;|&]{0,200}\s-p"
    r"|(?:docker\s{1,4}login|az\s{1,4}login|mongo[a-z]{0,8})\b[^\n;|&]{0,200}\s-p\s{1,4}"
    r"|redis-cli\b[^\n;|&]{0,200}\s-a\s{1,4}|htpasswd\s{1,4}-\w{0,4}b\w{0,4}(?:\s{1,4}[^\s$]{1,200}){2}\s{1,4}"
    r"|net\s{1,4}user\s{1,4}\S{1,64}\s{1,4}|ConvertTo-SecureString\s{1,4}(?:-\w{1,16}\s{1,4}){0,3}"
    r")[\"']?(?![\d.:]{1,40}(?:\s|$))[^\s\"'$`<>({%*/|&-][^\s\"'$`]{3}"
)
COMMAND_LINE: Final = "a password of a command line"

WEB_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,2048})\.(eyJ[A-Za-z0-9_-]{8,2048})")

KEYS: Final = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])")
"""As long as the secret part of an AWS access key."""

KEY_RUN: Final = 3.4
"""What is so long to the character need not be quite as random: AWS's own example ends with words."""

COMPARED: Final = re.compile(
    r"[\"'](?P<value>[^\"'\n]{4,500})[\"']\s{0,4}[!=]={1,2}\s{0,4}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,64})"
)
OPTION: Final = re.compile(
    r"(?:^|\s)--?(?P<name>[a-z][a-z0-9_-]{1,40}(?<!stdin))[\s=]{1,2}[\"']?(?P<value>[^\s\"'$(<{-][^\s\"']{2,200})"
)
USER: Final = re.compile(r"(?:^|\s)(?:-u|--user)[\s=][\"']?[^\s:\"'$]{1,64}:(?P<value>[^\s\"'$@]{3,200})")
"""Options of a command line; `--password-stdin` takes no value."""

CODE: Final = re.compile(r"[A-Za-z_][\w.]+[(\[].*|[$%&*<{(\[-].*|\w+(?:\.\w+)+|.*\)", re.DOTALL)
"""A value without quotes that is computed, or where the text goes on."""


@record
class Sign:
    """A secret within a text.

    Attributes:
        name: What it is called there; empty when it needs no name.
    """

    what: str
    name: str = ""

    @property
    def title(self) -> str:
        """Name it in a message."""
        return f"{self.what}, under `{self.name}`" if self.name else self.what


BY_NAME: Final = "a secret, by its name"
RANDOM: Final = "a text as random as a secret"


def sign_of(name: str, text: str, *, entropy: bool = True, depth: int = 0) -> Sign | None:
    """Say why a value is a secret, or holds one: by what it looks like, what it is called, what is in it."""
    text = text[:LONGEST]
    if made_public(text):
        return None
    what = looks_like(text) or web_token(text)
    if what:
        return Sign(what)
    if depth >= DEEPEST:
        return None
    document = parsed(text)
    if document is not None:
        return next(signs_in(document, entropy=entropy, depth=depth + 1), None)
    decoded = unpacked(text)
    within = sign_of("", decoded, entropy=entropy, depth=depth + 1) if decoded else next(assigned(text), None)
    if within is None and secret_by_name(name, text):
        return Sign(BY_NAME)
    random = entropy and not decoded and not names_an_identity(name)
    return within or (Sign(RANDOM) if random and (looks_random(text) or has_random_key(text)) else None)


def web_token(text: str) -> str:
    """Return what a JSON web token is called where a text has one, whose first two parts are JSON objects."""
    return next(
        ("a JSON web token" for match in WEB_TOKEN.finditer(text) if all(map(is_json, match.groups()))), ""
    )


def is_json(packed: str) -> bool:
    """Tell whether a text is a JSON object in base64."""
    try:
        return isinstance(json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))), dict)
    except (ValueError, RecursionError):
        return False


def has_random_key(text: str) -> bool:
    """Tell whether there is something in a text that is as long and as random as an AWS secret key."""
    return any(looks_random(match[0], longest_run=KEY_RUN) for match in KEYS.finditer(text))


def parsed(text: str) -> object:
    """Parse a text that begins like a JSON object or list; None when it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document


def signs_in(document: object, *, entropy: bool, depth: int) -> Iterator[Sign]:
    """Go through the secrets of a JSON document."""
    for path, name, text in leaves(document):
        sign = sign_of(name, text, entropy=entropy, depth=depth)
        if sign is not None:
            yield Sign(sign.what, ".".join(filter(None, (path, sign.name))))


def signs_in_json(text: str, *, entropy: bool) -> Iterator[Sign]:
    """Go through the secrets of a text that is a JSON document."""
    yield from signs_in(parsed(text[:LONGEST]), entropy=entropy, depth=1)


def leaves(document: object) -> Iterator[tuple[str, str, str]]:
    """Go through the texts of a JSON document: the path, what it is called, the text."""
    waiting: list[tuple[str, str, object]] = [("", "", document)]
    seen = 0
    while waiting and seen < MOST_LEAVES:
        seen += 1
        path, name, value = waiting.pop()
        if isinstance(value, dict):
            fields = cast("Mapping[str, object]", value)
            called = next((fields[key] for key in ("name", "Name", "key", "Key") if key in fields), None)
            for key, item in fields.items():
                own = called if key.casefold() == "value" and isinstance(called, str) else key
                waiting.append((f"{path}.{key}" if path else key, own, item))
        elif isinstance(value, list):
            items = cast("list[object]", value)
            waiting.extend((f"{path}[{at}]", name, item) for at, item in enumerate(items))
        elif isinstance(value, str):
            yield path, name, value
        elif isinstance(value, int) and not isinstance(value, bool):
            yield path, name, str(value)


def unpacked(text: str) -> str:
    """Decode a text in base64 that has a text in it; empty when it is none."""
    if not BASE64.fullmatch(text):
        return ""
    packed = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    printable = sum(character.isprintable() or character in "\r\n\t" for character in decoded)
    return decoded if decoded and printable >= LEAST_PRINTABLE * len(decoded) else ""


def assigned(text: str) -> Iterator[Sign]:
    """Go through the secrets that a text assigns, compares or passes on."""
    for match in ASSIGNMENT.finditer(text):
        quoted = match["double"] or match["single"] or match["back"]
        value = quoted or match["bare"] or ""
        if (quoted or not CODE.fullmatch(value)) and assigns_a_secret(match["name"], value):
            yield Sign(BY_NAME, match["name"])
    for pattern in (COMPARED, OPTION, ATTRIBUTES, WORD_AFTER):
        for match in pattern.finditer(text):
            if assigns_a_secret(match["name"], match["value"]):
                yield Sign(BY_NAME, match["name"])
    if USER.search(text) or SSHPASS.search(text):
        yield Sign(COMMAND_LINE)


def assigns_a_secret(name: str, value: str) -> bool:
    """Tell whether a value in a text is a secret by its name; what has no letter or digit is punctuation."""
    return (
        bool(hint_of(name).value)
        and any(map(str.isalnum, value))
        and secret_by_name(name, value.rstrip("\\,;"))
    )

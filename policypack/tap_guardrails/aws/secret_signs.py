"""Signs that a text is a secret: what it looks like, what it is called, how random it is.

Every pattern takes time linear in the text's length, however long it is, but for a bounded factor.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")),
    (
        "an AWS access key",
        re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ),
    ("a GitHub token", re.compile(r"\bgh[opsur]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/T")),
    ("a Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16}")),
    ("an API key", re.compile(r"(?<![A-Za-z0-9])sk-(?:ant-|proj-)?[A-Za-z0-9_-]{32}")),
    ("an npm or PyPI token", re.compile(r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50}")),
    ("a Pulumi access token", re.compile(r"\bpul-[0-9a-f]{40}")),
    (
        "a JSON web token",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2048}\.eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]"),
    ),
    ("a URL with a password", re.compile(r"://[^\s:/@{}]{0,256}:[^\s/@{}]{1,256}@")),
    (
        "a connection string with a password",
        re.compile(r"(?i)\b(?:password|pwd|accountkey|sharedaccesskey)\s{0,4}=\s{0,4}[^;\s{}$]{3}"),
    ),
)
"""What common secrets look like; each issuer documents its prefix."""

SECRET_WORDS: Final = frozenset(
    {
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
    }
)
KEY_WORDS: Final = frozenset({"access", "api", "auth", "encryption", "private", "secret", "signing"})
"""What makes a `key` a secret when it comes before it."""

CONNECTION_WORDS: Final = frozenset(
    {"connection", "database", "db", "dsn", "jdbc", "mongo", "mongodb", "redis"}
)
CONNECTION_ENDS: Final = frozenset({"dsn", "string", "uri", "url"})
"""Such a name is of a text that may have a password in it, and need not."""

REFERENCE_ENDS: Final = frozenset(
    {
        *("alias", "algorithm", "arn", "audience", "backend", "bucket", "claim", "class", "count", "days"),
        *(
            "enabled",
            "endpoint",
            "expiration",
            "expiry",
            "field",
            "file",
            "format",
            "header",
            "host",
            "hours",
        ),
        *("id", "ids", "issuer", "kind", "length", "level", "limit", "location", "manager", "method"),
        *("minutes", "mode", "name", "names", "parameter", "path", "policy", "port", "prefix", "provider"),
        *(
            "region",
            "required",
            "rotation",
            "scope",
            "scopes",
            "seconds",
            "service",
            "size",
            "source",
            "store",
        ),
        *("suffix", "table", "ttl", "type", "uri", "url", "use", "version"),
    }
)
"""A name that ends so is of something about a secret, or of where to find it."""

WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
REFERENCE: Final = re.compile(
    r"arn:.*|/.*|alias/.*|https?://.*|\{\{resolve:.*|(?:ssm|secretsmanager|projects)[:/].*|\$\{[^}]*\}",
    re.DOTALL,
)
"""Where to find a secret, which may be told."""

NO_SECRET: Final = re.compile(
    r"(?i)[0-9.]*|true|false|yes|no|on|off|none|null|enabled|disabled|required|optional"
)

RANDOM: Final = re.compile(r"[A-Za-z0-9+/_-]{24,128}={0,2}")
RANDOM_BITS: Final = 3.8
"""Bits a character from which on a text may be random: 24 random characters of base64 have 4.2."""
RANDOM_RUN: Final = 2.3
"""Characters a run of one sort (a capital may begin a word) up to which a text may be random.

Random base64 has 1.9, and nine times in ten no more than this; names in mixed case have 3 and more.
"""


def looks_like(text: str) -> str:
    """Say which sort of secret a text looks like; nothing when it looks like none."""
    return next((title for title, pattern in PATTERNS if pattern.search(text)), "")


def looks_random(text: str) -> bool:
    """Tell whether a text is as random as a generated secret: long, of all sorts of characters, no words."""
    if not RANDOM.fullmatch(text):
        return False
    sorts = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(is_sort(character) for character in text) for is_sort in sorts)
    return mixed and bits(text) >= RANDOM_BITS and len(text) <= RANDOM_RUN * len(WORD.findall(text))


def bits(text: str) -> float:
    """Return Shannon's entropy of a text, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def words(name: str) -> list[str]:
    """Take a name apart: `DB_PASSWORD`, `dbPassword` and `db-password` are `db` and `password`."""
    return [word.casefold() for word in WORD.findall(name)]


def names_a_secret(name: str) -> bool:
    """Tell whether a name is that of a secret."""
    parts = words(name)
    if not parts or parts[-1] in REFERENCE_ENDS:
        return False
    keys = any(before in KEY_WORDS and word == "key" for before, word in pairwise(parts))
    return keys or not SECRET_WORDS.isdisjoint(parts)


def names_a_connection(name: str) -> bool:
    """Tell whether a name is that of a text that may have a password in it."""
    parts = words(name)
    return bool(parts) and parts[-1] in CONNECTION_ENDS and not CONNECTION_WORDS.isdisjoint(parts)


def may_be_secret(text: str) -> bool:
    """Tell whether a text that is called a secret may be one: it is no number, no word and no reference."""
    return not NO_SECRET.fullmatch(text) and not REFERENCE.fullmatch(text)

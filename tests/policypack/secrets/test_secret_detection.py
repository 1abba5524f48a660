"""How many secrets are found, and how much that is none: on a labelled list, and beside detect-secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

from tap_guardrails.aws import secret_signs
from tap_guardrails.aws.secret_texts import LONGEST, sign_of
from tests.policypack.harness.trees import load

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
LEAST = 0.95
LEAST_OF_ANOTHER_ISSUER = 0.8
"""Of what a plug-in must not take for its own secret, some is another issuer's, or one by its name."""

LABELLED: Any = load(HERE / "labelled.yaml")
SECRETS, HARMLESS = (
    [(name, str(value)) for entry in LABELLED[kind] for name, value in entry.items()]
    for kind in ("secrets", "harmless")
)

CORPUS: Any = load(HERE / "detect_secrets.yaml")
DIFFERENCES: Any = CORPUS.pop("differences")


def share(found: Iterable[object]) -> float:
    answers = [bool(one) for one in found]
    return sum(answers) / len(answers)


def test_the_list_is_long_and_nothing_in_it_is_a_word_of_the_code() -> None:
    assert len(SECRETS) >= 75
    assert len(HARMLESS) >= 75
    listed = frozenset[str]().union(*secret_signs.TOKENS.values())
    assert len(listed) > 100
    assert not [name for name, _ in SECRETS if name.casefold() in listed]


def test_secrets_are_found_and_what_is_none_is_not() -> None:
    missed = [name for name, value in SECRETS if sign_of(name, value) is None]
    wrong = [name for name, value in HARMLESS if sign_of(name, value) is not None]
    assert 1 - len(missed) / len(SECRETS) >= LEAST, missed
    assert 1 - len(wrong) / len(HARMLESS) >= LEAST, wrong


def flagged(lines: list[str], folder: Path) -> set[int]:
    """The positions of the lines of a file in which detect-secrets, as it comes, finds a secret."""
    (folder / "settings.txt").write_text("\n".join(lines) + "\n", "utf-8")
    found = SecretsCollection(root=str(folder))
    with default_settings():
        found.scan_file("settings.txt")
    return {secret.line_number - 1 for _, secret in found}


def test_detect_secrets_finds_fewer_of_them_and_more_of_the_others(tmp_path: Path) -> None:
    def of_theirs(pairs: list[tuple[str, str]]) -> float:
        lines = [f"{name} = {json.dumps(value)}" for name, value in pairs]
        return len(flagged(lines, tmp_path)) / len(lines)

    assert of_theirs(SECRETS) < share(sign_of(*pair) for pair in SECRETS)
    assert of_theirs(HARMLESS) > share(sign_of(*pair) for pair in HARMLESS)


def test_the_corpus_of_detect_secrets_is_evaluated_alike_but_for_the_differences_with_a_reason() -> None:
    secrets = [text for plugin in CORPUS.values() for text in plugin.get("secrets", ())]
    others = [text for plugin in CORPUS.values() for text in plugin.get("others", ())]
    missed = [text for text in secrets if sign_of("", text) is None]
    found = [text for text in others if sign_of("", text) is not None]
    assert 1 - len(missed) / len(secrets) >= LEAST
    assert 1 - len(found) / len(others) >= LEAST_OF_ANOTHER_ISSUER
    for kind, texts in (("missed", missed), ("found", found)):
        assert all(one["reason"] for one in DIFFERENCES[kind])
        assert sorted(text for one in DIFFERENCES[kind] for text in one["texts"]) == sorted(texts)


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("A", '{"a": [{"b": {"password": "hunter22"}}]}', "a secret, by its name, under `a[0].b.password`"),
        ("A", "eyJhcGlLZXkiOiAid2FyYmxlci00NCJ9", "a secret, by its name, under `apiKey`"),
        ("A", "export X_TOKEN='abc 1'", "a secret, by its name, under `X_TOKEN`"),
        ("A", "https://u:p4ss@h/", "a URL with a password"),
        ("DB_PASSWORD", "hunter22", "a secret, by its name"),
        ("A", "q7RvX2mZ9LtB4wKcY8sN1hDfG6jP3aUe", "a text as random as a secret"),
    ],
)
def test_a_secret_is_named(name: str, text: str, title: str) -> None:
    sign = sign_of(name, text)
    assert sign is not None
    assert sign.title == title


def test_randomness_counts_only_where_it_is_asked_for() -> None:
    assert sign_of("A", "q7RvX2mZ9LtB4wKcY8sN1hDfG6jP3aUe", entropy=False) is None


HOSTILE = [
    "{" * 50_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    "a=" * 100_000,
    "://" * 80_000,
    "password" + " " * 200_000,
    "'" * 200_000,
    "eyJ" * 60_000,
    "A" * LONGEST,
    "x[" * 100_000,
    "--a " * 60_000,
    "Basic " + "a" * 200_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_a_long_text_takes_time_in_proportion(text: str) -> None:
    """A quadratic pattern would take minutes here; the suite's own limit is the clock."""
    sign_of("A", text)

"""The words of the field: what the project once called otherwise is in no name, and in no sentence."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("program", "policypack", "lambdas", "tapgate")

# In no name of the product, and what is said instead.
NAMES: Final = {
    **dict.fromkeys(("undetermined", "doubts"), "unknown of a value, undecided of a verdict"),
    **dict.fromkeys(("repair", "repairs"), "remediation"),
    **dict.fromkeys(
        ("companion", "companions", "link", "links", "side"), "sub-resource; hyperlink, direction"
    ),
    **dict.fromkeys(("place", "places"), "path, location or source"),
    "plain": "sanitized, to_json, cleartext or known_value",
    **dict.fromkeys(("standing", "sort", "sorts"), "status, category"),
    **dict.fromkeys(("reading", "malformed", "misfit", "masked"), "PropertyValue, invalid, redacted"),
    **dict.fromkeys(("kind", "kinds", "spelling", "spellings"), "type, property_aliases, casing"),
    **dict.fromkeys(("flag", "choice"), "Boolean, Enum"),
    **dict.fromkeys(("judge", "judged", "judgement", "judging"), "evaluate, evaluation"),
    **dict.fromkeys(("behind", "derived", "family"), "dependencies_of, memoized, descendants"),
    **dict.fromkeys(
        ("signal", "watch", "watching", "guard", "pulls"), "RequiredMetric, AlarmMatch, coverage"
    ),
    **dict.fromkeys(("reachable", "illegible"), "can_fire, unreadable"),
    **dict.fromkeys(("masthead", "drawing", "dossier", "screen"), "header, icons, verdict file, console"),
    **dict.fromkeys(("written", "stopped"), "atomic_write, failed_update"),
    **dict.fromkeys(("beginning", "live", "emptying"), "create_or_adopt, remote_state, pre_delete"),
    **dict.fromkeys(("shapes", "answering", "reach"), "schema, error_mapping, connectivity"),
    **dict.fromkeys(("taken", "untold", "unread"), "already_exists_codes, not_returned, write_only"),
    **dict.fromkeys(("exclusive", "renewed", "facet"), "must_be_new, changes_with, PropertyGroup"),
    **dict.fromkeys(("intake", "hand_back", "work_off", "probe"), "ingest, release, process, health"),
    **dict.fromkeys(
        ("surroundings", "plans", "thing", "entrances", "scope"), "Dependencies, event_sources, context"
    ),
    **dict.fromkeys(("node", "part", "target"), "PropertyRef, SubResource, resolve_reference"),
    **dict.fromkeys(("whole", "words", "entries"), "Integer, StringList, ObjectList"),
    **dict.fromkeys(("found", "notes"), "refresh_inputs, metadata"),
}
_LINE: Final = "the line of that name in every message"
_NOT_FOUND: Final = "as Pulumi, uv and gRPC say it"
_NOTES: Final = "a key of the verdict's JSON, which is a contract"
# Names that say what the word means to everybody; each with the reason.
ALLOWED: Final = {
    "policypack/tap_guardrails/aws/template_yaml.py": dict.fromkeys(
        ("compose_node", "node"), "as PyYAML's method has it"
    ),
    "policypack/tap_guardrails/model/finding.py": {"found": _LINE},
    "policypack/tap_guardrails/model/property_value.py": {
        "found": _LINE,
        "entries": "a reader that rules use",
    },
    "policypack/tap_guardrails/waivers/__init__.py": {"found": _LINE},
    "tapgate/analyzer/deployment.py": {"notes": _NOTES},
    "tapgate/assemble.py": dict.fromkeys(("notes", "_log_notes"), _NOTES),
    "tapgate/cli.py": {"notes": _NOTES},
    "tapgate/commands/session.py": {"notes": _NOTES},
    "tapgate/embedded/language_host.py": {"_not_found": _NOT_FOUND},
    "tapgate/embedded/program_environment.py": {"_NOT_FOUND": _NOT_FOUND},
    "tapgate/embedded/doctor.py": {"found": _LINE},
    "tapgate/embedded/stacks.py": {"notes": _NOTES},
    "tapgate/embedded/toolchain/cli/pulumi-language-python/packages.py": {
        "found": "a renamed variable has everybody build the CLI anew"
    },
    "tapgate/findings.py": {
        "kind": "a key of the verdict's JSON, which is a contract",
        "found": _LINE,
        "notes": _NOTES,
    },
    "tapgate/preview.py": {"notes": _NOTES},
    "tapgate/registry.py": {"found": _LINE, "compose_node": "as PyYAML's method has it"},
    "tapgate/rehearsal.py": {"notes": _NOTES},
    "tapgate/sandbox.py": {"notes": _NOTES},
    "tapgate/stacks.py": {"notes": _NOTES, **dict.fromkeys(("_NOT_FOUND", "_NOT_FOUND_CODE"), _NOT_FOUND)},
    "tapgate/reports/score.py": {"kind": "as above"},
    "tapgate/reports/verdict_file.py": {"kind": "as above"},
    "lambdas/api_handler/problem.py": dict.fromkeys(
        ("MALFORMED_REQUEST", "NOT_FOUND"), "a problem of the API, which is a contract"
    ),
    "tapgate/embedded/aws_provider/values.py": {"sort_keys": "as json.dumps has it"},
    "tapgate/embedded/aws_provider/service.py": {"kind": "a field of Pulumi's protocol"},
    "tapgate/embedded/program_flow.py": {"scope": "where a name of Python holds"},
    "tapgate/embedded/program_names.py": dict.fromkeys(
        ("Scope", "_scope_of", "_scopes", "scope"), "where a name of Python holds"
    ),
}
# In no sentence: of code, messages, help, documents or tests.
SENTENCES: Final = (
    *("nobody can tell", "undetermined", "doubts?", "put(?:s|ting)? right", "repair(?:s|ed)?", "companions?"),
    *("judg(?:e|es|ed|ing|e?ments?)", "misfits?", "mastheads?", "dossiers?", "side resources?", "untold"),
    *("illegible", "surroundings", "entrances?", "spellings", "tells nobody", "no such thing", "facets?"),
    *("intake", "hand(?:s|ed|ing)? back", "work(?:s|ed|ing)? off", "what came of it", "draws? reports"),
)
_SENTENCE: Final = re.compile(rf"\b(?:{'|'.join(SENTENCES)})\b", re.IGNORECASE)
_PROSE: Final = ("*.py", "*.md", "*.j2", "*.yml")
# What others wrote, and lists of the words that secrets are known by.
_OTHERS: Final = ("fixtures", "vendored", ".venv", "venv", "node_modules", "__pycache__", "secret_signs.py")


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case, neighbours joined as well."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    single = [part.lower() for part in parts]
    return [*single, *("_".join(pair) for pair in pairwise(single))]


def names_in(tree: ast.Module) -> Iterator[str]:
    """Yield each name that a module gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def hits_in(source: str, path: str = "x.py") -> list[str]:
    """Return what in a module has a name that it should not have."""
    allowed = ALLOWED.get(path, {})
    return sorted(
        f"{path}: {name}. Say: {NAMES[word]}"
        for name in {*names_in(ast.parse(source)), Path(path).stem}
        for word in words_of(name)
        if word in NAMES and name not in allowed
    )


def modules() -> Iterator[Path]:
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"venv", ".venv", "site-packages"} & set(path.parts):
                yield path


def test_no_name_of_the_product_has_a_word_that_was_replaced() -> None:
    found = [
        hit
        for path in modules()
        for hit in hits_in(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    ]
    assert not found, "\n".join(found)


def test_each_exception_is_still_needed() -> None:
    for path, names in ALLOWED.items():
        given = names_in(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        assert names.keys() <= set(given), path


def test_no_sentence_has_a_word_that_was_replaced() -> None:
    found: list[str] = []
    folders = (*PRODUCT, "docs", "tests")
    paths = [path for folder in folders for pattern in _PROSE for path in (ROOT / folder).rglob(pattern)]
    for path in [*paths, ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "noxfile.py"]:
        if path == Path(__file__) or set(_OTHERS) & set(path.parts):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if hit := _SENTENCE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {hit[0]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("word", NAMES)
def test_a_word_is_seen_in_any_name(word: str) -> None:
    for source in (
        "def {}_of(): ...",
        "def f(*, {}): ...",
        "my_{} = 1",
        "self._{} = 1",
        "for {} in x: ...",
        "_MY_{} = 1",
        "self.my_{}_of = 1",
    ):
        assert hits_in(source.format(word.upper() if "MY" in source else word)), source
    assert hits_in(f"class {word.title().replace('_', '')}Index: ...")
    assert hits_in("x = 1", f"tapgate/{word}.py")


@pytest.mark.parametrize(
    "text", ["So nobody can tell whether.", "It is judged.", "Put right by it", "its spellings"]
)
def test_a_sentence_is_seen(text: str) -> None:
    assert _SENTENCE.search(text)
    assert not _SENTENCE.search("It is evaluated, and no one is told.")

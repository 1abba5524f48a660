"""The independent readers that the tests check documents with, each behind one typed function."""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path


def validate(document: object, schema: Path | Traversable) -> None:
    """Check a document against a JSON schema, of the draft that the schema names."""
    _validator(schema.read_text(encoding="utf-8")).validate(document)


@cache
def _validator(schema: str) -> Any:  # noqa: ANN401  # jsonschema's types are partial
    jsonschema = cast("Any", importlib.import_module("jsonschema"))
    rules: Any = json.loads(schema)
    kind = jsonschema.validators.validator_for(rules)
    kind.check_schema(rules)
    return kind(rules)


def github_html(markdown: str) -> str:
    """Render Markdown with GitHub's own parser, raw HTML let through as it stands."""
    parser = cast("Any", importlib.import_module("cmarkgfm"))
    options = cast("Any", importlib.import_module("cmarkgfm.cmark")).Options
    return str(parser.github_flavored_markdown_to_html(markdown, options=options.CMARK_OPT_UNSAFE))

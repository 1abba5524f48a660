"""The dossier as JSON, written and read back: `from_json(to_json(dossier)) == dossier`.

The document's shape is in `dossier.schema.json`; its `schema` names the shape's version, which changes when a
reader of the old shape could misread the new one. Fields may be added without that.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn, cast, get_args

from tapgate.findings import SCHEMA as VERDICT_SCHEMA
from tapgate.findings import Report
from tapgate.json_access import mapping, text
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.decoding import ShapeError, decode
from tapgate.reports.dossier import SCHEMA, Dossier, Kind, Unaudited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.findings import Outcome


def to_json(dossier: Dossier) -> str:
    """Write a dossier as JSON: equal dossiers give equal documents, byte by byte.

    The text is ASCII, so that no character of a name (a bidirectional control, half of a surrogate pair) can
    change what a reader sees or keep the document from being stored.
    """
    document = {
        "schema": SCHEMA,
        "kind": dossier.kind,
        "made": dossier.made,
        "outcome": dossier.outcome,
        "stacks": [report.as_document() for report in dossier.stacks],
        "unaudited": [asdict(one) for one in dossier.unaudited],
        "policies": [asdict(one) for one in dossier.policies],
    }
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def from_json(document: str | bytes) -> Dossier:
    """Read what `to_json` wrote, or the verdict of a single stack (`gate preview --verdict`).

    Raises:
        ShapeError: it is neither, or an outcome that it states is not the one of its findings.
    """
    body = _object(document)
    schema = body.get("schema")
    if schema == VERDICT_SCHEMA:
        return Dossier.of("preview", [_report(body, "")])
    if schema != SCHEMA:
        raise ShapeError("schema", f"must be {SCHEMA} or {VERDICT_SCHEMA}")
    kind = body.get("kind")
    if kind not in get_args(Kind):
        raise ShapeError("kind", f"must be one of {', '.join(get_args(Kind))}")
    dossier = Dossier(
        kind=cast("Kind", kind),
        stacks=tuple(_report(one, f"stacks[{n}]") for n, one in enumerate(_list(body, "stacks"))),
        unaudited=tuple(
            decode(Unaudited, one, f"unaudited[{n}]") for n, one in enumerate(_list(body, "unaudited"))
        ),
        policies=tuple(
            decode(PolicyInfo, one, f"policies[{n}]") for n, one in enumerate(_list(body, "policies"))
        ),
        made=text(body.get("made")),
    )
    _require_outcome(body, dossier.outcome, "")
    return dossier


def _object(document: str | bytes) -> Mapping[str, object]:
    try:
        body: object = json.loads(document, parse_constant=_no_constant)
    except RecursionError as error:
        raise ShapeError("", "is nested too deeply") from error
    except ValueError as error:
        raise ShapeError("", f"is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ShapeError("", "must be an object")
    return mapping(cast("object", body))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _list(body: Mapping[str, object], name: str) -> list[object]:
    value = body.get(name)
    if not isinstance(value, list):
        raise ShapeError(name, "must be a list")
    return cast("list[object]", value)


def _report(value: object, where: str) -> Report:
    report = decode(Report, value, where)
    _require_outcome(mapping(value), report.outcome, where)
    return report


def _require_outcome(body: Mapping[str, object], outcome: Outcome, where: str) -> None:
    """Refuse a document that says another outcome than its findings do: somebody changed one of them."""
    if body.get("outcome") != outcome:
        raise ShapeError(f"{where}.outcome".lstrip("."), f"must be {outcome}, by the findings")

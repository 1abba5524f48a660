"""`aws.iam.getPolicyDocument`: renders IAM policy documents as terraform-provider-aws does, byte for byte."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import cast

from tapgate.embedded.aws_provider.values import Properties, Value, dump_json

_VERSION = "2012-10-17"
_ORDER = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)
_SETS = {
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}


class PolicyDocumentError(ValueError):
    """The arguments make no policy document; the message says why."""


def render(args: Mapping[str, Value]) -> Properties:
    """Return the function's result: `json` indented, `minifiedJson`, `id` and the arguments."""
    version = str(args.get("version") or _VERSION)
    _require_one_of("version", version, ("2008-10-17", "2012-10-17"))
    merged: dict[str, object] = {}
    for document in filter(None, [args.get("sourceJson"), *_list(args.get("sourcePolicyDocuments"))]):
        source = _parse(str(document))
        _refuse_repeated_sids([*_statements(merged), *_statements(source)])
        _merge(merged, source)
    statements = [_statement(cast("Properties", item), version) for item in _list(args.get("statements"))]
    _refuse_repeated_sids(statements)
    _merge(merged, {"Version": version, "Id": args.get("policyId"), "Statement": statements})
    for document in filter(None, [*_list(args.get("overridePolicyDocuments")), args.get("overrideJson")]):
        _merge(merged, _parse(str(document)))
    ordered = _ordered(merged)
    text = dump_json(ordered, indent=2, sort_keys=False)
    return {
        **args,
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": dump_json(ordered, sort_keys=False),
        "version": version,
    }


def _statement(given: Properties, version: str) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": given.get("effect") or "Allow"}
    _require_one_of("effect", statement["Effect"], ("Allow", "Deny"))
    if given.get("sid"):
        statement["Sid"] = given["sid"]
    for name, key in _SETS.items():
        values = [_variables(str(item), version) for item in _list(given.get(name))]
        if values:
            statement[key] = values[0] if len({*values}) == 1 else sorted({*values}, reverse=True)
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        principals = _list(given.get(name))
        if principals:
            statement[key] = _principals(principals, version)
    conditions = _list(given.get("conditions"))
    if conditions:
        statement["Condition"] = _conditions(conditions, version)
    return statement


def _require_one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise PolicyDocumentError(
            f"getPolicyDocument: `{name}` is {value!r}. Required: one of {', '.join(choices)}. IAM refuses "
            "anything else. Fix: take one of these"
        )


def _principals(given: list[Value], version: str) -> object:
    principals = [cast("Properties", item) for item in given]
    raw: dict[str, object] = {}
    for principal in principals:
        type_ = str(principal.get("type"))
        identifiers = [_variables(str(item), version) for item in _list(principal.get("identifiers"))]
        named = sorted(set(identifiers), reverse=True)
        earlier = raw.get(type_)
        if earlier is None:
            raw[type_] = named[0] if len(named) == 1 else named
        else:
            raw[type_] = [*(cast("list[str]", earlier) if isinstance(earlier, list) else [earlier]), *named]
    if len(principals) == 1 and raw == {"*": "*"}:
        return "*"
    return {type_: raw[type_] for type_ in sorted(raw)}


def _conditions(given: list[Value], version: str) -> dict[str, dict[str, object]]:
    raw: dict[str, dict[str, object]] = {}
    for item in given:
        condition = cast("Properties", item)
        tests = raw.setdefault(str(condition.get("test")), {})
        variable = _variables(str(condition.get("variable")), version)
        values = [_variables(str(value), version) for value in _list(condition.get("values"))]
        if len(values) == 1:
            tests[variable] = values[0]
            continue
        # The order of a condition's values is the program's.
        earlier = tests.get(variable)
        tests[variable] = [*(cast("list[str]", earlier) if isinstance(earlier, list) else []), *values]
    return {test: {variable: raw[test][variable] for variable in sorted(raw[test])} for test in sorted(raw)}


def _variables(text: str, version: str) -> str:
    if version == "2008-10-17" and "&{" in text:
        raise PolicyDocumentError(
            f"getPolicyDocument: `{text}` uses a policy variable, which version 2008-10-17 does not have. "
            "AWS would take it literally. Fix: set version to 2012-10-17"
        )
    return text.replace("&{", "${")


def _merge(into: dict[str, object], other: Mapping[str, object]) -> None:
    for key in ("Id", "Version"):
        if other.get(key):
            into[key] = other[key]
    statements = _statements(into)
    for statement in _statements(other):
        sid = statement.get("Sid")
        index = next((i for i, known in enumerate(statements) if sid and known.get("Sid") == sid), None)
        if index is None:
            statements.append(statement)
        else:
            statements[index] = statement
    if statements:
        into["Statement"] = statements


def _parse(document: str) -> dict[str, object]:
    try:
        parsed = cast("object", json.loads(document))
    except ValueError as error:
        start = re.sub(r"\s+", " ", document)[:60]
        raise PolicyDocumentError(
            f"getPolicyDocument: a source or override document is no JSON ({error}): {start}. "
            "Fix: give a JSON document"
        ) from None
    if not isinstance(parsed, dict):
        raise PolicyDocumentError(
            "getPolicyDocument: a source or override document is no JSON object. Fix: give a policy document"
        )
    return cast("dict[str, object]", parsed)


def _statements(document: Mapping[str, object]) -> list[dict[str, object]]:
    statements = document.get("Statement", [])
    return list(cast("list[dict[str, object]]", statements if isinstance(statements, list) else [statements]))


def _refuse_repeated_sids(statements: list[dict[str, object]]) -> None:
    seen: set[object] = set()
    for statement in statements:
        sid = statement.get("Sid")
        if sid and sid in seen:
            raise PolicyDocumentError(
                f"getPolicyDocument: duplicate Sid ({sid}). IAM wants it unique. Fix: choose another or none"
            )
        seen.add(sid)


def _ordered(document: Mapping[str, object]) -> dict[str, object]:
    ordered = {key: document[key] for key in ("Version", "Id") if document.get(key)}
    statements = _statements(document)
    if statements:
        ordered["Statement"] = [
            {key: statement[key] for key in _ORDER if statement.get(key) not in (None, "", [])}
            for statement in statements
        ]
    return ordered


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []

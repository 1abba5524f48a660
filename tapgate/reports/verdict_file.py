"""The verdict file: the verdicts of one stack or of many, from which every report is rendered, and its JSON.

The document's shape is in `verdicts.schema.json`; its `schema` names the shape's version, which changes when
a reader of the old shape could misread the new one. Fields may be added without that. A file may have been
edited, cut off or made up: what does not have the shape of its class is refused with the place in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Self, TypeVar, cast

import msgspec

from tapgate.findings import SCHEMA as VERDICT_SCHEMA
from tapgate.findings import Outcome, Report
from tapgate.json_access import mapping, sequence
from tapgate.reports.controls import PolicyInfo  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from tapgate.findings import CouldNotRunError

Command = Literal["preview", "deploy", "audit"]
SCHEMA: Final = "tap-guardrails/verdicts/1"
T = TypeVar("T")


class ShapeError(ValueError):
    """A document does not have the shape of its class.

    Attributes:
        where: path of the value in the document, such as `stacks[0].findings[2].urn`.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where or 'document'}: {problem}")
        self.where = where
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Unaudited:
    """A stack for which there is no verdict.

    Attributes:
        name: the stack, or the file that should hold it.
    """

    name: str
    what: str
    where: str = ""
    why: str = ""
    fix: str = ""
    details: tuple[str, ...] = ()

    @classmethod
    def because(cls, name: str, failure: CouldNotRunError) -> Self:
        """Keep the reason why a stack could not be audited."""
        return cls(name, failure.what, failure.where, failure.why, failure.fix, failure.details)


@dataclass(frozen=True, slots=True)
class VerdictFile:
    """The verdicts of one run of the gate.

    Attributes:
        policies: what the packs say of their policies, sorted by pack and name; may be incomplete or empty.
        made: when, in UTC, ISO 8601; empty when no one said.
    """

    kind: Command
    stacks: tuple[Report, ...]
    unaudited: tuple[Unaudited, ...] = ()
    policies: tuple[PolicyInfo, ...] = ()
    made: str = ""

    @classmethod
    def of(
        cls,
        kind: Command,
        stacks: Iterable[Report],
        *,
        unaudited: Iterable[Unaudited] = (),
        policies: Iterable[PolicyInfo] = (),
        made: datetime | None = None,
    ) -> Self:
        """Put a run's results together, in the order that makes equal results equal documents.

        Args:
            kind: the command that made it.
            stacks: the verdicts, in any order.
            unaudited: the stacks without a verdict.
            policies: what the packs say of their policies; of several on one policy, the first counts.
            made: when, with a time zone.
        """
        by_name = {(one.pack, one.policy): one for one in reversed(list(policies))}
        return cls(
            kind=kind,
            stacks=tuple(sorted(stacks, key=lambda one: (one.project, one.stack))),
            unaudited=tuple(sorted(unaudited, key=lambda one: (one.name, one.what))),
            policies=tuple(by_name[key] for key in sorted(by_name)),
            made="" if made is None else made.astimezone(UTC).isoformat(timespec="seconds"),
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of the whole: incomplete weighs most, since no one knows what it hides."""
        if self.unaudited or not self.stacks:
            return "could-not-run"
        return "blocked" if any(stack.outcome == "blocked" for stack in self.stacks) else "passed"

    @property
    def known_policies(self) -> Mapping[tuple[str, str], PolicyInfo]:
        """What is known of policies, by pack and name; made anew at each call."""
        return {(one.pack, one.policy): one for one in self.policies}


def to_json(verdicts: VerdictFile) -> str:
    """Write verdicts as JSON: equal ones give equal documents, byte by byte.

    The text is ASCII, so that no character of a name (a bidirectional control, half of a surrogate pair) can
    change what a reader sees or keep the document from being stored.
    """
    document = {
        "schema": SCHEMA,
        "kind": verdicts.kind,
        "made": verdicts.made,
        "outcome": verdicts.outcome,
        "stacks": [report.as_document() for report in verdicts.stacks],
        "unaudited": [asdict(one) for one in verdicts.unaudited],
        "policies": [asdict(one) for one in verdicts.policies],
    }
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def from_json(document: str | bytes) -> VerdictFile:
    """Read what `to_json` wrote, or the verdict of a single stack.

    Raises:
        ShapeError: it is neither, or an outcome that it states is not the one of its findings.
    """
    body = _object(document)
    schema = body.get("schema")
    if schema == VERDICT_SCHEMA:
        report = _converted(_report(body), Report)
        _require_outcome(body, report.outcome, "")
        return VerdictFile.of("preview", [report])
    if schema != SCHEMA:
        raise ShapeError("schema", f"must be {SCHEMA} or {VERDICT_SCHEMA}")
    stacks = body.get("stacks")
    shaped = _each(stacks, _report)
    verdicts = _converted({"unaudited": None, "policies": None, **body, "stacks": shaped}, VerdictFile)
    for index, (one, report) in enumerate(zip(sequence(stacks), verdicts.stacks, strict=True)):
        _require_outcome(mapping(one), report.outcome, f"stacks[{index}]")
    _require_outcome(body, verdicts.outcome, "")
    return verdicts


def _object(document: str | bytes) -> Mapping[str, object]:
    try:
        body: object = json.loads(document, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise ShapeError("", "is nested too deeply") from error
    except ValueError as error:
        raise ShapeError("", f"is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ShapeError("", "must be an object")
    return mapping(cast("object", body))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _report(body: Mapping[str, object]) -> object:
    """Return a report's document with the names of its class."""
    return {**body, "findings": _each(body.get("findings"), _finding)}


def _finding(body: Mapping[str, object]) -> object:
    shaped = {name: one for name, one in body.items() if name not in {"property", "property_path"}}
    return {**shaped, "property_path": body["property"]} if "property" in body else shaped


def _each(value: object, shape: Callable[[Mapping[str, object]], object]) -> object:
    """Return a list with each object in it shaped; anything else as it is, for whoever refuses it."""
    if not isinstance(value, list):
        return value
    return [
        shape(mapping(cast("object", one))) if isinstance(one, dict) else one
        for one in cast("list[object]", value)
    ]


def _converted(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        where = path.rstrip("`").partition("[...]")[0].lstrip(".")
    except OverflowError as error:
        where, problem = "", str(error)
    raise ShapeError(where.replace("property_path", "property"), problem.replace("property_path", "property"))


def _require_outcome(body: Mapping[str, object], outcome: Outcome, where: str) -> None:
    """Refuse a document that says another outcome than its findings do: somebody changed one of them."""
    if body.get("outcome") != outcome:
        raise ShapeError(f"{where}.outcome".lstrip("."), f"must be {outcome}, by the findings")

"""Answers that a file gives where only AWS or a backend could: functions, other stacks, what is there.

One file, of one shape (docs/org-wide.md). What is not in it stands in, marked, so that a rule that reads it
is undecided. Providers learn of the file by their environment, and leave in the engine's log what they took.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
import yaml

from tapgate.embedded.aws_provider.usage import short
from tapgate.embedded.console import Failure
from tapgate.embedded.environment import ANSWERS, STEERING

ASKED: Final = "asked of a provider or a backend: "
"""How a message begins that says, as JSON, what a program asked."""
ANSWERED: Final = "taken from the answers file: "
"""How a message of the engine's log begins that names an entry."""
MISSED: Final = "finds nothing in the rehearsal: "
"""How a message begins that names a question whose failure the program can do with."""
_LOCATION: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_DAYS: Final = 90

Name = Annotated[str, msgspec.Meta(min_length=1)]


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a function answers; arguments that are not named may be any, as the provider's region."""

    token: Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[^:]+(:[^:]+)?$")]
    result: dict[str, Any]
    arguments: dict[str, Any] = {}
    region: str = ""


class Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `get` and `import` read of a resource."""

    type: Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[^:]+(:[^:]+)?$")]
    id: Name
    outputs: dict[str, Any]


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the environments of a stack's file give."""

    pulumiConfig: dict[str, Any] = {}  # noqa: N815 - Pulumi ESC's own words
    environmentVariables: dict[str, str] = {}  # noqa: N815


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file has."""

    version: Literal[1]
    recorded: date
    maximumDays: Annotated[int, msgspec.Meta(ge=1)] = _DAYS  # noqa: N815 - the file's own casing
    functions: list[Function] = []
    environment: Environment = Environment()
    stacks: dict[Name, dict[str, Any]] = {}
    resources: list[Resource] = []


_PREPARED: Final = msgspec.json.Decoder(File)
"""Made as the process starts: threads that use such a type at once for the first time end it by a fault."""


@dataclass(frozen=True)
class Answers:
    """The answers of one file; without a file there are none."""

    path: Path
    file: File

    def function(
        self, token: str, arguments: Mapping[str, object], region: str = ""
    ) -> tuple[Mapping[str, Any], str]:
        """Return what a function answers, and the entry's name; nothing when no entry fits.

        Of several entries that fit, the one that names most arguments answers.
        """
        fitting = [
            (len(one.arguments), bool(one.region), -index, one)
            for index, one in enumerate(self.file.functions)
            if short(one.token) == short(token)
            and one.region in {"", region}
            and all(name in arguments and arguments[name] == value for name, value in one.arguments.items())
        ]
        if not fitting:
            return {}, ""
        *_, index, answer = max(fitting, key=lambda one: one[:3])
        return answer.result, _function_name(-index, answer)

    def resource(self, token: str, identifier: str) -> tuple[Mapping[str, Any], str]:
        """Return what is known of a resource that is there, and the entry's name."""
        for index, one in enumerate(self.file.resources):
            if short(one.type) == short(token) and one.id == identifier:
                return one.outputs, _resource_name(index, one)
        return {}, ""

    def unused(self, messages: Iterable[str]) -> tuple[str, ...]:
        """Return a note that names the entries that nothing took; nothing when there are none."""
        used = {one.strip().removeprefix(ANSWERED) for one in messages if one.strip().startswith(ANSWERED)}
        names = [
            *(_function_name(index, one) for index, one in enumerate(self.file.functions)),
            *(stack_name(name) for name in self.file.stacks),
            *(_resource_name(index, one) for index, one in enumerate(self.file.resources)),
        ]
        left = [name for name in names if name not in used]
        if not left:
            return ()
        whose = "; ".join(left)
        return (f"{self.path}: nothing in the program asks for {whose}. Fix: remove it, or correct it",)


def _function_name(index: int, one: Function) -> str:
    return f"functions[{index}] ({one.token})"


def _resource_name(index: int, one: Resource) -> str:
    return f"resources[{index}] ({one.type}, id {one.id})"


def stack_name(name: str) -> str:
    """Return how the entry of a stack is called in messages."""
    return f'stacks["{name}"]'


def asked(category: str, of: str, **more: object) -> str:
    """Return the message that says what a program asked.

    Args:
        category: `function`, `resource` or `stack`.
        of: The token, or the stack's name.
        more: The arguments, the id, the region.
    """
    return f"{ASKED}{json.dumps({'kind': category, 'of': of, **more}, default=str)}"


def missed(messages: Iterable[str]) -> list[str]:
    """Return the questions that found nothing in a rehearsal, the last one last."""
    return [one.removeprefix(MISSED).strip() for one in messages if one.startswith(MISSED)]


def given(variables: Mapping[str, str] = os.environ) -> Answers:
    """Return the answers that a process of a run has been given; none without a file."""
    path = variables.get(ANSWERS, "")
    return load(Path(path)) if path else Answers(Path(), File(1, date.min))


class _Loader(yaml.SafeLoader):
    """Leaves a date the text that it is, as JSON does."""


_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> Answers:
    """Read a file of answers; see `read_file`."""
    return Answers(path, read_file(path))


def read_file(path: Path) -> File:
    """Return what a file of answers says.

    Raises:
        Failure: It cannot be read, has another shape, or says a thing twice.
    """
    try:
        document = cast("object", yaml.load(path.read_text("utf-8"), Loader=_Loader))  # noqa: S506 - a safe one
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise _refused(path, "", reason, "name a YAML or JSON file that can be read") from None
    try:
        body = msgspec.convert(document, File)
    except msgspec.ValidationError as error:
        location = _LOCATION.search(str(error))
        problem = str(error)[: location.start()] if location else str(error)
        fix = "give the entry the shape that docs/org-wide.md shows"
        raise _refused(path, location[1] if location else "", problem, fix) from None
    _require_one_answer(path, body)
    _require_harmless(path, body)
    return body


def read(path: Path, today: date | None = None) -> Answers:
    """Read a file of answers for a run: they must fit what they answer, and not be too old.

    Raises:
        Failure: As `load`; or an answer does not fit the schema of AWS's function or resource; or the answers
            are older than the file allows, or of a day that has not come.
    """
    answers, now = load(path.absolute()), today or datetime.now(UTC).date()
    # A day begins elsewhere before it does here.
    recorded, most = answers.file.recorded, answers.file.maximumDays
    age = (now - recorded).days
    if not -1 <= age <= most:
        raise Failure(
            f"The answers are {age} days old" if age > 0 else "The answers are of a day that has not come",
            where=f"{path}, recorded",
            why=f"found: {recorded}. Required: a day from {now - timedelta(most)} "
            f"(maximumDays: {most}) to {now}. AWS may answer otherwise by now",
            fix="read them again (`tapgate answers --record FILE --aws real`), or look through them and set "
            "recorded to the day on which you did",
        )
    for index, one in enumerate(answers.file.functions):
        _require_fitting(
            path, f"functions[{index}]", one.token, {"arguments": one.arguments, "result": one.result}
        )
    for index, one in enumerate(answers.file.resources):
        _require_fitting(path, f"resources[{index}]", one.type, {"outputs": one.outputs})
    return answers


def _require_fitting(
    path: Path, entry: str, name_in_file: str, parts: Mapping[str, Mapping[str, Any]]
) -> None:
    """Compare an entry with the schema of AWS's function or resource; other packages have none here."""
    package, module, member = short(name_in_file)
    if package != "aws":
        return
    from tapgate.embedded.aws_provider import sdk_source  # noqa: PLC0415 - few runs have answers
    from tapgate.embedded.aws_provider.checking import check  # noqa: PLC0415
    from tapgate.embedded.aws_provider.schema_store import function_schema_of, schema_of  # noqa: PLC0415

    is_function = "result" in parts
    token = f"aws:{module}/{member[:1].lower()}{member[1:]}:{member}"
    try:
        schema = function_schema_of(token) if is_function else schema_of(token)
    except sdk_source.UnknownTypeError:
        category = "function" if is_function else "resource type"
        name = "token" if is_function else "type"
        reason = f"`{name_in_file}`, and pulumi_aws {sdk_source.package_version()} has no such {category}"
        raise _refused(
            path, f"{entry}.{name}", reason, "check its name in the pulumi_aws reference"
        ) from None
    for name, values in parts.items():
        known = schema.inputs if name == "arguments" else schema.outputs
        if name == "result" and not known:
            continue  # One that gives a single value: pulumi_aws calls it `result`.
        optional = {key: replace(prop, required=False) for key, prop in known.items()}
        _, failures = check(replace(schema, inputs=optional, outputs={}), values)
        if failures:
            reason, _, fix = failures[0].reason.partition(" Fix: ")
            raise _refused(path, f"{entry}.{name}.{failures[0].property}", reason.removesuffix("."), fix)


def _require_harmless(path: Path, body: File) -> None:
    """Refuse variables by which an environment would decide about the engine, and not about the program."""
    for name in body.environment.environmentVariables:
        if STEERING.match(name):
            raise _refused(
                path,
                f"environment.environmentVariables.{name}",
                "a variable that decides about the engine or an interpreter",
                "remove it; give the program's own variables alone",
            )


def _require_one_answer(path: Path, body: File) -> None:
    of_functions = [
        ((short(one.token), one.arguments, one.region), f"answer for {one.token} with the same arguments")
        for one in body.functions
    ]
    of_resources = [((short(one.type), one.id), f"entry for {one.type} {one.id}") for one in body.resources]
    for name, listed in (("functions", of_functions), ("resources", of_resources)):
        asked_for = [key for key, _ in listed]
        for index, (key, what) in enumerate(listed):
            if key in asked_for[:index]:
                raise _refused(path, f"{name}[{index}]", f"a second {what}", "remove one of the two")


def _refused(path: Path, entry: str, reason: str, fix: str) -> Failure:
    return Failure(
        "The answers file cannot be used",
        where=f"{path}, {entry}" if entry else str(path),
        why=f"found: {reason}",
        fix=fix,
    )

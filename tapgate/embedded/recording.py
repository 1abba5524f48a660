"""Records answers: what a rehearsal asked, as a program that only reads, and its results as an answers file.

The program has a function call or a `get` for each question and nothing else, so the real engine asks the
real providers, with the credentials and the provider configuration of the stack, and changes nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import yaml

from tapgate.embedded.answers import ASKED, File, Function, Resource, read_file
from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.aws_provider.usage import short
from tapgate.embedded.environment import ANSWERS, BACKEND, PASSPHRASE
from tapgate.embedded.paths import write_atomically
from tapgate.embedded.stacks import SALT, EmbeddedStacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence
    from pathlib import Path

STACK: Final = "reads"
_PROJECT: Final = "tapgate-answers"
_ROOT: Final = "pulumi:pulumi:Stack"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_OWN: Final = "pulumi"


@dataclass(frozen=True)
class Question:
    """What a program asks of a provider, or of another stack.

    Attributes:
        category: `function`, `resource` or `stack`.
        of: The function's or resource's token, or the name of the other stack.
        by: The function's arguments as JSON, or the resource's id.
        region: That of the provider.
    """

    category: str
    of: str
    by: str = ""
    region: str = ""

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return f"stack {self.of}" if self.category == "stack" else f"{self.of} {self.by}"


class Recorder:
    """Collects questions and answers.

    Args:
        path: The answers file; one that is there is brought up to date.
    """

    def __init__(self, path: Path) -> None:
        """Read the file, if there is one."""
        self._path = path
        self._file = read_file(path) if path.exists() else File(1, datetime.now(UTC).date())
        self._asked: set[Question] = set()
        self.recorded: list[str] = []
        self.left: list[str] = []

    def questions(self, messages: Iterable[str]) -> list[Question]:
        """Return what the messages of a rehearsal's log ask, and no earlier rehearsal's did.

        What is asked by a value that no one knows yet waits for the rehearsal that knows it.
        """
        questions: list[Question] = []
        for message in messages:
            if not message.startswith(ASKED) or MARK in message.lower():
                continue
            body = cast("dict[str, Any]", json.loads(message.removeprefix(ASKED)))
            category, of = str(body["kind"]), str(body["of"])
            arguments = json.dumps(body.get("arguments", {}), sort_keys=True)
            by = {"function": arguments, "resource": str(body.get("id"))}.get(category, "")
            question = Question(category, of, by, str(body.get("region", "")))
            if question not in self._asked:
                self._asked.add(question)
                questions.append(question)
        return questions

    def program(
        self, folder: Path, questions: Sequence[Question], config: Mapping[str, object]
    ) -> tuple[Mapping[str, str], Path]:
        """Write the project that asks, for one region.

        Returns:
            Its environment, in which its stack is there, and the file with the stack's state.
        """
        variables: dict[str, object] = {}
        resources: dict[str, object] = {}
        for index, one in enumerate(questions):
            if one.category == "function":
                arguments = _escaped(cast("object", json.loads(one.by)))
                variables[f"q{index}"] = {"fn::invoke": {"function": one.of, "arguments": arguments}}
            else:
                resources[f"q{index}"] = {"type": one.of, "get": {"id": _escaped(one.by)}}
        body: dict[str, object] = {"name": _PROJECT, "runtime": "yaml"}
        body |= {"variables": variables} if variables else {}
        body |= {"resources": resources} if resources else {}
        body |= {"outputs": {name: f"${{{name}}}" for name in variables}} if variables else {}
        write_atomically(folder / "Pulumi.yaml", yaml.safe_dump(body))
        # A provider's own configuration; secrets stay with the team.
        kept = {
            key: value
            for key, value in config.items()
            if ":" in key and not isinstance(value, dict) and key.partition(":")[0] in _packages(questions)
        }
        region = questions[0].region
        kept |= {"aws:region": region} if region else {}
        config = {"encryptionsalt": SALT, "config": kept}
        write_atomically(folder / f"Pulumi.{STACK}.yaml", yaml.safe_dump(config))
        backend = folder / "backend"
        stacks = EmbeddedStacks(backend)
        stacks.create(_PROJECT, STACK)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(BACKEND)}
        environment |= {"PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        return environment, stacks.path(_PROJECT, STACK)

    def take(self, questions: Sequence[Question], state: bytes) -> None:
        """Take the answers out of the state that the program left; secrets stay out of the file."""
        latest = cast("dict[str, dict[str, dict[str, list[dict[str, Any]]]]]", json.loads(state))
        outputs: dict[str, Any] = {}
        for one in latest["checkpoint"]["latest"].get("resources", ()):
            if one["type"] == _ROOT:
                outputs |= one.get("outputs") or {}
            elif one.get("external"):
                outputs[str(one["urn"]).rpartition("::")[2]] = one.get("outputs") or {}
        for index, one in enumerate(questions):
            value = outputs.get(f"q{index}")
            result = _open(value)
            if _is_secret(value):
                self.refuse(one, "the answer is a secret")
            elif MARK in json.dumps(result).lower():
                self.refuse(one, "a stand-in answered, and no provider")
            elif one.category == "function":
                # A function that gives a single value gives it under this name.
                answer = cast("dict[str, Any]", result) if isinstance(result, dict) else {"result": result}
                self._keep_function(one, answer)
            else:
                known = cast("dict[str, Any]", result or {})
                entry = Resource(one.of, one.by, outputs=known)
                key = short(one.of), one.by
                others = [it for it in self._file.resources if (short(it.type), it.id) != key]
                self._file = msgspec.structs.replace(self._file, resources=[*others, entry])
                self.recorded.append(one.name)

    def take_stack(self, question: Question, outputs: str) -> None:
        """Take the outputs of another stack, as `pulumi stack output --json` prints them."""
        answers = cast("dict[str, Any]", json.loads(outputs))
        known = {name: value for name, value in answers.items() if value != "[secret]"}
        self._file = msgspec.structs.replace(self._file, stacks={**self._file.stacks, question.of: known})
        self.recorded.append(question.name)

    def refuse(self, question: Question, reason: str) -> None:
        """Note that there is no answer."""
        self.left.append(f"{question.name}: {reason}")

    def save(self, path: Path | None = None) -> None:
        """Write the file, of today."""
        today = datetime.now(UTC).date()
        body = cast("object", msgspec.to_builtins(msgspec.structs.replace(self._file, recorded=today)))
        write_atomically(path or self._path, yaml.safe_dump(body, sort_keys=False, allow_unicode=True))

    def name_to(self, variables: MutableMapping[str, str], folder: Path) -> None:
        """Have the next rehearsal answered by what is known so far."""
        self.save(folder / "answers.yaml")
        variables[ANSWERS] = str(folder / "answers.yaml")

    def _keep_function(self, question: Question, result: Mapping[str, Any]) -> None:
        token, arguments = question.of, question.by
        entry = Function(
            token, dict(result), cast("dict[str, Any]", json.loads(arguments)), region=question.region
        )
        others = [
            it
            for it in self._file.functions
            if (short(it.token), it.arguments, it.region) != (short(token), entry.arguments, entry.region)
        ]
        self._file = msgspec.structs.replace(self._file, functions=[*others, entry])
        self.recorded.append(question.name)


def _packages(questions: Iterable[Question]) -> set[str]:
    return {one.of.partition(":")[0] for one in questions} - {_OWN}


def _escaped(value: object) -> object:
    """Return a value in which a YAML program sees no reference."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [_escaped(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in cast("dict[str, object]", value).items()}
    return value


def _is_secret(value: object) -> bool:
    """Say whether a value is a secret, or a list that would not be the same one without one."""
    if isinstance(value, list):
        return any(map(_is_secret, cast("list[object]", value)))
    return isinstance(value, dict) and _SIGNATURE in value


def _open(value: object) -> object:
    """Return a value of a state without its secrets, which stand in where they are missing."""
    if isinstance(value, list):
        return [_open(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        body = cast("dict[str, object]", value)
        return {key: _open(one) for key, one in body.items() if one is not None and not _is_secret(one)}
    return value

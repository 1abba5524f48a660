"""Every type that the stand-in deploys: created, read, updated property by property, deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tapgate.embedded.aws_provider import differ
from tapgate.embedded.aws_provider.deploy.aws import Api
from tapgate.embedded.aws_provider.deploy.lifecycle import Lifecycle
from tapgate.embedded.aws_provider.description import Subject
from tapgate.embedded.aws_provider.differ import refresh_inputs
from tapgate.embedded.aws_provider.failures import ApiError
from tapgate.embedded.aws_provider.inputs import Request, check_inputs
from tapgate.embedded.aws_provider.marks import MARK, REHEARSED
from tapgate.embedded.aws_provider.outputs import all_forms, rehearsed
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.types.access import DESCRIPTIONS
from tapgate.embedded.aws_provider.values import Blob, Properties, Value
from tapgate.embedded.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tapgate.embedded.aws_provider.description import Answer

pytestmark = pytest.mark.emulator


@dataclass(frozen=True)
class Update:
    """One change of a deployed resource."""

    change: str
    inputs: dict[str, object]
    unchanged: bool = False


@dataclass(frozen=True)
class Case:
    """One deployed resource and what becomes of it."""

    token: str
    inputs: dict[str, object]
    updates: list[dict[str, object]]
    needs: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])
    stays: bool = False
    imports: str = ""
    deletes: bool = True


def _cases() -> list[Case]:
    path = Path(__file__).with_name("deployed.yaml")
    entries = cast("list[dict[str, object]]", yaml.load(path.read_text("utf-8"), yaml.CSafeLoader))
    make = cast("Callable[..., Case]", Case)
    return [make(**entry) for entry in entries]


CASES = _cases()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@dataclass
class Deployment:
    """The types' lifecycles on one emulator."""

    settings: Settings
    api: Api
    made: list[tuple[str, str, Properties]] = field(default_factory=list[tuple[str, str, Properties]])

    def check(self, token: str, program: Mapping[str, object], olds: Properties | None = None) -> Properties:
        """Check a resource as the engine would before anything else."""
        news = {name: _value(name, value) for name, value in program.items() if value is not None}
        request = Request(token, "thing", news, olds or {}, b"seed")
        inputs, failures = check_inputs(request, self.settings)
        assert failures == []
        return inputs

    def create(self, token: str, program: Mapping[str, object]) -> tuple[str, Properties, Properties]:
        """Create a resource; gives its id, inputs and outputs."""
        inputs = self.check(token, program)
        urn = f"urn:pulumi:dev::tap::{token}::{len(self.made)}"
        identifier, outputs = Lifecycle(token, self.api, self.settings).create(urn, inputs, set())
        self.made.append((token, identifier, outputs))
        return identifier, inputs, outputs

    def clear(self) -> None:
        """Delete everything that was created, the last first."""
        for token, identifier, outputs in reversed(self.made):
            Lifecycle(token, self.api, self.settings).delete(identifier, outputs)


def _value(name: str, value: object) -> Value:
    if name == "code" and isinstance(value, dict):
        files = cast("dict[str, str]", value)
        members = {path: Blob("asset", text=text) for path, text in files.items()}
        return Blob("archive", hash=str(hash(tuple(files.items()))), assets=members)
    return cast("Value", value)


@pytest.fixture
def deployment(emulator: Emulator) -> Iterator[Deployment]:
    settings = Settings(endpoint=emulator.endpoint)
    deployed = Deployment(settings, Api(settings))
    yield deployed
    deployed.clear()


def _filled_in(program: Mapping[str, object], outputs: Mapping[str, Properties]) -> dict[str, object]:
    def fill(value: object) -> object:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\.(\w+)\}", lambda m: str(outputs[m[1]][m[2]]), value)
        return value

    return {name: fill(value) for name, value in program.items()}


def as_rehearsed(token: str, inputs: Properties, identifier: str, state: Properties) -> list[str]:
    """Name the outputs that a rehearsal derives otherwise than AWS's emulator answers them.

    What is made up differs, but not in its form; the emulator's own address stands in URLs.
    """
    derived_id, outputs = rehearsed(token, "urn:pulumi:dev::tap::x::x", inputs, Settings())
    listed = cast("list[str]", outputs.pop(REHEARSED, []))
    pairs = {"id": (derived_id, identifier)} | {
        name: (value, state[name])
        for name, value in outputs.items()
        if name not in listed and name in all_forms().get(token, {}) and name in state
    }
    return [
        f"{name}: {ours} and {theirs}"
        for name, (ours, theirs) in pairs.items()
        if MARK not in str(ours) and form(ours) != form(theirs)
    ]


def form(value: Value) -> str:
    text = re.sub(r"https?://[^/]+", "HOST", str(value))
    return re.sub(r"(?=[0-9a-z]*[0-9])[0-9a-z]{8,}(-[0-9a-f]{4,}){0,4}(?![a-z])", "?", text)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.token.rpartition(':')[2]}-{i}" for i, case in enumerate(CASES)]
)
def test_a_type_s_whole_life(case: Case, deployment: Deployment) -> None:
    outputs: dict[str, Properties] = {}
    for name, need in case.needs.items():
        program = _filled_in(cast("dict[str, object]", need["inputs"]), outputs)
        _, _, outputs[name] = deployment.create(str(need["token"]), program)
    program = _filled_in(case.inputs, outputs)
    identifier, inputs, state = deployment.create(case.token, program)
    lifecycle = Lifecycle(case.token, deployment.api, deployment.settings)

    assert as_rehearsed(case.token, inputs, identifier, state) == []
    assert differ.compare(case.token, state, inputs) == [], "a preview after the creation shows a change"
    assert lifecycle.read(identifier, state) == state, "a refresh after the creation shows a change"

    for entry in case.updates:
        update = cast("Callable[..., Update]", Update)(**entry)
        program = {**program, **_filled_in(update.inputs, outputs)}
        news = deployment.check(case.token, program, inputs)
        differences = differ.compare(case.token, state, news)
        if update.unchanged:
            assert differences == [], update
            continue
        assert differences, update
        assert any(item.replaces for item in differences) == (update.change == "replace"), (
            update,
            differences,
        )
        changed = {item.property for item in differences} - {"tagsAll"}
        assert changed <= set(update.inputs), (update, differences)
        if update.change == "replace":
            program = {**program, **{name: case.inputs.get(name) for name in update.inputs}}
            program = _filled_in(program, outputs)
            continue
        inputs = news
        state = lifecycle.update(identifier, "urn:pulumi:dev::tap::x::y", inputs)
        assert differ.compare(case.token, state, inputs) == [], f"a preview after {update} shows a change"
        assert lifecycle.read(identifier, state) == state, f"a refresh after {update} shows a change"

    given = str(_filled_in({"id": case.imports}, outputs)["id"]) or identifier
    imported = lifecycle.read(given, {})
    assert imported is not None
    assert lifecycle.operations.of_import(given)[0] == identifier
    found = refresh_inputs(case.token, {}, imported)
    assert differ.compare(case.token, imported, found) == []

    deployment.made.pop()
    if not case.deletes:
        return
    lifecycle.delete(identifier, state)
    lifecycle.delete(identifier, state)
    assert case.stays or lifecycle.read(identifier, state) is None


def test_what_was_made_without_its_mark_is_taken_over_by_its_name_only(deployment: Deployment) -> None:
    """A run can be killed between a creation and the tags; an alarm's and a bucket's come after."""
    alarm = next(case for case in CASES if case.token == "aws:cloudwatch/metricAlarm:MetricAlarm")
    token, key = alarm.token, "aws:kms/key:Key"
    remote_state = Lifecycle(token, deployment.api, deployment.settings)
    create, calls = remote_state.operations.create, remote_state.calls
    subject = remote_state.subject("", deployment.check(token, alarm.inputs))
    assert create is not None
    given = calls.params(create, subject, calls.created)
    deployment.api.call("cloudwatch", "eu-west-2", create.operation, given)
    identifier, _, outputs = deployment.create(token, alarm.inputs)
    assert identifier == "errors"
    assert outputs["tags"] == alarm.inputs["tags"]

    other = {**alarm.inputs, "name": "other"}
    deployment.create(token, other)
    with pytest.raises(ApiError, match="exists already and was not made by this program"):
        deployment.create(token, {**other, "threshold": 7})

    deployment.api.call("kms", "eu-west-2", "create_key", {})
    listed = cast("list[dict[str, str]]", deployment.api.call("kms", "eu-west-2", "list_keys", {})["Keys"])
    identifier, _, _ = deployment.create(key, {})
    assert identifier not in {item["KeyId"] for item in listed}


HELD: dict[str, Answer] = {
    "list_role_policies": {"PolicyNames": ["own", "theirs"]},
    "list_attached_role_policies": {
        "AttachedPolicies": [{"PolicyArn": "arn:own"}, {"PolicyArn": "arn:theirs"}]
    },
}


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ({}, set[str]()),
        ({"forceDetachPolicies": True}, {"own", "theirs", "arn:own", "arn:theirs"}),
        ({"inlinePolicies": [{"name": "own"}, {"name": "other"}]}, {"own"}),
        ({"managedPolicyArns": ["arn:own"], "inlinePolicies": "none"}, {"arn:own"}),
    ],
)
def test_a_role_that_goes_takes_with_it_what_the_program_gave_it(wanted: Properties, taken: set[str]) -> None:
    calls: list[tuple[str, dict[str, object]]] = []

    def call(method: str, arguments: dict[str, object]) -> Answer:
        assert arguments["RoleName"] == "role"
        calls.append((method, {name: one for name, one in arguments.items() if name != "RoleName"}))
        return HELD.get(method, {})

    operations = DESCRIPTIONS["aws:iam/role:Role"].operations
    assert operations is not None
    assert operations.pre_delete is not None
    operations.pre_delete(call, Subject("role", wanted, "us-east-1", "123456789012"))
    assert {str(one) for method, given in calls if method not in HELD for one in given.values()} == taken

"""What functions, other stacks and existing resources answer: from a file, else marked."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tapgate.cli import main
from tapgate.embedded.answers import TAKEN, asked, load, read
from tapgate.embedded.aws_provider.resource_schema import MARK
from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PASSPHRASE
from tapgate.embedded.recording import Recorder
from tests.tapgate.test_rehearsal import write_network

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures" / "rehearsal"
TODAY = date(2026, 6, 1)
Findings = set[tuple[str, str, str]]
Gate = Callable[[str, str], tuple[int, Findings, str]]


@pytest.fixture
def gate(
    judged: Callable[..., tuple[int, Findings, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """Previews a fixture with its answers: exit code, what blocks, and what was said, on one line."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)

    def run(name: str, answers: str) -> tuple[int, Findings, str]:
        project = Path(shutil.copytree(FIXTURES / name, tmp_path / name))
        code, findings, said = judged(project, "--answers", str(project / answers))
        return code, findings, " ".join(said.split())

    return run


@pytest.mark.cli
def test_what_a_file_answers_is_decided_and_all_else_undecided(gate: Gate) -> None:
    code, findings, said = gate("asks", "answers.yaml")
    assert (code, findings) == (
        1,
        {
            ("log-group-encryption", "logs", "undecided"),
            ("log-group-retention", "logs", "undecided"),
            ("sqs-encryption", "queue", "undecided"),
            ("sqs-encryption", "fourth", "undecided"),
        },
    ), said
    assert 'the outputs of stack "acme/data/prod" stand in' in said
    assert 'the outputs of stack "acme/network/prod" stand in' not in said
    assert "only looks them up: looked-up (aws:kms/key:Key)" in said
    assert "pulumi-language-python is taken from PATH" not in said
    assert (
        "answers.yaml: nothing in the program asks for functions[0] (aws:ssm:getParameter); "
        "functions[2] (aws:ec2/getAmi:getAmi). Fix: remove it, or correct it" in said
    )


@pytest.mark.cli
def test_a_yaml_program_refers_to_stacks_as_well(gate: Gate) -> None:
    code, findings, said = gate("asks-yaml", "answers.json")
    assert (code, findings) == (1, {("sqs-encryption", "unknown", "undecided")}), said


DATED = "{version: 1, recorded: 2026-05-01"
BAD = {
    "": ("found: Expected `object`", "shape"),
    "version: 1": ("missing required field `recorded`", "shape"),
    "{version: 2, recorded: 2026-05-01}": ("version | found: Invalid enum value 2", "shape"),
    "{version: 1, recorded: May}": ("recorded | found: Invalid RFC3339", "shape"),
    "{version: 1, recorded: 2026-05-01, function: []}": ("unknown field `function`", "shape"),
    "{version: 1, recorded: 2026-05-01, functions: [{token: a:b, result: 3}]}": (
        "functions[0].result | found: Expected `object`, got `int`",
        "shape",
    ),
    "{version: 1, recorded: 2026-05-01, functions: [{token: getAmi, result: {}}]}": (
        "functions[0].token | found: Expected `str` matching",
        "shape",
    ),
    "{version: 1, recorded: 2026-05-01, stacks: {a/b/c: [1]}}": ("stacks", "shape"),
    f"{DATED}, functions: [{{token: a:b, result: {{}}}}, {{token: a:index:b, result: {{}}}}]}}": (
        "functions[1] | found: a second answer for a:index:b",
        "remove one",
    ),
    "{version: 1, recorded: 2026-05-01, functions: [{token: 'aws:ec2:getAmmi', result: {}}]}": (
        "functions[0].token | found: `aws:ec2:getAmmi`, and pulumi_aws",
        "reference",
    ),
    "{version: 1, recorded: 2026-05-01, functions: [{token: 'aws:ec2:getAmi', result: {idd: x}}]}": (
        "functions[0].result.idd | found: aws:ec2/getAmi:getAmi has no property `idd`",
        "did you mean `id`",
    ),
    f"{DATED}, functions: [{{token: 'aws:ec2:getAmi', arguments: {{own: x}}, result: {{}}}}]}}": (
        "functions[0].arguments.own | found",
        "owners",
    ),
    "{version: 1, recorded: 2026-05-01, resources: [{type: 'aws:kms:Key', id: k, outputs: {policy: []}}]}": (
        "resources[0].outputs.policy | found: aws:kms/key:Key: `policy` has the wrong type. Found: a list",
        "required type",
    ),
    "{version: 1, recorded: 2026-02-01}": (
        "recorded | found: 2026-02-01. Required: a day from 2026-03-03",
        "the day on which you did",
    ),
    "{version: 1, recorded: 2026-05-01, maximumDays: 30}": ("(maximumDays: 30)", "the day on which you did"),
    "{version: 1, recorded: 2026-06-03}": ("recorded | found: 2026-06-03", "the day on which you did"),
    f"{DATED}, environment: {{environmentVariables: {{PULUMI_OPTION_X: a}}}}}}": (
        "environment.environmentVariables.PULUMI_OPTION_X | found: a variable that decides",
        "remove it",
    ),
    "a: [": ("while parsing", "YAML or JSON"),
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    with pytest.raises(Failure) as refused:
        read(path, TODAY)
    failure = refused.value
    found, fix = BAD[text]
    assert failure.where.startswith(str(path))
    assert found in f"{failure.where} | {failure.why}"
    assert fix in failure.fix


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be used"):
        load(tmp_path / "none.yaml")


PARAMETER = {
    "arn": "arn:aws:ssm:us-east-1:1:parameter/a",
    "id": "/network/key",
    "insecureValue": "alias/network",
    "region": "us-east-1",
    "type": "String",
    "value": "alias/network",
    "version": 3,
}
RECORD = "python -m tapgate answers --record FILE --aws real --project PROJECT --stack STACK"
RECORDS = """\
name: records
runtime: yaml
variables:
  key: {fn::invoke: {function: "aws:ssm:getParameter", arguments: {name: /network/key}}}
  nobody: {fn::invoke: {function: "aws:ec2:getVpc", arguments: {default: true}}}
resources:
  network: {type: "pulumi:pulumi:StackReference", properties: {name: organization/network/prod}}
  queue:
    type: aws:sqs:Queue
    properties: {kmsMasterKeyId: "${key.value}", name: "${network.outputs.name}"}
outputs: {vpc: "${nobody.id}"}
"""


@pytest.mark.cli
def test_answers_are_recorded(
    tmp_path: Path, backend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-in plays the real provider: what its own answers file says is what AWS would."""
    write_network(backend, {"name": "jobs"})
    (tmp_path / "Pulumi.yaml").write_text(RECORDS)
    (tmp_path / "Pulumi.dev.yaml").write_text('config: {"aws:region": us-east-1}')
    truth = [{"token": "aws:ssm:getParameter", "result": PARAMETER}]
    (tmp_path / "truth.json").write_text(
        json.dumps({"version": 1, "recorded": "2026-01-01", "functions": truth})
    )
    plugin = tmp_path / "bin" / "pulumi-resource-aws"
    plugin.parent.mkdir()
    plugin.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={ROOT} TAPGATE_ANSWERS={tmp_path / 'truth.json'}\n"
        f'exec {sys.executable} -P -m tapgate.embedded.aws_provider "$@"\n'
    )
    plugin.chmod(0o755)
    monkeypatch.delenv("TAP_LOCAL_AWS")
    monkeypatch.setenv("PATH", f"{plugin.parent}{os.pathsep}{os.environ['PATH']}")
    given = {"FILE": str(tmp_path / "answers.yaml"), "PROJECT": str(tmp_path), "STACK": "dev"}
    code = main([given.get(word, word) for word in RECORD.split()[3:]])
    said = "".join(capsys.readouterr())
    assert code == 0, said
    made = read(tmp_path / "answers.yaml")
    (one,) = made.functions
    assert (one.arguments, one.region, one.result["value"]) == (
        {"name": "/network/key"},
        "us-east-1",
        "alias/network",
    )
    assert made.stacks == {"organization/network/prod": {"name": "jobs"}}
    assert 'left out  aws:ec2/getVpc:getVpc {"default": true}: a stand-in answered' in said


def test_answers_are_not_recorded_without_credentials(
    tmp_path: Path, backend: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backend
    assert main(["answers", "--record", str(tmp_path / "answers.yaml")]) == 2
    said = capsys.readouterr().err
    assert "the embedded default has no credentials" in said
    assert "--aws real" in said


def test_what_is_asked_by_what_nobody_knows_yet_waits_for_its_turn(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "answers.yaml")
    known, later = ({"name": name} for name in ("/a", f"/{MARK}0"))
    messages = [
        asked("function", "aws:ssm:getParameter", arguments=one, region="r") for one in (known, later)
    ]
    assert [one.function[1] for one in recorder.questions(["else", *messages])] == ['{"name": "/a"}']
    assert recorder.questions(messages) == []


def test_the_entry_that_says_most_answers() -> None:
    answers = read(FIXTURES / "asks" / "answers.yaml")
    token = "aws:ssm/getParameter:getParameter"
    assert answers.function(token, {"name": "/network/key", "withDecryption": True}) == (
        {"value": "alias/network"},
        "functions[1] (aws:ssm/getParameter:getParameter)",
    )
    assert answers.function(token, {"name": "/other"}) == ({}, "")
    assert answers.function("aws:ssm/getParameters:getParameters", {}) == ({}, "")
    (note,) = answers.unused([f"{TAKEN}functions[0] (aws:ssm:getParameter)\n", "anything"])
    assert "functions[0]" not in note
    assert 'stacks["acme/network/prod"]' in note

"""What functions, other stacks and existing resources answer: from a file, else marked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from tapgate.cli import main
from tapgate.embedded.answers import ANSWERED, asked, load, read
from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.console import Failure
from tapgate.embedded.recording import Question, Recorder
from tapgate.embedded.stacks import SALT
from tapgate.json_access import mapping
from tests.tapgate.test_rehearsal import write_network

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures" / "rehearsal"
TODAY = date(2026, 6, 1)
Findings = set[tuple[str, str, str]]
Gate = Callable[[str, str], tuple[int, Findings, str]]


@pytest.fixture
def gate(evaluated: Callable[..., tuple[int, Findings, str]], tmp_path: Path) -> Gate:
    """Previews a fixture with its answers: exit code, what blocks, and what was said, on one line."""

    def run(name: str, answers: str) -> tuple[int, Findings, str]:
        project = Path(shutil.copytree(FIXTURES / name, tmp_path / name))
        code, findings, said = evaluated(project, "--answers", str(project / answers))
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
    f"{DATED}, resources: [{{type: a:b, id: k,outputs: {{}}}},{{type: a:index:b, id: k, outputs: {{}}}}]}}": (
        "resources[1] | found: a second entry for a:index:b k",
        "remove one",
    ),
    f"{DATED}, resources: [{{type: 'aws:kms:Keyy', id: k, outputs: {{}}}}]}}": (
        "resources[0].type | found: `aws:kms:Keyy`, and pulumi_aws",
        "reference",
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
  broken: {fn::invoke: {function: "http:index:getHttp", arguments: {url: one}}}
  wrong: {fn::invoke: {function: "http:index:getHttp", arguments: {url: other}}}
resources:
  gone: {type: "pulumi:pulumi:StackReference", properties: {name: organization/gone/prod}}
  network: {type: "pulumi:pulumi:StackReference", properties: {name: organization/network/prod}}
  queue:
    type: aws:sqs:Queue
    properties: {kmsMasterKeyId: "${key.value}", name: "${network.outputs.name}"}
outputs: {vpc: "${nobody.id}", broken: "${broken.body}", wrong: "${wrong.id}", gone: "${gone.outputs.a}"}
"""


IN_THREADS = """
import sys, threading
import msgspec
from tapgate.embedded.answers import File
sys.setswitchinterval(1e-6)
function = {"token": "aws:ssm:getParameter", "result": {}}
document = {"version": 1, "recorded": "2026-01-01", "functions": [function]}
together = threading.Barrier(12)
def run():
    together.wait()
    msgspec.convert(document, File)
threads = [threading.Thread(target=run) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


def test_a_process_whose_threads_read_answers_at_once_lives() -> None:
    """As the provider's do for the first functions of a program: seventeen in twenty ended by a fault."""
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", IN_THREADS], cwd=ROOT, check=False)
        assert done.returncode == 0


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
    other = plugin.with_name("pulumi-resource-http")
    other.write_text("#!/bin/sh\necho no such machine >&2\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.delenv("TAP_LOCAL_AWS")
    monkeypatch.setenv("PULUMI_DIY_BACKEND_GZIP", "true")
    monkeypatch.setenv("PATH", f"{plugin.parent}{os.pathsep}{os.environ['PATH']}")
    given = {"FILE": str(tmp_path / "answers.yaml"), "PROJECT": str(tmp_path), "STACK": "dev"}
    code = main([given.get(word, word) for word in RECORD.split()[3:]])
    said = "".join(capsys.readouterr())
    assert code == 0, said
    made = read(tmp_path / "answers.yaml").file
    (one,) = made.functions
    assert (one.arguments, one.region, one.result["value"]) == (
        {"name": "/network/key"},
        "us-east-1",
        "alias/network",
    )
    assert made.stacks == {"organization/network/prod": {"name": "jobs"}}
    assert 'left out  aws:ec2/getVpc:getVpc {"default": true}: a stand-in answered' in said
    assert "left out  stack organization/gone/prod: " in said
    for url in ("one", "other"):
        assert f'left out  http:index:getHttp {{"url": "{url}"}}: The program does not run' in said


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
    assert [one.by for one in recorder.questions(["else", *messages])] == ['{"name": "/a"}']
    assert recorder.questions(messages) == []


KEY = "aws:kms/key:Key"
PARAMETERS = "aws:ssm/getParameters:getParameters"
NOT_RETURNED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
"""A secret as a state has it."""


def question(recorder: Recorder, kind: str, of: str, **more: object) -> Question:
    (one,) = recorder.questions([asked(kind, of, **more)])
    return one


def left_behind(**outputs: object) -> bytes:
    """The state of a program that read: its outputs, and the resources that it got, which have an ARN."""
    state: list[dict[str, object]] = [
        {"type": "pulumi:pulumi:Stack", "urn": "u::root", "outputs": outputs},
        *(
            {"type": KEY, "urn": f"urn:pulumi:a::b::{KEY}::{name}", "external": True, "outputs": value}
            for name, value in outputs.items()
            if "arn" in mapping(value)
        ),
    ]
    return json.dumps({"checkpoint": {"latest": {"resources": state}}}).encode()


def test_a_program_that_reads_asks_all_in_the_stacks_own_region_and_changes_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "answers.yaml")
    names = [
        question(
            recorder, "function", PARAMETERS, arguments={"names": ["a${b}", {"c": 1}]}, region="eu-west-1"
        ),
        question(recorder, "resource", KEY, id="${1234}"),
    ]
    config = {
        "aws:profile": "ops",
        "aws:secretKey": {"secure": "v1:x"},
        "aws:region": "us-east-1",
        "gcp:project": "other",
        "size": 3,
    }
    recorder.program(tmp_path, names, config)
    assert yaml.safe_load((tmp_path / "Pulumi.yaml").read_text()) == {
        "name": "tapgate-answers",
        "runtime": "yaml",
        "variables": {
            "q0": {"fn::invoke": {"function": PARAMETERS, "arguments": {"names": ["a$${b}", {"c": 1}]}}}
        },
        "resources": {"q1": {"type": KEY, "get": {"id": "$${1234}"}}},
        "outputs": {"q0": "${q0}"},
    }
    # Of the stack's config what configures the providers that are asked, and no secret.
    assert yaml.safe_load((tmp_path / "Pulumi.reads.yaml").read_text()) == {
        "encryptionsalt": SALT,
        "config": {"aws:profile": "ops", "aws:region": "eu-west-1"},
    }


def test_what_was_read_is_kept_once_and_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    recorder = Recorder(path)
    plain = question(recorder, "function", PARAMETERS, arguments={"names": ["a"]}, region="r")
    single = question(recorder, "function", "std:index:abs", arguments={"input": -1})
    key = question(recorder, "resource", KEY, id="1234")
    other = question(recorder, "resource", KEY, id="5678")
    closed, listed = (question(recorder, "function", f"std:index:{name}") for name in ("file", "split"))
    stack = question(recorder, "stack", "acme/network/prod")
    read_now = left_behind(
        q0={
            "values": ["x", None, {"it": NOT_RETURNED}],
            "all": ["x", NOT_RETURNED],
            "more": {"of": NOT_RETURNED},
            "none": None,
        },
        q1=1,
        q2={"arn": "arn:of:1234", "policy": NOT_RETURNED},
        q3={"arn": f"arn:{MARK}0"},
        q4=NOT_RETURNED,
        q5=["x", NOT_RETURNED],
    )
    recorder.take([plain, single, key, other, closed, listed], read_now)
    recorder.take_stack(stack, json.dumps({"vpcId": "vpc-1", "password": "[secret]"}))
    recorder.save()
    made = load(path).file
    assert [(one.token, one.arguments, one.region, one.result) for one in made.functions] == [
        (PARAMETERS, {"names": ["a"]}, "r", {"values": ["x", None, {}], "more": {}}),
        ("std:index:abs", {"input": -1}, "", {"result": 1}),
    ]
    assert [(one.id, one.outputs) for one in made.resources] == [("1234", {"arn": "arn:of:1234"})]
    assert made.stacks == {"acme/network/prod": {"vpcId": "vpc-1"}}
    assert recorder.left == [
        f"{KEY} 5678: a stand-in answered, and no provider",
        "std:index:file {}: the answer is a secret",
        "std:index:split {}: the answer is a secret",
    ]
    assert "ciphertext" not in path.read_text()
    # A file that is there is brought up to date: what is asked again replaces what it said, all else stays.
    later = Recorder(path)
    plain = question(later, "function", "aws:ssm:getParameters", arguments={"names": ["a"]}, region="r")
    key = question(later, "resource", "aws:kms:Key", id="1234")
    later.take([plain, key], left_behind(q0={"values": ["y"]}, q1={"arn": "arn:new"}))
    later.save()
    assert [one.result for one in load(path).file.functions] == [{"result": 1}, {"values": ["y"]}]
    assert [one.outputs for one in load(path).file.resources] == [{"arn": "arn:new"}]
    assert load(path).file.stacks == made.stacks


def test_a_resource_is_known_by_type_and_id(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(f"{DATED}, resources: [{{type: 'aws:kms:Key', id: k, outputs: {{arn: a}}}}]}}")
    answers = read(path, TODAY)
    assert answers.resource(KEY, "k") == ({"arn": "a"}, "resources[0] (aws:kms:Key, id k)")
    assert answers.resource(KEY, "other") == answers.resource("aws:kms/alias:Alias", "k") == ({}, "")
    assert answers.unused([f"{ANSWERED}resources[0] (aws:kms:Key, id k)"]) == ()


@pytest.mark.parametrize("arguments", ["{}", "{inputs: [a]}"])
def test_of_a_function_that_gives_one_value_the_result_is_free(tmp_path: Path, arguments: str) -> None:
    path = tmp_path / "answers.yaml"
    entry = f"{{token: 'std:index:abs', arguments: {arguments}, result: {{result: 3}}}}"
    path.write_text(f"{DATED}, functions: [{entry}]}}")
    assert read(path, TODAY).file.functions[0].result == {"result": 3}


def test_the_entry_that_says_most_answers() -> None:
    answers = read(FIXTURES / "asks" / "answers.yaml")
    token = "aws:ssm/getParameter:getParameter"
    assert answers.function(token, {"name": "/network/key", "withDecryption": True}) == (
        {"value": "alias/network"},
        "functions[1] (aws:ssm/getParameter:getParameter)",
    )
    assert answers.function(token, {"name": "/other"}) == ({}, "")
    assert answers.function("aws:ssm/getParameters:getParameters", {}) == ({}, "")
    (note,) = answers.unused([f"{ANSWERED}functions[0] (aws:ssm:getParameter)\n", "anything"])
    assert "functions[0]" not in note
    assert 'stacks["acme/network/prod"]' in note

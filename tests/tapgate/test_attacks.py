"""Ways past the gate, each with neighbours: a deployment of none of them creates anything.

What deploys before it attacks is in `test_deploy.py`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from yaml import safe_dump, safe_load

from tapgate.analyzer.deployment import read_deployment
from tapgate.embedded.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

pytestmark = [pytest.mark.cli, pytest.mark.emulator, pytest.mark.uncounted]

ROOT = Path(__file__).parents[2]
ATTACKS = Path(__file__).parent / "fixtures" / "attacks"
ALARM = """\
    type: aws:cloudwatch:MetricAlarm
    properties:
      namespace: {namespace}
      metricName: {metric}
      dimensions: {{{dimension}: "{value}"}}
      statistic: Sum
      period: 60
      evaluationPeriods: 1
      threshold: 1
      comparisonOperator: GreaterThanOrEqualToThreshold
      alarmActions: ["arn:aws:sns:eu-west-2:123456789012:ops"]
"""
FUNCTION = """\
  role:
    type: aws:iam:Role
    properties:
      assumeRolePolicy:
        fn::toJSON:
          Version: "2012-10-17"
          Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}
  logs:
    type: aws:cloudwatch:LogGroup
    properties: {name: /tap/orders, retentionInDays: 14}
  fn:
    type: aws:lambda:Function
    properties:
      name: orders
      role: ${role.arn}
      runtime: python3.13
      handler: index.handler
      publish: true
      code: {fn::assetArchive: {index.py: {fn::stringAsset: "def handler(e, c): pass"}}}
      tracingConfig: {mode: Active}
      loggingConfig: {logFormat: JSON, logGroup: "${logs.name}"}
"""
TABLE = """\
  key: {type: "aws:kms:Key", properties: {enableKeyRotation: true}}
  table:
    type: aws:dynamodb:Table
    properties: {name: orders, hashKey: id, attributes: [{name: id, type: S}], billingMode: PAY_PER_REQUEST, pointInTimeRecovery: {enabled: true}, serverSideEncryption: {enabled: true, kmsKeyArn: "${key.arn}"}}
"""  # noqa: E501 - one line a resource
TEMPLATE = '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": false}}}}'


def yaml(resources: str) -> dict[str, str]:
    return {"Pulumi.yaml": f"name: attack\nruntime: yaml\nresources:\n{resources}"}


def python(program: str) -> dict[str, str]:
    return {"Pulumi.yaml": "name: attack\nruntime: python\n", "__main__.py": program}


def throttles(value: str, metric: str = "ReadThrottleEvents") -> str:
    return ALARM.format(namespace="AWS/DynamoDB", metric=metric, dimension="TableName", value=value)


def errors(value: str) -> str:
    return ALARM.format(namespace="AWS/Lambda", metric="Errors", dimension="FunctionName", value=value)


# Of each kind the folder that was found, and inputs that are like it; with the policy that has to see it.
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "arn_dim": ("lambda-error-alarm", {}),
    "arn_dim: a table's": (
        "dynamodb-throttle-alarm",
        yaml(TABLE + "  a:\n" + throttles("${table.arn}")
             + "  b:\n" + throttles("${table.arn}", "WriteThrottleEvents")),
    ),
    "arn_dim: what API Gateway calls": (
        "lambda-error-alarm",
        yaml(FUNCTION + "  a:\n" + errors("${fn.invokeArn}")),
    ),
    "opaque": ("kms-key-rotation", {}),
    "opaque: a stack set": (
        "kms-key-rotation",
        yaml("  set:\n    type: aws:cloudformation:StackSet\n    properties: {name: s, templateBody: '"
             + TEMPLATE + "'}\n"),
    ),
    "opaque: from the serverless repository": (
        "no-unseen-resources",
        yaml("  app:\n    type: aws:serverlessrepository:CloudFormationStack\n    properties: {name: s, "
             "applicationId: 'arn:aws:serverlessrepo:us-east-1:123456789012:applications/x', "
             "capabilities: [CAPABILITY_IAM]}\n"),
    ),
    "own_provider": ("no-unseen-resources", {}),
    "same_name": ("dynamodb-throttle-alarm", {}),
    "same_name: put together": (
        "dynamodb-throttle-alarm",
        yaml(TABLE + "".join(
            f"  {name}:\n" + throttles("orders", metric) + "      name: {fn::join: ['-', [a, b]]}\n"
            for name, metric in (("a", "ReadThrottleEvents"), ("b", "WriteThrottleEvents"))
        )),
    ),
    "same_name: of the resource's id": (
        "dynamodb-throttle-alarm",
        yaml(TABLE + "".join(
            f"  {name}:\n" + throttles("orders", metric) + "      name: alarms-${table.id}\n"
            for name, metric in (("a", "ReadThrottleEvents"), ("b", "WriteThrottleEvents"))
        )),
    ),
    "reconfigure": ("kms-key-rotation", {}),
    "evil_host": ("", {}),
    "evil_host: the provider": (
        "",
        {"Pulumi.yaml": "name: attack\nruntime: yaml\nplugins: {providers: [{name: aws, path: ./evil}]}\n"
         "resources:\n  key: {type: 'aws:kms:Key'}\n"},
    ),
    "evil_host: an analyzer": (
        "",
        {"Pulumi.yaml": "name: attack\nruntime: yaml\nplugins: {analyzers: [{name: x, path: ./evil}]}\n"
         "resources:\n  key: {type: 'aws:kms:Key'}\n"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


class Gate:
    """`tapgate deploy` of one project to an emulator."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder / "project"
        self.backend = folder / "backend"
        self.backend.mkdir()
        self.environment = {
            **environment,
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "ATTACK": uuid.uuid4().hex,
        }

    def deploy(self, **more: str) -> tuple[int, str]:
        command = [
            sys.executable,
            "-m",
            "tapgate",
            "deploy",
            "-C",
            str(self.folder),
            "--policy-pack",
            "policypack",
        ]
        verdict = self.backend.parent / "verdict.json"
        verdict.unlink(missing_ok=True)
        done = subprocess.run(
            [*command, "--verdict", str(verdict)],
            cwd=ROOT,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def blocking(self) -> set[tuple[str, str]]:
        """Policies that block, each with the name of the resource on which it does."""
        document = json.loads((self.backend.parent / "verdict.json").read_text())
        (stack,) = cast("list[dict[str, list[dict[str, object]]]]", document["stacks"])
        return {(str(one["policy"]), str(one["name"])) for one in stack["findings"] if one["blocks"]}

    def made(self) -> int:
        return sum(
            len(read_deployment(path.read_bytes(), path.name).resources)
            for path in (self.backend / ".pulumi" / "stacks").rglob("*.json")
        )


@pytest.fixture
def gate(tmp_path: Path, engine_env: Mapping[str, str], emulator: Emulator) -> Gate:
    return Gate(tmp_path, {**engine_env, **emulator.environment()})


IN_YAML = [
    name for name in KINDS if name.partition(":")[0] in {"arn_dim", "opaque", "own_provider", "same_name"}
]
NAMES = re.compile(r"\b(orders|payments|read-throttles|write-throttles)\b")


def beside_each_other(names: Sequence[str]) -> str:
    """One program of several in YAML: each with its number before the names of its resources."""
    resources: dict[str, object] = {}
    for number, name in enumerate(names):
        given = KINDS[name][1].get("Pulumi.yaml")
        text = given or (ATTACKS / name / "Pulumi.yaml").read_text(encoding="utf-8")
        text = NAMES.sub(rf"\1-{number}", text)
        for own in safe_load(text)["resources"]:
            text = re.sub(rf"\$\{{{own}\b", f"${{n{number}-{own}", text)
        resources |= {f"n{number}-{own}": body for own, body in safe_load(text)["resources"].items()}
    packages = {"own": str(ATTACKS / "own_provider" / "own")}
    return safe_dump({"name": "attacks", "runtime": "yaml", "packages": packages, "resources": resources})


def test_nothing_in_yaml_is_created(gate: Gate) -> None:
    """All of them in one run of the gate, each blocked by itself."""
    gate.folder.mkdir()
    (gate.folder / "Pulumi.yaml").write_text(beside_each_other(IN_YAML))
    code, said = gate.deploy()
    assert code == 1, said
    found = gate.blocking()
    for number, name in enumerate(IN_YAML):
        assert any(
            policy == KINDS[name][0] and resource.startswith(f"n{number}-") for policy, resource in found
        ), name
    assert gate.made() == 0


# Each takes the gate's some seconds: an engine, a program and a pack for every input of every kind.
@pytest.mark.parametrize("name", [name for name in KINDS if name not in IN_YAML])
def test_nothing_of_it_is_created(gate: Gate, name: str) -> None:
    policy, files = KINDS[name]
    folder = name.partition(":")[0]
    shutil.copytree(ATTACKS / folder, gate.folder)
    for file, text in files.items():
        (gate.folder / file).write_text(text)
    code, said = gate.deploy()
    assert "DEPLOYED" not in said
    if folder == "reconfigure" and code == 2:
        # It came before the engine itself, whose configuration the pack then refused.
        assert "Something other than the engine configured the policy pack." in said
    elif policy:
        assert code == 1, said
        assert policy in {blocking for blocking, _ in gate.blocking()}, said
    else:
        assert code == 2, said
    assert gate.made() == 0
    assert not survivors(gate.environment["ATTACK"])


def test_a_component_that_bears_a_type_protects_nothing(gate: Gate) -> None:
    """The bucket as it was found, a table's alarms, and a bucket with a block of another provider's type."""
    shutil.copytree(ATTACKS / "fake_component", gate.folder)
    code, said = gate.deploy()
    assert code == 1, said
    assert gate.blocking() >= {
        ("s3-public-access-block", "bucket"),
        ("dynamodb-throttle-alarm", "t"),
        ("s3-public-access-block", "b"),
    }
    assert gate.made() == 0


def survivors(mark: str) -> list[str]:
    """Processes that are left of a run."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and mark.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_program_that_never_ends_is_no_pass(gate: Gate) -> None:
    gate.folder.mkdir()
    for file, text in python("import time\nwhile True:\n    time.sleep(60)\n").items():
        (gate.folder / file).write_text(text)
    command = [sys.executable, "-m", "tapgate", "preview", "-C", str(gate.folder), "--timeout", "2"]
    done = subprocess.run(
        command, cwd=ROOT, env=gate.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "did not end within 2 seconds" in done.stderr
    assert not survivors(gate.environment["ATTACK"])

"""The reusable workflows: their scripts, run as a runner runs them, and who decides what in them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tapgate import sandbox
from tapgate.embedded.toolchain.search import DIGESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import pulumi_aws as aws

aws.kms.Key("orders-key", enable_key_rotation=False)
"""
WORKFLOW = REPOSITORY / ".github" / "workflows" / "gate.yml"
JOB: dict[str, Any] = yaml.load(WORKFLOW.read_text(encoding="utf-8"), yaml.CSafeLoader)["jobs"]["preview"]
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in JOB["steps"] if "name" in step}


def step(name: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step the way GitHub does where the workflow names no shell."""
    return subprocess.run(
        ["bash", "-e", "-c", STEPS[name]["run"]],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def runner(script_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What a runner has: the caller's repository and this one, here with an environment that is ready."""
    project = tmp_path / "caller" / "infra"
    project.mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (project / "__main__.py").write_text(PROGRAM)
    (tmp_path / "guardrails").symlink_to(REPOSITORY)
    return script_env


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_callers_project_is_gated_and_its_findings_are_kept(runner: dict[str, str], tmp_path: Path) -> None:
    """As a ruleset requires it: without a word of the caller's, every project, and its own file tightens."""
    tightened = '{"kms-key-rotation": {"maximumRotationDays": 180}}'
    (tmp_path / "caller" / "infra" / "policy-config.yaml").write_text(tightened)
    summary = tmp_path / "summary.md"
    runner |= {"GITHUB_STEP_SUMMARY": str(summary), "PROJECT": "", "STACK": ""}
    assert STEPS["Preview with the pack"]["env"].keys() == {"PROJECT", "STACK"}
    blocked = step("Preview with the pack", tmp_path, runner)
    if not isinstance(sandbox.look(), sandbox.Sandbox):
        assert blocked.returncode == 2
        assert "There is no sandbox." in blocked.stderr
        return
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert "== infra, stack dev" in blocked.stdout
    assert "BLOCKED  kms-key-rotation" in blocked.stdout
    assert "sandbox   bubblewrap" in blocked.stdout
    results = json.loads((tmp_path / "gate-1.sarif").read_text())["runs"][0]["results"]
    places = {one["physicalLocation"]["artifactLocation"]["uri"] for r in results for one in r["locations"]}
    assert "infra/__main__.py" in places
    assert (tmp_path / "gate-1.html").is_file()
    assert step("Summary", tmp_path, runner).returncode == 0
    assert "kms-key-rotation" in summary.read_text()
    (tmp_path / "gate-1.md").unlink()
    assert step("Summary", tmp_path, runner).returncode == 0


def test_every_project_and_stack_is_found_and_the_worst_code_counts(tmp_path: Path) -> None:
    """With a gate that tells what it is called with, and how it ends."""
    gate = tmp_path / "guardrails" / ".ci" / "gate"
    gate.parent.mkdir(parents=True)
    stacks = f'PYTHONPATH={REPOSITORY}; export PYTHONPATH; exec {sys.executable} -m tapgate.project "$2"'
    ends = 'echo "$@" >> calls; case "$*" in *prod*) exit 2 ;; *"a b"*) exit 1 ;; esac'
    gate.write_text(f'#!/bin/sh\nif [ "$1" = stacks ]; then {stacks}; fi\n{ends}\n')
    gate.chmod(0o755)
    gate_all = shutil.copy(REPOSITORY / ".ci" / "gate-all", gate.parent)
    for name in ("Pulumi.yaml", "a b/Pulumi.yml", "deep/down/Pulumi.json", "node_modules/x/Pulumi.yaml"):
        (tmp_path / "caller" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "caller" / name).write_text(
            '{"name": "x", "runtime": "yaml", "stackConfigDir": "stacks"}'
        )
    for stack in ("stacks/Pulumi.dev.yaml", "stacks/Pulumi.prod.yaml", "deep/down/stacks/Pulumi.live.json"):
        (tmp_path / "caller" / stack).parent.mkdir(exist_ok=True)
        (tmp_path / "caller" / stack).touch()
    (tmp_path / "caller" / "deep" / "down" / "policy-config.yaml").touch()

    def run(*words: str) -> tuple[int, list[list[str]]]:
        (tmp_path / "calls").write_text("")
        done = subprocess.run(["bash", gate_all, "caller", *words], cwd=tmp_path, check=False)
        calls = (tmp_path / "calls").read_text().splitlines()
        assert all("--sandbox require" in one for one in calls)
        names = "project|stack|team-config"
        return done.returncode, [re.findall(rf"--(?:{names}) (.*?) (?=--)", one) for one in calls]

    assert run("", "") == (
        2,
        [
            ["caller/.", "dev"],
            ["caller/.", "prod"],
            ["caller/a b", "dev"],
            ["caller/deep/down", "live", "caller/deep/down/policy-config.yaml"],
        ],
    )
    assert run("a b") == (1, [["caller/a b", "dev"]])
    down = "caller/deep/down"
    assert run("deep/down", "staging") == (0, [[down, "staging", f"{down}/policy-config.yaml"]])
    shutil.rmtree(tmp_path / "caller")
    (tmp_path / "caller").mkdir()
    assert run() == (0, [])
    hidden = tmp_path / "caller" / "x\na ##[error]b"
    hidden.mkdir()
    (hidden / "Pulumi.yaml").touch()  # What cannot be read is gated, to be said.
    done = subprocess.run(
        ["bash", gate_all, "caller"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["", r"== $'x\na ##\[error]b', stack dev"]
    assert "--project caller/x\na ##[error]b --stack dev" in (tmp_path / "calls").read_text()


WORKFLOWS = {
    name: yaml.safe_load((WORKFLOW.parent / f"{name}.yml").read_text("utf-8"))
    for name in ("ci", "gate", "deploy")
}
RUNS_PROGRAMS = [("ci", "check"), ("gate", "preview"), ("deploy", "deploy")]


def test_the_gate_takes_no_secret_and_may_only_read() -> None:
    body = WORKFLOW.read_text(encoding="utf-8")
    assert "secrets" not in body.replace("no secrets", "")
    assert WORKFLOWS["gate"]["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB


def test_the_caller_names_what_is_judged_and_nothing_else() -> None:
    # `on` is true to YAML 1.1.
    assert WORKFLOWS["gate"][True]["workflow_call"]["inputs"].keys() == {"project", "stack"}
    inputs = WORKFLOWS["deploy"][True]["workflow_call"]["inputs"]
    assert inputs.keys() == {"project", "stack", "role", "backend", "region"}
    for name, jobs in (("gate", ("toolchain", "preview")), ("deploy", ("deploy",))):
        for job in jobs:
            steps: list[dict[str, Any]] = WORKFLOWS[name]["jobs"][job]["steps"]
            checkouts = [one["with"] for one in steps if "checkout@" in one.get("uses", "")]
            tools = [(one["repository"], one["ref"]) for one in checkouts if "repository" in one]
            assert tools == [("${{ github.repository_owner }}/tap-guardrails", "main")]
            # What a caller names reaches a shell as a variable only.
            assert not any("${{" in one.get("run", "") for one in steps)


@pytest.mark.parametrize(("workflow", "job"), RUNS_PROGRAMS)
def test_a_job_that_runs_programs_only_reads_the_cache_of_the_tool(workflow: str, job: str) -> None:
    steps: list[dict[str, Any]] = WORKFLOWS[workflow]["jobs"][job]["steps"]
    starts = re.compile(r"\.ci/(run|gate-all|gate deploy)")
    first = next(i for i, one in enumerate(steps) if starts.search(one.get("run", "")))
    assert not any("actions/cache@" in one.get("uses", "") for one in steps)
    assert not any("actions/cache/save@" in one.get("uses", "") for one in steps[first:])
    # The CLI alone, which is checked by digest; no environment, whose files no one vouches for.
    caches = [one["with"]["path"] for one in steps if "actions/cache" in one.get("uses", "")]
    assert set(caches) <= {"~/.cache/tap-guardrails/pulumi-*"}


def test_pipelines_build_with_the_go_that_the_sources_vouch_for() -> None:
    vouched = {release.split()[0] for one in json.loads(DIGESTS.read_text()).values() for release in one}
    text = "".join(path.read_text() for path in WORKFLOW.parent.glob("*.yml"))
    used = {f"go{one}" for one in re.findall(r'go-version: "?([\w.]+)', text)}
    gitlab = re.search(r"image: golang:([\d.]+)", (REPOSITORY / "docs" / "gitlab-gate.yml").read_text())
    assert gitlab is not None
    assert used | {f"go{gitlab[1]}"} <= vouched


def test_a_deployment_is_gated_before_it_has_a_role() -> None:
    gate, deploy = (WORKFLOWS["deploy"]["jobs"][name] for name in ("gate", "deploy"))
    assert gate["uses"] == "$/.github/workflows/gate.yml"
    assert "permissions" not in gate
    assert deploy["needs"] == "gate"
    assert deploy["permissions"] == {"contents": "read", "id-token": "write"}
    assert "default_branch" in deploy["if"]
    (command,) = [one["run"] for one in deploy["steps"] if ".ci/gate" in one.get("run", "")]
    assert "deploy --aws real --sandbox require" in command

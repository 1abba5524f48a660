"""`gate preview` on the real engine: each exit code, each bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tapgate.cli import main

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]

Project = Callable[[str], Path]
Pack = Callable[[str], str]


def stacks(backend: Path) -> list[str]:
    return sorted(path.name for path in (backend / ".pulumi" / "stacks").rglob("*.json"))


def say(folder: Path, **config: object) -> str:
    path = folder / "policy-config.json"
    path.write_text(json.dumps({name.replace("_", "-"): value for name, value in config.items()}))
    return str(path)


@pytest.fixture
def gate(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["preview", *arguments])
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


Gate = Callable[..., tuple[int, str, str]]


def test_a_stack_passes(project: Project, pack: Pack, teams_backend: Path, tmp_path: Path) -> None:
    """As a program of its own, with every file that can be asked for; named by its suffix: without config."""
    folder = project("plain")
    asked = ("json", "html", "sarif", "junit", "markdown", "verdict")
    files = {name: tmp_path / f"report.{name}" for name in asked}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "tapgate", "preview", "-C", str(folder), "-s", "TapStackpr12"]
    done = subprocess.run(
        [*command, "--policy-pack", pack("probe"), *options],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ probe-resource  1 resource" in done.stdout
    assert "✓ probe-stack     stack" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("PASSED  2 policies, 1 resource")
    assert json.loads(files["json"].read_text())["steps"][0]["op"] == "create"
    verdict = json.loads(files["verdict"].read_text())
    assert verdict["outcome"] == "passed"
    assert {one["policy"] for one in verdict["policies"]} == {"probe-resource", "probe-stack"}
    assert all(path.stat().st_size for path in files.values())
    assert stacks(teams_backend) == []
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml"]


def test_a_stack_is_blocked(gate: Gate, project: Project, pack: Pack, tmp_path: Path) -> None:
    """By a policy of a resource, and by one that only says words."""
    config = say(tmp_path, probe_resource={"say": "violation"}, probe_stack={"say": "free"})
    folder = project("plain")
    code, out, _ = gate("-C", str(folder), "--policy-pack", pack("probe"), "--policy-pack-config", config)
    assert code == 1
    assert (folder / "Pulumi.dev.yaml").read_text() == "config: {}\n"
    assert out.splitlines()[-1].startswith("BLOCKED BY POLICY")
    assert "Just words." in out
    assert "  property  rotation\n  found     false\n  required  true\n" in out
    assert "[undecided]" not in out


@pytest.mark.parametrize(("policy", "word"), [("probe_resource", "exit"), ("probe_stack", "raise")])
def test_a_pack_that_breaks_is_never_a_pass(
    gate: Gate, project: Project, pack: Pack, tmp_path: Path, backend: Path, policy: str, word: str
) -> None:
    config = say(tmp_path, **{policy: {"say": word}})
    code, _, err = gate(
        "-C", str(project("plain")), "--policy-pack", pack("probe"), "--policy-pack-config", config
    )
    assert code == 2
    assert "COULD NOT RUN  The policy pack does not run." in err
    assert stacks(backend) == []


def test_findings_before_the_program_failed_are_shown(
    gate: Gate, project: Project, pack: Pack, tmp_path: Path, teams_backend: Path
) -> None:
    config = say(tmp_path, probe_resource={"say": "violation"})
    code, out, err = gate(
        "-C", str(project("fails")), "--policy-pack", pack("probe"), "--policy-pack-config", config
    )
    assert code == 2
    assert "BLOCKED  probe-resource" in out
    assert "BLOCKED BY POLICY" not in out
    assert "COULD NOT RUN  The program does not run to its end." in err
    assert "correct what the engine reports" in err
    assert "ValueError: no such region" in err
    assert "program/__main__.py:3" in err
    assert stacks(teams_backend) == []


BAD: list[tuple[str, str, list[str], str, str]] = [
    (
        "plain",
        "probe",
        ["-s", "nowhere"],
        "There is no stack 'nowhere'.",
        "use one of: dev; or add Pulumi.nowhere.yaml.",
    ),
    ("plain", "probe", ["-s", "../dev"], "'../dev' is not a stack name.", "name a stack such as dev"),
    (
        "plain",
        "none",
        [],
        "The policy pack's folder does not exist.",
        "correct the path after --policy-pack.",
    ),
    ("plain", "../packs", [], "no PulumiPolicy.yaml", "name the folder that holds"),
    ("plain", "broken", [], "The policy pack does not run.", "its requirements must be installed"),
    (
        "typed",
        "probe",
        ["-s", "misspelt"],
        "The config key 'typed:dayz' means nothing.",
        "write 'typed:days'.",
    ),
    (
        "typed",
        "probe",
        ["-s", "namespace"],
        "The config key 'typd:days' means nothing.",
        "write 'typed:days'.",
    ),
    ("typed", "probe", ["-s", "top"], "The config key 'confg' means nothing.", "write 'config'."),
    (
        "typed",
        "probe",
        ["-s", "mistyped"],
        "The stack's config does not fit the project.",
        "Pulumi.yaml lists the keys",
    ),
    (
        "typed",
        "probe",
        ["-s", "unreadable"],
        "The stack's config file cannot be read.",
        "correct the file's YAML.",
    ),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_input(
    gate: Gate, project: Project, pack: Pack, backend: Path, bad: tuple[str, str, list[str], str, str]
) -> None:
    name, pack_name, more, what, fix = bad
    code, out, err = gate("-C", str(project(name)), "--policy-pack", pack(pack_name), *more)
    assert code == 2
    assert "PASSED" not in out
    assert err.startswith("COULD NOT RUN  ")
    assert what in err
    assert fix in err
    assert stacks(backend) == []


def test_policy_config_that_does_not_match(
    gate: Gate, project: Project, pack: Pack, tmp_path: Path, backend: Path
) -> None:
    config = say(tmp_path, probe_stack=7)
    code, _, err = gate(
        "-C", str(project("plain")), "--policy-pack", pack("probe"), "--policy-pack-config", config
    )
    assert code == 2
    assert "The policy pack's config does not match what the pack accepts." in err
    assert stacks(backend) == []


def test_no_pass_is_a_project_without_anything_to_judge(gate: Gate, project: Project) -> None:
    code, out, err = gate("-C", str(project("plain")))
    assert code == 2
    assert "PASSED" not in out
    assert "No control looked at any resource." in err


def test_no_pass_is_a_result_that_cannot_be_written(
    gate: Gate, project: Project, pack: Pack, tmp_path: Path
) -> None:
    options = ["--policy-pack-config", say(tmp_path, all="disabled"), "--allow-empty"]
    options += ["--json", str(tmp_path / "none" / "x.json")]
    code, out, err = gate("-C", str(project("plain")), "--policy-pack", pack("probe"), *options)
    assert "PASSED  0 policies" in out, err
    assert code == 2
    assert "A file that was asked for cannot be written." in err


@pytest.mark.usefixtures("teams_backend")
def test_the_engines_surroundings(
    gate: Gate, project: Project, pack: Pack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ["-C", str(project("plain")), "--policy-pack", pack("probe")]
    with monkeypatch.context() as patch:
        patch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/nowhere")
        code, _, err = gate(*arguments)
        assert (code, "The Pulumi backend cannot be opened." in err) == (2, True)
    with monkeypatch.context() as patch:
        patch.delenv("PULUMI_CONFIG_PASSPHRASE")
        code, _, err = gate(*arguments)
        assert (code, "The stack's secrets cannot be opened." in err) == (2, True)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        code, _, err = gate(*arguments)
        assert (code, "There is no pulumi CLI." in err) == (2, True)


@pytest.mark.parametrize(
    "arguments", [[], ["prevew"], ["preview", "--stak", "x"], ["--stack", "dev", "preview"]]
)
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: tapgate" in capsys.readouterr().err


@pytest.mark.usefixtures("teams_backend")
def test_advice_passes_a_stack_in_the_backend_that_has_no_config_file(
    gate: Gate, project: Project, pack: Pack, tmp_path: Path
) -> None:
    folder = project("plain")
    init = ["pulumi", "-C", str(folder), "stack", "init", "old", "--no-select", "--non-interactive"]
    subprocess.run(init, check=True, capture_output=True)
    (folder / "Pulumi.old.yaml").unlink()
    config = say(
        tmp_path,
        probe_stack={"say": "violation", "enforcementLevel": "advisory"},
        probe_resource={"enforcementLevel": "disabled"},
    )
    arguments = ("-C", str(folder), "--policy-pack", pack("probe"), "--policy-pack-config", config)
    code, out, _ = gate(*arguments, "-s", "old")
    assert code == 0
    assert "ADVISORY  probe-stack" in out
    assert "! probe-resource  turned off by the pack's config file" in out
    code, _, err = gate(*arguments, "-s", "odl")
    assert code == 2
    assert "use one of: dev, old;" in err


def test_a_stacks_own_secrets_provider_is_kept(
    gate: Gate, project: Project, pack: Pack, teams_backend: Path
) -> None:
    folder = project("plain")
    (folder / "Pulumi.dev.yaml").write_text("secretsprovider: nosuch://key\n")
    code, _, err = gate("-C", str(folder), "--policy-pack", pack("probe"))
    assert code == 2
    assert "nosuch" in err
    assert (folder / "Pulumi.dev.yaml").read_text() == "secretsprovider: nosuch://key\n"
    assert stacks(teams_backend) == []

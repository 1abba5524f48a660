"""`tapgate init`: what it writes into a team's repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tapgate.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTED = "tapgate init --project PROJECT"
FILES = (".github/workflows/tapgate.yml", ".gitlab/tapgate.yml", ".pre-commit-config.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of a repository, with two stacks."""
    folder = tmp_path / "repository" / "infra 'one'"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (folder / "Pulumi.yaml").write_text("name: orders\nruntime: yaml\n")
    for stack in ("dev", "prod"):
        (folder / f"Pulumi.{stack}.yaml").touch()
    return folder


def written(project: Path, *options: str) -> dict[str, Any]:
    """Run it, and return what each file that is there then says."""
    assert main(["init", "--project", str(project), *options]) == 0
    root = project.parent
    return {name: yaml.safe_load((root / name).read_text()) for name in FILES if (root / name).is_file()}


def test_the_command_as_documented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert DOCUMENTED in (ROOT / "docs" / "org-wide.md").read_text(encoding="utf-8")
    assert list(written(project)) == [FILES[0]]
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("READY orders: dev, prod; the job installs tapgate")
    assert f"wrote {project.parent / FILES[0]} next commit it;" in said


def test_the_jobs_and_the_hook_gate_the_project_with_the_wheel(project: Path) -> None:
    kinds = ("--for", "github", "--for", "gitlab", "--for", "pre-commit")
    github, gitlab, hooks = written(project, *kinds, "--package", 'tapgate @ "x"').values()
    job = github["jobs"]["gate"]
    (step,) = [one for one in job["steps"] if one.get("name") == "Preview with the pack"]
    assert job["strategy"]["matrix"] == {"stack": ["dev", "prod"]}
    assert step["env"]["PROJECT"] == project.name
    assert step["env"]["PACKAGE"] == 'tapgate @ "x"'
    assert "tapgate preview --install" in step["run"]
    assert "${{" not in step["run"]
    assert github["permissions"] == {"contents": "read"}
    assert gitlab["tapgate"]["variables"]["TAPGATE_PROJECT"] == project.name
    assert gitlab["tapgate"]["parallel"] == {"matrix": [{"TAPGATE_STACK": ["dev", "prod"]}]}
    (hook,) = hooks["repos"][0]["hooks"]
    assert hook["args"] == ["--project", project.name, "--stack", "dev"]
    assert hook["additional_dependencies"] == ['tapgate @ "x"']


def test_what_the_jobs_keep_is_the_tools_alone(project: Path) -> None:
    """A program runs after it is kept; another version of the tool, or another Go, has a cache of its own."""
    github, gitlab = written(project, "--for", "github", "--for", "gitlab").values()
    steps = github["jobs"]["gate"]["steps"]
    kept = [i for i, one in enumerate(steps) if one.get("uses", "").startswith("actions/cache/save@")]
    runs = next(i for i, one in enumerate(steps) if "tapgate preview" in one.get("run", ""))
    assert kept
    assert max(kept) < runs
    assert not any("actions/cache@" in one.get("uses", "") for one in steps)
    caches = [one["with"] for one in steps if "actions/cache" in one.get("uses", "")]
    assert {one["path"] for one in caches} == {"~/.cache/tap-guardrails/pulumi-*"}
    assert FILES[0] in caches[0]["key"]
    assert gitlab["tapgate"]["cache"] == {
        "key": {"files": [FILES[1]]},
        "paths": [".cache/tap-guardrails/pulumi-*/"],
    }
    # The Go that the sources vouch for: what another builds is built again in each pipeline.
    images = (gitlab["tapgate"]["image"], (ROOT / "docs" / "gitlab-gate.yml").read_text(encoding="utf-8"))
    assert f"image: {images[0]}\n" in images[1]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (".gitlab-ci.yml", [FILES[1]]),
        (".github", [FILES[0]]),
        (".pre-commit-config.yaml", [FILES[0], FILES[2]]),
    ],
)
def test_it_writes_what_the_repository_uses(project: Path, there: str, expected: list[str]) -> None:
    path = project.parent / there
    path.mkdir() if there == ".github" else path.touch()
    assert list(written(project)) == expected


def test_what_is_there_is_left_alone_unless_it_is_forced(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.parent / FILES[2]).write_text("repos: []\n")
    kinds = ("--for", "github", "--for", "pre-commit")
    assert main(["init", "--project", str(project), *kinds]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"A file is there already. where {project.parent / FILES[2]}" in said
    assert not (project.parent / FILES[0]).exists()
    assert written(project, *kinds, "--force")[FILES[2]]["repos"] != []


@pytest.mark.parametrize(("option", "value"), [("--stack", "../dev"), ("--project", "/nowhere/at/all")])
def test_bad_input_is_refused_and_nothing_written(project: Path, option: str, value: str) -> None:
    assert main(["init", "--project", str(project), option, value]) == 2
    assert not (project.parent / FILES[0]).exists()


def test_actions_are_pinned_to_the_commits_of_this_repositorys_own_workflow() -> None:
    uses = re.compile(r"uses: (\S+@[0-9a-f]{40}) # v")
    here = uses.findall("".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")))
    theirs = uses.findall((ROOT / "tapgate/commands/init/github.yml").read_text(encoding="utf-8"))
    assert theirs
    assert set(theirs) <= set(here)
    assert (ROOT / "tapgate/commands/init/github.yml").read_text().count("uses:") == len(theirs)

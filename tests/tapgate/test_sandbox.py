"""What a program reaches while it is previewed and rehearsed: nothing, where bubblewrap works."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate import sandbox
from tapgate.engine import Engine, Limits, require_file
from tapgate.findings import CouldNotRunError, Report
from tapgate.reports.markdown import to_markdown
from tapgate.reports.page import to_html
from tapgate.reports.verdict_file import VerdictFile, from_json, to_json
from tapgate.terminal import Ink, report_lines
from tests.tapgate.test_attacks import survivors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
HOSTILE = Path(__file__).parent / "fixtures" / "attacks" / "sandbox"
WORKS = isinstance(sandbox.look(), sandbox.Sandbox)


@dataclass(frozen=True)
class Victim:
    """What a program could reach, and the environment that tells it."""

    folder: Path
    environment: Mapping[str, str]
    names: frozenset[str]


@pytest.fixture(scope="module")
def victim(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("victim")
    project, home, backend = folder / "project", folder / "home", folder / "backend"
    shutil.copytree(HOSTILE, project)
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[default]")
    backend.mkdir()
    (backend / "state.json").touch()
    cli = Path(shutil.copy(find_engine_of(engine_env), folder / "pulumi"))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as service,
    ):
        service.bind(str(home / "agent.sock"))
        service.listen()
        port = server.getsockname()[1]
        targets = {
            "a port of another run": ("port", port),
            "the list of ports": ("listed", port),
            "AWS": ("interface", ""),
            "a service's socket": ("socket", str(home / "agent.sock")),
            "the user's keys": ("read", str(home / ".aws" / "credentials")),
            "a token": ("variable", "DEPLOY_TOKEN"),
            "another process": ("signal", os.getpid()),
            "files outside": ("create", str(folder)),
            "the state": ("overwrite", str(backend / "state.json")),
            "the CLI": ("overwrite", str(cli)),
            "the pack": ("overwrite", str(ROOT / "policypack" / "PulumiPolicy.yaml")),
            "the tool": ("overwrite", str(ROOT / "tapgate" / "cli.py")),
        }
        if os.access("/proc/sys/kernel/core_pattern", os.W_OK):
            targets["the kernel's settings"] = ("overwrite", "/proc/sys/kernel/core_pattern")
        yield Victim(
            folder,
            {
                **engine_env,
                "HOME": str(home),
                "DEPLOY_TOKEN": "x",
                "PULUMI_BACKEND_URL": backend.as_uri(),
                "ATTACK": uuid.uuid4().hex,
                "TARGETS": json.dumps(targets),
            },
            frozenset(targets),
        )


def find_engine_of(environment: Mapping[str, str]) -> Path:
    found = shutil.which("pulumi", path=environment["PATH"])
    assert found is not None
    return Path(found)


def gate(victim: Victim, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tapgate", "preview", "-C", str(victim.folder / "project"), *options]
    done = subprocess.run(
        command, cwd=ROOT, env=victim.environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_each_way_leads_somewhere_without_a_sandbox(victim: Victim) -> None:
    done = subprocess.run(
        [sys.executable, "reach.py"],
        cwd=victim.folder / "project",
        env=victim.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(done.stdout)) == victim.names
    (victim.folder / "created").unlink()


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_program_reaches_nothing(victim: Victim) -> None:
    verdict = victim.folder / "verdict.json"
    code, said = gate(victim, "--verdict", str(verdict), *(["--sandbox", "require"] if WORKS else []))
    words = " ".join(said.split())
    assert not survivors(victim.environment["ATTACK"])
    if not WORKS:
        # What is left there to the account's side: everything but a process that outlives the run.
        assert code == 2, said
        reached = re.search(r"reached: ([^.]*)\.", words)
        assert reached is not None, said
        assert set(reached[1].split(", ")) == victim.names
        return
    assert code == 0, said
    assert not (victim.folder / "created").exists()
    assert not (victim.folder / "project" / "built").exists()
    assert "sandbox bubblewrap" in words
    assert "kept from the program in the sandbox, by their names: DEPLOY_TOKEN" in words
    (stack,) = json.loads(verdict.read_text())["stacks"]
    assert re.fullmatch(r"bubblewrap \S+, preview and rehearsal", stack["sandbox"])


def test_a_small_project_is_copied_but_for_what_is_large(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "scratch" / "project"
    copy.parent.mkdir()
    for name in ("Pulumi.yaml", "app/main.py", "app/node_modules/x/y.js", ".venv/bin/python"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (project / "link").symlink_to("app")
    os.mkfifo(project / "pipe")
    (project / "state" / ".pulumi").mkdir(parents=True)
    words = sandbox.own_copy(project, copy, [project / "state", tmp_path])
    kept = [str(project / ".venv"), str(project / "app" / "node_modules"), str(project / "state")]
    assert words[:3] == ["--bind", str(copy), str(project)]
    assert sorted(words[at + 1] for at in range(3, len(words), 3)) == kept
    assert sorted(str(one.relative_to(copy)) for one in copy.rglob("*")) == [
        *(".venv", "Pulumi.yaml", "app", "app/main.py", "app/node_modules", "link", "state"),
    ]
    assert (copy / "link").is_symlink()
    for number in range(600):
        (project / f"{number}.txt").touch()
    assert sandbox.own_copy(project, tmp_path / "other") == []


def test_without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    box, missing = sandbox.find("auto")
    assert (box, missing) == (None, "bubblewrap is not installed")
    (note,) = sandbox.notes("auto", box, missing, {})
    assert note.startswith("no sandbox: bubblewrap is not installed; the program could reach the network")
    assert sandbox.described(box, missing, preview=True) == "none: bubblewrap is not installed"
    with pytest.raises(CouldNotRunError, match="There is no sandbox") as refused:
        sandbox.find("require")
    assert "install bubblewrap" in refused.value.fix
    assert sandbox.find("off") == (None, "off by --sandbox")
    assert [*sandbox.notes("off", None, "off by --sandbox", {})] == []


def test_where_bubblewrap_may_not_make_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] || { echo "bwrap: no permission" >&2; exit 1; }\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sandbox.look() == "bubblewrap does not work here (bwrap: no permission)"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert sandbox.look() == "bubblewrap is for Linux"


def test_names_of_secrets() -> None:
    given = ("GITHUB_TOKEN", "NPM_AUTH", "DB_PASSWORD", "SSH_AUTH_SOCK", "OPENAI_API_KEY", "SENTRY_DSN")
    kept = (
        "PATH",
        "HOME",
        "STAGE",
        "SORT_KEY",
        "GIT_AUTHOR_NAME",
        "PRIVATE_SUBNETS",
        "AWS_REGION",
        "KEYBOARD",
        "PULUMI_CONFIG_PASSPHRASE",
        "TARGETS",
    )
    variables: dict[str, str] = dict.fromkeys((*given, *kept), "")
    assert sandbox.secrets(variables) == tuple(sorted(given))
    (line,) = sandbox.missed(["KeyError: 'DB_PASSWORD' (main.py:3)", "SORT_KEY"], variables)
    assert line.startswith("DB_PASSWORD is kept from the program in the sandbox")


@pytest.mark.skipif(not WORKS, reason="bubblewrap does not work here")
def test_what_lies_in_a_hidden_folder_and_is_needed(tmp_path: Path) -> None:
    """A home that has the project, and in it a folder of packages and a key."""
    box = sandbox.look([tmp_path / "home" / "packages"])
    assert isinstance(box, sandbox.Sandbox)
    for name in ("packages", "infra", ".ssh"):
        (tmp_path / "home" / name).mkdir(parents=True)
        (tmp_path / "home" / name / "file").touch()
    program = tmp_path / "home" / "infra" / "pulumi"
    program.write_text(
        "#!/bin/sh\ncd ..\nls -A * .ssh; touch packages/new || touch infra/new $OUT/new && touch /tmp/new\n"
    )
    program.chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    variables = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "OUT": str(scratch)}
    engine = Engine(program.parent, scratch, str(program), variables=variables, box=box)
    run = engine.run(name="x", limits=Limits())
    assert run.output.read_text().split() == ["infra:", "file", "pulumi", "packages:", "file"]
    assert (run.code, sorted(path.name for path in scratch.iterdir())) == (
        0,
        ["new", "project", "x.err", "x.out"],
    )
    assert (scratch / "project" / "new").exists()
    assert not (program.parent / "new").exists()
    assert not Path("/tmp/new").exists()


@pytest.mark.parametrize("how", ["symlink", "folder", "pipe", "above"])
def test_what_replaces_a_file_of_the_engine_is_not_read(tmp_path: Path, how: str) -> None:
    scratch, path = tmp_path / "scratch", tmp_path / "scratch" / "a" / "state.json"
    path.parent.mkdir(parents=True)
    path.touch()
    require_file(path, scratch)
    path.unlink()
    if how == "symlink":
        path.symlink_to("/etc/hostname")
    elif how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    else:
        path.parent.rmdir()
        path.parent.symlink_to(tmp_path)
        (tmp_path / "state.json").touch()
    with pytest.raises(CouldNotRunError, match="not what the engine wrote"):
        require_file(path, scratch)


def test_every_report_says_what_ran_where() -> None:
    words = "bubblewrap 0.0, preview and rehearsal"
    report = Report("shop", "dev", (), (), (), 3, (), {}, 0.0, sandbox=words)
    verdicts = VerdictFile.of("preview", [report])
    assert from_json(to_json(verdicts)) == verdicts
    assert f"  sandbox   {words}" in report_lines(report, Ink(colour=False, unicode=True))
    assert f"Sandbox: {words}." in to_markdown(verdicts)
    assert words in to_html(verdicts)

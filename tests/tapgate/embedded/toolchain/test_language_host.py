"""The language host with the real engine: programs, components and packs in Python, and how they end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.prepare import ensure_stacks
from tapgate.embedded.stacks import embedded, outputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]

PROJECTS = Path(__file__).parent / "projects"
PACK = PROJECTS / "pack"


class Project:
    """A copy of a project, with a stack `dev` in a backend of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.backend = folder.parent / "state"
        self.backend.mkdir()
        self.environment = {**environment, "PULUMI_BACKEND_URL": self.backend.as_uri()}
        ensure_stacks(["dev"], folder, self.backend)

    def pulumi(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    def up(self, *options: str) -> dict[str, object]:
        """Run an update and return the stack's outputs."""
        self.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", *options)
        (state,) = self.backend.glob(".pulumi/stacks/*/dev.json")
        return outputs_of(state)

    def fails(self, *options: str) -> str:
        """Run a preview that has to fail and return what was said."""
        outcome = self.pulumi("preview", "--stack", "dev", *options, check=False)
        assert outcome.returncode != 0
        return outcome.stdout + outcome.stderr

    def runtime(self, **options: object) -> None:
        """Set the runtime's options in Pulumi.yaml."""
        settings = {"name": "python-program", "runtime": {"name": "python", "options": options}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(settings))


@pytest.fixture
def project(engine_env: Mapping[str, str], tmp_path: Path) -> Callable[[str], Project]:
    """Copies one of the projects."""

    def copy(name: str) -> Project:
        return Project(Path(shutil.copytree(PROJECTS / name, tmp_path / name)), engine_env)

    return copy


def make_venv(folder: Path, *installed: Path) -> None:
    """Make a virtual environment that sees this one's packages and these folders, in no time."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    ours = next(entry for entry in sys.path if entry.endswith("site-packages"))
    (packages / "ours.pth").write_text("\n".join([ours, *map(str, installed)]))


def test_a_yaml_program_with_a_component_and_a_pack(project: Callable[[str], Project]) -> None:
    boxes = project("with_component")
    assert boxes.up("--policy-pack", str(PACK)) == {"doubled": 6, "interpreter": sys.executable}
    (boxes.folder / "Pulumi.dev.yaml").write_text(
        "config: {'with-component:size': 30, 'with-component:greeting': hello}"
    )
    said = boxes.fails("--policy-pack", str(PACK))
    assert "- [mandatory]  small  (box:index:Box: box)" in said
    assert "too large in organization/with-component/dev, greeting hello" in said


def test_a_component_runs_in_its_own_venv_where_it_has_one(project: Callable[[str], Project]) -> None:
    boxes = project("with_component")
    make_venv(boxes.folder / "component" / "venv")
    interpreter = boxes.folder / "component" / "venv" / "bin" / "python"
    assert boxes.up() == {"doubled": 6, "interpreter": str(interpreter)}


def test_a_python_program(project: Callable[[str], Project]) -> None:
    program = project("python_program")
    (program.folder / "Pulumi.dev.yaml").write_text("config: {'python-program:greeting': good day}")
    program.pulumi("config", "set", "--secret", "token", "s3cret", "--stack", "dev")
    said = program.pulumi("up", "--yes", "--skip-preview", "--stack", "dev").stdout
    assert "a line on stdout" in said
    assert "a line on stderr" in said
    assert "s3cret" not in said
    outputs = program.pulumi("stack", "output", "--json", "--show-secrets", "--stack", "dev")
    assert json.loads(outputs.stdout) == {
        "greeting": "good day",
        "token": "s3cret",
        "interpreter": sys.executable,
        "stack": "organization/python-program/dev",
    }


def test_the_virtualenv_option_is_honoured(project: Callable[[str], Project]) -> None:
    program = project("python_program")
    make_venv(program.folder / "own")
    program.runtime(virtualenv="own")
    assert program.up()["interpreter"] == str(program.folder / "own" / "bin" / "python")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"virtualenv": "absent"}, """The 'virtualenv' option in Pulumi.yaml is set to "absent", but """),
        ({"virtualenv": 3}, 'the runtime option "virtualenv" must be a string, not 3'),
        ({"toolchain": "conda"}, 'the runtime option "toolchain" is set to "conda", which this'),
        ({"typechecker": "ty"}, 'the runtime option "typechecker" is set to "ty", which this'),
        ({"typechecker": "mypy"}, "the runtime option `typechecker` is set to mypy, which did not pass"),
    ],
)
def test_options_that_cannot_be_honoured_are_refused(
    project: Callable[[str], Project], options: dict[str, object], said: str
) -> None:
    program = project("python_program")
    make_venv(program.folder / "venv")
    program.runtime(**options)
    assert said in program.fails()


def test_a_program_that_raises_shows_its_own_lines_only(project: Callable[[str], Project]) -> None:
    program = project("python_program")
    (program.folder / "__main__.py").write_text(
        "def wrong():\n    raise ValueError('out of range')\nwrong()\n"
    )
    said = program.fails()
    assert "Program failed with an unhandled exception" in said
    assert "ValueError: out of range" in said
    assert "an unhandled error occurred" not in said


def test_a_program_that_exits_is_told_of(project: Callable[[str], Project]) -> None:
    program = project("python_program")
    (program.folder / "__main__.py").write_text("import os\nos._exit(9)\n")
    assert "the program ended with exit code 9" in program.fails()


@pytest.mark.parametrize(
    ("main", "settings", "said"),
    [
        ("1 / 0\n", "runtime: python\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "runtime: python\n", "policy pack not started"),
        ("", "runtime: {name: python, options: {virtualenv: absent}}\n", """is set to "absent", but """),
    ],
)
def test_a_pack_that_does_not_start_fails_the_preview(
    project: Callable[[str], Project], tmp_path: Path, main: str, settings: str, said: str
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "__main__.py").write_text(main)
    (pack / "PulumiPolicy.yaml").write_text(settings)
    assert said in project("python_program").fails("--policy-pack", str(pack))


def test_a_plugin_that_cannot_be_run_is_told_of(project: Callable[[str], Project]) -> None:
    boxes = project("with_component")
    (boxes.folder / "component" / "__main__.py").unlink()
    assert "it has neither a __main__.py nor a pyproject.toml" in boxes.fails()


def test_a_plugin_that_is_a_package_is_run_as_one(project: Callable[[str], Project]) -> None:
    boxes = project("with_component")
    component = boxes.folder / "component"
    (component / "__main__.py").unlink()
    (component / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "box"\nversion = "1"\n'
    )
    assert "No module named 'box'" in boxes.fails()
    make_venv(component / "venv", component)
    assert boxes.up()["doubled"] == 6


def test_what_a_program_depends_on_is_listed(project: Callable[[str], Project]) -> None:
    about = project("python_program").pulumi("about", "--json", "--stack", "dev")
    content = json.loads(about.stdout)
    assert content["runtime"]["language"] == "python"
    assert content["runtime"]["executable"] == sys.executable
    plugins = {plugin["name"]: plugin["version"] for plugin in content["plugins"]}
    assert plugins["aws"] == metadata.version("pulumi-aws")
    dependencies = {one["name"] for one in content["dependencies"]}
    assert "pulumi-aws" in dependencies
    assert "grpcio" not in dependencies


def processes_of(pids: Path) -> list[int]:
    """The program, its host and the process that it started."""
    deadline = time.monotonic() + 120
    while not pids.exists() or not pids.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [int(pid) for pid in pids.read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_after_the_engine_has_ended(
    project: Callable[[str], Project], tmp_path: Path, number: signal.Signals
) -> None:
    slow = project("slow")
    pids = tmp_path / "pids"
    engine = subprocess.Popen(
        ["pulumi", "preview", "--stack", "dev", "--non-interactive"],
        cwd=slow.folder,
        env={**slow.environment, "PIDS": str(pids)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = processes_of(pids)
    assert all(map(alive, started))
    os.kill(engine.pid, number)
    _, stderr = engine.communicate(timeout=120)
    assert engine.returncode != 0
    assert "Traceback" not in stderr
    deadline = time.monotonic() + 60
    while any(map(alive, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in started if alive(pid)] == []


def test_a_stack_made_by_writing_a_file_is_one_to_the_engine(
    project: Callable[[str], Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded backend's stacks, seen by the CLI; its previews leave the stack's file as it was."""
    program = project("python_program")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ensure_stacks(["prod"], program.folder)
    (state,) = (tmp_path / "cache").glob("*/checkouts/*/state")
    program.environment["PULUMI_BACKEND_URL"] = state.as_uri()
    listed = program.pulumi("stack", "ls", "--json")
    assert [one["name"] for one in json.loads(listed.stdout)] == ["prod"]
    settings, copy = program.folder / "Pulumi.prod.yaml", tmp_path / "copy.yaml"
    settings.write_text("config:\n  python-program:greeting: hello\n")
    copy.write_text(embedded(settings.read_text()).text)
    before = copy.read_text()
    program.pulumi("preview", "--stack", "prod", "--config-file", str(copy))
    assert copy.read_text() == before
    assert settings.read_text() == "config:\n  python-program:greeting: hello\n"

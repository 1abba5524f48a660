"""The TAP stack, deployed by the real engine through the gate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.embedded.environment import applied, changes_for
from tapgate.embedded.toolchain import find
from tests.integration import official
from tests.integration.target import REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.target import Target

Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[2]
_IGNORED = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")


@dataclass(frozen=True)
class Deployment:
    """One stack of a copy of the project, on a backend of its own.

    Attributes:
        folder: The copy: a test writes nothing into the checkout.
        stack: The stack's name.
        environment: What `pulumi` and the gate run in.
    """

    folder: Path
    stack: str
    environment: Mapping[str, str]

    def configure(self, values: Mapping[str, object]) -> None:
        """Write the stack's configuration, with what the chosen AWS provider needs."""
        own = official.CONFIG if official.chosen() else {}
        # JSON is YAML.
        document = json.dumps({"config": {"aws:region": REGION, **own, **values}}, indent=2)
        (self.folder / f"Pulumi.{self.stack}.yaml").write_text(document, "utf-8")

    def gate(self, command: str, *more: str) -> Done:
        """Run a command of the gate on the stack."""
        arguments = ["--project", str(self.folder), "--stack", self.stack]
        return self._run([sys.executable, "-m", "tapgate", command, *arguments, *more], cwd=ROOT)

    def start_gate(self, command: str) -> subprocess.Popen[str]:
        """Start a command of the gate on the stack."""
        arguments = ["--project", str(self.folder), "--stack", self.stack]
        return subprocess.Popen(
            [sys.executable, "-m", "tapgate", command, *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def audit(self, state: str, *more: str) -> Done:
        """Run the gate's audit on an exported state."""
        pack = str(self.folder / "policypack")
        return self._run(
            [sys.executable, "-m", "tapgate", "audit", state, "--policy-pack", pack, *more], cwd=ROOT
        )

    def pulumi(self, *arguments: str, more: Mapping[str, str] | None = None) -> Done:
        """Run a command of pulumi on the stack."""
        command = ["pulumi", *arguments, "--stack", self.stack, "--non-interactive", "--color", "never"]
        return self._run(command, cwd=self.folder, more=more)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of pulumi on the stack, in a process group of its own."""
        command = ["pulumi", *arguments, "--stack", self.stack, "--non-interactive", "--color", "never"]
        program = shutil.which("pulumi", path=self.environment["PATH"])
        return subprocess.Popen(
            [program or "pulumi", *command[1:]],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def up(self, *more: str) -> Done:
        """Bring the stack up by the engine alone, without the gate."""
        return self.pulumi("up", "--yes", "--skip-preview", *more)

    def destroy(self) -> Done:
        """Destroy the stack's resources."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def remove(self) -> Done:
        """Destroy the stack's resources, and remove the stack from the backend."""
        destroyed = self.destroy()
        return self.remove_from_backend() if destroyed.returncode == 0 else destroyed

    def remove_from_backend(self) -> Done:
        """Remove the stack, which has no resources any more, from the backend."""
        command = ["pulumi", "stack", "rm", self.stack, "--yes", "--preserve-config", "--non-interactive"]
        return self._run(command, cwd=self.folder)

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs."""
        shown = self.pulumi("stack", "output", "--json")
        assert shown.returncode == 0, shown.stderr
        return cast("dict[str, str]", json.loads(shown.stdout))

    def resources(self) -> list[object]:
        """Return the resources in the state, as its file says: a run that writes it is not disturbed."""
        backend = self.environment["PULUMI_BACKEND_URL"].removeprefix("file://").partition("?")[0]
        (file,) = Path(backend).rglob(f"stacks/*/{self.stack}.json")
        document = cast("dict[str, dict[str, dict[str, object]]]", json.loads(file.read_text("utf-8")))
        return cast("list[object]", document["checkpoint"]["latest"].get("resources") or [])

    def changes(self, *more: str) -> dict[str, int]:
        """Preview, and count the resources that change by what becomes of them."""
        shown = self.pulumi("preview", "--json", *more)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        document = cast("dict[str, dict[str, int]]", json.loads(shown.stdout))
        return {kind: count for kind, count in document["changeSummary"].items() if kind != "same" and count}

    def _run(self, command: list[str], cwd: Path, more: Mapping[str, str] | None = None) -> Done:
        environment = {**self.environment, **(more or {})}
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )


def prepare(folder: Path, stack: str, target: Target, run: str = "") -> Deployment:
    """Copy the project and prepare an environment in which it deploys to the target.

    Args:
        folder: An empty folder.
        stack: The stack's name, e.g. `TapStackintegration-test`.
        target: What it deploys to.
        run: The value of the tag `TestRun`, by which what a test left in an account is found.
    """
    project = folder / "project"
    project.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", project)
    for name in ("program", "policypack"):
        shutil.copytree(ROOT / name, project / name, ignore=_IGNORED)
    (project / "dist").symlink_to(ROOT / "dist")
    environment = environment_for(folder, target)
    # The objects that the tests put into the bucket go with it.
    deployment = Deployment(project, stack, environment)
    tags: dict[str, object] = {"tap-stack:tags": {"TestRun": run}} if run else {}
    deployment.configure({"tap-stack:forceDestroy": "true", **tags})
    return deployment


def environment_for(folder: Path, target: Target) -> Mapping[str, str]:
    """Prepare an environment in which `pulumi` and the gate deploy to the target.

    Args:
        folder: Where the state goes. On AWS itself it goes to the user's own backend instead: a temporary
            one would be lost with a test that crashes.
        target: What they deploy to.
    """
    aws = "embedded" if target.emulated else "real"
    environment = applied(changes_for(aws, find(), os.environ), os.environ)
    if not target.emulated:
        return environment
    state = folder / "state"
    state.mkdir()
    # The engine writes a file of metadata beside each state, and not at once: one that is killed
    # meanwhile leaves a state that it cannot read any more ("failed to load checkpoint: EOF").
    backend = f"{state.as_uri()}?metadata=skip"
    own = {"PULUMI_BACKEND_URL": backend, "PULUMI_HOME": str(folder / "home")}
    if official.chosen():
        # Before the stand-in: the engine takes the first plug-in of the name that is on PATH.
        own["PATH"] = os.pathsep.join([os.environ[official.FOLDER], environment["PATH"]])
    return {**environment, **own, **target.environment}

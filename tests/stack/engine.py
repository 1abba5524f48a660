"""The stack's project as the real CLI previews it: a copy, changed or not, and what the policies said."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policypack"
STACKS = ("dev", "staging", "prod")


@dataclass(frozen=True, slots=True)
class Preview:
    """What one preview came to.

    Attributes:
        code: exit code of the CLI.
        mandatory: names of the policies that blocked.
        advisory: names of the policies that only warned.
        remediated: each policy that changed a resource, with the resource's name.
        output: what the CLI printed.
        found: each policy that blocked, with the name of the resource on which it did.
    """

    code: int
    mandatory: frozenset[str]
    advisory: frozenset[str]
    output: str
    remediated: frozenset[tuple[str, str]] = frozenset()
    found: frozenset[tuple[str, str]] = frozenset()


def copy_project(into: Path) -> Path:
    """Copy the YAML program, its config and the component; the built functions are linked."""
    project = into / "project"
    shutil.copytree(ROOT / "program", project / "program")
    for settings in (ROOT / "Pulumi.yaml", *(ROOT / f"Pulumi.{stack}.yaml" for stack in STACKS)):
        shutil.copy(settings, project)
    (project / "dist").symlink_to(ROOT / "dist")
    return project


def preview(project: Path, env: Mapping[str, str], *options: str, stack: str = "dev") -> Preview:
    """Run `pulumi preview --policy-pack policypack` and read the engine's own event log."""
    events = project / f"{stack}.events"
    events.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *("pulumi", "preview", "--non-interactive", "--stack", stack, "--policy-pack", str(PACK)),
            *("--event-log", str(events), *options),
        ],
        cwd=project,
        # The CLI knows --event-log only so; the Automation API sets the same.
        env={**env, "PULUMI_DEBUG_COMMANDS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    said: dict[str, set[str]] = {"mandatory": set(), "advisory": set()}
    found: set[tuple[str, str]] = set()
    remediated: set[tuple[str, str]] = set()
    for line in events.read_text().splitlines() if events.exists() else ():
        body: dict[str, Any] = json.loads(line)
        if event := body.get("policyEvent"):
            said[event["enforcementLevel"]].add(event["policyName"])
            if event["enforcementLevel"] == "mandatory":
                found.add((event["policyName"], event["resourceUrn"].rpartition("::")[2]))
        if event := body.get("policyRemediationEvent"):
            remediated.add((event["policyName"], event["resourceUrn"].rpartition("::")[2]))
    return Preview(
        done.returncode,
        frozenset(said["mandatory"]),
        frozenset(said["advisory"]),
        done.stdout + done.stderr,
        frozenset(remediated),
        frozenset(found),
    )


def found_in(result: Preview, component: str) -> frozenset[tuple[str, str]]:
    """Return what blocks in one of several components, with names as they are in the stack itself."""
    return frozenset(
        (policy, f"tap-{name.removeprefix(f'{component}-')}")
        for policy, name in result.found
        if name.startswith(f"{component}-")
    )

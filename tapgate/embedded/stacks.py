"""Stacks of the embedded backend, which is a folder: made by writing a file, in no time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tapgate.embedded.environment import state_folder
from tapgate.embedded.failure import Failure
from tapgate.embedded.places import ROOT, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SALT = "v1:YckHv4jzYho=:v1:vG5ZCc+2uVe3TcUM:f5sywG81yJaJXuzbV28/HUz5PTLgCw=="
"""The passphrase provider's salt for the stand-in passphrase; the same in every embedded stack."""
_STACK_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def configured_stacks(root: Path = ROOT) -> list[str]:
    """The stacks that have a `Pulumi.<stack>.yaml`, sorted."""
    return sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in root.glob("Pulumi.*.yaml"))


def ensure_stacks(names: Iterable[str], root: Path = ROOT, state: Path | None = None) -> None:
    """Create those of the named stacks that the embedded backend does not have yet, empty.

    Args:
        names: Their names.
        root: The project.
        state: The backend's folder; by default the one that holds here.
    """
    project = _project_name(root)
    if project is None:
        return
    folder = (state or state_folder(root)) / ".pulumi"
    if not (folder / "meta.yaml").exists():
        write_atomically(folder / "meta.yaml", "version: 1\n")
    for name in names:
        if not _STACK_NAME.fullmatch(name):
            raise Failure(
                f"{name!r} cannot be the name of a stack",
                why="a stack's name has letters, digits, dots, hyphens and underscores, 100 at most",
                fix="give another name to --stack-init",
            )
        path = folder / "stacks" / project / f"{name}.json"
        if not path.exists():
            write_atomically(path, _empty_stack(project, name))


def _project_name(root: Path) -> str | None:
    try:
        text = (root / "Pulumi.yaml").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"""^name:\s*["']?([\w.-]+)""", text, re.MULTILINE | re.ASCII)
    return found[1] if found else None


def _empty_stack(project: str, name: str) -> str:
    secrets = {"type": "passphrase", "state": {"salt": SALT}}
    manifest = {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}
    latest = {"manifest": manifest, "secrets_providers": secrets, "metadata": {}}
    stack = f"organization/{project}/{name}"
    return json.dumps({"version": 3, "checkpoint": {"stack": stack, "latest": latest}})

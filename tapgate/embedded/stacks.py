"""Stacks of the embedded backend, which is a folder: made and removed as files, in no time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from tapgate.embedded.environment import MARK, PASSPHRASE, state_folder
from tapgate.embedded.failure import Failure
from tapgate.embedded.places import ROOT, write_atomically
from tapgate.embedded.stack_files import SALT, embedded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STACK_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


class EmbeddedStacks:
    """The stacks of one folder backend that has the stand-in passphrase.

    Args:
        folder: The backend's folder.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not exist."""
        self._folder = folder / ".pulumi"

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> EmbeddedStacks | None:
        """Return the backend of a prepared environment; None when it is another one than was prepared."""
        url = urlsplit(variables.get("PULUMI_BACKEND_URL", ""))
        prepared = variables.get(MARK) == "embedded" and url.scheme == "file"
        if not prepared or variables.get("PULUMI_CONFIG_PASSPHRASE") != PASSPHRASE:
            return None
        return cls(Path(unquote(url.path)))

    def has(self, project: str, name: str) -> bool:
        """Say whether the stack is there."""
        return self.path(project, name).exists()

    def create(self, project: str, name: str) -> bool:
        """Create the stack, empty; False when it is there already."""
        if not (self._folder / "meta.yaml").exists():
            write_atomically(self._folder / "meta.yaml", "version: 1\n")
        path = self.path(project, name)
        if path.exists():
            return False
        write_atomically(path, _empty_stack(project, path.stem))
        return True

    def remove(self, project: str, name: str) -> None:
        """Remove the stack, unless it has resources."""
        path = self.path(project, name)
        try:
            state = cast("dict[str, dict[str, dict[str, object]]]", json.loads(path.read_text("utf-8")))
            if state["checkpoint"]["latest"].get("resources"):
                return
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return
        for one in (path, path.with_name(f"{path.name}.bak")):
            one.unlink(missing_ok=True)

    def config(self, text: str, project: str) -> tuple[str, Sequence[str]]:
        """Return a stack's file as this backend can use it, and what in it is not the team's."""
        adapted = embedded(text, project)
        return adapted.text, adapted.notes

    def path(self, project: str, name: str) -> Path:
        """Return the file with a stack's state."""
        return self._folder / "stacks" / project / f"{name.rsplit('/', 1)[-1]}.json"


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
    stacks = EmbeddedStacks(state or state_folder(root))
    for name in names:
        if not _STACK_NAME.fullmatch(name):
            raise Failure(
                f"{name!r} cannot be the name of a stack",
                why="a stack's name has letters, digits, dots, hyphens and underscores, 100 at most",
                fix="give another name to --stack-init",
            )
        stacks.create(project, name)


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

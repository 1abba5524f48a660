"""Find a Pulumi CLI: the user's own, else the official installer's, else one built with Go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.console import Failure, say
from tapgate.embedded.environment import is_stand_in_folder
from tapgate.embedded.paths import cache_root, is_sealed
from tapgate.embedded.toolchain import go_build, official
from tapgate.embedded.toolchain.executable import MINIMUM, Cli, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

FORCED = "TAP_PULUMI"
"""Environment variable that names the CLI to use: the executable, or the folder that it is in."""


def find() -> Cli:
    """Return a usable CLI, installing or building one where there is none.

    What is there already goes before what would have to be downloaded.
    """
    found = find_forced() or at_hand() or official.install() or go_build.build()
    if found is None:
        raise _nothing()
    return found


def at_hand() -> Cli | None:
    """A usable CLI that needs no download: on PATH, or in the cache."""
    return _on_path() or official.installed() or go_build.built()


def require_unchanged(path: str) -> None:
    """Refuse a CLI of the cache that is on PATH already and is not what was put there.

    Args:
        path: PATH of an environment that was prepared earlier.

    Raises:
        Failure: it was changed since.
    """
    for folder in (Path(entry) for entry in path.split(os.pathsep) if entry):
        if folder.parent.parent != cache_root() or not (folder / "pulumi").exists():
            continue
        if not is_sealed(folder.parent, go_build.vouched_for(folder.parent.name)):
            raise Failure(
                "The Pulumi CLI in the cache is not what was put there",
                where=str(folder.parent),
                why="whatever wrote to it would decide every verdict from here on",
                fix="run the command outside of the prepared environment (leave its shell): it is made again",
            )


def find_forced() -> Cli | None:
    """The CLI that the user names, None when none is named; one that cannot be used is not passed over."""
    named = os.environ.get(FORCED)
    if not named:
        return None
    path = Path(named, "pulumi") if Path(named).is_dir() else Path(named)
    found = inspect(path.absolute(), f"named by {FORCED}")
    if isinstance(found, Cli):
        return found
    raise Failure(
        "The Pulumi CLI that was asked for cannot be used",
        where=f"{FORCED}={named}",
        why=found.reason,
        fix=f"name a Pulumi CLI {MINIMUM} or newer, or unset {FORCED} to let one be found",
    )


def _on_path() -> Cli | None:
    for path in _candidates():
        found = inspect(path, "found on PATH")
        if isinstance(found, Cli):
            return found
        say(f"passing over {path}: {found.reason}")
    return None


def _candidates() -> Iterator[Path]:
    """Every `pulumi` on PATH, each once, in PATH's order."""
    seen: set[Path] = set()
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(entry, "pulumi")
        if is_stand_in_folder(entry):
            continue  # It starts the CLI that is searched for.
        if path not in seen and os.access(path, os.X_OK) and not path.is_dir():
            seen.add(path)
            yield path


def _nothing() -> Failure:
    return Failure(
        "No Pulumi CLI is there, and none can be got on this machine",
        why="the gate runs the real engine; its download cannot be reached, and no Go is there to build it",
        fix=f"install the Pulumi CLI {MINIMUM} or newer (https://www.pulumi.com/docs/install/) and put it on "
        f"PATH, or name it in {FORCED}; or install Go (https://go.dev/dl/) and run the command again",
    )

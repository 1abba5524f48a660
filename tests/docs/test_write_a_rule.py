"""docs/write-a-rule.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.environment import MARK, is_stand_in_folder
from tapgate.embedded.paths import checkout_folder
from tests.docs.blocks import SHELLS, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.docs.blocks import Block

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-rule.md"
LEFT_BEHIND = shutil.ignore_patterns(".*", "dist", "build", "node_modules")
ABOUT_THIS_RUN = ("PYTEST_", "COV_", "COVERAGE_")


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    copy = Path(shutil.copytree(ROOT, tmp_path / "repository", ignore=LEFT_BEHIND))
    # In a sandbox a link would lead out of what the program sees.
    shutil.copytree(ROOT / "dist", copy / "dist")
    yield copy
    # What `python -m tapgate` keeps for a checkout is in the user's cache.
    shutil.rmtree(checkout_folder(copy), ignore_errors=True)


@pytest.fixture
def environment(engine_env: Mapping[str, str]) -> dict[str, str]:
    """The prepared environment, with this interpreter first and nothing of this run of pytest.

    Without its stand-ins, which are this checkout's: the copy prepares its own.
    """
    kept = {
        name: value
        for name, value in engine_env.items()
        if name != MARK and not name.startswith(ABOUT_THIS_RUN)
    }
    path = [one for one in kept["PATH"].split(os.pathsep) if not is_stand_in_folder(one)]
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), *path]), "NO_COLOR": "1"}


@pytest.mark.cli
@pytest.mark.uncounted
def test_the_page_holds_to_the_letter(repository: Path, environment: Mapping[str, str]) -> None:
    said, written, run = "", 0, 0
    for block in blocks(PAGE):
        if re.match(r"(Create|Append to) `", block.lead):
            write(block, repository)
            written += 1
        elif block.language in SHELLS and "not run by tests" not in block.lead:
            said = follow(block, repository, environment)
            run += 1
        elif block.language == "text":
            in_order(block, said)
    assert (written, run) == (4, 4)


def write(block: Block, repository: Path) -> None:
    """Write the file that the line before the block names."""
    action, path = re.fullmatch(r"(Create|Append to) `([^`]+)`:", block.lead).groups()  # type: ignore[union-attr]
    target = repository / path
    assert target.exists() == (action == "Append to"), f"{block}: {action} {path}"
    with target.open("a", encoding="utf-8") as file:
        file.write(block.body)


def follow(block: Block, repository: Path, environment: Mapping[str, str]) -> str:
    """Run the commands of a block; the last one ends as the page says."""
    expected = re.search(r"exits (\d)", block.lead)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.body],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = done.stdout + done.stderr
    assert done.returncode == (int(expected[1]) if expected else 0), f"{block}:\n{said}"
    return said


def in_order(block: Block, said: str) -> None:
    """Find each line of the block in what the command before it said, one after the other."""
    rest = said
    for line in block.body.splitlines():
        assert line in rest, f"{block}: {line!r} is not in\n{said}"
        rest = rest[rest.index(line) + len(line) :]

"""The list of processes, where the system keeps it as files and where it has to be asked."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapgate import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


@pytest.mark.parametrize("there", [True, False])
def test_a_child_is_found(
    child: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: bool,  # noqa: FBT001
) -> None:
    if not there:
        monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    assert child.pid in processes.children()
    assert processes.more_below(os.getpid(), 0)
    assert not processes.more_below(os.getpid(), 1_000_000)

"""An output that is closed or full: exit code 2, never a pass, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", ">&- 2>&-", ">/dev/full 2>/dev/full", "| :"])
@pytest.mark.parametrize("command", ["report missing.json", "doctor"])
def test_nobody_hears_the_answer(redirection: str, command: str) -> None:
    line = f"set -o pipefail; {sys.executable} -m tapgate {command} {redirection}"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("when", ["tapgate.cli", "tapgate.project"])
def test_an_interrupt_while_modules_are_imported_ends_quietly(when: str) -> None:
    """What Ctrl-C does in the first moments, at the import of a module."""
    code = f"""
import builtins, runpy, sys
sys.path.insert(0, {str(ROOT)!r})
def interrupted(event, arguments):
    if event == "import" and arguments[0] == {when!r}:
        raise KeyboardInterrupt
sys.addaudithook(interrupted)
sys.argv = ["tapgate", "init", "--help"]
runpy.run_module("tapgate", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")

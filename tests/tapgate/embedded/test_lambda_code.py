"""The functions' archives: built when something has changed, and only then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.prepare import ARCHIVES, ensure_archives

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = """
import sys
from pathlib import Path

with Path("count").open("a") as count:
    count.write("built\\n")
print("packaging")
{then}
for archive in {archives}:
    Path(archive).parent.mkdir(exist_ok=True)
    Path(archive).write_text("zip")
"""

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a packager that counts how often it is called."""
    root = tmp_path / "checkout"
    for name, text in {
        "lambdas/__init__.py": "",
        "lambdas/package/__main__.py": PACKAGE.format(then="", archives=ARCHIVES),
        "lambdas/processor/app.py": "one",
        "requirements/lambdas.txt": "boto3==1\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def built(root: Path) -> int:
    return len((root / "count").read_text().splitlines())


def test_unchanged_sources_are_not_packaged_again(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ensure_archives(checkout)
    assert ensure_archives(checkout)
    assert built(checkout) == 1
    assert capfd.readouterr() == ("", "packaging\n")


@pytest.mark.parametrize("changed", ["lambdas/processor/app.py", "requirements/lambdas.txt", ARCHIVES[0]])
def test_a_change_is_packaged(checkout: Path, changed: str) -> None:
    ensure_archives(checkout)
    (checkout / changed).write_text("other")
    assert ensure_archives(checkout)
    assert built(checkout) == 2


@pytest.mark.parametrize("gone", ["lambdas/processor/app.py", *ARCHIVES])
def test_a_file_that_has_gone_is_a_change(checkout: Path, gone: str) -> None:
    ensure_archives(checkout)
    (checkout / gone).unlink()
    assert ensure_archives(checkout)
    assert built(checkout) == 2


def test_compiled_files_are_no_change(checkout: Path) -> None:
    ensure_archives(checkout)
    (checkout / "lambdas" / "__pycache__").mkdir(exist_ok=True)
    (checkout / "lambdas" / "__pycache__" / "app.cpython-311.pyc").write_bytes(os.urandom(8))
    assert ensure_archives(checkout)
    assert built(checkout) == 1


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("sys.exit('no wheels to be had')", "did not build dist/api_handler.zip and dist/processor.zip"),
        ("sys.exit(0)", "did not build dist/api_handler.zip and dist/processor.zip"),
    ],
)
def test_a_failure_is_told_and_tried_again(
    checkout: Path, capfd: pytest.CaptureFixture[str], then: str, said: str
) -> None:
    (checkout / "lambdas" / "package" / "__main__.py").write_text(
        PACKAGE.format(then=then, archives=ARCHIVES)
    )
    assert not ensure_archives(checkout)
    assert not ensure_archives(checkout)
    assert built(checkout) == 2
    assert said in capfd.readouterr().err


def test_a_checkout_without_the_packager_is_told_of(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not ensure_archives(tmp_path)
    assert "lambdas/package is missing" in capfd.readouterr().err

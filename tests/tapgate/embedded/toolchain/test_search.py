"""The order in which a CLI is looked for, on machines that have one, several or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.paths import get_or_make
from tapgate.embedded.toolchain import at_hand, find
from tapgate.embedded.toolchain.search import ENTRY_PREFIX, built, entry_folder, installed
from tests.tapgate.embedded.toolchain import fakes

ROOT = Path(__file__).parents[4]

WITHOUT_GO = """
import sys
from tapgate.cli import main
from tapgate.embedded.toolchain import go_build
go_build.USUAL_FOLDERS = ()
sys.exit(main())
"""


def put_on_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]))


def cached(entry: Path, prints: str = "v3.300.1") -> Path:
    """Put a CLI into the cache, as an earlier run would have."""

    def make(folder: Path) -> None:
        fakes.cli(folder / "bin", prints)

    return get_or_make(entry, make, ()) / "bin"


def test_the_users_own_cli_goes_before_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(cache / f"{ENTRY_PREFIX}3.272.0")
    cached(entry_folder())
    fakes.cli(tmp_path / "own", "v3.290.0")
    put_on_path(monkeypatch, tmp_path / "own")
    found = find()
    assert (found.folder, str(found.version), found.way) == (tmp_path / "own", "3.290.0", "found on PATH")


def test_one_that_cannot_be_used_is_passed_over_with_a_word(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.cli(tmp_path / "old", "v3.100.0")
    fakes.cli(tmp_path / "good")
    put_on_path(monkeypatch, *(tmp_path / name for name in ("old", "old", "good")))
    assert find().folder == tmp_path / "good"
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"tapgate: passing over {tmp_path}/old/pulumi: it is version 3.100.0; 3.255.0 or newer is needed",
    ]
    fakes.cli(tmp_path / "bare", hosts=())
    put_on_path(monkeypatch, tmp_path / "bare")
    assert at_hand() is None
    assert "bare/pulumi: its language hosts are missing" in capsys.readouterr().err
    assert not (cache / "checkouts").exists()


def test_what_the_installer_left_goes_before_what_was_built(cache: Path) -> None:
    built_folder = cached(entry_folder())
    assert at_hand() == built()
    assert at_hand() == find()
    assert find().folder == built_folder
    official = cached(cache / f"{ENTRY_PREFIX}3.272.0")
    assert at_hand() == installed()
    assert find().folder == official


def test_the_newest_usable_installation_is_taken(cache: Path) -> None:
    cached(cache / f"{ENTRY_PREFIX}3.270.0")
    cached(cache / f"{ENTRY_PREFIX}3.271.0", "nonsense")
    (cached(cache / f"{ENTRY_PREFIX}3.272.0") / "pulumi").unlink()
    found = installed()
    assert found is not None
    assert found.folder == cache / f"{ENTRY_PREFIX}3.270.0" / "bin"


def test_a_broken_build_counts_as_none(cache: Path) -> None:
    folder = cached(entry_folder())
    assert built() is not None
    fakes.script(folder / "pulumi", "echo v3.300.1 # longer than it was when the entry was finished")
    assert cache in folder.parents
    assert built() is None
    assert at_hand() is None


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["", "pulumi"])
def test_a_named_cli_goes_before_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    fakes.cli(tmp_path / "own")
    named = fakes.cli(tmp_path / "named", "v3.260.0")
    put_on_path(monkeypatch, tmp_path / "own")
    monkeypatch.setenv("TAP_PULUMI", str(tmp_path / "named" / name))
    found = find()
    assert (found.folder, found.way) == (named.parent, "named by TAP_PULUMI")


@pytest.mark.usefixtures("cache")
def test_a_named_cli_that_cannot_be_used_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(monkeypatch, fakes.cli(tmp_path / "own").parent)
    monkeypatch.setenv("TAP_PULUMI", str(fakes.cli(tmp_path / "old", "v3.1.0")))
    with pytest.raises(Failure) as failure:
        find()
    assert str(failure.value).splitlines() == [
        "The Pulumi CLI that was asked for cannot be used.",
        f"  Where: TAP_PULUMI={tmp_path}/old/pulumi",
        "  Why: it is version 3.1.0; 3.255.0 or newer is needed",
        "  Fix: name a Pulumi CLI 3.255.0 or newer, or unset TAP_PULUMI to let one be found",
    ]


@pytest.mark.usefixtures("cache")
def test_with_nothing_at_all_the_search_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(Failure, match="No Pulumi CLI is there, and none can be got"):
        find()


def test_with_nothing_at_all_there_is_one_clear_message(tmp_path: Path) -> None:
    """No CLI, no Go, no network: the whole command, in a process of its own."""
    (tmp_path / "empty").mkdir()
    outcome = subprocess.run(
        [sys.executable, "-c", WITHOUT_GO, "exec", "--", "true"],
        cwd=ROOT,
        env={
            "PATH": str(tmp_path / "empty"),
            "HOME": str(tmp_path),
            "https_proxy": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    reached, *said = outcome.stderr.splitlines()
    assert reached.startswith("tapgate: the official installer cannot be reached (")
    text = " ".join(" ".join(said).split())
    assert text.startswith("COULD NOT RUN No Pulumi CLI is there, and none can be got on this machine.")
    assert "its download cannot be reached, and no Go is there to build it" in text
    assert "fix install the Pulumi CLI 3.255.0 or newer (https://www.pulumi.com/docs/install/)" in text
    assert text.endswith("install Go (https://go.dev/dl/) and run the command again")

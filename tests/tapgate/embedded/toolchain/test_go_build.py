"""Building with Go: what is asked of it, and what is said when it cannot do it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.paths import MANIFEST, is_complete, tree_digest
from tapgate.embedded.toolchain import find, go_build, require_unchanged, search
from tests.tapgate.embedded.toolchain import fakes

if TYPE_CHECKING:
    from collections.abc import Callable

GO = """
case "$1" in
env) echo {release} ;;
list) echo {sdk} ;;
build)
  echo "$GOTOOLCHAIN|$CGO_ENABLED|$GOFLAGS|$GOWORK|$PWD" > {log}
  for cache in "$GOCACHE" "$GOMODCACHE" "$GOPATH" "$GOTMPDIR"; do
    echo "$cache" >> {caches}
    mkdir -p "$cache/module@v1" && touch "$cache/module@v1/file" && chmod 555 "$cache/module@v1"
  done
  {fail}
  while [ "$1" != -o ]; do shift; done
  for name in pulumi pulumi-language-yaml pulumi-language-python; do
    printf '#!/bin/sh\\necho {prints}\\n' > "$2$name"
    chmod +x "$2$name"
  done
  ;;
esac
"""


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """The folder of the SDK's module, with the scripts that belong beside the language host."""
    for name in go_build.SCRIPTS:
        (tmp_path / "sdk" / name).parent.mkdir(parents=True)
        (tmp_path / "sdk" / name).write_text("#!/usr/bin/env python\n")
    return tmp_path / "sdk"


class Machine:
    """A machine with a `go` on PATH."""

    def __init__(self, folder: Path, sdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = folder / "build.log"
        self.caches = folder / "caches.log"
        self.sdk = sdk
        self.go = folder / "go" / "bin" / "go"
        monkeypatch.setenv("PATH", f"{self.go.parent}:/usr/bin:/bin")

    def install_go(self, release: str = "go1.99.0", fail: str = "", prints: str = "v3.259.0") -> None:
        body = GO.format(
            release=release, sdk=self.sdk, log=self.log, caches=self.caches, fail=fail, prints=prints
        )
        fakes.script(self.go, body)


@pytest.fixture
def machine(cache: Path, tmp_path: Path, sdk: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    assert not cache.exists()
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return Machine(tmp_path, sdk, monkeypatch)


def test_a_build_is_usable_and_kept(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.install_go()
    found = find()
    assert (str(found.version), found.way) == ("3.259.0", "built with Go")
    assert found.folder == search.entry_folder() / "bin"
    assert search.is_build(found.folder)
    assert [(found.folder / Path(name).name).stat().st_mode & 0o777 for name in go_build.SCRIPTS] == [
        0o755
    ] * 2
    said = capsys.readouterr().err
    assert "tapgate: the official installer cannot be reached" in said
    assert "tapgate: building the Pulumi CLI v3.259.0 with Go: 5 to 7 minutes on two cores, once" in said
    assert "tapgate: built in 0 s" in said
    machine.go.unlink()
    assert find() == found


def _attack(entry: Path) -> None:
    """Run the program that replaces the language host by a file of the same size."""
    program = Path(__file__).parents[2] / "fixtures" / "attacks" / "poison" / "__main__.py"
    environment = {"PATH": f"{entry / 'bin'}:/usr/bin:/bin"}
    subprocess.run([sys.executable, program], env=environment, check=True)


def _same_size_and_time(entry: Path) -> None:
    path = entry / "bin" / "pulumi-language-python-exec"
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _beside(entry: Path) -> None:
    fakes.script(entry / "bin" / "pulumi-resource-random", "exit 0")


def _with_its_manifest(entry: Path) -> None:
    fakes.script(entry / "bin" / "pulumi-language-yaml", "exec evil")
    files = [one for one in entry.rglob("*") if one.is_file() and one.name != MANIFEST]
    sizes = {str(one.relative_to(entry)): one.stat().st_size for one in files}
    (entry / MANIFEST).write_text(json.dumps(sizes))


def _link(entry: Path) -> None:
    path = entry / "bin" / "pulumi-language-yaml"
    path.rename(entry.parent / "evil")
    path.symlink_to(entry.parent / "evil")


def _restored(entry: Path) -> None:
    """Have the cache from another machine, which nothing here vouches for."""
    (Path(os.environ["XDG_STATE_HOME"]) / "tap-guardrails").rename(entry.parent.parent / "state-of-another")


@pytest.mark.parametrize(
    "way",
    [_attack, _same_size_and_time, _beside, _with_its_manifest, _link, _restored],
    ids=lambda one: one.__name__,
)
def test_what_was_changed_in_the_cache_is_built_again(
    machine: Machine, capsys: pytest.CaptureFixture[str], way: Callable[[Path], None]
) -> None:
    machine.install_go(prints="v3.259.0; : " + "x" * 900)
    entry = find().folder.parent
    before = tree_digest(entry)
    way(entry)
    assert is_complete(entry)
    with pytest.raises(Failure, match="is not what was put there"):
        require_unchanged(f"/usr/bin:{entry / 'bin'}")
    capsys.readouterr()
    assert find().folder.parent == entry
    assert "is not what was put there, or nothing vouches for it: it is made again" in capsys.readouterr().err
    assert tree_digest(entry) == before
    require_unchanged(f"/usr/bin:{entry / 'bin'}")


def test_what_the_sources_vouch_for_is_used_wherever_it_comes_from(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_go()
    entry = find().folder.parent
    pinned = tmp_path / "digests.json"
    pinned.write_text(json.dumps({entry.name: {"go1.99.0 plan9/mips": tree_digest(entry)}}))
    monkeypatch.setattr(search, "DIGESTS", pinned)
    _restored(entry)
    machine.install_go(fail="exit 1")
    assert find().folder.parent == entry
    _beside(entry)
    with pytest.raises(Failure, match="go build"):
        find()


def test_this_very_toolchain_is_vouched_for() -> None:
    """After a change of its sources call `go_build.pin()`, which builds them and writes the digest down."""
    pinned = json.loads(search.DIGESTS.read_text())
    assert pinned.keys() == {search.entry_folder().name}
    found, go = search.built(), go_build.find_go()
    if found is None or go is None:
        pytest.skip("there is no CLI that was built with Go here")
    said = subprocess.run(
        [go, "version", found.folder / "pulumi"], capture_output=True, text=True, check=True
    )
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    platform = f"{said.stdout.split()[-1]} {sys.platform}/{machine}"
    if platform not in pinned[search.entry_folder().name]:
        pytest.skip(f"nothing vouches for what {platform} builds")
    assert tree_digest(found.folder.parent) == pinned[search.entry_folder().name][platform]


def test_the_build_is_shielded_from_the_users_settings(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_go()
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOWORK", "/elsewhere/go.work")
    monkeypatch.setenv("CGO_ENABLED", "1")
    go_build.build()
    assert machine.log.read_text().strip() == f"local|0|-modcacherw|off|{search.SOURCES}"


def test_an_older_go_may_fetch_the_release_that_is_needed(machine: Machine) -> None:
    machine.install_go("go1.21.3")
    go_build.build()
    assert machine.log.read_text().startswith("go1.25.11+auto|")


@pytest.mark.parametrize(("release", "printed"), [("go1.20.14", "1.20.14"), ("devel", "0")])
def test_a_go_that_is_too_old_is_refused(machine: Machine, release: str, printed: str) -> None:
    machine.install_go(release)
    with pytest.raises(Failure, match=f"^Go {printed} is too old to build the Pulumi CLI\\."):
        go_build.build()


def test_a_failed_build_says_what_go_said(machine: Machine, cache: Path) -> None:
    machine.install_go(fail='for i in 1 2 3 4 5 6 7 8 9; do echo "line $i" >&2; done; exit 1')
    with pytest.raises(Failure) as failure:
        go_build.build()
    text = str(failure.value)
    assert text.startswith("`go build` failed with exit code 1.\n")
    assert "line 1\n" not in text
    assert "line 2\nline 3\n" in text
    assert "line 9\n  Fix: if modules could not be downloaded" in text
    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == []


@pytest.mark.parametrize("fail", ["", "exit 1"])
def test_the_build_has_caches_of_its_own_and_leaves_nothing_of_them(
    machine: Machine, cache: Path, monkeypatch: pytest.MonkeyPatch, fail: str
) -> None:
    for name in ("GOCACHE", "GOMODCACHE", "GOPATH", "GOTMPDIR"):
        monkeypatch.setenv(name, "/of/the/user")
    machine.install_go(fail=fail)
    with contextlib.suppress(Failure) if fail else contextlib.nullcontext():
        go_build.build()
    used = [Path(line) for line in machine.caches.read_text().splitlines()]
    assert len(set(used)) == 4
    assert all(cache in path.parents for path in used)
    assert [path for path in cache.rglob("*") if "module@v1" in path.name or path.name == "scratch"] == []
    assert search.entry_folder().exists() == (not fail)


def test_a_build_of_another_version_is_not_used(machine: Machine) -> None:
    machine.install_go(prints="v3.1.0")
    with pytest.raises(Failure, match="was built but cannot be used"):
        go_build.build()


def test_a_go_that_cannot_be_run_is_named(machine: Machine) -> None:
    machine.go.parent.mkdir(parents=True)
    machine.go.write_bytes(b"\x7fELF\x02" + bytes(60))
    machine.go.chmod(0o755)
    with pytest.raises(Failure) as failure:
        go_build.build()
    assert str(failure.value).startswith(f"Go cannot be run.\n  Where: {machine.go}\n")


@pytest.mark.usefixtures("cache")
def test_go_may_be_where_its_installers_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert go_build.find_go() is None
    assert go_build.build() is None
    go = fakes.script(tmp_path / "usual" / "go", "exit 0")
    monkeypatch.setattr(go_build, "USUAL_FOLDERS", (str(tmp_path / "absent"), str(go.parent)))
    assert go_build.find_go() == go


def test_each_state_of_the_sources_has_an_entry_of_its_own(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search.entry_folder()
    assert first.parent == cache
    assert first == search.entry_folder()
    sources = tmp_path / "sources"
    shutil.copytree(search.SOURCES, sources)
    monkeypatch.setattr(search, "SOURCES", sources)
    (sources / "pulumi-language-python" / "packages.pyc").write_bytes(b"whoever compiles all of the project")
    assert search.entry_folder() == first
    host = sources / "pulumi-language-python" / "main.go"
    host.write_text(host.read_text().replace("2 * time.Second", "3 * time.Second"))
    second = search.entry_folder()
    assert second != first
    (sources / "go.mod").write_text("module x\n")
    with pytest.raises(Failure, match=r"go\.mod does not name"):
        search.entry_folder()

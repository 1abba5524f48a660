"""Build the Pulumi CLI and its language hosts from the Go module proxy, at the versions of `cli/go.mod`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import cast

from tapgate.embedded.console import Failure, elapsed, say, still_going
from tapgate.embedded.paths import get_or_make, remove_tree, tree_digest
from tapgate.embedded.toolchain.search import (
    BUILT,
    DIGESTS,
    SDK_MODULE,
    SOURCES,
    Cli,
    Unusable,
    entry_folder,
    executable_of,
    go_mod,
    inspect,
    pulumi_version,
    vouched_for,
)

INSTALL_PAGE = "https://www.pulumi.com/docs/install/"
PACKAGES = (
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    "./pulumi-language-python",
)
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""What Pulumi's own distribution puts beside the Python language host, taken from the SDK's module."""

USUAL_FOLDERS = ("/usr/local/go/bin", "/usr/lib/go/bin", "/opt/homebrew/bin", "/snap/bin")
_FIRST_WITH_TOOLCHAINS = (1, 21)
_CACHES = {"GOPATH": "path", "GOMODCACHE": "modules", "GOCACHE": "objects", "GOTMPDIR": "work"}
"""What Go fills with some 3 GB that are not needed after the build, and the folder of each."""


def build() -> Cli | None:
    """Build the CLI; None when there is no Go that could."""
    go = find_go()
    if go is None:
        return None
    entry = entry_folder()
    get_or_make(entry, lambda folder: _compile(go, folder), vouched_for(entry.name))
    cli = inspect(executable_of(entry), BUILT)
    if isinstance(cli, Unusable):
        raise Failure(
            "The Pulumi CLI was built but cannot be used",
            where=str(cli.path),
            why=cli.reason,
            fix=f"remove {entry} and run the command again",
        )
    return cli


def pin() -> None:
    """Build with the Go at hand, and write down its digest; for a change of the sources."""
    go, entry = find_go(), entry_folder()
    if go is None or build() is None:
        raise Failure("There is no Go to build with", fix="install it from https://go.dev/dl/")
    release, system, machine = _go(go, dict(os.environ), "env", "GOVERSION", "GOOS", "GOARCH").split()
    pinned = cast("dict[str, dict[str, str]]", json.loads(DIGESTS.read_text("utf-8"))).get(entry.name, {})
    pinned[f"{release} {system}/{machine}"] = tree_digest(entry)
    DIGESTS.write_text(json.dumps({entry.name: pinned}, indent=1) + "\n", "utf-8")


def find_go() -> Path | None:
    """The `go` on PATH, or in one of the folders that its installers use."""
    on_path = shutil.which("go")
    if on_path is not None:
        return Path(on_path)
    return next(
        (path for folder_of_go in USUAL_FOLDERS if os.access(path := Path(folder_of_go, "go"), os.X_OK)), None
    )


def _compile(go: Path, folder: Path) -> None:
    # Inside the unfinished entry: what a build that is killed leaves goes with it.
    scratch = folder / "scratch"
    try:
        _build_into(folder / "bin", go, _go_environment(go, scratch))
    finally:
        remove_tree(scratch)


def _build_into(binaries: Path, go: Path, environment: dict[str, str]) -> None:
    version = pulumi_version()
    binaries.mkdir()
    say(f"building the Pulumi CLI {version} with Go: 5 to 7 minutes on two cores, once")
    started = time.monotonic()
    flags = f"-s -w -X {SDK_MODULE}/go/common/version.Version={version}"
    options = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", flags]
    with still_going("building the Pulumi CLI"):
        _go(go, environment, "build", *options, "-o", f"{binaries}{os.sep}", *PACKAGES)
        sdk = _go(go, environment, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK_MODULE).strip()
    for script in SCRIPTS:
        placed = binaries / Path(script).name
        shutil.copyfile(Path(sdk, script), placed)
        placed.chmod(0o755)
    say(f"built in {elapsed(time.monotonic() - started)}")


def _go_environment(go: Path, scratch: Path) -> dict[str, str]:
    """The environment of the build: the user's, with caches of its own, without what would break it."""
    caches = {name: scratch / folder for name, folder in _CACHES.items()}
    for cache in caches.values():
        cache.mkdir(parents=True)
    environment = {
        **os.environ,
        **{name: str(cache) for name, cache in caches.items()},
        "CGO_ENABLED": "0",
        # Else Go takes the right to remove a module away.
        "GOFLAGS": "-modcacherw",
        "GOWORK": "off",
        "GO111MODULE": "on",
    }
    have = _go_release(
        _go(go, {**environment, "GOTOOLCHAIN": "local"}, "env", "GOVERSION", folder=Path.home())
    )
    need = _go_release(_required_go())
    if have >= need:
        return {**environment, "GOTOOLCHAIN": "local"}
    if have < _FIRST_WITH_TOOLCHAINS:
        raise Failure(
            f"Go {'.'.join(map(str, have))} is too old to build the Pulumi CLI",
            where=str(go),
            why=f"its sources need Go {_required_go()}",
            fix=f"install a newer Go (https://go.dev/dl/) or the Pulumi CLI ({INSTALL_PAGE})",
        )
    return {**environment, "GOTOOLCHAIN": f"go{_required_go()}+auto"}


def _required_go() -> str:
    match = re.search(r"^go (\S+)", go_mod(), re.MULTILINE)
    return match[1] if match else "1.21"


def _go_release(text: str) -> tuple[int, ...]:
    """The numbers of `go1.26.8` or `1.25.11`; (0,) for a development version."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else (0,)


def _go(go: Path, environment: dict[str, str], *arguments: str, folder: Path = SOURCES) -> str:
    """Run Go in the folder of the sources and return what it printed."""
    try:
        outcome = subprocess.run(
            [go, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Failure("Go cannot be run", where=str(go), why=str(error), fix="install Go again") from error
    if outcome.returncode:
        raise Failure(
            f"`go {arguments[0]}` failed with exit code {outcome.returncode}",
            where=str(SOURCES),
            why="\n".join(["its last lines were:", *outcome.stderr.strip().splitlines()[-8:]]),
            fix="if modules could not be downloaded, let the Go module proxy (GOPROXY) be reached; or "
            f"install the Pulumi CLI ({INSTALL_PAGE})",
        )
    return outcome.stdout

"""Where the embedded default keeps its files: in the user's cache folder, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar, cast

from tapgate.embedded.console import Failure, elapsed, say, still_going

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that this package belongs to."""
SCHEMAS = "aws-schema"
"""The folder, in the cache, of the package's schema, which YAML programs are typed by."""
ENVIRONMENTS = "program-environments"
"""The folder, in the cache, of the environments of programs."""


def cache_root() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/tap-guardrails`.

    A relative XDG_CACHE_HOME is ignored, as its standard asks.
    """
    return _own_folder(
        "XDG_CACHE_HOME", ".cache", "for caches", "the Pulumi CLI and the local state are kept there"
    )


def _own_folder(variable: str, usual: str, what: str, why: str) -> Path:
    named = os.environ.get(variable, "")
    try:
        return (Path(named) if Path(named).is_absolute() else Path.home() / usual) / "tap-guardrails"
    except RuntimeError as error:
        raise Failure(
            f"No folder {what} can be found",
            why=why,
            fix=f"set HOME or {variable} to a folder that can be written to",
        ) from error


def checkout_folder(root: Path = ROOT) -> Path:
    """The cache folder of one checkout: its state, its Pulumi home, its stand-ins."""
    key = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    return cache_root() / "checkouts" / f"{root.name}-{key}"


def make_folder(path: Path) -> Path:
    """Create the folder and its parents, or say what keeps it from being created."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            "A folder cannot be created",
            where=str(path),
            why=f"{error.strerror}; the Pulumi CLI and the local state are kept there",
            fix="make it writable, or set XDG_CACHE_HOME to a folder that is",
        ) from error
    return path


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put a file in place whole: readers see the old text or the new one."""
    make_folder(path.parent)
    # A name of its own for each writer: threads of one process may put the same file in place at once.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        partial.chmod(mode)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


Value = TypeVar("Value", str, int)


def read_object(path: Path, of: type[Value]) -> dict[str, Value]:
    """The object in the file; empty when there is no file or anything else is in it."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    members = cast("dict[str, object]", content)
    return {key: value for key, value in members.items() if isinstance(value, of)}


MANIFEST = "complete.json"
DAY = 24 * 60 * 60
"""In seconds."""


def is_complete(entry: Path) -> bool:
    """Say whether every file that the entry was finished with is there, with its size."""
    sizes = read_object(entry / MANIFEST, int)
    try:
        return bool(sizes) and all((entry / name).stat().st_size == size for name, size in sizes.items())
    except OSError:
        return False


def state_root() -> Path:
    """`${XDG_STATE_HOME:-~/.local/state}/tap-guardrails`: what no cache may say of itself."""
    why = "the digest of the Pulumi CLI is kept there, apart from the CLI"
    return _own_folder("XDG_STATE_HOME", ".local/state", "for what this machine vouches for", why)


def is_sealed(entry: Path, known: Collection[str] = ()) -> bool:
    """Say whether an entry is what was put there, to the byte, and has nothing besides.

    A cache may come from another machine, or a program may have written to it: its own word counts for
    nothing. The digest is remembered elsewhere, with what the system says of the files: as long as that is
    the same (of their inodes no one but the system sets the time of change), none of them is read.
    """
    try:
        seal, stamp = read_object(_seal(entry), str), _stamp(entry)
        if seal.get("stamp") == stamp:
            return True
        digest = tree_digest(entry)
    except OSError:
        return False
    if not digest or digest not in {*known, seal.get("digest")}:
        return False
    _remember(entry, digest, stamp)
    return True


def tree_digest(entry: Path) -> str:
    """Return a digest of all files of an entry; nothing when there is anything but files and folders."""
    total = hashlib.sha256()
    for path, status in _tree(entry):
        if status == "other":
            return ""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(entry)}\0{digest}\n".encode())
    return total.hexdigest()


def _stamp(entry: Path) -> str:
    total = hashlib.sha256()
    for path, status in _tree(entry):
        one = path.lstat()
        about = f"{status}|{one.st_dev}|{one.st_ino}|{one.st_size}|{one.st_mtime_ns}|{one.st_ctime_ns}"
        total.update(f"{path.relative_to(entry)}|{about}\n".encode())
    return total.hexdigest()


def _tree(entry: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(entry.rglob("*")):
        own = not path.is_symlink()
        if not (own and path.is_dir()) and path != entry / MANIFEST:
            yield path, "file" if own and path.is_file() else "other"


def _seal(entry: Path) -> Path:
    return state_root() / "seals" / f"{hashlib.sha256(os.fsencode(entry.absolute())).hexdigest()[:24]}.json"


def _remember(entry: Path, digest: str, stamp: str) -> None:
    # Where it cannot be kept, what is vouched for is read each time, and anything else made each time.
    with suppress(OSError, Failure):
        write_atomically(_seal(entry), json.dumps({"entry": str(entry), "digest": digest, "stamp": stamp}))


def get_or_make(entry: Path, make: Callable[[Path], None], known: Collection[str] | None = None) -> Path:
    """Return the entry, made by `make(empty folder)` when it is missing or broken.

    The folder is filled beside its final place and renamed, so that a run that is killed leaves no half
    entry. Of two runs at once one makes it; the other waits, says so, and finds it made.

    Args:
        entry: The entry.
        make: Makes it.
        known: For one that is sealed: the digests that the tool's own sources vouch for.
    """

    def usable() -> bool:
        return is_complete(entry) and (known is None or is_sealed(entry, known))

    if usable():
        return entry
    make_folder(entry.parent)
    with locked(entry.with_name(f".{entry.name}.lock")):
        if usable():
            return entry
        if is_complete(entry):
            say(f"{entry} is not what was put there, or nothing vouches for it: it is made again")
        _remove_abandoned(entry)
        partial = Path(tempfile.mkdtemp(prefix=f".{entry.name}.partial-", dir=entry.parent))
        try:
            make(partial)
            _finish(partial)
            partial.chmod(0o755)
            partial.replace(entry)
            if known is not None:
                _remember(entry, tree_digest(entry), _stamp(entry))
        finally:
            remove_tree(partial)
    return entry


held: dict[Path, int] = {}
"""The locks by which this process keeps what it uses."""


def hold(entry: Path, make: Callable[[Path], None]) -> Path:
    """Return an entry as `get_or_make` does, and keep every run from removing it until this process ends."""
    lock = entry.with_name(f".{entry.name}.lock")
    if entry in held:
        os.close(held.pop(entry))
    while True:
        get_or_make(entry, make)
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return entry  # Where nothing can be written, nothing is removed.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if is_complete(entry):
            with suppress(OSError):
                os.utime(entry / MANIFEST)
            held[entry] = descriptor
            return entry
        os.close(descriptor)  # It was removed between the two.


def once_a_day(name: str) -> bool:
    """Return whether something is due that runs do once a day, and count this run as the one that does it."""
    stamp, now = cache_root() / f".{name}", time.time()
    with suppress(OSError):
        if 0 <= now - stamp.stat().st_mtime < DAY:
            return False
    with suppress(OSError):
        stamp.touch()
        os.utime(stamp, (now, now))
        return True
    return False


def remove_tree(folder: Path) -> None:
    """Remove a folder, if there is one, with the folders in it that may not be written to (Go's modules)."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _finish(folder: Path) -> None:
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / MANIFEST).write_text(json.dumps(sizes, indent=1), encoding="utf-8")


def _remove_abandoned(entry: Path) -> None:
    """Remove a broken entry and the partial folders of runs that were killed; only the lock's holder may."""
    for left in (entry, *entry.parent.glob(f".{entry.name}.partial-*")):
        if left.exists():
            say(f"removing what an interrupted run left: {left}")
            remove_tree(left)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock; while another run holds it, wait and say so."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            started = time.monotonic()
            say("another run is preparing the toolchain; waiting for it")
            with still_going("waiting for the other run"):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            say(f"the other run has finished ({elapsed(time.monotonic() - started)})")
        yield
    finally:
        os.close(descriptor)

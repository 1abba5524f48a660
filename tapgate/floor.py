"""The operator's guardrails: a folder with config, waivers and allow lists, which a team may only tighten."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Final, cast

import yaml

from tapgate.findings import CouldNotRunError, Guardrails
from tapgate.json_access import mapping, sanitized_lines, sequence
from tapgate.registry import StrictLoader, allowed, refused, waivers

CONFIGS: Final = ("policy-config.yaml", "policy-config.json")
WAIVERS: Final = "waivers.yaml"
ALLOW: Final = "allow.yaml"
FILES: Final = (*CONFIGS, WAIVERS, ALLOW)
UNSEEN: Final = "no-unseen-resources"
"""The policy whose `allow` takes the types that may be deployed unseen."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What the operator decided: nothing that a team says makes a verdict laxer.

    Attributes:
        config: the file that the config stands in, for messages; the folder where there is none.
        body: levels and settings of policies, with the waivers and the types that may be unseen.
        origins: where the registry names each policy that it waives, by the policy's name.
        in_project: what a project may decide itself, of `OPERATORS_CHOICES`.
    """

    config: Path
    body: Mapping[str, object]
    origins: Mapping[str, str] = field(hash=False)
    in_project: frozenset[str]
    identity: Guardrails


def own_folder(name: str) -> Path:
    """Return a folder that comes with the tool: in its wheel, or beside it in a checkout."""
    here = Path(__file__).parent
    return here / name if (here / name).is_dir() else here.parent / name


def read_floor(folder: Path | None) -> Floor:
    """Read an operator's guardrails, by default those that come with the tool.

    Raises:
        CouldNotRunError: the folder holds none, or one of its files is not valid.
    """
    own = own_folder("guardrails")
    packaged = folder is None and own.parent.name == "tapgate"
    folder = (folder or own).absolute()
    files = _read_files(folder)
    configs = [name for name in CONFIGS if name in files]
    if len(configs) > 1:
        raise refused("There are two configs.", str(folder), "only one of them could count.", "remove one.")
    body: dict[str, object] = {}
    for name in configs:
        body = dict(parse_config(folder / name, files[name]))
    origins: dict[str, str] = {}
    for where, waiver in waivers(folder / WAIVERS, files.get(WAIVERS, b"")):
        policy = waiver.pop("policy")
        origins.setdefault(policy, where)
        _add(body, policy, "waivers", [waiver])
    unseen, in_project = allowed(folder / ALLOW, files.get(ALLOW, b""))
    if unseen:
        _add(body, UNSEEN, "allow", unseen)
    version = f"tapgate {metadata.version('tapgate')}" if packaged else _version(folder, files)
    return Floor(
        config=folder / configs[0] if configs else folder,
        body=body,
        origins=origins,
        in_project=frozenset(in_project),
        identity=Guardrails(str(folder), version, _digest(files)),
    )


def _read_files(folder: Path) -> dict[str, bytes]:
    try:
        names = sorted(path.name for path in folder.iterdir())
        files = {name: (folder / name).read_bytes() for name in names if name in FILES}
    except OSError as error:
        raise refused(
            "The guardrails cannot be read.",
            str(error.filename or folder),
            error.strerror or str(error),
            "name the operator's folder with --guardrails.",
        ) from None
    for name in names:
        near = difflib.get_close_matches(name, FILES, n=1, cutoff=0.8)
        if near and name not in files:
            why = f"the guardrails are read from {', '.join(FILES)}; this file would silently not apply."
            raise refused(
                "A file of the guardrails is misspelt.", str(folder / name), why, f"name it {near[0]}."
            )
    if not files:
        why = f"it has none of {', '.join(FILES)}, and without a floor nothing is evaluated."
        fix = "name the folder that has them; `policy-config.json` with `{}` stands for the pack's defaults."
        raise refused("The folder holds no guardrails.", str(folder), why, fix)
    return files


def parse_config(path: Path, content: bytes) -> Mapping[str, object]:
    """Return what a config file says of policies, by name.

    Raises:
        CouldNotRunError: it cannot be read.
    """
    try:
        text = content.decode("utf-8")
        loaded: object = json.loads(text) if path.suffix == ".json" else yaml.load(text, StrictLoader)  # noqa: S506
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
    else:
        if loaded is None and path.suffix != ".json":
            return {}
        if isinstance(loaded, dict) and all(
            isinstance(name, str) for name in cast("dict[object, object]", loaded)
        ):
            return mapping(cast("object", loaded))
        problem = "its top level is not an object of policies by name"
    raise refused(
        "The policy pack's config file cannot be read.",
        str(path),
        problem,
        'write an object such as {"policy-name": {"enforcementLevel": "mandatory"}}.',
    )


def read_config(path: Path) -> Mapping[str, object]:
    """Read a config file; see `parse_config`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise refused(
            "The policy pack's config file cannot be read.", str(path), why, "correct its path."
        ) from None
    return parse_config(path, content)


def _add(
    body: dict[str, object], policy: str, setting: str, added: list[object] | list[dict[str, str]]
) -> None:
    """Add to a policy's setting that is a list."""
    given = body.get(policy)
    own = {"enforcementLevel": given} if isinstance(given, str) else dict(mapping(given))
    body[policy] = {**own, setting: [*sequence(own.get(setting)), *added]}


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _version(folder: Path, files: Mapping[str, bytes]) -> str:
    """Name the commit that a folder's files are at, and whether they are as it has them."""
    commit, listed = _git(folder, "rev-parse", "HEAD"), _git(folder, "ls-tree", "-z", "HEAD", "./")
    committed: dict[str, str] = {}
    for line in (listed or "").split("\0"):
        about, _, name = line.partition("\t")
        if name in FILES:
            committed[name] = about.split()[-1]
    if not commit or not committed:
        return "not in git"
    now = {name: _blob(content, len(commit.strip())) for name, content in files.items()}
    return f"commit {commit.strip()}" + ("" if now == committed else ", with changes that are not committed")


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says of a folder, or nothing; no hook, filter or variable has a say."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _blob(content: bytes, length: int) -> str:
    """Return the name that git gives to a file's content; `length` tells its kind of digest."""
    body = b"blob %d\0" % len(content) + content
    return (hashlib.sha1(body, usedforsecurity=False) if length == 40 else hashlib.sha256(body)).hexdigest()


def can_be_tightened(pack: Path) -> bool:
    """Say whether a pack knows which way each of its settings is stricter."""
    return (pack / "tap_guardrails" / "tightening.py").is_file()


def tightened(pack: Path, floor: Mapping[str, object], team: Path, owner: Path) -> Mapping[str, object]:
    """Merge a team's config over the operator's.

    Raises:
        CouldNotRunError: the team's file is looser somewhere, or is no config.
    """
    given = read_config(team)
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        files = Path(scratch) / "floor.json", Path(scratch) / "team.json"
        for file, body in zip(files, (floor, given), strict=True):
            file.write_text(json.dumps(body), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tap_guardrails.tightening", *map(str, files)],
            cwd=pack,
            env={**os.environ, "PYTHONPATH": str(pack)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return mapping(cast("object", json.loads(done.stdout)))
    what, *mistakes = sanitized_lines(done.stderr) or ["The pack cannot merge the configurations"]
    loose = "looser" in what
    raise CouldNotRunError(
        f"{what}.",
        where=str(owner if "operator's configuration" in what else team),
        why="a team may tighten what the operator set, and nothing else.",
        fix=f"remove what is listed below; the operator decides it, in {owner}."
        if loose
        else "correct what is listed below.",
        details=tuple(mistakes),
    )

"""The policy packs that a run asks for, and what configures them."""

from __future__ import annotations

import difflib
import hashlib
import json
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.findings import CouldNotRunError
from tapgate.floor import Floor, can_be_tightened, own_folder, read_config, tightened
from tapgate.json_access import mapping, text
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from tapgate.findings import Guardrails
    from tapgate.reports.controls import PolicyInfo


@dataclass(frozen=True, slots=True)
class RequestedPack:
    """A pack to evaluate.

    Attributes:
        config: absolute path of the file that its config stands in, when there is one.
        body: its config as it is passed on: the operator's, with what a team tightened.
        origins: where a policy is named elsewhere than in the config file, by its name.
    """

    folder: Path
    config: Path | None
    body: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    guardrails: Guardrails | None = None
    origins: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    @property
    def config_text(self) -> str:
        """Name the config by its file and its digest, or as the pack's defaults."""
        if self.config is None:
            return "none: the pack's defaults"
        canonical = json.dumps(self.body, sort_keys=True, separators=(",", ":")).encode()
        return f"{self.config} (sha256 {hashlib.sha256(canonical).hexdigest()[:12]})"

    @property
    def configured(self) -> frozenset[str]:
        """Names of the policies that the config mentions."""
        return frozenset(self.body) - {"all", "environments"}

    @property
    def disabled(self) -> frozenset[str]:
        """Names of the policies that the config turns off (`all` may be among them)."""
        return frozenset(name for name, value in self.body.items() if level_of(value) == "disabled")


def relaxed(packs: Iterable[RequestedPack], policies: Collection[str]) -> list[RequestedPack]:
    """Return packs with some policies advisory, for a run that is to go on where these have been settled."""
    loosened: list[RequestedPack] = []
    for pack in packs:
        body = dict(pack.body)
        for policy in policies:
            own = mapping(body.get(policy))
            body[policy] = {**own, "enforcementLevel": "advisory"}
        loosened.append(replace(pack, body=body))
    return loosened


def requested_packs(
    folders: list[Path], configs: list[Path], floor: Floor | None = None, team: Path | None = None
) -> list[RequestedPack]:
    """Check the packs that the command line names; without any, the one that comes with the tool.

    A pack that lies in the project is evaluated only if it is named: it would decide about itself.
    Under a floor, a config file of a pack that knows which way is stricter may only tighten, like a team's.

    Args:
        folders: pack folders.
        configs: config files, one for each pack in the same order, or none at all.
        floor: the operator's guardrails.
        team: a team's config file, which tightens them.

    Raises:
        CouldNotRunError: a folder is no pack, a config file cannot be one, or a team's is looser.
    """
    folders = folders or [own_folder("policypack")]
    if configs and len(configs) != len(folders):
        raise CouldNotRunError(
            f"There are {len(configs)} --policy-pack-config for {len(folders)} --policy-pack.",
            where="--policy-pack-config",
            why="each config file belongs to the pack at the same place in the order.",
            fix="give one config file for each pack, or none.",
        )
    paired = zip(folders, configs or [None] * len(folders), strict=True)
    packs = [_configured(_checked(folder), config, floor, team) for folder, config in paired]
    if team is not None and not any(can_be_tightened(pack.folder) for pack in packs):
        raise CouldNotRunError(
            "None of the policy packs can be tightened by a team.",
            where=str(team),
            why="only a pack that knows which way each of its settings is stricter can be.",
            fix="leave out --team-config, or name the pack tap-guardrails with --policy-pack.",
        )
    return packs


def _configured(folder: Path, config: Path | None, floor: Floor | None, team: Path | None) -> RequestedPack:
    """Return a pack with its config: under a floor the operator's, else what the config file says."""
    guardrails = None if floor is None else floor.identity
    if floor is None or not can_be_tightened(folder):
        body: Mapping[str, object] = {} if config is None else read_config(config)
        return RequestedPack(folder, config and config.absolute(), body, guardrails)
    named = RequestedPack(folder, floor.config, floor.body, guardrails, floor.origins)
    # A rule is one file, which has the policy's name: what is misspelt is told before anything runs.
    known = {path.stem.replace("_", "-") for path in (folder / "tap_guardrails" / "rules").glob("[!_]*.py")}
    require_known(named, named.configured, known)
    files = [file.absolute() for file in (config, team) if file is not None]
    settings = floor.body
    for file in files:
        settings = tightened(folder, settings, file, floor.config)
    if not files:
        return named
    digests = [hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files]
    listed = ", ".join(f"{file} (sha256 {digest})" for file, digest in zip(files, digests, strict=True))
    return replace(named, body=settings, guardrails=replace(floor.identity, team=listed))


def require_known(pack: RequestedPack, names: Iterable[str], policies: Collection[str]) -> None:
    """Refuse a config that names a policy which the pack does not have: the engine passes over it.

    Raises:
        CouldNotRunError: one of the names is none of them.
    """
    for name in sorted(names):
        if name not in policies:
            near = difflib.get_close_matches(name, policies, n=1)
            raise CouldNotRunError(
                f"The pack has no policy {name!r}.",
                where=pack.origins.get(name, str(pack.config)),
                why="what is said of it there would silently not apply.",
                fix=f"write {near[0]!r}." if near else f"use one of: {', '.join(sorted(policies))}.",
            )


def pack_options(packs: Sequence[RequestedPack], scratch: Path) -> list[str]:
    """Return the CLI's options for the packs; each gets a config, so that none comes from elsewhere."""
    options: list[str] = []
    for pack in packs:
        options += ["--policy-pack", str(pack.folder)]
    # A new folder: an earlier program may have left something in the scratch folder, links among it.
    folder = Path(tempfile.mkdtemp(prefix="packs-", dir=scratch))
    for number, pack in enumerate(packs):
        config = folder / f"config-{number}.json"
        config.write_text(json.dumps(dict(pack.body)), encoding="utf-8")
        options += ["--policy-pack-config", str(config)]
    return options


def _checked(folder: Path) -> Path:
    folder = folder.absolute()
    if not folder.is_dir():
        raise CouldNotRunError(
            "The policy pack's folder does not exist.",
            where=str(folder),
            why="a pack that is not loaded protects nothing.",
            fix="correct the path after --policy-pack.",
        )
    if not (folder / "PulumiPolicy.yaml").is_file():
        raise CouldNotRunError(
            "The folder is not a policy pack: it has no PulumiPolicy.yaml.",
            where=str(folder),
            why="Pulumi takes a pack's runtime and version from that file.",
            fix="name the folder that holds the pack's PulumiPolicy.yaml.",
        )
    runtime = read_yaml(folder / "PulumiPolicy.yaml", "policy pack's project file").get("runtime")
    if not text(mapping(runtime).get("name") or runtime):
        raise CouldNotRunError(
            "The policy pack says no runtime.",
            where=str(folder / "PulumiPolicy.yaml"),
            why="Pulumi cannot tell how to start it.",
            fix="add `runtime: python` (or nodejs, …).",
        )
    return folder


def level_of(value: object) -> str:
    """Return the level that a policy's part of a config sets; empty when it sets none."""
    return text(value) or text(mapping(value).get("enforcementLevel"))


def policies(pack: RequestedPack) -> tuple[PolicyInfo, ...]:
    """Return what a pack says of its policies.

    Raises:
        CouldNotRunError: it does not start.
    """
    from tapgate.analyzer.running import RunningPack  # noqa: PLC0415 - gRPC takes 0.3 s to import
    from tapgate.reports.controls import policies_of  # noqa: PLC0415 - a run without reports does without

    with RunningPack(pack) as running:
        return policies_of(running.description())

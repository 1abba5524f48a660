"""The policy packs that a run asks for, and the files that configure them."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.failure import CouldNotRunError
from tapgate.json_access import mapping, text
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from tapgate.reports.controls import PolicyInfo


@dataclass(frozen=True, slots=True)
class RequestedPack:
    """A pack to evaluate.

    Attributes:
        folder: absolute path of the folder with its PulumiPolicy.yaml.
        config: absolute path of its config file, when there is one.
        body: what the config file says.
    """

    folder: Path
    config: Path | None
    body: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)

    @property
    def config_words(self) -> str:
        """Name the config by its file and its digest, or as the pack's defaults."""
        if self.config is None:
            return "none: the pack's defaults"
        canonical = json.dumps(self.body, sort_keys=True, separators=(",", ":")).encode()
        return f"{self.config} (sha256 {hashlib.sha256(canonical).hexdigest()[:12]})"

    @property
    def configured(self) -> frozenset[str]:
        """Names of the policies that the config file mentions."""
        return frozenset(self.body) - {"all", "environments"}

    @property
    def disabled(self) -> frozenset[str]:
        """Names of the policies that the config file turns off (`all` may be among them)."""
        return frozenset(name for name, value in self.body.items() if _level(value) == "disabled")


def own_pack() -> Path:
    """Return the folder of the pack that comes with the tool: in its wheel, or beside it in a checkout."""
    here = Path(__file__).parent
    inside = here / "policypack"
    return inside if inside.is_dir() else here.parent / "policypack"


def relaxed(packs: Iterable[RequestedPack], policies: Collection[str], folder: Path) -> list[RequestedPack]:
    """Return packs with some policies advisory, for a run that is to go on where these have been settled.

    Args:
        packs: the packs.
        policies: names of the policies.
        folder: where to write the config files.
    """
    found: list[RequestedPack] = []
    for number, pack in enumerate(packs):
        body = dict(pack.body)
        for policy in policies:
            own = mapping(body.get(policy))
            body[policy] = {**own, "enforcementLevel": "advisory"}
        config = folder / f"relaxed-{number}.json"
        config.write_text(json.dumps(body), encoding="utf-8")
        found.append(RequestedPack(pack.folder, config, body))
    return found


def requested_packs(folders: list[Path], configs: list[Path]) -> list[RequestedPack]:
    """Check the packs that the command line names; without any, the one that comes with the tool.

    A pack that lies in the project is evaluated only if it is named: who is judged does not choose the judge.

    Args:
        folders: pack folders.
        configs: config files, one for each pack in the same order, or none at all.

    Raises:
        CouldNotRunError: a folder is no pack, or a config file cannot be one.
    """
    folders = folders or [own_pack()]
    if configs and len(configs) != len(folders):
        raise CouldNotRunError(
            f"There are {len(configs)} --policy-pack-config for {len(folders)} --policy-pack.",
            where="--policy-pack-config",
            why="each config file belongs to the pack at the same place in the order.",
            fix="give one config file for each pack, or none.",
        )
    paired = zip(folders, configs or [None] * len(folders), strict=True)
    return [_checked(folder, config) for folder, config in paired]


def require_known(pack: RequestedPack, names: Iterable[str], policies: Collection[str]) -> None:
    """Refuse a config file that names a policy which the pack does not have: the engine passes over it.

    Args:
        pack: the pack.
        names: names in its config file.
        policies: the policies that it has.

    Raises:
        CouldNotRunError: one of the names is none of them.
    """
    for name in sorted(names):
        if name not in policies:
            near = difflib.get_close_matches(name, policies, n=1)
            raise CouldNotRunError(
                f"The pack has no policy {name!r}.",
                where=str(pack.config),
                why="what the config file says of it would silently not apply.",
                fix=f"write {near[0]!r}." if near else f"use one of: {', '.join(sorted(policies))}.",
            )


def _checked(folder: Path, config: Path | None) -> RequestedPack:
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
    if not text(_runtime(folder)):
        raise CouldNotRunError(
            "The policy pack says no runtime.",
            where=str(folder / "PulumiPolicy.yaml"),
            why="Pulumi cannot tell how to start it.",
            fix="add `runtime: python` (or nodejs, …).",
        )
    if config is None:
        return RequestedPack(folder, None)
    return RequestedPack(folder, config.absolute(), _read_config(config))


def _runtime(folder: Path) -> object:
    runtime = read_yaml(folder / "PulumiPolicy.yaml", "policy pack's project file").get("runtime")
    return mapping(runtime).get("name") or runtime


def _level(value: object) -> str:
    return text(value) or text(mapping(value).get("enforcementLevel"))


def _read_config(path: Path) -> dict[str, object]:
    try:
        loaded: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = error.strerror or str(error)
    except ValueError as error:
        problem = str(error)
    else:
        if isinstance(loaded, Mapping):
            return dict(mapping(cast("object", loaded)))
        problem = "its top level is not an object of policies by name"
    raise CouldNotRunError(
        "The policy pack's config file cannot be read.",
        where=str(path),
        why=problem,
        fix='write a JSON object such as {"policy-name": {"enforcementLevel": "mandatory"}}.',
    )


def policies(pack: RequestedPack) -> tuple[PolicyInfo, ...]:
    """Return what a pack says of its policies.

    Raises:
        CouldNotRunError: it does not start.
    """
    from tapgate.analyzer.running import RunningPack  # noqa: PLC0415 - gRPC takes 0.3 s to import
    from tapgate.reports.controls import policies_of  # noqa: PLC0415 - a run without reports does without

    running = RunningPack.start(pack)
    try:
        return policies_of(running.description())
    finally:
        running.process.close()

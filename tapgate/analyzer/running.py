"""A pack that runs with the levels and settings that its config file gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.process import PackProcess, struct
from tapgate.json_access import mapping, text
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.packs import RequestedPack

LEVELS: Final[Mapping[str, analyzer_pb2.EnforcementLevel.ValueType]] = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
    "remediate": analyzer_pb2.REMEDIATE,
}


@dataclass(slots=True)
class _Setting:
    level: analyzer_pb2.EnforcementLevel.ValueType
    properties: dict[str, object] = field(default_factory=dict[str, object])


def reconcile(
    info: analyzer_pb2.AnalyzerInfo, config: Mapping[str, object]
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Return the config of every policy of a pack.

    Args:
        info: what the pack says of itself.
        config: body of the config file; empty when there is none.
    """
    settings = {policy.name: _own(policy) for policy in info.policies}
    for name, given in info.initialConfig.items():
        if name in settings:
            settings[name].level = given.enforcementLevel
            settings[name].properties.update(json_format.MessageToDict(given.properties))
    everywhere = LEVELS.get(_level(config.get("all")))
    for name, setting in settings.items():
        if everywhere is not None:
            setting.level = everywhere
        setting.level = LEVELS.get(_level(config.get(name)), setting.level)
        own = mapping(config.get(name))
        setting.properties.update({key: own[key] for key in own if key != "enforcementLevel"})
    return {name: _message(setting) for name, setting in settings.items()}


def _own(policy: analyzer_pb2.PolicyInfo) -> _Setting:
    properties = mapping(json_format.MessageToDict(policy.configSchema.properties))
    defaults = {
        key: mapping(schema)["default"] for key, schema in properties.items() if "default" in mapping(schema)
    }
    return _Setting(policy.enforcementLevel, defaults)


def _level(value: object) -> str:
    return text(value) or text(mapping(value).get("enforcementLevel"))


def _message(setting: _Setting) -> analyzer_pb2.PolicyConfig:
    return analyzer_pb2.PolicyConfig(enforcementLevel=setting.level, properties=struct(setting.properties))


SEVERITIES: Final[Mapping[int, str]] = {
    analyzer_pb2.POLICY_SEVERITY_LOW: "low",
    analyzer_pb2.POLICY_SEVERITY_MEDIUM: "medium",
    analyzer_pb2.POLICY_SEVERITY_HIGH: "high",
    analyzer_pb2.POLICY_SEVERITY_CRITICAL: "critical",
}


@dataclass
class RunningPack:
    """A pack, started and configured; close its process when done.

    Attributes:
        process: the running pack.
        folder: its folder.
        version: its version: of PulumiPolicy.yaml, else what it says itself.
        levels: enforcement level of each policy, by name.
    """

    process: PackProcess
    folder: Path
    version: str
    levels: Mapping[str, analyzer_pb2.EnforcementLevel.ValueType]

    @classmethod
    def start(cls, pack: RequestedPack) -> RunningPack:
        """Start a pack and configure it.

        Raises:
            CouldNotRunError: it does not start, or refuses its config.
        """
        process = PackProcess(pack.folder)
        try:
            config = reconcile(process.info, pack.body)
            process.configure(config)
        except BaseException:
            process.close()
            raise
        body = read_yaml(pack.folder / "PulumiPolicy.yaml", "policy pack's project file")
        return cls(
            process=process,
            folder=pack.folder,
            version=text(body.get("version")) or process.info.version,
            levels={name: one.enforcementLevel for name, one in config.items()},
        )

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.process.info.name

    def enabled(self, kind: analyzer_pb2.PolicyType.ValueType) -> frozenset[str]:
        """Return the names of the policies of one kind that are not turned off."""
        return self._enabled.get(kind, frozenset())

    def severity(self, policy: str) -> str:
        """Return a policy's own severity, or nothing."""
        return self._severities.get(policy, "")

    def description(self) -> Mapping[str, object]:
        """Return what the pack says of itself, in the JSON form of `AnalyzerInfo`."""
        return mapping(json_format.MessageToDict(self.process.info))

    @cached_property
    def _enabled(self) -> dict[int, frozenset[str]]:
        on = [one for one in self.process.info.policies if self.levels[one.name] != analyzer_pb2.DISABLED]
        kinds = {one.policy_type for one in on}
        return {kind: frozenset(one.name for one in on if one.policy_type == kind) for kind in kinds}

    @cached_property
    def _severities(self) -> dict[str, str]:
        return {one.name: SEVERITIES.get(one.severity, "") for one in self.process.info.policies}

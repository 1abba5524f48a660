"""A pack that runs and is configured: what evaluation needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.configuration import reconcile
from tapgate.analyzer.process import PackProcess
from tapgate.document import mapping, text
from tapgate.project import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.packs import RequestedPack

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

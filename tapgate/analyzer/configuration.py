"""The levels and settings that a pack's policies run with: the pack's own, then those of a config file.

The same order as the engine's (pkg/resource/analyzer/config.go): defaults of each policy's schema, the pack's
initial config, the file; `all` before single policies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.services import struct
from tapgate.document import mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

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

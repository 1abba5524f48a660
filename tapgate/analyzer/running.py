"""A pack that runs with the levels and settings of its config, and is asked about a whole deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.deployment import RESOURCE, SECRET, UNKNOWN, Deployment, Resource, root_of
from tapgate.analyzer.direct import Answer, config_texts, secret_keys, take
from tapgate.analyzer.process import PackProcess, struct
from tapgate.json_access import SIGNATURE, mapping, sequence, text, texts
from tapgate.packs import RequestedPack, level_of
from tapgate.sources import urn_name

if TYPE_CHECKING:
    from pathlib import Path

    from tapgate.events import EventLog

LEVELS: Final = {name.lower(): level for name, level in analyzer_pb2.EnforcementLevel.items()}


@dataclass(slots=True)
class _Setting:
    level: analyzer_pb2.EnforcementLevel.ValueType
    properties: dict[str, object] = field(default_factory=dict[str, object])


def reconcile(
    info: analyzer_pb2.AnalyzerInfo, config: Mapping[str, object]
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Return the config of every policy of a pack."""
    settings = {policy.name: _own(policy) for policy in info.policies}
    for name, given in info.initialConfig.items():
        if name in settings:
            settings[name].level = given.enforcementLevel
            settings[name].properties.update(json_format.MessageToDict(given.properties))
    everywhere = LEVELS.get(level_of(config.get("all")))
    for name, setting in settings.items():
        if everywhere is not None:
            setting.level = everywhere
        setting.level = LEVELS.get(level_of(config.get(name)), setting.level)
        own = mapping(config.get(name))
        setting.properties.update({key: own[key] for key in own if key != "enforcementLevel"})
    return {name: _message(setting) for name, setting in settings.items()}


def _own(policy: analyzer_pb2.PolicyInfo) -> _Setting:
    properties = mapping(json_format.MessageToDict(policy.configSchema.properties))
    defaults = {
        key: mapping(schema)["default"] for key, schema in properties.items() if "default" in mapping(schema)
    }
    return _Setting(policy.enforcementLevel, defaults)


def _message(setting: _Setting) -> analyzer_pb2.PolicyConfig:
    return analyzer_pb2.PolicyConfig(enforcementLevel=setting.level, properties=struct(setting.properties))


SEVERITIES: Final = {
    severity: name.removeprefix("POLICY_SEVERITY_").lower()
    for name, severity in analyzer_pb2.PolicySeverity.items()
    if severity != analyzer_pb2.POLICY_SEVERITY_UNSPECIFIED
}


@dataclass
class RunningPack:
    """A pack, started and configured; close its process when done.

    Attributes:
        levels: enforcement level of each policy, by name.
    """

    process: PackProcess
    folder: Path
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
        return cls(
            process=process,
            folder=pack.folder,
            levels={name: one.enforcementLevel for name, one in config.items()},
        )

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.process.info.name

    def enabled(self, policy_type: analyzer_pb2.PolicyType.ValueType) -> frozenset[str]:
        """Return the names of the policies of one kind that are not turned off."""
        return self._enabled.get(policy_type, frozenset())

    def severity(self, policy: str) -> str:
        """Return a policy's own severity, or nothing."""
        return self._severities.get(policy, "")

    def description(self) -> Mapping[str, object]:
        """Return what the pack says of itself, in the JSON form of `AnalyzerInfo`."""
        return mapping(json_format.MessageToDict(self.process.info))

    @cached_property
    def _enabled(self) -> dict[int, frozenset[str]]:
        on = [one for one in self.process.info.policies if self.levels[one.name] != analyzer_pb2.DISABLED]
        policy_types = {one.policy_type for one in on}
        return {
            policy_type: frozenset(one.name for one in on if one.policy_type == policy_type)
            for policy_type in policy_types
        }

    @cached_property
    def _severities(self) -> dict[str, str]:
        return {one.name: SEVERITIES.get(one.severity, "") for one in self.process.info.policies}


def configure_stack_request(
    project: str, stack: str, config: Mapping[str, object]
) -> analyzer_pb2.AnalyzerStackConfigureRequest:
    """Return what the engine tells a pack of a stack before it asks."""
    organization, _, name = stack.rpartition("/")
    return analyzer_pb2.AnalyzerStackConfigureRequest(
        stack=name,
        project=project,
        organization=organization.partition("/")[0] or "organization",
        dry_run=True,
        config=config_texts(project, config),
        config_secret_keys=secret_keys(project, config),
    )


def analyze_requests(deployment: Deployment) -> Iterator[analyzer_pb2.AnalyzeRequest]:
    """Yield the question to the resource policies for each resource."""
    providers = _providers(deployment)
    for one in deployment.resources:
        yield analyzer_pb2.AnalyzeRequest(
            type=one.type,
            properties=_struct(one.inputs),
            urn=one.urn,
            name=urn_name(one.urn),
            options=_options(one),
            provider=_provider(one, providers),
        )


def analyze_stack_request(deployment: Deployment) -> analyzer_pb2.AnalyzeStackRequest:
    """Return the question to the stack policies."""
    providers = _providers(deployment)
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=one.type,
                properties=_struct(one.outputs),
                urn=one.urn,
                name=urn_name(one.urn),
                options=_options(one),
                provider=_provider(one, providers),
                parent=text(one.body.get("parent")),
                dependencies=texts(one.body.get("dependencies")),
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=texts(urns))
                    for key, urns in mapping(one.body.get("propertyDependencies")).items()
                    if texts(urns)
                },
            )
            for one in deployment.resources
        ]
    )


def _providers(deployment: Deployment) -> dict[str, Resource]:
    return {one.urn: one for one in deployment.resources if one.type.startswith("pulumi:providers:")}


def _provider(
    one: Resource, providers: Mapping[str, Resource]
) -> analyzer_pb2.AnalyzerProviderResource | None:
    """Return the resource's provider; a reference is the provider's URN, `::` and its id.

    A custom resource always has one: where the state has lost it, its inputs are unknown, and no more.
    """
    urn = text(one.body.get("provider")).rpartition("::")[0]
    provider = providers.get(urn)
    if provider is None:
        if not urn and one.body.get("custom") is not True:
            return None
        package = f"pulumi:providers:{one.type.partition(':')[0]}"
        return analyzer_pb2.AnalyzerProviderResource(type=package, urn=urn, name=urn_name(urn))
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type, properties=_struct(provider.inputs), urn=provider.urn, name=urn_name(provider.urn)
    )


def _options(one: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    timeouts = mapping(one.body.get("customTimeouts"))
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=one.body.get("protect") is True,
        ignoreChanges=texts(one.body.get("ignoreChanges")),
        additionalSecretOutputs=texts(one.body.get("additionalSecretOutputs")),
        aliases=texts(one.body.get("aliases")),
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            create=_seconds(timeouts.get("create")),
            update=_seconds(timeouts.get("update")),
            delete=_seconds(timeouts.get("delete")),
        ),
        parent=text(one.body.get("parent")),
    )


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _struct(properties: Mapping[str, object]) -> struct_pb2.Struct:
    return struct(mapping(_sent(properties)))


def _sent(value: object) -> object:
    """Return a property value as it goes over the wire."""
    if isinstance(value, list):
        return [_sent(item) for item in sequence(cast("object", value))]
    if not isinstance(value, dict):
        return value
    body = mapping(cast("object", value))
    signature = body.get(SIGNATURE)
    if signature == SECRET:
        return {SIGNATURE: SECRET, "value": _opened(body)}
    if signature == RESOURCE:
        return text(body.get("id")) or text(body.get("urn"))
    return {key: _sent(item) for key, item in body.items() if not key.startswith("__")}


def _opened(secret: Mapping[str, object]) -> object:
    """Return a secret's value; unknown while it is closed."""
    return _sent(secret["value"]) if "value" in secret else UNKNOWN


# What a remediation has not fixed is as good as mandatory.
_LEVELS: Final = {**{level: name for name, level in LEVELS.items()}, analyzer_pb2.REMEDIATE: "mandatory"}


def evaluate(
    log: EventLog,
    deployment: Deployment,
    packs: Iterable[RunningPack],
    config: Mapping[str, object] | None = None,
) -> EventLog:
    """Ask every policy of every pack about a state.

    Raises:
        CouldNotRunError: a policy raised, or a pack has died.
    """
    for pack in packs:
        if config is not None:
            pack.process.configure_stack(
                configure_stack_request(deployment.project, deployment.stack, config)
            )
        take(log, pack.folder, _answer(pack, deployment), root_of(deployment))
    return log


def _answer(pack: RunningPack, deployment: Deployment) -> Answer:
    """Ask a pack about each resource, then about the stack, and sum up what it says as the engine would."""
    findings: list[list[str]] = []

    def summed(
        urn: str, response: analyzer_pb2.AnalyzeResponse, policy_type: analyzer_pb2.PolicyType.ValueType
    ) -> dict[str, object]:
        failed = {one.policyName for one in response.diagnostics}
        apart = failed | {one.policy_name for one in response.not_applicable}
        for one in response.diagnostics:
            level = _LEVELS.get(one.enforcementLevel, "")
            severity = SEVERITIES.get(one.severity) or pack.severity(one.policyName)
            findings.append([one.policyName, urn or one.urn, level, severity, one.message])
        return {"urn": urn, "passed": sorted(pack.enabled(policy_type) - apart), "failed": sorted(failed)}

    of_resource, of_stack = analyzer_pb2.POLICY_TYPE_RESOURCE, analyzer_pb2.POLICY_TYPE_STACK
    resources = [
        summed(request.urn, pack.process.analyze(request), of_resource)
        for request in analyze_requests(deployment)
    ]
    return {
        "name": pack.name,
        "version": pack.process.info.version,
        "resources": resources,
        "stack": summed("", pack.process.analyze_stack(analyze_stack_request(deployment)), of_stack),
        "findings": findings,
        "offered": sorted(pack.enabled(of_resource)) if resources else [],
    }

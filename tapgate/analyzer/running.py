"""A pack that runs with the levels and settings of its config, and is asked about a whole deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.deployment import RESOURCE, SECRET, UNKNOWN, Deployment, Resource, root_of
from tapgate.analyzer.direct import Answer, stack_config, take
from tapgate.analyzer.process import PackProcess, struct
from tapgate.json_access import SIGNATURE, mapping, rebuilt, text, texts
from tapgate.packs import RequestedPack, level_of, require_known
from tapgate.sources import urn_name

if TYPE_CHECKING:
    from tapgate.events import EventLog

LEVELS: Final = {name.lower(): level for name, level in analyzer_pb2.EnforcementLevel.items()}


def reconcile(
    info: analyzer_pb2.AnalyzerInfo, config: Mapping[str, object]
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Return the config of every policy of a pack."""
    everywhere = LEVELS.get(level_of(config.get("all")))
    configs: dict[str, analyzer_pb2.PolicyConfig] = {}
    for policy in info.policies:
        schemas = mapping(json_format.MessageToDict(policy.configSchema.properties))
        properties = {
            key: mapping(one)["default"] for key, one in schemas.items() if "default" in mapping(one)
        }
        level = policy.enforcementLevel
        if policy.name in info.initialConfig:
            initial = info.initialConfig[policy.name]
            level = initial.enforcementLevel
            properties.update(json_format.MessageToDict(initial.properties))
        given = config.get(policy.name)
        level = LEVELS.get(level_of(given), level if everywhere is None else everywhere)
        properties.update({key: one for key, one in mapping(given).items() if key != "enforcementLevel"})
        configs[policy.name] = analyzer_pb2.PolicyConfig(
            enforcementLevel=level, properties=struct(properties)
        )
    return configs


SEVERITIES: Final = {
    severity: name.removeprefix("POLICY_SEVERITY_").lower()
    for name, severity in analyzer_pb2.PolicySeverity.items()
    if severity != analyzer_pb2.POLICY_SEVERITY_UNSPECIFIED
}


class RunningPack(PackProcess):
    """A pack, started and configured; close it when done.

    Attributes:
        levels: enforcement level of each policy, by name.
        severities: each policy's own severity, or nothing, by name.

    Raises:
        CouldNotRunError: it does not start, refuses its config, or has not all policies that this names.
    """

    def __init__(self, pack: RequestedPack) -> None:
        super().__init__(pack.folder)
        try:
            require_known(pack, pack.configured, {one.name for one in self.info.policies})
            config = reconcile(self.info, pack.body)
            self.ask("Configure", analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config))
        except BaseException:
            self.close()
            raise
        self.levels = {name: one.enforcementLevel for name, one in config.items()}
        self.severities = {one.name: SEVERITIES.get(one.severity, "") for one in self.info.policies}

    def enabled(self, policy_type: analyzer_pb2.PolicyType.ValueType) -> frozenset[str]:
        """Return the names of the policies of one kind that are not turned off."""
        of_type = (one.name for one in self.info.policies if one.policy_type == policy_type)
        return frozenset(name for name in of_type if self.levels[name] != analyzer_pb2.DISABLED)

    def description(self) -> Mapping[str, object]:
        """Return what the pack says of itself, in the JSON form of `AnalyzerInfo`."""
        return mapping(json_format.MessageToDict(self.info))


def configure_stack_request(
    project: str, stack: str, config: Mapping[str, object]
) -> analyzer_pb2.AnalyzerStackConfigureRequest:
    """Return what the engine tells a pack of a stack before it asks."""
    organization, _, name = stack.rpartition("/")
    texts_by_key, secrets = stack_config(project, config)
    return analyzer_pb2.AnalyzerStackConfigureRequest(
        stack=name,
        project=project,
        organization=organization.partition("/")[0] or "organization",
        dry_run=True,
        config=texts_by_key,
        config_secret_keys=secrets,
    )


def analyze_requests(deployment: Deployment) -> Iterator[analyzer_pb2.AnalyzeRequest]:
    """Yield the question to the resource policies for each resource."""
    for one, about in _about(deployment):
        yield analyzer_pb2.AnalyzeRequest(properties=_struct(one.inputs), **about)


def analyze_stack_request(deployment: Deployment) -> analyzer_pb2.AnalyzeStackRequest:
    """Return the question to the stack policies."""
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                properties=_struct(one.outputs),
                parent=text(one.body.get("parent")),
                dependencies=texts(one.body.get("dependencies")),
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=texts(urns))
                    for key, urns in mapping(one.body.get("propertyDependencies")).items()
                    if texts(urns)
                },
                **about,
            )
            for one, about in _about(deployment)
        ]
    )


def _about(deployment: Deployment) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Yield each resource with what both questions say of it."""
    providers = {one.urn: one for one in deployment.resources if one.type.startswith("pulumi:providers:")}
    for one in deployment.resources:
        about = {"type": one.type, "urn": one.urn, "name": urn_name(one.urn)}
        yield one, {**about, "options": _options(one), "provider": _provider(one, providers)}


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
    if not isinstance(value, dict):
        return rebuilt(value, _sent)
    body = mapping(cast("object", value))
    signature = body.get(SIGNATURE)
    if signature == SECRET:
        # While it is closed, its value is unknown.
        return {SIGNATURE: SECRET, "value": _sent(body["value"]) if "value" in body else UNKNOWN}
    if signature == RESOURCE:
        return text(body.get("id")) or text(body.get("urn"))
    return rebuilt({key: item for key, item in body.items() if not key.startswith("__")}, _sent)


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
            request = configure_stack_request(deployment.project, deployment.stack, config)
            pack.ask("ConfigureStack", request)
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
            severity = SEVERITIES.get(one.severity) or pack.severities.get(one.policyName, "")
            findings.append([one.policyName, urn or one.urn, level, severity, one.message])
        return {"urn": urn, "passed": sorted(pack.enabled(policy_type) - apart), "failed": sorted(failed)}

    of_resource, of_stack = analyzer_pb2.POLICY_TYPE_RESOURCE, analyzer_pb2.POLICY_TYPE_STACK
    resources = [
        summed(request.urn, pack.ask("Analyze", request), of_resource)
        for request in analyze_requests(deployment)
    ]
    return {
        "name": pack.info.name,
        "version": pack.info.version,
        "resources": resources,
        "stack": summed("", pack.ask("AnalyzeStack", analyze_stack_request(deployment)), of_stack),
        "findings": findings,
        "offered": sorted(pack.enabled(of_resource)) if resources else [],
    }

"""Evaluates packs on a state, into the same events that the engine gives for a preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.requests import analyze_requests, analyze_stack_request, configure_stack_request
from tapgate.analyzer.running import SEVERITIES
from tapgate.events import EventLog, PolicyEvent, PolicySummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.analyzer.deployment import Deployment
    from tapgate.analyzer.running import RunningPack

_LEVELS: Final[Mapping[int, str]] = {
    analyzer_pb2.ADVISORY: "advisory",
    analyzer_pb2.MANDATORY: "mandatory",
    analyzer_pb2.DISABLED: "disabled",
    # What a remediation has not repaired is as good as mandatory.
    analyzer_pb2.REMEDIATE: "mandatory",
}


def evaluate(
    deployment: Deployment, packs: Iterable[RunningPack], config: Mapping[str, object] | None = None
) -> EventLog:
    """Ask every policy of every pack about a state.

    Args:
        deployment: the state.
        packs: the packs, configured.
        config: the `config` block of the stack's file, for packs that read it; None for none.

    Returns:
        The events of a run that ended well; every resource counts as declared.

    Raises:
        CouldNotRunError: a policy raised, or a pack has died.
    """
    log = EventLog(declared={one.urn: one.type for one in deployment.resources}, result="succeeded")
    root = _root(deployment)
    for pack in packs:
        log.packs[f"{pack.name}|local|{pack.folder}"] = pack.version
        if config is not None:
            pack.process.configure_stack(
                configure_stack_request(deployment.project, deployment.stack, config)
            )
        for request in analyze_requests(deployment):
            _take(log, pack, pack.process.analyze(request), request.urn, analyzer_pb2.POLICY_TYPE_RESOURCE)
        response = pack.process.analyze_stack(analyze_stack_request(deployment))
        _take(log, pack, response, "", analyzer_pb2.POLICY_TYPE_STACK, root)
    return log


def _root(deployment: Deployment) -> str:
    """Return the URN of the stack itself, to which findings belong that name no resource of the state."""
    stack = "pulumi:pulumi:Stack"
    found = next((one.urn for one in deployment.resources if one.type == stack), None)
    project, name = deployment.project, deployment.stack
    return found or f"urn:pulumi:{name}::{project}::{stack}::{project}-{name}"


def _take(
    log: EventLog,
    pack: RunningPack,
    response: analyzer_pb2.AnalyzeResponse,
    urn: str,
    kind: analyzer_pb2.PolicyType.ValueType,
    root: str = "",
) -> None:
    """Add one response to the log, with the summary that the engine would make of it."""
    failed = {one.policyName for one in response.diagnostics}
    apart = failed | {one.policy_name for one in response.not_applicable}
    passed = sorted(pack.enabled(kind) - apart)
    summary = PolicySummary(urn, pack.name, tuple(passed), tuple(sorted(failed)))
    (log.analyzed if urn else log.stack_analyzed).append(summary)
    if urn:
        log.offered.setdefault(pack.name, set()).update(pack.enabled(kind))
    for one in response.diagnostics:
        log.findings.append(
            PolicyEvent(
                urn=urn or (one.urn if one.urn in log.declared else root),
                message=one.message,
                policy=one.policyName,
                pack=pack.name,
                level=_LEVELS.get(one.enforcementLevel, ""),
                severity=SEVERITIES.get(one.severity) or pack.severity(one.policyName),
            )
        )

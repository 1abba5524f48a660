"""What rules ask of alarms: whether one is effective, and which ones cover a resource.

One way: `alarm` reads the alarm, `effective` says whether it can fire and notifies (`metrics`, `receivers`),
`witness` shows by worlds when it fires, and this module says what it covers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from tap_guardrails.aws import COMPOSITE_ALARM, METRIC_ALARM
from tap_guardrails.aws.alarms.alarm import Alarm, Series, read_alarm
from tap_guardrails.aws.alarms.composite import rule_findings
from tap_guardrails.aws.alarms.effective import effective_findings, name_findings
from tap_guardrails.aws.alarms.receivers import own_actions
from tap_guardrails.aws.alarms.witness import covers_alone
from tap_guardrails.aws.sub_resources import same_location
from tap_guardrails.model import (
    Boolean,
    Enum,
    Finding,
    Integer,
    Known,
    PropertyRef,
    PropertyValue,
    Relation,
    RelationIndex,
    Resource,
    ResourceType,
    Settings,
    Stack,
    StringList,
    Verdict,
    listed,
)
from tap_guardrails.model.values import all_of, record

ALARM_TYPES: Final = (*METRIC_ALARM.types, *COMPOSITE_ALARM.types)
ALARM_SETTINGS: Final = (
    Boolean(
        "actionsThroughComposite",
        default=False,
        description="Whether a composite alarm that goes off with an alarm may notify in its stead.",
        stricter=False,
    ),
    StringList(
        "moreMetrics",
        (),
        "Metrics that AWS emits and this version of the pack does not know yet: `AWS/Lambda:NewMetric`.",
    ),
    StringList(
        "moreNamespaces",
        (),
        "Namespaces that AWS publishes metrics in and this version of the pack does not know yet.",
    ),
    Integer(
        "mostEvents",
        1_000_000,
        "How many events (calls, errors, refused requests) a minute can have at most; an alarm that needs "
        "more to fire never does. A lower number is stricter.",
        1,
        1_000_000_000,
        "lower",
    ),
    Enum(
        "subscribers",
        "stack",
        "Where the subscribers of a topic of the stack are: in the same `stack`, as subscriptions or chat "
        "configurations, or `elsewhere`, so that none is asked for. `stack` is stricter.",
        ("stack", "elsewhere"),
    ),
    Boolean(
        "reservedDomains",
        default=True,
        description="Whether an address in a domain that is reserved for examples, such as ops@example.com, "
        "counts as a subscriber. `false` is stricter.",
        stricter=False,
    ),
)
"""The settings of every policy that asks whether an alarm is effective."""

DECIDABLE: Final = (
    "Make the alarm decidable at preview: set its dimension from the resource's own name output and from "
    "nothing else, leave no other property of it unknown, and put it under the same provider."
)
A_COUNT: Final = "SampleCount"
"""The statistic that tells how many samples there were, whatever the metric."""

MOST_POSSIBLE: Final = 50
"""How many alarms that may cover a resource are looked at; where any may cover any, that is every pair."""


# -- Whether an alarm is effective.


def alarm_findings(resource: Resource, stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Say what keeps an alarm, composite or not, from being effective."""
    if resource.type in COMPOSITE_ALARM.types:
        yield from own_actions(resource, COMPOSITE_ALARM, stack, settings)
        yield from name_findings(resource, COMPOSITE_ALARM, stack)
        yield from rule_findings(resource)
    else:
        yield from findings_of(stack.memoized(read_alarms).by_urn[resource.urn], stack, settings)


def findings_of(alarm: Alarm, stack: Stack, settings: Settings) -> tuple[Finding, ...]:
    """Return what keeps a metric alarm from being effective; worked out once for policies set alike."""
    given = tuple(settings[one.name] for one in ALARM_SETTINGS)
    return stack.memoized(lambda _: tuple(effective_findings(alarm, stack, settings)), (alarm, given))


def is_effective(alarm: Alarm, stack: Stack, settings: Settings) -> bool | None:
    """Return whether an alarm is effective; None while that is undecided."""

    def worth(_: Stack) -> bool | None:
        verdicts = {finding.verdict for finding in findings_of(alarm, stack, settings)}
        return False if Verdict.VIOLATION in verdicts else None if verdicts else True

    return stack.memoized(worth, (is_effective, alarm, settings))


# -- What it covers.


class RequiredMetric(NamedTuple):
    """A metric that shows something going wrong with a resource when it rises.

    Attributes:
        dimension: The dimension that names the resource.
        further: Other dimensions that it has to have.
        by_value: Whether a count of its samples says nothing of it.
        problem: What to say where no effective alarm is on it.
        required: Which alarm is asked for.
    """

    namespace: str
    metric: str
    dimension: str
    type: ResourceType
    further: frozenset[str] = frozenset()
    by_value: bool = False
    problem: str = ""
    required: str = ""

    def missing(self, resource: Resource, stack: Stack, settings: Settings) -> Iterator[Finding]:
        """Require an effective alarm on this metric of a resource."""
        covered = coverage(resource, self, stack, settings)
        if not covered.certain:
            yield missing_alarm(self.type, resource, covered, problem=self.problem, required=self.required)


@record(eq=False)
class AlarmMatch:
    """An alarm, and the metric in it that is a required one, or may be.

    Attributes:
        key: The identifier of that metric's query; empty too where it is undecided what the alarm looks at.
    """

    alarm: Alarm
    key: str = ""
    series: Series | None = None


@record
class AlarmCoverage:
    """The alarms about one resource, by what they are worth.

    Attributes:
        certain: Effective alarms that cover it.
        possible: Alarms of which it is undecided whether they do, or whether they are effective.
        useless: Alarms that would cover it and are not effective.
    """

    certain: tuple[AlarmMatch, ...]
    possible: tuple[AlarmMatch, ...]
    useless: tuple[AlarmMatch, ...]


def coverage(resource: Resource, required: RequiredMetric, stack: Stack, settings: Settings) -> AlarmCoverage:
    """Return what covers a resource: all that certainly does, and enough of what may."""
    matches = stack.memoized(lambda one: matches_of(required, one), required).of(resource.urn)

    def is_about(match: AlarmMatch) -> bool | None:
        # Many resources may ask of one alarm.
        alone = stack.memoized(lambda _: fires_alone(match, settings), (match, settings))
        return all_of((same_location(match.alarm.resource, resource), alone))

    def covers(match: AlarmMatch) -> bool | None:
        about = is_about(match)
        return about if about is False else all_of((about, is_effective(match.alarm, stack, settings)))

    matched = matches.where(covers, MOST_POSSIBLE)
    useless = tuple(
        match
        for match in matches.certain
        if is_about(match) is not False and is_effective(match.alarm, stack, settings) is False
    )
    return AlarmCoverage(matched.certain, matched.possible, useless)


def fires_alone(match: AlarmMatch, settings: Settings) -> bool | None:
    """Return whether an alarm goes from quiet to ALARM when what it is about fails alone.

    Returns:
        None while that is undecided; of an alarm that is not effective for its statistic, None as well.
    """
    series = match.series
    if series is None or not (isinstance(series.namespace, Known) and isinstance(series.name, Known)):
        return None
    covered = covers_alone(match.alarm, match.key, settings.integer("mostEvents"))
    counted = series.statistic.value == A_COUNT
    return None if counted and not covered else covered


@record(eq=False)
class AlarmIndex:
    """The metric alarms of a stack, and what they look at: each with the identifier of a metric in it.

    Attributes:
        unsure: Those whose namespace or name is not known.
        unreadable: Those of which it is undecided what they look at, each with the property that hides it.
    """

    by_urn: dict[str, Alarm]
    named: dict[tuple[str, str], list[AlarmMatch]]
    unsure: list[AlarmMatch]
    unreadable: list[tuple[AlarmMatch, PropertyRef]]


def read_alarms(stack: Stack) -> AlarmIndex:
    """Read all metric alarms of a stack, and index what they look at by metric."""
    index = AlarmIndex({}, defaultdict(list), [], [])
    for resource in stack.of(*METRIC_ALARM.types):
        alarm = index.by_urn[resource.urn] = read_alarm(resource, stack)
        if alarm.queries.unreadable is not None:
            index.unreadable.append((AlarmMatch(alarm), alarm.queries.unreadable))
        for key, series in alarm.queries.series.items():
            match = AlarmMatch(alarm, key, series)
            if isinstance(series.namespace, Known) and isinstance(series.name, Known):
                index.named[series.namespace.value, series.name.value].append(match)
            else:
                index.unsure.append(match)
    return index


def matches_of(required: RequiredMetric, stack: Stack) -> RelationIndex[AlarmMatch]:
    """Index the alarms on a required metric by the resources that they are about."""
    matches = RelationIndex[AlarmMatch]()
    index = stack.memoized(read_alarms)
    for match, ref in index.unreadable:
        matches.add(match, made_from(ref, required, match.alarm, stack))
    for match in (*index.named.get((required.namespace, required.metric), ()), *index.unsure):
        shown = shows(match.series, required) if match.series else None
        if match.series and shown is not False:
            about = subject_of(match.series, required, match.alarm, stack)
            matches.add(match, about if shown else about.where(lambda _: None))
    return matches


def shows(series: Series, required: RequiredMetric) -> bool | None:
    """Return whether a series is the required metric, of whichever resource; None while that is undecided."""
    counted = series.statistic.value == A_COUNT
    # Those of one resource: no fewer and no more.
    wanted = required.further | {required.dimension}
    return all_of(
        (
            says(series.namespace, required.namespace),
            says(series.name, required.metric),
            None if series.dimensions.unknown else (series.dimensions.value or {}).keys() == wanted,
            not (series.partial or (required.by_value and counted)),
            True if series.account.absent else None,
        )
    )


def says(prop: PropertyValue[str], wanted: str) -> bool | None:
    """Return whether a text is a certain one; None while it is unknown."""
    return None if prop.unknown else prop.value == wanted


def subject_of(series: Series, required: RequiredMetric, alarm: Alarm, stack: Stack) -> Relation[Resource]:
    """Return which resources a series is about."""
    if not isinstance(series.dimensions, Known):
        return made_from(series.dimensions.ref, required, alarm, stack)
    if required.dimension in series.grouped:
        return Relation(tuple(stack.of(*required.type.types)))
    named = series.dimensions.value[required.dimension]
    if (named.pattern().value or "").startswith("arn:"):
        return Relation()
    return stack.resolve_reference(alarm.resource, named, required.type)


def made_from(ref: PropertyRef, required: RequiredMetric, alarm: Alarm, stack: Stack) -> Relation[Resource]:
    """Return which resources an unknown property of an alarm may be about."""
    candidates = stack.dependencies_of(alarm.resource, ref.top, required.type.types)
    return Relation(possible=candidates, anything=not candidates)


def missing_alarm(
    resource_type: ResourceType, resource: Resource, covered: AlarmCoverage, *, problem: str, required: str
) -> Finding:
    """Say that no effective alarm covers a resource."""
    path = resource_type.at(resource, resource_type.name_property).path
    names = listed(match.alarm.resource for match in covered.possible or covered.useless)
    if covered.possible:
        problem = f"{problem} Undecided before deployment: alarm {names} may cover it."
        return Finding(Verdict.UNDECIDED, problem, path, names, required, DECIDABLE)
    if covered.useless:
        near = f"{problem} {names} would, but is not effective: policy alarm-effective says why."
        fix = "Fix the alarm as policy alarm-effective says."
        return Finding(Verdict.VIOLATION, near, path, names, required, fix)
    return Finding(Verdict.VIOLATION, problem, path, "nothing", required)

"""Which alarms cover a resource for something that can go wrong with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.alarm import Alarm, Series, alarms
from tap_guardrails.aws.alarms.effective import effective
from tap_guardrails.aws.alarms.syntax import ExpressionError
from tap_guardrails.aws.alarms.witness import covers, plan_of
from tap_guardrails.aws.sub_resources import same_location
from tap_guardrails.model import (
    Absent,
    Boolean,
    Enum,
    Finding,
    Integer,
    Known,
    PropertyValue,
    Relation,
    Settings,
    StringList,
    Unknown,
    Verdict,
    listed,
)
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_guardrails.model import PropertyRef, Resource, ResourceType, Stack

STACK, ELSEWHERE = "stack", "elsewhere"

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
        STACK,
        "Where the subscribers of a topic of the stack are: in the same `stack`, as subscriptions or chat "
        "configurations, or `elsewhere`, so that none is asked for. `stack` is stricter.",
        (STACK, ELSEWHERE),
    ),
    Boolean(
        "reservedDomains",
        default=True,
        description="Whether an address in a domain that belongs to nobody, such as ops@example.com, is "
        "somebody who is told. `false` is stricter.",
        stricter=False,
    ),
)
"""The settings of every policy that asks whether an alarm is effective."""


@record
class More:
    """What an operator says that AWS has and this version of the pack does not know.

    Attributes:
        metrics: Metrics, as `namespace:name`.
        namespaces: Namespaces, those of the metrics too.
    """

    metrics: frozenset[str]
    namespaces: frozenset[str]


@record
class AlarmOptions:
    """What an operator says of all alarms.

    Attributes:
        through_composite: Whether a composite alarm may notify instead of a metric alarm.
        more: What to take for emitted besides what is known.
        most_events: How many events a minute can have at most.
        subscribers_elsewhere: Whether nobody has to be subscribed in the stack.
        reserved_domains: Whether an address in a reserved domain is somebody.
    """

    through_composite: bool
    more: More
    most_events: int
    subscribers_elsewhere: bool
    reserved_domains: bool


def alarm_options(settings: Settings) -> AlarmOptions:
    """Take the options out of a policy's settings."""
    metrics = frozenset(settings.strings("moreMetrics"))
    namespaces = {one.partition(":")[0] for one in metrics} | set(settings.strings("moreNamespaces"))
    return AlarmOptions(
        settings.boolean("actionsThroughComposite"),
        More(metrics, frozenset(namespaces)),
        settings.integer("mostEvents"),
        settings.enum("subscribers") == ELSEWHERE,
        settings.boolean("reservedDomains"),
    )


DECIDABLE: Final = (
    "Make the alarm decidable at preview: set its dimension from the resource's own name output and from "
    "nothing else, leave no other property of it unknown, and put it under the same provider."
)
A_COUNT: Final = "SampleCount"
"""The statistic that tells how many samples there were, whatever the metric."""

MOST_DOUBTS: Final = 50
"""How many alarms that may cover a resource are looked at; where any may cover any, that is every pair."""


@record
class RequiredMetric:
    """A metric that shows something going wrong with a resource when it rises.

    Attributes:
        namespace: Its namespace.
        metric: Its name.
        dimension: The dimension that names the resource.
        kind: The type of that resource.
        further: Other dimensions that it has to have.
        by_value: Whether a count of its samples says nothing of it.
    """

    namespace: str
    metric: str
    dimension: str
    kind: ResourceType
    further: frozenset[str] = frozenset()
    by_value: bool = False


@record(eq=False)
class AlarmMatch:
    """An alarm that covers a resource, or may.

    Attributes:
        alarm: The alarm.
        series: The metric in it that does.
        certain: Whether it is known that it is about that resource.
        key: The identifier of that metric's query.
    """

    alarm: Alarm
    series: Series | None
    certain: bool
    key: str = ""


@dataclass(slots=True)
class Matches:
    """All alarms on one required metric.

    Attributes:
        by_urn: By the resource that they are about.
        anywhere: Those that may be about any resource at all.
    """

    by_urn: dict[str, list[AlarmMatch]] = field(default_factory=lambda: defaultdict(list[AlarmMatch]))
    anywhere: list[AlarmMatch] = field(default_factory=list[AlarmMatch])


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


def coverage(
    resource: Resource, required: RequiredMetric, stack: Stack, options: AlarmOptions
) -> AlarmCoverage:
    """Return what covers a resource: all that certainly does, and enough of what may."""
    matches = stack.memoized(lambda one: find_matches(one, required), required)
    certain: list[AlarmMatch] = []
    possible: list[AlarmMatch] = []
    useless: list[AlarmMatch] = []
    for match in chain(matches.by_urn.get(resource.urn, ()), matches.anywhere):
        if not match.certain and len(possible) >= MOST_DOUBTS:
            continue
        near = same_location(match.alarm.resource, resource)
        if near is False:
            continue
        worth, covered = effective(match.alarm, stack, options), covers_alone(match, options)
        if covered is False or (worth is False and not match.certain):
            continue
        if worth is False:
            useless.append(match)
        elif worth and near and match.certain and covered:
            certain.append(match)
        else:
            possible.append(match)
    return AlarmCoverage(tuple(certain), tuple(possible), tuple(useless))


def covers_alone(match: AlarmMatch, options: AlarmOptions) -> bool | None:
    """Return whether an alarm goes from quiet to ALARM when what it is about fails alone.

    Returns:
        None while that is undecided; of an alarm that is not effective for its statistic, None as well.
    """
    alarm, series = match.alarm, match.series
    if series is None or alarm.findings or not named(series):
        return None
    plan, complete = plan_of(alarm, options.most_events)
    if not complete:
        return None
    variable = next(source.variable for source in plan.sources if source.key == match.key)
    try:
        covered = covers(plan, variable)
    except ExpressionError:
        return None
    counted = isinstance(series.statistic, Known) and series.statistic.value == A_COUNT
    return covered or (None if counted else False)


def named(series: Series) -> bool:
    """Tell whether it is known which metric a series is."""
    return isinstance(series.namespace, Known) and isinstance(series.name, Known)


def find_matches(stack: Stack, required: RequiredMetric) -> Matches:
    """Note which alarms are on a required metric, and of what."""
    matches = Matches()
    index = stack.memoized(metric_index)
    for alarm, node in index.unreadable:
        candidates = stack.dependencies_of(alarm.resource, node.top, required.kind.types)
        relation = Relation(possible=candidates, anything=not candidates)
        note(matches, relation, AlarmMatch(alarm, None, certain=False))
    for alarm, key in (*index.named.get((required.namespace, required.metric), ()), *index.unsure):
        series = alarm.series[key]
        shown = shows(series, required)
        if shown is not False:
            match = AlarmMatch(alarm, series, shown is True, key)
            note(matches, subject_of(series, required, alarm, stack), match)
    return matches


@dataclass(slots=True)
class MetricIndex:
    """What the alarms of a stack look at: each alarm with the identifier of a metric in it.

    Attributes:
        named: By namespace and name.
        unsure: Those whose namespace or name is not known.
        unreadable: Alarms of which it is undecided what they look at, each with the property that hides it.
    """

    named: dict[tuple[str, str], list[tuple[Alarm, str]]] = field(
        default_factory=lambda: defaultdict(list[tuple["Alarm", str]])
    )
    unsure: list[tuple[Alarm, str]] = field(default_factory=list[tuple["Alarm", str]])
    unreadable: list[tuple[Alarm, PropertyRef]] = field(default_factory=list[tuple["Alarm", "PropertyRef"]])


def metric_index(stack: Stack) -> MetricIndex:
    """Go through all alarms once, and sort what they look at by metric."""
    index = MetricIndex()
    for alarm in alarms(stack).values():
        if alarm.unreadable is not None:
            index.unreadable.append((alarm, alarm.unreadable))
        for key, series in alarm.series.items():
            if isinstance(series.namespace, Known) and isinstance(series.name, Known):
                index.named[series.namespace.value, series.name.value].append((alarm, key))
            else:
                index.unsure.append((alarm, key))
    return index


def note(matches: Matches, relation: Relation, match: AlarmMatch) -> None:
    """Note an alarm with each resource that it is or may be about."""
    doubtful = AlarmMatch(match.alarm, match.series, certain=False, key=match.key)
    for resource in relation.certain:
        matches.by_urn[resource.urn].append(match)
    for resource in relation.possible:
        matches.by_urn[resource.urn].append(doubtful)
    if relation.anything:
        matches.anywhere.append(doubtful)


def shows(series: Series, required: RequiredMetric) -> bool | None:
    """Return whether a series is the required metric, of whichever resource; None while that is undecided."""
    counted = isinstance(series.statistic, Known) and series.statistic.value == A_COUNT
    answers = [
        says(series.namespace, required.namespace),
        says(series.name, required.metric),
        has_dimensions(series, required),
        not (series.partial or (required.by_value and counted)),
        True if isinstance(series.account, Absent) else None,
    ]
    if False in answers:
        return False
    return None if None in answers else True


def says(reading: PropertyValue[str], wanted: str) -> bool | None:
    """Return whether a text is a certain one; None while it is unknown."""
    if isinstance(reading, Unknown):
        return None
    return isinstance(reading, Known) and reading.value == wanted


def has_dimensions(series: Series, required: RequiredMetric) -> bool | None:
    """Return whether a series has the dimensions of one resource, no fewer and no more."""
    if isinstance(series.dimensions, Unknown):
        return None
    wanted = required.further | {required.dimension}
    return isinstance(series.dimensions, Known) and series.dimensions.value.keys() == wanted


def subject_of(series: Series, required: RequiredMetric, alarm: Alarm, stack: Stack) -> Relation:
    """Return which resources a series is about."""
    if isinstance(series.dimensions, Known):
        if required.dimension in series.grouped:
            return Relation(tuple(stack.of(*required.kind.types)))
        node = series.dimensions.value[required.dimension]
        return stack.resolve_reference(alarm.resource, node, required.kind)
    candidates = stack.dependencies_of(alarm.resource, series.dimensions.node.top, required.kind.types)
    return Relation(possible=candidates, anything=not candidates)


def missing_alarm(
    kind: ResourceType, resource: Resource, found: AlarmCoverage, *, problem: str, required: str
) -> Finding:
    """Say that no effective alarm covers a resource.

    Args:
        kind: The type of the resource.
        resource: The resource.
        found: What is there instead.
        problem: What nothing covers.
        required: The alarm that is wanted.
    """
    path = kind.at(resource, kind.name_property).path
    if found.possible:
        names = listing(found.possible)
        doubt = f"{problem} Undecided before deployment: alarm {names} may cover it."
        return Finding(Verdict.UNDECIDED, doubt, path, names, required, DECIDABLE)
    if found.useless:
        names = listing(found.useless)
        near = f"{problem} {names} would, but is not effective: policy alarm-effective says why."
        fix = "Fix the alarm as policy alarm-effective says."
        return Finding(Verdict.VIOLATION, near, path, names, required, fix)
    return Finding(Verdict.VIOLATION, problem, path, "nothing", required)


def listing(matches: Sequence[AlarmMatch]) -> str:
    """List alarms."""
    return listed(match.alarm.resource for match in matches)

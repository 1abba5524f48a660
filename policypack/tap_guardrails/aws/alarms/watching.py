"""Which alarms watch a resource for something that can go wrong with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.alarm import Alarm, alarms
from tap_guardrails.aws.alarms.checks import AlarmOptions, effective
from tap_guardrails.aws.alarms.comparison import pulls, reachable
from tap_guardrails.aws.location import same_location
from tap_guardrails.model import Absent, Known, PropertyRef, Relation, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from tap_guardrails.aws.alarms.series import Series
    from tap_guardrails.model import Resource, ResourceType, Stack


@record
class Signal:
    """A metric that shows something going wrong with a resource when it rises.

    Attributes:
        namespace: Its namespace.
        metric: Its name.
        dimension: The dimension that names the resource.
        kind: The kind of that resource.
        further: Other dimensions that it has to have.
    """

    namespace: str
    metric: str
    dimension: str
    kind: ResourceType
    further: frozenset[str] = frozenset()


@record(eq=False)
class Watch:
    """An alarm that watches a resource, or may.

    Attributes:
        alarm: The alarm.
        series: The metric in it that does.
        certain: Whether it is known that it does.
    """

    alarm: Alarm
    series: Series | None
    certain: bool


MOST_DOUBTS: Final = 50
"""How many alarms that may watch a resource are looked at; where any may watch any, that is every pair."""


@dataclass(slots=True)
class Watches:
    """All that watches for one signal.

    Attributes:
        by_urn: By the watched resource.
        anywhere: Those that may watch any resource at all.
    """

    by_urn: dict[str, list[Watch]] = field(default_factory=lambda: defaultdict(list[Watch]))
    anywhere: list[Watch] = field(default_factory=list[Watch])


@dataclass(slots=True)
class MetricIndex:
    """What the alarms of a stack look at: each alarm with the identifier of a metric in it.

    Attributes:
        named: By namespace and name.
        unsure: Those whose namespace or name is not known.
        illegible: Alarms of which nobody can tell what they look at, each with the property that hides it.
    """

    named: dict[tuple[str, str], list[tuple[Alarm, str]]] = field(
        default_factory=lambda: defaultdict(list[tuple["Alarm", str]])
    )
    unsure: list[tuple[Alarm, str]] = field(default_factory=list[tuple["Alarm", str]])
    illegible: list[tuple[Alarm, PropertyRef]] = field(default_factory=list[tuple["Alarm", "PropertyRef"]])


@record
class Guard:
    """What watches one resource, by how much it is worth.

    Attributes:
        certain: Effective alarms that watch it.
        possible: Alarms of which nobody can tell whether they do, or whether they are effective.
        useless: Alarms that watch it and are not effective.
    """

    certain: tuple[Watch, ...]
    possible: tuple[Watch, ...]
    useless: tuple[Watch, ...]


def guard(resource: Resource, signal: Signal, stack: Stack, options: AlarmOptions) -> Guard:
    """Find what watches a resource: all that certainly does, and enough of what may."""
    watches = stack.memoized(lambda one: find_watches(one, signal), signal)
    certain: list[Watch] = []
    possible: list[Watch] = []
    useless: list[Watch] = []
    for watch in chain(watches.by_urn.get(resource.urn, ()), watches.anywhere):
        if not watch.certain and len(possible) >= MOST_DOUBTS:
            continue
        worth, near = effective(watch.alarm, stack, options), same_location(watch.alarm.resource, resource)
        if near is False or (worth is False and not watch.certain):
            continue
        if worth is False:
            useless.append(watch)
        elif worth and near and watch.certain:
            certain.append(watch)
        else:
            possible.append(watch)
    return Guard(tuple(certain), tuple(possible), tuple(useless))


def find_watches(stack: Stack, signal: Signal) -> Watches:
    """Note which alarms watch for a signal, and what each watches."""
    watches = Watches()
    index = stack.memoized(metric_index)
    for alarm, node in index.illegible:
        candidates = stack.dependencies_of(alarm.resource, node.top, signal.kind.types)
        target = Relation(possible=candidates, anything=not candidates)
        note(watches, target, Watch(alarm, None, certain=False))
    for alarm, identifier in (*index.named.get((signal.namespace, signal.metric), ()), *index.unsure):
        series = alarm.series[identifier]
        shown = shows(series, signal)
        if shown is False:
            continue
        pulled = pulls(alarm, identifier) if reachable(alarm) else False
        if pulled is not False:
            certain = pulled is True and shown is True
            note(watches, target_of(series, signal, alarm, stack), Watch(alarm, series, certain))
    return watches


def metric_index(stack: Stack) -> MetricIndex:
    """Go through all alarms once, and sort what they look at by metric."""
    index = MetricIndex()
    for alarm in alarms(stack).values():
        if alarm.illegible is not None:
            index.illegible.append((alarm, alarm.illegible))
        for identifier, series in alarm.series.items():
            namespace, name = series.namespace.text(), series.name.text()
            if isinstance(namespace, Known) and isinstance(name, Known):
                index.named[namespace.value, name.value].append((alarm, identifier))
            else:
                index.unsure.append((alarm, identifier))
    return index


def note(watches: Watches, target: Relation, watch: Watch) -> None:
    """Note an alarm with each resource that it watches or may watch."""
    doubtful = Watch(watch.alarm, watch.series, certain=False)
    for resource in target.certain:
        watches.by_urn[resource.urn].append(watch)
    for resource in target.possible:
        watches.by_urn[resource.urn].append(doubtful)
    if target.anything:
        watches.anywhere.append(doubtful)


def shows(series: Series, signal: Signal) -> bool | None:
    """Tell whether a series is a signal's metric, of whichever resource; None when nobody can tell."""
    answers = [
        says(series.namespace, signal.namespace),
        says(series.name, signal.metric),
        has_dimensions(series, signal),
        True if isinstance(series.account.text(), Absent) else None,
    ]
    if False in answers:
        return False
    return None if None in answers else True


def says(node: PropertyRef, wanted: str) -> bool | None:
    """Tell whether a text is a certain one; None while it is not known."""
    reading = node.text()
    if isinstance(reading, Unknown):
        return None
    return isinstance(reading, Known) and reading.value == wanted


def has_dimensions(series: Series, signal: Signal) -> bool | None:
    """Tell whether a series has the dimensions of one resource, no fewer and no more."""
    if isinstance(series.dimensions, Unknown):
        return None
    wanted = signal.further | {signal.dimension}
    return isinstance(series.dimensions, Known) and series.dimensions.value.keys() == wanted


def target_of(series: Series, signal: Signal, alarm: Alarm, stack: Stack) -> Relation:
    """Tell which resource a series is about."""
    if isinstance(series.dimensions, Known):
        return stack.resolve_reference(alarm.resource, series.dimensions.value[signal.dimension], signal.kind)
    candidates = stack.dependencies_of(alarm.resource, series.dimensions.node.top, signal.kind.types)
    return Relation(possible=candidates, anything=not candidates)

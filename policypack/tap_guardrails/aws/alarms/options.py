"""What an operator can say of all alarms."""

from __future__ import annotations

from typing import Final

from tap_guardrails.model import Boolean, Enum, Integer, Settings, StringList
from tap_guardrails.model.values import record

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

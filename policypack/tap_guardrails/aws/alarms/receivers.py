"""Whom an alarm notifies when it goes off: each action followed to its receiver.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tap_guardrails.aws import AWS_ALIAS, COMPOSITE_ALARM, FUNCTION, METRIC_ALARM, TOPIC
from tap_guardrails.aws.alarms.composite import always_muted_by, goes_off, suppressed_by
from tap_guardrails.aws.functions import PERMISSIONS_OF, function_name
from tap_guardrails.aws.sub_resources import own_region, partition_of, region_of, same_location, sub_resources
from tap_guardrails.aws.topics import (
    Caller,
    admits,
    is_heard,
    key_policies,
    keys_of,
    own_policies,
    topic_name,
)
from tap_guardrails.model import (
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Resource,
    ResourceType,
    Settings,
    Stack,
    Verdict,
)
from tap_guardrails.model.values import any_of, has_unknown

TELL: Final = "at least one action, such as the ARN of an SNS topic that someone reads"
ARN: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[^:]*):(?P<rest>.+)"
)
SERVICES: Final = frozenset({"sns", "lambda", "ssm", "ssm-incidents", "aiops"})
METRIC_SERVICES: Final = SERVICES | {"automate", "autoscaling", "swf"}
"""The services that an action can be of: a composite alarm's, and a metric alarm's.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

EC2_ACTION: Final = re.compile(r":(automate|swf):")
INSTANCE: Final = "InstanceId"
"""The dimension that names what such an action stops, reboots or recovers."""

WITHOUT_REGION: Final = frozenset({"ssm-incidents"})
KMS_ACTIONS: Final = ("kms:Decrypt", "kms:GenerateDataKey")
ALARM_PRINCIPAL: Final = "cloudwatch.amazonaws.com"
LAMBDA_PRINCIPAL: Final = "lambda.alarms.cloudwatch.amazonaws.com"


def action_findings(alarm: Resource, stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Say why a metric alarm notifies no one, itself or through a composite alarm where that is allowed."""
    findings = list(own_actions(alarm, METRIC_ALARM, stack, settings))
    if findings and settings.boolean("actionsThroughComposite"):
        told = [told_by(composite, alarm, stack, settings) for composite in stack.of(*COMPOSITE_ALARM.types)]
        if True in told:
            return
        if None in told:
            problem = "Undecided before deployment: a composite alarm may notify instead of this alarm."
            yield METRIC_ALARM.at(alarm, "alarmActions").undecided(TELL, problem)
            return
    yield from findings


def told_by(composite: Resource, alarm: Resource, stack: Stack, settings: Settings) -> bool | None:
    """Return whether a composite alarm goes off with an alarm and notifies; None while that is undecided."""
    near = same_location(composite, alarm)
    heard = goes_off(composite, alarm, stack)
    if near is False or heard is False or suppressed_by(composite, alarm):
        return False
    verdicts = {finding.verdict for finding in own_actions(composite, COMPOSITE_ALARM, stack, settings)}
    if Verdict.VIOLATION in verdicts:
        return False
    return None if near is None or heard is None or verdicts else True


def own_actions(
    alarm: Resource, resource_type: ResourceType, stack: Stack, settings: Settings
) -> Iterator[Finding]:
    """Say why an alarm's own actions notify no one."""
    enabled = resource_type.at(alarm, "actionsEnabled").boolean()
    if enabled.value is False:
        yield enabled.violation("The alarm's actions are switched off.", "true, or nothing")
    yield from enabled.unsettled("true, or nothing")
    listed = resource_type.at(alarm, "alarmActions").items()
    yield from listed.unsettled(TELL)
    actions = [prop for action in listed.value or () if not (prop := action.text()).absent]
    if actions:
        yield from listed_actions(alarm, resource_type, actions, stack, settings)
    elif listed.settled:
        yield listed.violation("The alarm has no actions, so it notifies no one.", TELL)
    muting = next(always_muted_by(alarm, resource_type.physical_name(alarm), stack), None)
    if muting is not None:
        rule, certain = muting
        yield from unless(
            listed.ref,
            "a mute rule whose schedule leaves times in which it does notify",
            right=False if certain else None,
            problem=f"Mute rule `{rule.name}` mutes the alarm all the time, so it notifies no one.",
            possible=f"mute rule `{rule.name}` may mute the alarm all the time.",
        )


def unless(
    ref: PropertyRef, required: str, *, right: bool | None, problem: str, possible: str
) -> Iterator[Finding]:
    """Say what is wrong unless all is right, or what may be while that is undecided."""
    if right is None:
        yield ref.undecided(required, f"Undecided before deployment: {possible}")
    elif not right:
        yield ref.violation(problem, required)


def listed_actions(
    alarm: Resource,
    resource_type: ResourceType,
    actions: list[PropertyValue[str]],
    stack: Stack,
    settings: Settings,
) -> Iterator[Finding]:
    """Say which actions AWS refuses, and why none of the others reaches anyone."""
    refused = [finding for action in actions for finding in refusals(action, alarm, resource_type)]
    yield from refused
    if refused:
        return
    if own_region(alarm) is None and any(isinstance(action, Known) for action in actions):
        yield resource_type.at(alarm, "region").undecided("the region of the alarm's actions")
    deaf = [list(deaf_findings(action, alarm, resource_type, stack, settings)) for action in actions]
    if all(deaf):
        yield from deaf[0]


def refusals(action: PropertyValue[str], alarm: Resource, resource_type: ResourceType) -> Iterator[Finding]:
    """Say why AWS refuses an action, whose value may not be known yet."""
    if isinstance(action, Invalid):
        yield action.invalid("an ARN")
    if not isinstance(action, Known):
        return
    parts = ARN.fullmatch(action.value)
    if parts is None:
        yield action.violation("An action of the alarm is no ARN, so AWS refuses it.", "an ARN")
        return
    services = METRIC_SERVICES if resource_type is METRIC_ALARM else SERVICES
    service, region, here = parts["service"], parts["region"], region_of(alarm)
    partition = partition_of(region or here)
    if service not in services:
        problem = f"An alarm has no actions of the service {service}, so AWS refuses it."
        yield action.violation(problem, f"the ARN of something of {', '.join(sorted(services))}")
    elif service not in WITHOUT_REGION and (not region or (here and region != here)):
        problem = "The action is in another region than the alarm, so AWS refuses it."
        yield action.violation(problem, "an ARN in the alarm's region")
    elif partition and parts["partition"] != partition:
        problem = "The action is in another partition than the alarm, so AWS refuses it."
        yield action.violation(problem, "an ARN in its partition")
    elif service == "sns" and parts["rest"].endswith(".fifo"):
        problem = "The topic is a FIFO topic, to which alarms do not publish."
        yield action.violation(problem, "the ARN of a standard topic")


def deaf_findings(
    action: PropertyValue[str],
    alarm: Resource,
    resource_type: ResourceType,
    stack: Stack,
    settings: Settings,
) -> Iterator[Finding]:
    """Say why an action reaches no one, when its receiver is in the stack, or is an instance that is none."""
    ref = action.ref
    if isinstance(action, Known) and EC2_ACTION.search(action.value) and is_of_no_instance(alarm):
        problem = "The action is on an EC2 instance, and the alarm is on none, so that it notifies no one."
        yield ref.violation(problem, TELL)
        return
    receivers = [
        list(topic_findings(ref, topic, caller_of(alarm, resource_type), stack, settings))
        for topic in topics_of(action, alarm, stack)
    ]
    receivers += [
        list(function_findings(ref, function, stack)) for function in functions_of(action, alarm, stack)
    ]
    if not any(receivers):
        return
    if all(receivers):
        yield from receivers[0]
        return
    problem = "Undecided before deployment: the action may go to a topic that reaches no one."
    yield ref.undecided(TELL, problem)


def is_of_no_instance(alarm: Resource) -> bool:
    """Tell whether no metric of an alarm is certainly one of an EC2 instance."""
    said = [METRIC_ALARM.at(alarm, name).value for name in ("dimensions", "metricQueries")]
    return not any(has_unknown(one, or_opaque=True) or INSTANCE in str(one) for one in said)


def caller_of(alarm: Resource, resource_type: ResourceType) -> Caller:
    """Return CloudWatch, acting for an alarm."""
    name = resource_type.physical_name(alarm)
    return Caller(ALARM_PRINCIPAL, "cloudwatch", region_of(alarm), None if name is None else f"alarm:{name}")


def topics_of(action: PropertyValue[str], alarm: Resource, stack: Stack) -> list[Resource]:
    """Return the topics of the stack that an action goes to, or may go to while it is unknown."""
    if (isinstance(action, Known) and ":sns:" not in action.value) or not any(stack.of(*TOPIC.types)):
        return []
    receivers = stack.resolve_reference(alarm, action.ref, TOPIC, topic_name)
    topics = receivers.certain if isinstance(action, Known) else (*receivers.certain, *receivers.possible)
    near = [topic for topic in topics if same_location(alarm, topic) is not False]
    # Names are those of one account: two ARNs that are known and differ are of two topics.
    return [topic for topic in near if len({action.value, topic.at("arn").text().value} - {None}) < 2]


def functions_of(action: PropertyValue[str], alarm: Resource, stack: Stack) -> list[Resource]:
    """Return the functions of the stack that an action certainly calls."""
    if isinstance(action, Known) and ":lambda:" not in action.value:
        return []
    functions = stack.resolve_reference(alarm, action.ref, FUNCTION, function_name)
    return [function for function in functions.certain if same_location(alarm, function) is not False]


def topic_findings(
    action: PropertyRef, topic: Resource, caller: Caller, stack: Stack, settings: Settings
) -> Iterator[Finding]:
    """Say why what CloudWatch publishes to a topic of the stack reaches no one."""
    fifo = topic.as_set(topic.at("fifoTopic")).boolean()
    yield from unless(
        action,
        "a standard topic",
        right=not fifo.value if fifo.settled else None,
        problem=f"Topic `{topic.name}` is a FIFO topic, to which alarms do not publish.",
        possible=f"topic `{topic.name}` may be a FIFO topic.",
    )
    arn = topic.as_set(topic.at("arn")).text()
    topic_arn = arn.value
    policies = own_policies(topic, stack)
    answers = [admits(policy, caller, ("sns:Publish",), topic_arn) for policy in policies]
    if arn.unknown:
        answers = [None if answer else answer for answer in answers]
    yield from unless(
        action,
        f"a policy that lets {ALARM_PRINCIPAL} publish for this alarm",
        right=any_of(answers) if answers else True,
        problem=f"The policy of topic `{topic.name}` does not let CloudWatch publish for this alarm.",
        possible=f"the policy of topic `{topic.name}` may keep CloudWatch out.",
    )
    yield from key_findings(action, topic, caller, stack)
    if settings.enum("subscribers") == "elsewhere":
        return
    reserved = settings.boolean("reservedDomains")
    heard = stack.memoized(
        lambda one: is_heard(topic, one, reserved_domains=reserved),
        (is_heard, topic, reserved),
    )
    if heard is None:
        problem = f"Undecided before deployment: topic `{topic.name}` may have no subscriber that reads it."
        yield action.undecided("a subscription of someone", problem)
    elif not heard:
        problem = f"No one is subscribed to topic `{topic.name}`, so the alarm notifies no one."
        yield action.violation(
            problem,
            "a subscription or a chat configuration in the stack",
            "Subscribe someone to the topic in the same program, or set `subscribers: elsewhere` where "
            "subscriptions are kept outside of it.",
        )


def key_findings(action: PropertyRef, topic: Resource, caller: Caller, stack: Stack) -> Iterator[Finding]:
    """Say why CloudWatch may not use the key that encrypts a topic.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    key = topic.as_set(topic.at("kmsMasterKeyId"))
    prop = key.text()
    required = f"a key whose policy lets {ALARM_PRINCIPAL} use {' and '.join(KMS_ACTIONS)}*"
    if isinstance(prop, Known) and AWS_ALIAS.search(prop.value):
        problem = f"Topic `{topic.name}` is encrypted with AWS's own key, which CloudWatch may not use."
        yield action.violation(problem, required)
        return
    for one in keys_of(topic, key, stack):
        policies = key_policies(one, stack)
        # Without a policy of its own, a key has one that lets in only the account.
        yield from unless(
            action,
            required,
            right=any_of(admits(policy, caller, KMS_ACTIONS, None) for policy in policies),
            problem=f"The policy of key `{one.name}` does not let CloudWatch encrypt for topic "
            f"`{topic.name}`.",
            possible=f"the policy of key `{one.name}` may keep CloudWatch out.",
        )


def function_findings(action: PropertyRef, function: Resource, stack: Stack) -> Iterator[Finding]:
    """Say why CloudWatch may not call a function of the stack.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    admitting = sub_resources(stack, function, PERMISSIONS_OF).where(admits_alarms)
    yield from unless(
        action,
        f"a `lambda:Permission` for {LAMBDA_PRINCIPAL} on the function",
        right=True if admitting.certain else None if admitting.possible else False,
        problem=f"No permission lets CloudWatch call function `{function.name}`, so the alarm notifies no "
        "one.",
        possible=f"a permission may let CloudWatch call function `{function.name}`.",
    )


def admits_alarms(permission: Resource) -> bool | None:
    """Return whether a function's permission is for alarms; None while that is undecided."""
    principal = permission.at("principal").text()
    if principal.unknown:
        return None
    return principal.value in {LAMBDA_PRINCIPAL, "*"}

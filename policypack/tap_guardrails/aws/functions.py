"""Lambda functions: how events reach them, where failures and logs end up, which ones CloudFront runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from tap_guardrails.aws import (
    ASYNC_CONFIG,
    BUCKET,
    EVENT_SOURCE,
    FUNCTION,
    FUNCTION_URL,
    LOG_GROUP,
    PERMISSION,
    QUEUE,
    REDRIVE_POLICY,
    STATE_MACHINE,
    TOPIC,
    table,
)
from tap_guardrails.aws.sub_resources import SubResource, own_region, region_of, same_location
from tap_guardrails.model import Invalid, PropertyRef, Relation, RelationIndex, Resource, Stack, refs_at
from tap_guardrails.model.values import all_of, record

LATEST: Final = "$LATEST"
"""What is called without naming a version or an alias."""

NAME: Final = re.compile(
    r"(?:(?:arn:[^:]+:lambda:[^:]*:)?[^:]+:function:)?(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[^:]+))?"
)


def function_name(text: str) -> str | None:
    """Take a function's name out of its name or ARN, whole or partial, with or without a qualifier.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    match = NAME.fullmatch(text)
    return match["name"] if match else None


def function_qualifier(text: str) -> str:
    """Take the version or alias out of a function's name or ARN; empty when it names neither."""
    match = NAME.fullmatch(text)
    qualifier = (match["qualifier"] or "") if match else ""
    return "" if qualifier == LATEST else qualifier


def queue_in_url(url: str) -> str | None:
    """Take a queue's name out of its URL."""
    return url.rstrip("/").rsplit("/", 1)[-1] if "/" in url else None


_INVOKE: Final = ":states:::lambda:invoke"


def states_wait(function: Resource, stack: Stack) -> bool | None:
    """Tell whether a state machine calls a function, and each that does waits for it; None where unknown.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
    """
    name = FUNCTION.physical_name(function)
    calls: set[bool | None] = set()
    for machine in stack.of(*STATE_MACHINE.types):
        definition = STATE_MACHINE.at(machine, "definition")
        if definition.text().value is not None:
            calls |= set(_waiting_calls(definition.document().value, name))
        elif function in stack.dependencies_of(machine, definition.top, FUNCTION.types):
            calls.add(None)
    return bool(calls) and all_of(calls)


def _waiting_calls(state: object, name: str | None) -> Iterator[bool]:
    """Yield for each call of a function, within a definition, whether it waits for the answer."""
    if isinstance(state, Mapping):
        body = cast("Mapping[str, object]", state)
        resource, given = body.get("Resource"), body.get("Parameters") or body.get("Arguments")
        arguments = cast("Mapping[str, object]", given if isinstance(given, Mapping) else {})
        if isinstance(resource, str):
            called = arguments.get("FunctionName") if _INVOKE in resource else resource
            if name and isinstance(called, str) and function_name(called) == name:
                yield arguments.get("InvocationType") != "Event"
        for one in body.values():
            yield from _waiting_calls(one, name)
    elif isinstance(state, list | tuple):
        for one in cast("Sequence[object]", state):
            yield from _waiting_calls(one, name)


WITHOUT_WAITING: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "aws:cloudwatch/eventTarget:EventTarget": (("arn",),),
    "aws:pipes/pipe:Pipe": (("target",),),
    "aws:scheduler/schedule:Schedule": (("target", "arn"),),
    "aws-native:events:Rule": (("targets[*]", "arn"),),
    "aws-native:pipes:Pipe": (("target",),),
    "aws-native:scheduler:Schedule": (("target", "arn"),),
}
"""By type, where it names a function that it calls and does not wait for, by a role instead of a permission.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

IN_PIPE: Final = ("targetParameters", "lambdaFunctionParameters", "invocationType")
"""A pipe waits for the answer unless it is told otherwise."""


def called_without_waiting(stack: Stack) -> frozenset[str]:
    """Return the URNs of the functions that rules, schedules and pipes may call without waiting."""
    called: set[str] = set()
    for caller, ref in stack.refs(WITHOUT_WAITING):
        invocation = caller.at(*IN_PIPE).text()
        waits = invocation.absent or invocation.value == "REQUEST_RESPONSE"
        if not (waits and caller.type.endswith(":Pipe")):
            callees = stack.resolve_reference(caller, ref, FUNCTION, function_name)
            called.update(one.urn for one in (*callees.certain, *callees.possible))
    return frozenset(called)


SOURCES_OF: Final = SubResource(EVENT_SOURCE, "functionName", FUNCTION, function_name)
ASYNC_CONFIGS_OF: Final = SubResource(ASYNC_CONFIG, "functionName", FUNCTION, function_name)
PERMISSIONS_OF: Final = SubResource(PERMISSION, "function", FUNCTION, function_name)
URLS_OF: Final = SubResource(FUNCTION_URL, "functionName", FUNCTION, function_name)
REDRIVES_OF: Final = SubResource(REDRIVE_POLICY, "queueUrl", QUEUE, queue_in_url)

SYNCHRONOUS_CALLERS: Final = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "apigateway", "bedrock", "cognito-idp", "connect", "elasticloadbalancing", "lex", "lexv2",
        "secretsmanager", "transfer", "vpc-lattice",
    )
)  # fmt: skip
"""The services that wait for a function's answer, and hear of its failure.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
"""

STREAM_SERVICES: Final = frozenset({"kinesis", "dynamodb", "kafka"})
"""Event sources whose failed records Lambda can put somewhere; what a queue gives up, the queue redrives."""

STREAM_TYPES: Final = (
    "aws:dynamodb/table:Table", "aws:kinesis/stream:Stream", "aws:kinesis/streamConsumer:StreamConsumer",
    "aws:msk/cluster:Cluster", "aws:msk/serverlessCluster:ServerlessCluster", "aws-native:dynamodb:Table",
    "aws-native:kinesis:Stream", "aws-native:msk:Cluster",
)  # fmt: skip
FAILURE_TARGETS: Final = (
    *QUEUE.types, *FUNCTION.types, *BUCKET.types, *TOPIC.types, "aws:cloudwatch/eventBus:EventBus",
    "aws-native:events:EventBus",
)  # fmt: skip
"""What can take the events that failed."""

KAFKA_TOPIC: Final = re.compile(r"kafka://[^.][A-Za-z0-9_.-]{0,248}")
"""What an event source mapping can name besides.

https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
"""

FAILURE_ARN: Final = re.compile(r"arn:[^:]+:(sqs|sns|lambda|events|s3|s3-object-lambda):.*", re.DOTALL)


REDRIVE: Final = ("redrivePolicy", "deadLetterTargetArn")
"""A redrive policy, which may be an object or JSON, with the ARN in it."""

ON_FAILURE: Final = ("destinationConfig", "onFailure", "destination")

SOURCES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    token: tuple(REDRIVE if path == REDRIVE[0] else tuple(path.split(".")) for path in paths)
    for token, paths in table("failure_targets").items()
}
"""For each type of resource, the paths to what its dead letters go to; `[*]` leads into each of a list."""

OTHER_TARGETS: Final = frozenset(FAILURE_TARGETS) - frozenset(QUEUE.types)
"""Types of resources that can take what failed, and are no queue."""

URL: Final = "Url"
"""What the name of a property ends with that has a queue's URL."""

QUEUE_ARN: Final = re.compile(r"arn:[^:]+:sqs:[^:]*:[^:]*:(?P<name>[^:]+)")


@dataclass(slots=True)
class DeadLetters:
    """Which queues are dead-letter targets.

    Attributes:
        sources: By a queue's URN, the resources whose dead letters go to it, or may.
        open: The resources whose target may be any queue at all, with the property that is unknown.
    """

    sources: RelationIndex[Resource] = field(default_factory=RelationIndex["Resource"])
    open: dict[str, PropertyRef] = field(default_factory=dict[str, "PropertyRef"])
    unreadable: dict[str, Invalid] = field(default_factory=dict[str, Invalid])

    def concern(self, urn: str) -> bool:
        """Tell whether there is anything to say of a resource."""
        return any(
            urn in urns for urns in (self.sources.certain, self.sources.possible, self.open, self.unreadable)
        )


def dead_letters(stack: Stack) -> DeadLetters:
    """Go through everything in a stack that can name a dead letter target."""
    letters = DeadLetters()
    for token, paths in SOURCES.items():
        for source in stack.of(token):
            for path in paths:
                refs = [redrive_ref(source)] if path == REDRIVE else refs_at(source, path)
                for ref in refs:
                    note(letters, source, ref, stack)
    return letters


def redrive_ref(source: Resource) -> PropertyRef:
    """Go to where a redrive policy, in JSON or not, names its dead letter target."""
    policy, queue = REDRIVE
    return source.at(policy).document().at(queue)


def note(letters: DeadLetters, source: Resource, ref: PropertyRef, stack: Stack) -> None:
    """Note what one resource says."""
    prop = ref.text()
    if isinstance(prop, Invalid):
        letters.unreadable[source.urn] = prop
        return
    name_in = queue_in_url if ref.path.endswith(URL) else queue_name
    queues = stack.resolve_reference(source, ref, QUEUE, name_in)
    if prop.value is not None:
        letters.sources.add(
            source, Relation(queues.certain).where(lambda one: same_location(source, one) is not False)
        )
        return
    letters.sources.add(source, Relation(queues.certain, queues.possible))
    if queues.anything and not made_of_no_queue(source, ref, stack):
        letters.open[source.urn] = ref


def made_of_no_queue(source: Resource, ref: PropertyRef, stack: Stack) -> bool:
    """Tell whether an unknown target was made from a topic or the like, and from nothing else."""
    others = [stack.get(urn) for urn in source.property_dependencies.get(ref.top, ())]
    return bool(others) and all(other is not None and other.is_a(OTHER_TARGETS) for other in others)


def queue_name(arn: str) -> str | None:
    """Take a queue's name out of its ARN; None when it is of something else."""
    match = QUEUE_ARN.fullmatch(arn)
    return match["name"] if match else None


HOME: Final = "us-east-1"
"""The only region in which such a function can be declared."""

LOG_PREFIX: Final = f"/aws/lambda/{HOME}."
"""What Lambda puts before such a function's name, in each region that runs it.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-logs.html
"""

ASSOCIATION: Final = "lambdaFunctionAssociations[*]"
ASSOCIATIONS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "aws:cloudfront/distribution:Distribution": (
        ("defaultCacheBehavior", ASSOCIATION, "lambdaArn"),
        ("orderedCacheBehaviors[*]", ASSOCIATION, "lambdaArn"),
    ),
    "aws-native:cloudfront:Distribution": (
        ("distributionConfig", "defaultCacheBehavior", ASSOCIATION, "lambdaFunctionArn"),
        ("distributionConfig", "cacheBehaviors[*]", ASSOCIATION, "lambdaFunctionArn"),
    ),
}
"""By type of distribution, where it names the functions that it runs."""


def edge_functions(stack: Stack) -> Relation[Resource]:
    """Find the functions that a distribution of the stack names, or may name."""
    associated = [
        stack.resolve_reference(distribution, ref, FUNCTION, function_name)
        for distribution, ref in stack.refs(ASSOCIATIONS)
    ]
    return Relation(
        tuple(dict.fromkeys(function for one in associated for function in one.certain)),
        tuple(dict.fromkeys(function for one in associated for function in one.possible)),
        any(one.anything for one in associated),
    ).where(lambda function: None if own_region(function) is None else region_of(function) in ("", HOME))


def is_edge(function: Resource, stack: Stack) -> bool | None:
    """Tell whether CloudFront runs a function; None while that is undecided."""
    edge = stack.memoized(edge_functions)
    if function in edge.certain:
        return True
    return None if may_be_edge(function) and (edge.anything or function in edge.possible) else False


def may_be_edge(function: Resource) -> bool:
    """Tell whether a function, by itself, may be one that CloudFront runs: a version, without variables."""
    published, region = FUNCTION.at(function, "publish").boolean(), region_of(function)
    variables = FUNCTION.at(function, "environment", "variables").entries()
    if variables.value:
        return False
    # Through Cloud Control, a version is a resource of its own.
    if function.type.startswith("aws-native:"):
        return region == HOME
    version = published.value or published.unknown
    return version and region in ("", HOME)


DEFAULT_PREFIX: Final = "/aws/lambda/"
"""What Lambda puts before a function's name, unless the function names a log group itself."""


@record
class FunctionLogs:
    """A function's log group.

    Attributes:
        ref: Where the function names it; absent when it leaves it to Lambda.
        edge: Whether CloudFront runs the function, so that each region has such a group.
    """

    ref: PropertyRef
    groups: Relation[Resource]
    edge: bool = False


def function_logs(function: Resource, stack: Stack) -> FunctionLogs:
    """Find a function's log group among those that the stack declares."""
    ref = FUNCTION.at(function, "loggingConfig", "logGroup")
    prop = ref.text()
    if isinstance(prop, Invalid):
        return FunctionLogs(ref, Relation())
    edge = is_edge(function, stack)
    if edge is not False and prop.absent:
        return FunctionLogs(ref, edge_groups(function, stack, certain=edge is True), edge is True)
    groups = (
        default_group(function, stack) if prop.absent else stack.resolve_reference(function, ref, LOG_GROUP)
    )
    return FunctionLogs(ref, groups.where(lambda group: same_location(function, group)))


def edge_groups(function: Resource, stack: Stack, *, certain: bool) -> Relation[Resource]:
    """Find the log groups of a function that CloudFront runs, or may run, in whichever region."""
    name, made_from = FUNCTION.physical_name(function), stack.memoized(groups_by_function).of(function.urn)
    named = stack.names(LOG_GROUP).of(LOG_PREFIX + name).certain if name is not None else ()
    groups = (*named, *made_from.certain)
    return Relation(groups, made_from.possible) if certain else Relation((), groups, anything=True)


def default_group(function: Resource, stack: Stack) -> Relation[Resource]:
    """Find the log group that Lambda writes to by itself."""
    groups, made_from = stack.names(LOG_GROUP), stack.memoized(groups_by_function).of(function.urn)
    name = FUNCTION.physical_name(function)
    if name is not None:
        named = groups.of(DEFAULT_PREFIX + name).certain
        return Relation((*named, *made_from.certain), () if named else made_from.possible)
    functions = stack.names(FUNCTION)
    unclaimed = [
        group
        for group_name, named in groups.certain.items()
        if group_name.startswith(DEFAULT_PREFIX)
        and group_name.removeprefix(DEFAULT_PREFIX) not in functions.certain
        for group in named
    ]
    return Relation(made_from.certain, (*made_from.possible, *unclaimed))


def groups_by_function(stack: Stack) -> RelationIndex[Resource]:
    """Index the log groups whose names are not known yet by the functions that the names were made from."""
    index = RelationIndex[Resource]()
    for group in stack.names(LOG_GROUP).anywhere:
        name = LOG_GROUP.at(group, LOG_GROUP.name_property)
        if name.text().unknown and group.property_dependencies.get(name.top):
            index.add(group, stack.resolve_reference(group, name, FUNCTION))
    return index

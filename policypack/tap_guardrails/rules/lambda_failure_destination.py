"""What a Lambda function fails on is kept, whichever way it came in.

Each way in has a destination of its own for failures, and none serves another: a function's dead letter queue
and on-failure destination are for asynchronous calls; messages of a queue go to that queue's dead letter
queue; records of a stream to the event source mapping's destination. Who waits for the answer hears of the
failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tap_guardrails.aws import EVENT_SOURCE, FUNCTION, PERMISSION, QUEUE
from tap_guardrails.aws.embedded import STAND_IN
from tap_guardrails.aws.functions import (
    ASYNC_CONFIGS_OF,
    FAILURE_ARN,
    FAILURE_TARGETS,
    KAFKA_TOPIC,
    LATEST,
    ON_FAILURE,
    PERMISSIONS_OF,
    REDRIVES_OF,
    SOURCES_OF,
    STREAM_SERVICES,
    STREAM_TYPES,
    SYNCHRONOUS_CALLERS,
    URLS_OF,
    called_without_waiting,
    function_name,
    function_qualifier,
    is_edge,
    queue_name,
    redrive_ref,
    states_wait,
)
from tap_guardrails.aws.sub_resources import same_location, sub_resources
from tap_guardrails.model import (
    Absent,
    Enum,
    Finding,
    Invalid,
    Known,
    NotApplicable,
    Outcomes,
    PropertyRef,
    Resource,
    Settings,
    Stack,
    StackRule,
    Unknown,
    Verdict,
    listed,
)
from tap_guardrails.model.values import any_of, has_unknown, leaves

A_DESTINATION: Final = "the ARN of a queue, topic, bucket, event bus or function that takes what failed"
A_REDRIVE: Final = "a source queue whose `redrivePolicy` names a dead letter queue"
DROPPED: Final = "What the function fails on is dropped after the last attempt."

REQUIRE, EXEMPT = "require", "exempt"
DENY, TRUST = "deny", "trust"


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a function by its asynchronous calls, or an event source by what it feeds."""
    if resource.type in EVENT_SOURCE.types:
        yield from source(resource, stack, trusting=settings.enum("foreignQueues") == TRUST)
    else:
        yield from function(resource, stack, exempting=settings.enum("synchronousFunctions") == EXEMPT)


def function(resource: Resource, stack: Stack, *, exempting: bool) -> Outcomes:
    """Require a destination for asynchronous events, unless the function certainly gets none."""
    ref = FUNCTION.at(resource, "deadLetterConfig", "targetArn")
    own = lost(resource, stack, ref)
    configs = sub_resources(stack, resource, ASYNC_CONFIGS_OF)
    others = [(config, lost(config, stack, config.at(*ON_FAILURE))) for config in configs.certain]
    kept = {qualifier(config, config.at("functionName")) for config, finding in others if finding is None}
    called = asynchronous_calls(resource, stack)
    if own is None or (kept and kept >= called):
        return
    edge = is_edge(resource, stack)
    if edge:
        yield NotApplicable(
            "CloudFront waits for the function's answer; Lambda@Edge can have no destination."
        )
        return
    open_ones = [one for one, finding in others if finding and finding.verdict is Verdict.UNDECIDED]
    possibly_kept = (*open_ones, *configs.possible)
    # Whoever configures asynchronous calls has some.
    reason = only_waited_for(resource, stack, exempting=exempting and not configs.certain)
    if reason:
        yield NotApplicable(reason)
    elif own.problem != DROPPED:
        yield own
    elif exempting and not called and states_wait(resource, stack) is None:
        yield ref.undecided(
            A_DESTINATION,
            "Undecided before deployment: a state machine may call the function, and wait for its answer.",
            "Name a queue in a FunctionEventInvokeConfig's `onFailure`, or name the function yourself.",
        )
    elif exempting and not called and (caller := stack.memoized(given_to_unseen).get(resource.urn)):
        yield ref.undecided(
            A_DESTINATION,
            f"Undecided before deployment: {listed([caller])} may call the function and wait for its answer.",
            "Name a queue in a FunctionEventInvokeConfig's `onFailure`, or install the provider of the "
            "component's package.",
        )
    elif possibly_kept or None in kept | called or edge is None:
        yield ref.undecided(
            A_DESTINATION,
            f"Undecided before deployment: {listed(possibly_kept) or 'the stack'} may keep what fails.",
            "Give the FunctionEventInvokeConfig this function's name and the destination's ARN, each from an "
            "output.",
        )
    elif kept:
        yield ref.violation(
            "What the function fails on is kept for another version or alias than the one that is called.",
            "a FunctionEventInvokeConfig with the qualifier that is called, or none",
        )
    else:
        yield own


def given_to_unseen(stack: Stack) -> Mapping[str, Resource]:
    """Return which functions a component gets that no one can look into: it may call them in any way.

    What takes no references to resources gets a function's name or ARN, and of that no dependency is told.
    """
    named = {FUNCTION.physical_name(one): one for one in stack.of(*FUNCTION.types)}
    given: dict[str, Resource] = {}
    for component in stack.resources:
        if component.provider is not None or component.at(STAND_IN).text().absent:
            continue
        tops = component.property_dependencies
        functions = [one for top in tops for one in stack.dependencies_of(component, top, FUNCTION.types)]
        values = (leaf for value in component.properties.values() for leaf in leaves(value))
        texts = (leaf for leaf in values if isinstance(leaf, str))
        functions += [named[name] for text in texts if (name := function_name(text)) in named]
        if any(has_unknown(value) and not tops.get(top) for top, value in component.properties.items()):
            functions += stack.of(*FUNCTION.types)
        given.update((one.urn, component) for one in functions)
    return given


def asynchronous_calls(resource: Resource, stack: Stack) -> set[str | None]:
    """Return the versions and aliases of a function that someone may call without waiting; None is unknown.

    Empty is the function without either. Where no one in the stack calls, nothing is known to be called.
    """
    permissions = sub_resources(stack, resource, PERMISSIONS_OF).certain
    return {qualifier(one, PERMISSION.at(one, "function")) for one in permissions if not waits(one)}


def waits(permission: Resource) -> bool:
    """Tell whether a permission is for a service that waits for the function's answer."""
    principal = PERMISSION.at(permission, "principal").text()
    return isinstance(principal, Known) and principal.value in SYNCHRONOUS_CALLERS


def qualifier(resource: Resource, function_named: PropertyRef) -> str | None:
    """Return the version or alias that a configuration or permission is for: empty is none, None unknown."""
    said, function = resource.at("qualifier").text(), function_named.text()
    match said:
        case Known(text):
            return "" if text == LATEST else text
        case Unknown() if resource.property_dependencies.get("qualifier"):
            return None
        case _:
            return function_qualifier(function.value) if isinstance(function, Known) else ""


def lost(owner: Resource, stack: Stack, ref: PropertyRef) -> Finding | None:
    """Say why what failed is not kept where a property names a destination; None when it is."""
    match owner.as_set(ref).text():
        case Known(arn) as prop:
            kept = FAILURE_ARN.fullmatch(arn)
            return None if kept else Invalid(prop.ref, A_DESTINATION).invalid(A_DESTINATION)
        case Unknown() as prop:
            known = stack.dependencies_of(owner, ref.top, FAILURE_TARGETS)
            return None if known else prop.undecided(A_DESTINATION)
        case Invalid() as prop:
            return prop.invalid(A_DESTINATION)
        case Absent() as prop:
            return prop.violation(DROPPED, A_DESTINATION)


def only_waited_for(resource: Resource, stack: Stack, *, exempting: bool) -> str:
    """Say why a function gets no asynchronous calls, or nothing when it may get some."""
    permissions = sub_resources(stack, resource, PERMISSIONS_OF)
    every = (*permissions.certain, *permissions.possible)
    if not all(map(waits, every)) or resource.urn in stack.memoized(called_without_waiting):
        return ""
    if sub_resources(stack, resource, SOURCES_OF).certain:
        return "Event sources feed the function, and each of them is evaluated by itself."
    named = permissions.certain or sub_resources(stack, resource, URLS_OF).certain
    if exempting and (named or states_wait(resource, stack)):
        return "Whoever calls the function in this stack waits for its answer."
    return ""


def source(mapping: Resource, stack: Stack, *, trusting: bool) -> Outcomes:
    """Require that what a source feeds in vain is kept."""
    ref = mapping.as_set(mapping.at("eventSourceArn"))
    match ref.text():
        case Known(arn):
            service = [*arn.split(":", 3), "", "", ""][2]
            if service == "sqs":
                yield from queue(mapping, stack, ref, trusting=trusting)
            elif service in STREAM_SERVICES:
                yield from stream(mapping, stack)
            else:
                yield NotApplicable("What such a source feeds in vain stays with the source.")
        case Unknown() as prop:
            queues = stack.dependencies_of(mapping, ref.top, QUEUE.types)
            streams = stack.dependencies_of(mapping, ref.top, STREAM_TYPES)
            if queues and not streams:
                yield from queue(mapping, stack, ref, trusting=trusting)
            elif streams and not queues:
                yield from stream(mapping, stack)
            else:
                yield prop.undecided("a source that is known, with a destination for what failed")
        case Invalid() as prop:
            yield prop.invalid("the ARN of an event source")
        case Absent():
            yield from stream(mapping, stack)


def stream(mapping: Resource, stack: Stack) -> Outcomes:
    """Require that a mapping names a destination for the records of its stream that failed."""
    destination = "destinationArn" if mapping.type.startswith("aws:") else "destination"
    ref = mapping.at("destinationConfig", "onFailure", destination)
    prop = ref.text()
    finding = lost(mapping, stack, ref)
    if finding and not (isinstance(prop, Known) and KAFKA_TOPIC.fullmatch(prop.value)):
        yield finding


def queue(mapping: Resource, stack: Stack, ref: PropertyRef, *, trusting: bool) -> Outcomes:
    """Require that the queue that feeds a function redrives what fails."""
    queues = stack.resolve_reference(mapping, ref, QUEUE, queue_name)
    near = [one for one in queues.certain if same_location(mapping, one) is not False]
    candidates = near or list(queues.possible)
    redriven = [redrives(one, stack) for one in candidates]
    if candidates and all(redriven):
        return
    if not near and not queues.possible:
        if not trusting:
            yield ref.undecided(
                A_REDRIVE,
                "Undecided: the queue is not in this stack, and may not keep what fails.",
                "Declare the queue here, or set `foreignQueues: trust` for this policy.",
            )
    elif near and False in redriven:
        yield ref.violation(f"The queue {listed(near)} drops what fails too often or too long.", A_REDRIVE)
    else:
        yield ref.undecided(A_REDRIVE, f"Undecided before deployment: {listed(candidates)} may redrive.")


def redrives(resource: Resource, stack: Stack) -> bool | None:
    """Tell whether a queue has a dead letter queue; None when that is undecided."""
    redrive = sub_resources(stack, resource, REDRIVES_OF)
    answers = [names_a_queue(one, stack) for one in (resource, *redrive.certain)]
    return any_of([*answers, None] if redrive.possible else answers)


def names_a_queue(resource: Resource, stack: Stack) -> bool | None:
    """Tell whether a redrive policy names a queue; None when that is undecided."""
    ref = resource.as_set(redrive_ref(resource))
    match ref.text():
        case Known(arn):
            return queue_name(arn) is not None
        case Unknown():
            return True if stack.dependencies_of(resource, ref.top, QUEUE.types) else None
        case _:
            return False


RULE = StackRule(
    name="lambda-failure-destination",
    title="Lambda functions keep what they fail on",
    description="Failed events of Lambda functions go to a dead letter queue or an on-failure destination.",
    why="An event that is dropped after the last attempt is lost without a trace, and no one can replay it.",
    fix="Name a queue in a FunctionEventInvokeConfig's `onFailure`; give source queues a `redrivePolicy`.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/invocation-retries.html",
    types=(*FUNCTION.types, *EVENT_SOURCE.types),
    settings=(
        Enum(
            "synchronousFunctions",
            EXEMPT,
            "Functions whose callers in the stack all wait for the answer (a function URL, API Gateway, Step "
            "Functions): `exempt` them, or `require` a destination of them too, since any may be called "
            "asynchronously.",
            (REQUIRE, EXEMPT),
        ),
        Enum(
            "foreignQueues",
            DENY,
            "Source queues that the stack does not declare: `deny`, for they may not "
            "redrive, or `trust` that they do.",
            (DENY, TRUST),
        ),
    ),
    check=check,
)

"""Arguments with their defaults applied and checked, or what is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from tap_stack.arguments import (
    ARGUMENTS,
    CONFIGURED,
    MAX_TAGS,
    Refused,
    from_config,
    legal_suffix,
    read,
    schema_name,
)
from tap_stack.names import suffix_of_stack


@dataclass(frozen=True, slots=True)
class Problem:
    """One bad argument."""

    argument: str
    """The argument as the schema calls it, for instance `logRetentionInDays`."""
    what: str
    """What is wrong, why it matters and how to fix it."""


class InvalidTapStackArgs(pulumi.RunError):
    """Arguments that TapStack refuses, all of them at once.

    A Python program that meets it ends with its message and no traceback; the component host (`host`)
    hands it on as errors of the properties.
    """

    def __init__(self, component: str, problems: Sequence[Problem]) -> None:
        self.summary = f"TapStack `{component}` cannot be planned with these arguments"
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem.argument}: {problem.what}" for problem in problems)
        super().__init__(f"{self.summary}:\n{lines}")


DEFAULT_SUFFIX = "dev"


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack's settings; units and meanings as in `TapStackArgs`."""

    suffix: str
    tags: dict[str, str]
    api_handler_code: pulumi.Input[pulumi.Archive]
    processor_code: pulumi.Input[pulumi.Archive]
    log_retention_in_days: int
    log_level: str
    api_handler_error_threshold: int
    processor_error_threshold: int
    api_handler_duration_threshold: int
    notification_email: pulumi.Input[str] | None
    notification_topic_arn: pulumi.Input[str] | None
    deletion_protection: bool
    force_destroy: bool
    permissions_boundary: str | None
    architecture: str
    api_handler_reserved_concurrency: int
    processor_maximum_concurrency: int


def read_settings(
    component: str,
    args: Mapping[str, object],
    *,
    project: str,
    stack: str,
    config: Mapping[str, str] | None = None,
) -> Settings:
    """Apply the defaults to the arguments and check them.

    Args:
        component: The component's logical name, for messages.
        args: The arguments by their Python names, as the program or the component host gives them.
        project: The Pulumi project, the value of the `Project` tag.
        stack: The Pulumi stack, which can name the environment (`TapStackpr12`).
        config: The project's config by key, for the arguments of `CONFIGURED` that `args` leaves out.

    Raises:
        InvalidTapStackArgs: Something is wrong with the arguments; it lists everything that is.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    try:
        suffix = _suffix(args.get("environment_suffix"), stack)
    except Refused as refused:
        suffix = "invalid"
        problems.append(Problem("environmentSuffix", str(refused)))
    for name, argument in ARGUMENTS.items():
        if name == "environment_suffix":
            continue
        value, source = args.get(name), ""
        if value is None and name in CONFIGURED and (configured := (config or {}).get(schema_name(name))):
            source = f". It is the stack's config {project}:{schema_name(name)}"
            value = from_config(configured)
        try:
            values[name] = read(argument, value, suffix)
        except Refused as refused:
            problems.append(Problem(schema_name(name), f"{refused}{source}"))
            values[name] = argument.default_in(suffix)
    values["tags"] = {"Project": project, "Environment": suffix, "ManagedBy": "Pulumi", **values["tags"]}
    settings = Settings(suffix=suffix, **values)
    problems += _conflicts(settings)
    problems += _unknown_arguments(args)
    if problems:
        raise InvalidTapStackArgs(component, problems)
    return settings


def _suffix(value: object, stack: str) -> str:
    """Return the environment's suffix: the argument, else what the stack's name says, else the default."""
    given = read(ARGUMENTS["environment_suffix"], value, "")
    if given is not None:
        return given
    suffix = suffix_of_stack(stack) or DEFAULT_SUFFIX
    if wrong := legal_suffix(suffix):
        raise Refused(f"{wrong}. It follows from the name of stack {stack!r}")
    return suffix


def _conflicts(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with settings that are good one by one."""
    if len(settings.tags) > MAX_TAGS:
        count = len(settings.tags)
        yield Problem("tags", f"{count} tags are more than the {MAX_TAGS} that AWS allows: give fewer")
    if settings.notification_email is not None and settings.notification_topic_arn is not None:
        yield Problem(
            "notificationEmail",
            "an e-mail address and a topic are both given, and the stack adds no subscription to a topic "
            "that it does not own: give one of notificationEmail and notificationTopicArn, and set the other "
            'to ""',
        )
    if settings.deletion_protection and settings.force_destroy:
        yield Problem(
            "forceDestroy",
            "deletionProtection keeps the data and forceDestroy deletes it: set one of them to false",
        )


def _unknown_arguments(args: Mapping[str, object]) -> Iterator[Problem]:
    """Yield every argument that TapStack does not have, with the nearest that it has."""
    for argument in args:
        if argument not in ARGUMENTS:
            near = difflib.get_close_matches(argument, ARGUMENTS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f". It has {', '.join(sorted(ARGUMENTS))}"
            yield Problem(argument, f"TapStack has no such argument{hint}")

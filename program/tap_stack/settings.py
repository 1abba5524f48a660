"""Arguments, defaults applied and checked: what the rest of the component builds from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_stack.checks import Reader
from tap_stack.names import suffix_of_stack
from tap_stack.plans import API_HANDLER
from tap_stack.problems import InvalidTapStackArgs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

DEFAULT_SUFFIX = "dev"
_RETENTION_OF_ENVIRONMENT = {"staging": 14, "prod": 30}
_RETENTION_ELSEWHERE = 7
_PROTECTED_ENVIRONMENTS = frozenset({"prod"})


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
    notification_email: str | None
    notification_topic_arn: pulumi.Input[str] | None
    deletion_protection: bool
    force_destroy: bool
    architecture: str
    api_handler_reserved_concurrency: int
    processor_maximum_concurrency: int


def read_settings(component: str, args: Mapping[str, object], *, project: str, stack: str) -> Settings:
    """Apply the defaults to the arguments and check them.

    Args:
        component: The component's logical name, for messages.
        args: The arguments by their Python names, as the program or the component host gives them.
        project: The Pulumi project, the value of the `Project` tag.
        stack: The Pulumi stack, which can name the environment (`TapStackpr12`).

    Raises:
        InvalidTapStackArgs: Something is wrong with the arguments; it lists everything that is.
    """
    read = Reader(args)
    suffix = read.suffix(default=suffix_of_stack(stack) or DEFAULT_SUFFIX, stack=stack)
    protected = read.flag("deletion_protection", default=suffix in _PROTECTED_ENVIRONMENTS)
    email = read.email("notification_email")
    topic = read.topic_arn("notification_topic_arn")
    settings = Settings(
        suffix=suffix,
        tags=read.tags({"Project": project, "Environment": suffix, "ManagedBy": "Pulumi"}),
        api_handler_code=read.archive("api_handler_code", default="dist/api_handler.zip"),
        processor_code=read.archive("processor_code", default="dist/processor.zip"),
        log_retention_in_days=read.retention(
            "log_retention_in_days", default=_RETENTION_OF_ENVIRONMENT.get(suffix, _RETENTION_ELSEWHERE)
        ),
        log_level=read.choice("log_level", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO"),
        api_handler_error_threshold=read.number("api_handler_error_threshold", 0, 1_000_000, default=5),
        processor_error_threshold=read.number("processor_error_threshold", 0, 1_000_000, default=10),
        api_handler_duration_threshold=read.number(
            "api_handler_duration_threshold", 1, API_HANDLER.timeout_seconds * 1000 - 1, default=20_000
        ),
        notification_email=email,
        notification_topic_arn=topic,
        deletion_protection=protected,
        force_destroy=read.flag("force_destroy", default=False),
        architecture=read.choice("architecture", ("arm64", "x86_64"), default="arm64"),
        api_handler_reserved_concurrency=read.number(
            "api_handler_reserved_concurrency", -1, 100_000, default=-1
        ),
        processor_maximum_concurrency=read.number("processor_maximum_concurrency", 2, 1000, default=10),
    )
    if email is not None and topic is not None:
        read.report(
            "notification_email",
            "an e-mail address and a topic are both given, and the stack adds no subscription to a topic "
            "that it does not own: give one of notificationEmail and notificationTopicArn",
        )
    if protected and settings.force_destroy:
        read.report(
            "force_destroy",
            "deletionProtection keeps the data and forceDestroy deletes it: set one of them to false",
        )
    read.report_unknown_arguments()
    if read.problems:
        raise InvalidTapStackArgs(component, read.problems)
    return settings

"""The arguments of TapStack as one table: what each may be, and its default in each environment.

A bad argument is recorded and its default used, so that one run reports all of them. Arguments come from YAML
through the component host, which sends every number as a float; a stack's config holds text only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import pulumi

from tap_stack.functions import API_HANDLER
from tap_stack.names import MAX_SUFFIX_LENGTH, SUFFIX_PATTERN

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What PutRetentionPolicy accepts.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

MAX_TAGS = 50
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""

_EMAIL = r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"
_TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
_POLICY_ARN = r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}"
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")


class Refused(Exception):  # noqa: N818 - the word of the messages
    """A value that an argument cannot have; the text says why, and what to give instead."""


Type: TypeAlias = "Callable[[object], Any]"
"""Return a value as its argument's type; raise `Refused` for one that is not of it."""
Check: TypeAlias = "Callable[[Any], str | None]"
"""Return what is wrong with a value of the right type, or None."""


def string(value: object) -> str | None:
    """Return a text; empty means absent."""
    if isinstance(value, str):
        return value or None
    raise Refused(f"{value!r} is not text: give a string")


def boolean(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise Refused(f"{value!r} is neither true nor false: write one of them, without quotes")


def integer(value: object) -> int:
    """Return a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Refused(f"{value!r} is not a whole number: give one, without quotes")


def tag_map(value: object) -> dict[str, str]:
    """Return keys with their values."""
    if not isinstance(value, dict):
        raise Refused(f"{value!r} is not a map of tags: give keys with their values")
    for key, value_of_key in cast("dict[object, object]", value).items():
        if not (isinstance(key, str) and isinstance(value_of_key, str)):
            raise Refused(f"the tag {key!r} has the value {value_of_key!r}: give text, in quotes")
    return cast("dict[str, str]", value)


def archive(value: object) -> pulumi.Input[pulumi.Archive]:
    """Return a function's code."""
    if isinstance(value, pulumi.Archive | pulumi.Output):
        return cast("pulumi.Input[pulumi.Archive]", value)
    raise Refused(f"{value!r} is not an archive: give a file archive of the function's zip")


def between(low: int, high: int) -> Check:
    """Return the check that a number lies between two limits, both allowed."""
    wrong = f"is out of bounds: give a number from {low} to {high}"
    return lambda value: None if low <= value <= high else f"{value} {wrong}"


def enum(*choices: str) -> Check:
    """Return the check that a text is one of some."""
    wrong = f"is not one of {', '.join(choices)}: choose one of these"
    return lambda value: None if value in choices else f"{value!r} {wrong}"


def matching(pattern: str, what: str) -> Check:
    """Return the check that a text has a form; `what` follows the value in the message."""
    return lambda value: None if re.fullmatch(pattern, value) else f"{value!r} {what}"


def legal_suffix(suffix: str) -> str | None:
    """Check that a text can end the names of all resources."""
    if SUFFIX_PATTERN.fullmatch(suffix) and len(suffix) <= MAX_SUFFIX_LENGTH:
        return None
    return (
        f"{suffix!r} cannot end the names of AWS resources: lower-case letters, digits and single hyphens "
        f"between them, at most {MAX_SUFFIX_LENGTH} characters, or the bucket cannot be created. "
        "Choose one such as pr12"
    )


def retention(days: int) -> str | None:
    """Check that CloudWatch Logs accepts a retention."""
    if days in RETENTION_DAYS:
        return None
    why = (
        "0 would keep logs, and pay for them, for ever"
        if days == 0
        else f"CloudWatch Logs does not accept {days} days"
    )
    nearest = min(RETENTION_DAYS, key=lambda accepted: abs(accepted - days))
    return f"{why}: choose one of {', '.join(map(str, RETENTION_DAYS))}; the nearest is {nearest}"


def legal_tags(tags: Mapping[str, str]) -> str | None:
    """Check that AWS takes each tag."""
    for key, value in tags.items():
        if not key or len(key) > 128 or len(value) > 256:
            return f"the tag {key!r} is too long or empty: keys have 1-128 and values 0-256 characters"
        if key.lower().startswith("aws:"):
            return f"the tag {key!r} begins with aws:, which AWS keeps for itself: rename it"
        if not (_TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value)):
            return (
                f"the tag {key!r} = {value!r} has characters that AWS refuses: use letters, digits, "
                "spaces and _ . : / = + - @"
            )
    return None


def existing_file(code: object) -> str | None:
    """Check that a file that holds a function's code is there."""
    if isinstance(code, pulumi.FileArchive) and not Path(code.path).exists():
        return (
            f"there is no file {code.path!r}, so the function would have no code: "
            "build it with `python -m lambdas.package`"
        )
    return None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument.

    Attributes:
        type: Reads a value as the argument's type.
        default: Its value when it is absent.
        by_environment: Other defaults, by environment suffix. Such an argument is also read from the
            project's config when the program leaves it out: a default in `Pulumi.yaml` would hide these.
        check: What else a value has to fulfil, its default included.
        output: Whether it may be known only when something else is deployed, or be secret.
    """

    type: Type
    default: Any = None
    by_environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    check: Check = lambda _: None
    output: bool = False

    def default_in(self, environment: str) -> Any:  # noqa: ANN401 - of the argument's type
        """Return the default in an environment."""
        return self.by_environment.get(environment, self.default)


_ALARM_COUNT = between(0, 1_000_000)

ARGUMENTS: Mapping[str, Argument] = {
    # Its default follows from the stack's name: see `settings`.
    "environment_suffix": Argument(string, check=legal_suffix),
    "tags": Argument(tag_map, default={}, check=legal_tags),
    "log_retention_in_days": Argument(
        integer, default=7, by_environment={"staging": 14, "prod": 30}, check=retention
    ),
    "log_level": Argument(
        string, default="INFO", check=enum("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    ),
    "api_handler_error_threshold": Argument(integer, default=5, check=_ALARM_COUNT),
    "processor_error_threshold": Argument(integer, default=10, check=_ALARM_COUNT),
    "api_handler_duration_threshold": Argument(
        integer, default=20_000, check=between(1, API_HANDLER.timeout_seconds * 1000 - 1)
    ),
    "notification_email": Argument(
        string,
        check=matching(_EMAIL, "is not an e-mail address, so no alarm would reach anyone: give one"),
        output=True,
    ),
    "notification_topic_arn": Argument(
        string,
        check=matching(
            _TOPIC_ARN,
            "is not the ARN of a standard SNS topic, so no alarm could reach it: "
            "give one such as arn:aws:sns:eu-west-2:123456789012:alarms",
        ),
        output=True,
    ),
    "deletion_protection": Argument(boolean, default=False, by_environment={"prod": True}),
    "force_destroy": Argument(boolean, default=False),
    "permissions_boundary": Argument(
        string,
        check=matching(
            _POLICY_ARN,
            "is not the ARN of an IAM policy, so it cannot bound a role: "
            "give one such as arn:aws:iam::123456789012:policy/boundary",
        ),
    ),
    "architecture": Argument(string, default="arm64", check=enum("arm64", "x86_64")),
    "api_handler_reserved_concurrency": Argument(integer, default=-1, check=between(-1, 100_000)),
    "processor_maximum_concurrency": Argument(integer, default=10, check=between(2, 1000)),
    "api_handler_code": Argument(
        archive, default=pulumi.FileArchive("dist/api_handler.zip"), check=existing_file, output=True
    ),
    "processor_code": Argument(
        archive, default=pulumi.FileArchive("dist/processor.zip"), check=existing_file, output=True
    ),
}
"""In the order of `TapStackArgs`."""

CONFIGURED = tuple(name for name, argument in ARGUMENTS.items() if argument.by_environment)
"""The arguments that are also read from the project's config."""


def schema_name(argument: str) -> str:
    """Return an argument's name as YAML programs and the schema write it."""
    first, *rest = argument.split("_")
    return first + "".join(word.capitalize() for word in rest)


def from_config(configured: str) -> object:
    """Return what a config value says: `30` is a number and `true` a boolean; anything else is text."""
    try:
        return json.loads(configured)
    except ValueError:
        return configured


def read(argument: Argument, value: object, environment: str) -> Any:  # noqa: ANN401 - of the argument's type
    """Return an argument's value, or its default in an environment when it is absent.

    Raises:
        Refused: The value cannot be the argument's.
    """
    if isinstance(value, pulumi.Output):
        if argument.output:
            return cast("object", value)
        raise Refused(
            "it is a secret, or the output of a resource and known only when that is deployed, but names and "
            "sizes are planned with it: give a plain value or a plain config value"
        )
    converted = None if value is None else argument.type(value)
    if converted is None:
        converted = argument.default_in(environment)
    if converted is not None and (wrong := argument.check(converted)):
        raise Refused(wrong)
    return converted

"""Reading one argument at a time: its type, its limits, and a clear word when it is wrong.

A bad argument is recorded and its default returned, so that one run reports all of them.
Arguments come from YAML through the component host, which sends every number as a float.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, cast

import pulumi

from tap_stack.args import TapStackArgs
from tap_stack.names import MAX_SUFFIX_LENGTH, SUFFIX_PATTERN
from tap_stack.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What PutRetentionPolicy accepts.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
MAX_TAGS = 50
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""


def schema_name(argument: str) -> str:
    """Return an argument's name as YAML programs and the schema write it."""
    first, *rest = argument.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, dict)


class Reader:
    """Reads arguments and gathers the problems."""

    def __init__(self, args: Mapping[str, object]) -> None:
        self._args = args
        self.problems: list[Problem] = []

    def report(self, argument: str, what: str) -> None:
        """Record that an argument is wrong."""
        self.problems.append(Problem(schema_name(argument), what))

    def report_unknown_arguments(self) -> None:
        """Record every argument that TapStack does not have, with the nearest that it has."""
        known = TapStackArgs.__annotations__
        for argument in self._args:
            if argument not in known:
                near = difflib.get_close_matches(argument, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f". It has {', '.join(sorted(known))}"
                self.problems.append(Problem(argument, f"TapStack has no such argument{hint}"))

    def _plain(self, argument: str) -> object:
        """Return the argument's value, None when it is absent, or unusable because it is not known yet."""
        value = self._args.get(argument)
        if isinstance(value, pulumi.Output):
            self.report(
                argument,
                "it is the output of a resource and known only when that is deployed, but names and sizes "
                "are planned with it: give a plain value or a config value",
            )
            return None
        return value

    def suffix(self, *, default: str, stack: str) -> str:
        """Read `environment_suffix`; empty means the default, which is checked as well."""
        value = self._plain("environment_suffix")
        given = value is not None and value != ""
        suffix = value if given else default
        if isinstance(suffix, str) and SUFFIX_PATTERN.fullmatch(suffix) and len(suffix) <= MAX_SUFFIX_LENGTH:
            return suffix
        source = "" if given else f" (from the name of stack {stack!r})"
        self.report(
            "environment_suffix",
            f"{suffix!r}{source} cannot end the names of AWS resources: lower-case letters, digits and "
            f"single hyphens between them, at most {MAX_SUFFIX_LENGTH} characters, or the bucket cannot be "
            "created. Choose one such as pr12",
        )
        return "invalid"

    def text(self, argument: str) -> str | None:
        """Read a text; empty means absent."""
        value = self._plain(argument)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value
        self.report(argument, f"{value!r} is not text: give a string")
        return None

    def choice(self, argument: str, choices: Sequence[str], *, default: str) -> str:
        """Read one of the given texts."""
        value = self.text(argument)
        if value is None or value in choices:
            return value or default
        self.report(argument, f"{value!r} is not one of {', '.join(choices)}: choose one of these")
        return default

    def flag(self, argument: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._plain(argument)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.report(argument, f"{value!r} is neither true nor false: write one of them, without quotes")
        return default

    def _whole(self, argument: str) -> int | None:
        value = self._plain(argument)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        self.report(argument, f"{value!r} is not a whole number: give one, without quotes")
        return None

    def number(self, argument: str, low: int, high: int, *, default: int) -> int:
        """Read a whole number between two limits, both allowed."""
        value = self._whole(argument)
        if value is None or low <= value <= high:
            return default if value is None else value
        self.report(argument, f"{value} is out of bounds: give a number from {low} to {high}")
        return default

    def retention(self, argument: str, *, default: int) -> int:
        """Read a number of days that CloudWatch Logs accepts as a retention."""
        value = self._whole(argument)
        if value is None or value in RETENTION_DAYS:
            return default if value is None else value
        why = (
            "0 would keep logs, and pay for them, for ever"
            if value == 0
            else f"CloudWatch Logs does not accept {value} days"
        )
        nearest = min(RETENTION_DAYS, key=lambda days: abs(days - value))
        accepted = ", ".join(map(str, RETENTION_DAYS))
        self.report(argument, f"{why}: choose one of {accepted}; the nearest is {nearest}")
        return default

    def email(self, argument: str) -> str | None:
        """Read an e-mail address; empty means none."""
        value = self.text(argument)
        if value is None or _EMAIL.fullmatch(value):
            return value
        self.report(
            argument, f"{value!r} is not an e-mail address, so nobody would hear of an alarm: give one"
        )
        return None

    def topic_arn(self, argument: str) -> pulumi.Input[str] | None:
        """Read the ARN of an SNS topic, known or not yet known; empty means none."""
        value = self._args.get(argument)
        if isinstance(value, pulumi.Output):
            return cast("pulumi.Output[str]", value)
        topic = self.text(argument)
        if topic is None or _TOPIC_ARN.fullmatch(topic):
            return topic
        self.report(
            argument,
            f"{topic!r} is not the ARN of a standard SNS topic, so no alarm could reach it: "
            "give one such as arn:aws:sns:eu-west-2:123456789012:alarms",
        )
        return None

    def archive(self, argument: str, *, default: str) -> pulumi.Input[pulumi.Archive]:
        """Read a function's code; a file that is not there is a problem.

        Args:
            argument: The argument.
            default: The zip that holds the code when the argument is absent, from the project's folder.
        """
        value = self._args.get(argument)
        archive = pulumi.FileArchive(default) if value is None else value
        if isinstance(archive, pulumi.FileArchive) and not Path(archive.path).exists():
            self.report(
                argument,
                f"there is no file {archive.path!r}, so the function would have no code: "
                "build it with `python -m lambdas.package`",
            )
        if isinstance(archive, pulumi.Archive | pulumi.Output):
            return cast("pulumi.Input[pulumi.Archive]", archive)
        self.report(argument, f"{value!r} is not an archive: give a file archive of the function's zip")
        return pulumi.AssetArchive({})

    def tags(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Read the tags and lay them over the default ones."""
        value = self._plain("tags")
        if value is None:
            return dict(defaults)
        if not _is_mapping(value):
            self.report("tags", f"{value!r} is not a map of tags: give keys with their values")
            return dict(defaults)
        tags = dict(defaults)
        for key, text in value.items():
            if isinstance(key, str) and isinstance(text, str):
                tags[key] = text
                self._check_tag(key, text)
            else:
                self.report("tags", f"the tag {key!r} has the value {text!r}: give text, in quotes")
        if len(tags) > MAX_TAGS:
            self.report("tags", f"{len(tags)} tags are more than the {MAX_TAGS} that AWS allows: give fewer")
        return tags

    def _check_tag(self, key: str, value: str) -> None:
        if not key or len(key) > 128 or len(value) > 256:
            self.report(
                "tags", f"the tag {key!r} is too long or empty: keys have 1-128 and values 0-256 characters"
            )
        elif key.lower().startswith("aws:"):
            self.report("tags", f"the tag {key!r} begins with aws:, which AWS keeps for itself: rename it")
        elif not (_TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value)):
            self.report(
                "tags",
                f"the tag {key!r} = {value!r} has characters that AWS refuses: use letters, digits, "
                "spaces and _ . : / = + - @",
            )

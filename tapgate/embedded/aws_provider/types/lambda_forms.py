"""What the ways into a Lambda function have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.casing import camel
from tapgate.embedded.aws_provider.operations import Answer, Reader, Source, Subject, own

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

FUNCTION_NAME: Final = (
    r"(arn:[\w-]+:lambda:)?([a-z]{2}-(?:[a-z]+-){1,2}\d{1}:)?(\d{12}:)?(function:)?[0-9A-Za-z_-]{1,64}"
    r"(:(\$LATEST|[0-9A-Za-z_-]+))?"
)
"""What terraform-provider-aws takes for a function's name or ARN: internal/service/lambda/validate.go."""
GONE: Final = frozenset({"ResourceNotFoundException"})
OF: Final[dict[str, Source]] = own("functionName", "qualifier")


def function_found(answer: Answer, subject: Subject) -> Value:
    """Read the function as the program names it: by name or by ARN, of which AWS tells the ARN."""
    arn, wanted = str(answer.get("FunctionArn")), str(subject.wanted.get("functionName"))
    name = arn.split(":function:", 1)[-1]
    return wanted if wanted in {arn, name, name.partition(":")[0]} else name


def shown(name: str, *, convert: bool = False) -> Reader:
    """Read what AWS gives a default of its own where the program says nothing."""

    def read(answer: Answer, _subject: Subject) -> Value:
        value = answer.get(name)
        if value in (None, [], {}) or (name.startswith("Max") and value == -1):
            return None
        return camel()(value) if convert else cast("Value", value)

    return read

"""What AWS answers when it does not do what was asked, in the domain's terms."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tap_items.ports import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator


def error_code(error: ClientError) -> str:
    """Return the code of an answer, such as `NoSuchKey`."""
    return error.response.get("Error", {}).get("Code", "Unknown")


def http_status(error: ClientError) -> int:
    """Return the HTTP status of an answer; 0 when there is none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


@contextmanager
def unavailable_on_failure(operation: str) -> Generator[None]:
    """Turn every failure of an AWS call into `UnavailableError`.

    Nothing about an item can make a call fail that the handlers have not asked about before (it exists
    already, it is missing), so whatever else AWS answers is about the environment: throttling, an outage,
    a missing permission. All of those pass or are corrected, and the item must wait for that.
    """
    try:
        yield
    except ClientError as error:
        raise UnavailableError(operation, error_code(error)) from error
    except BotoCoreError as error:
        raise UnavailableError(operation, type(error).__name__) from error

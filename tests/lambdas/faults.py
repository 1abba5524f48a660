"""Faults and records at the AWS clients of the handlers, by botocore's own events.

Calls are answered before they leave the process, so the handlers meet what botocore makes of such an answer.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.awsrequest import AWSResponse, HTTPHeaders

from tap_items import aws_clients

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from botocore.model import OperationModel

SERVICES = ("s3", "dynamodb", "sqs")


class Fault(NamedTuple):
    """What AWS answers instead: HTTP status and error code."""

    status: int
    code: str


class Call(NamedTuple):
    """An AWS call, as the client was asked for it."""

    service: str
    operation: str
    params: dict[str, Any]


THROTTLED = Fault(400, "ThrottlingException")
SLOW_DOWN = Fault(503, "SlowDown")
DENIED = Fault(403, "AccessDenied")


class KilledError(BaseException):
    """Stands for the end of the process: nothing of the handlers catches it."""


def _events() -> list[Any]:
    clients = (aws_clients.s3(), aws_clients.dynamodb(), aws_clients.sqs())
    return [cast("Any", client).meta.events for client in clients]


@contextmanager
def hooked(event: str, hook: Callable[..., Any]) -> Generator[None]:
    """Have a hook called at an event of every client."""
    for events in _events():
        events.register_first(event, hook)
    try:
        yield
    finally:
        for events in _events():
            events.unregister(event, hook)


@contextmanager
def recorded() -> Generator[list[Call]]:
    """Record every call."""
    calls: list[Call] = []

    def record(params: dict[str, Any], model: OperationModel, **_: object) -> None:
        calls.append(Call(cast("Any", model).service_model.service_name, model.name, dict(params)))

    with hooked("provide-client-params", record):
        yield calls


@contextmanager
def failing(choose: Callable[[str], Fault | None]) -> Generator[None]:
    """Answer calls with a fault, if one is chosen for the operation; retries are spent already."""

    def answer(model: OperationModel, **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        fault = choose(model.name)
        if fault is None:
            return None
        parsed = {
            "Error": {"Code": fault.code, "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": fault.status, "RequestId": "injected", "RetryAttempts": 2},
        }
        return AWSResponse("", fault.status, HTTPHeaders(), None), parsed

    with hooked("before-call", answer):
        yield


@contextmanager
def killed_after(number: int) -> Generator[list[str]]:
    """End the process after the n-th call (from 1) was carried out, before its answer is seen."""
    done: list[str] = []

    def kill(model: OperationModel, **_: object) -> None:
        done.append(model.name)
        if len(done) == number:
            raise KilledError

    with hooked("after-call", kill):
        yield done


@contextmanager
def failing_on(fault: Fault, *operations: str) -> Generator[None]:
    """Answer some operations with a fault."""
    with failing(lambda operation: fault if operation in operations else None):
        yield
